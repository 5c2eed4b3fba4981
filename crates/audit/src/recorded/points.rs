//! Unique latents: rows with equal latents are one point.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};

use rayon::prelude::*;
use tellapart_data::Distinct;

use super::evidence::Recorded;
use crate::Embeddings;

/// Number of steps of a row's future that choose which rows represent a point.
const SIGNATURE_STEPS: usize = 6;
/// Number of actions by which the rows of one point are ordered.
const ORDERED_STEPS: usize = 16;

/// The different latents, and the rows of each.
pub(super) struct UniqueLatents {
    /// First row of each point.
    first_rows: Vec<usize>,
    /// Rows, point by point.
    rows: Vec<u32>,
    /// Start of each point in `rows`, and one more at the end.
    starts: Vec<usize>,
    of_row: Vec<u32>,
}

impl UniqueLatents {
    /// Groups equal latents, in one pass.
    pub(super) fn new(embeddings: &Embeddings<'_>) -> Self {
        let Distinct { ids, first_rows } = distinct(embeddings);
        let mut starts = vec![0; first_rows.len() + 1];
        for &id in &ids {
            starts[id as usize + 1] += 1;
        }
        for point in 0..first_rows.len() {
            starts[point + 1] += starts[point];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; ids.len()];
        for (row, &id) in ids.iter().enumerate() {
            rows[next[id as usize]] = row as u32;
            next[id as usize] += 1;
        }
        Self {
            first_rows,
            rows,
            starts,
            of_row: ids,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.first_rows.len()
    }

    /// Returns a row that has the latent of a point.
    pub(super) fn row(&self, point: usize) -> usize {
        self.first_rows[point]
    }

    /// Returns all rows of a point, ascending.
    pub(super) fn rows(&self, point: usize) -> &[u32] {
        &self.rows[self.starts[point]..self.starts[point + 1]]
    }

    pub(super) fn of_row(&self, row: usize) -> usize {
        self.of_row[row] as usize
    }

    /// Returns the number of rows that share their latent with another row.
    pub(super) fn duplicates(&self) -> usize {
        let sizes = self.starts.windows(2).map(|pair| pair[1] - pair[0]);
        sizes.filter(|&size| size > 1).sum()
    }
}

/// Groups rows with equal latents, as they were given. `0.0` and `-0.0` are equal.
fn distinct(embeddings: &Embeddings<'_>) -> Distinct {
    let Some(exact) = embeddings.exact() else {
        return Distinct::of_rows(embeddings.values(), embeddings.width());
    };
    let mut found: HashMap<Latent<'_>, u32> = HashMap::new();
    let mut first_rows = Vec::new();
    let latents = exact.chunks_exact(embeddings.width()).enumerate();
    let ids = latents.map(|(row, latent)| {
        *found.entry(Latent(latent)).or_insert_with(|| {
            first_rows.push(row);
            first_rows.len() as u32 - 1
        })
    });
    Distinct {
        ids: ids.collect(),
        first_rows,
    }
}

/// A latent by its numbers, none of which is NaN.
#[derive(PartialEq)]
struct Latent<'a>(&'a [f64]);

impl Eq for Latent<'_> {}

impl Hash for Latent<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // Adding zero maps both zeros to one.
        let bits = self.0.iter().map(|value| (value + 0.0).to_bits());
        bits.for_each(|bits| state.write_u64(bits));
    }
}

/// Rows that represent each point.
pub(super) struct Representatives {
    rows: Vec<u32>,
    starts: Vec<usize>,
}

impl Representatives {
    /// Chooses at most `most` rows of each point, spread evenly over those with different futures
    /// (actions and values of `p` of the next steps). A thousand copies of one latent then do not
    /// hide the one row among them that must be apart.
    pub(super) fn new(points: &UniqueLatents, recorded: &Recorded, most: usize) -> Self {
        let chosen: Vec<Vec<u32>> = (0..points.len())
            .into_par_iter()
            .map(|point| representatives(points.rows(point), recorded, most))
            .collect();
        let mut starts = vec![0];
        let mut rows = Vec::with_capacity(chosen.len());
        for of_point in chosen {
            rows.extend(of_point);
            starts.push(rows.len());
        }
        Self { rows, starts }
    }

    /// Returns the representatives of a point, ascending.
    pub(super) fn of(&self, point: usize) -> &[u32] {
        &self.rows[self.starts[point]..self.starts[point + 1]]
    }
}

fn representatives(rows: &[u32], recorded: &Recorded, most: usize) -> Vec<u32> {
    if rows.len() <= most {
        return rows.to_vec();
    }
    let mut futures: Vec<(Vec<u64>, u32)> = rows
        .iter()
        .map(|&row| (future(recorded, row as usize), row))
        .collect();
    futures.sort_unstable();
    futures.dedup_by(|a, b| a.0 == b.0);
    let mut chosen: Vec<u32> = evenly(&futures, most).map(|(_, row)| *row).collect();
    chosen.sort_unstable();
    chosen
}

/// Orders the rows by the actions that follow them, and returns the pairs of adjacent rows.
///
/// Rows from which one word was recorded are then contiguous. If a word of at most
/// [`ORDERED_STEPS`] actions leads two of the rows to different values, it does so for two adjacent
/// ones. One pass thus finds what comparing every two would, as far as observations do not recur.
pub(super) fn in_order_of_actions(rows: &[u32], recorded: &Recorded) -> Vec<[usize; 2]> {
    let recording = recorded.oracle.recording();
    let word = |row: u32| -> [u32; ORDERED_STEPS] {
        let mut word = [0; ORDERED_STEPS];
        for (step, place) in word.iter_mut().enumerate() {
            match recording.action_id(row as usize + step) {
                Some(action) => *place = action + 1,
                None => break,
            }
        }
        word
    };
    let mut ordered: Vec<([u32; ORDERED_STEPS], u32)> =
        rows.iter().map(|&row| (word(row), row)).collect();
    ordered.sort_unstable();
    let pair = |pair: &[([u32; ORDERED_STEPS], u32)]| {
        let [a, b] = [pair[0].1 as usize, pair[1].1 as usize];
        [a.min(b), a.max(b)]
    };
    ordered.windows(2).map(pair).collect()
}

/// Returns at most `most` items of a list, evenly spread.
pub(super) fn evenly<T>(list: &[T], most: usize) -> impl Iterator<Item = &T> {
    let count = list.len().min(most);
    (0..count).map(move |place| &list[place * list.len() / count])
}

/// Returns the actions and values of `p` along the recorded rows.
fn future(recorded: &Recorded, row: usize) -> Vec<u64> {
    let recording = recorded.oracle.recording();
    let mut future = Vec::with_capacity(SIGNATURE_STEPS + 1);
    for row in row..recording.rows().min(row + SIGNATURE_STEPS) {
        let action = recording.action_id(row);
        let action_code = action.map_or(0, |action| u64::from(action) + 1);
        future.push(action_code << 32 | u64::from(recording.value_id(row)));
        if action.is_none() {
            break;
        }
    }
    future
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PreciseLatents;

    #[test]
    fn latents_in_f64_are_equal_only_where_all_their_bits_are() {
        let near = 1e6 + 1e-9;
        let values = vec![1e6, 0.0, near, 0.0, 1e6, -0.0, -1e6, 0.0, near, 0.0];
        let latents = PreciseLatents::new(values, 5, 2).unwrap();
        let points = UniqueLatents::new(&latents.embeddings());
        let ids: Vec<usize> = (0..5).map(|row| points.of_row(row)).collect();
        assert_eq!(ids, [0, 1, 0, 2, 1]);
        assert_eq!([points.row(0), points.row(1), points.row(2)], [0, 1, 3]);
        assert_eq!(points.duplicates(), 4);
    }
}
