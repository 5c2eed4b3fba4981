//! Splits recordings into training and held-out episodes, and draws windows of rows.

use std::ops::Range;

use rand::RngExt;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::error::DataError;
use crate::trajectories::Trajectories;

/// Splits the episodes into `(training, held out)`, each in the order of the recording.
///
/// Holds out `held_out_fraction` (0 to 1) of the episodes, rounded, drawn without replacement.
/// Unless the fraction is exactly 0 or 1, neither side is left empty if there are at least two
/// episodes. The same recording, fraction and seed give the same split on every machine.
///
/// # Errors
/// [`DataError::Fraction`] if the fraction is not a number from 0 to 1.
#[allow(clippy::type_complexity)] // two lists of ranges need no name of their own
pub fn split_by_episode(
    trajectories: &Trajectories,
    held_out_fraction: f64,
    seed: u64,
) -> Result<(Vec<Range<usize>>, Vec<Range<usize>>), DataError> {
    if !(0.0..=1.0).contains(&held_out_fraction) {
        return Err(DataError::Fraction {
            found: held_out_fraction,
        });
    }
    let episodes: Vec<_> = trajectories.episodes().collect();
    let count = episodes.len();
    let mut held_out_count = (count as f64 * held_out_fraction).round() as usize;
    if count >= 2 && held_out_fraction > 0.0 && held_out_fraction < 1.0 {
        held_out_count = held_out_count.clamp(1, count - 1);
    }
    let mut held_out = vec![false; count];
    held_out[..held_out_count.min(count)].fill(true);
    held_out.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let side = |wanted: bool| {
        let chosen = episodes
            .iter()
            .zip(&held_out)
            .filter(|(_, out)| **out == wanted);
        chosen.map(|(episode, _)| episode.clone()).collect()
    };
    Ok((side(false), side(true)))
}

/// Draws `rows` consecutive rows of `episodes` laid end to end, every start equally likely. Returns
/// them as ranges that end where episodes do, ready for [`Trajectories::batch`].
///
/// Episodes are often shorter than a batch. Drawing across their ends uses every row, and the batch
/// marks where rows are not joined. Cost: one pass over the list of episodes.
///
/// # Errors
/// [`DataError::NotEnoughRows`] if the episodes together have fewer rows than `rows`.
pub fn uniform_window(
    episodes: &[Range<usize>],
    rows: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Vec<Range<usize>>, DataError> {
    let available = episodes.iter().map(ExactSizeIterator::len).sum();
    if rows > available {
        return Err(DataError::NotEnoughRows {
            wanted: rows,
            available,
        });
    }
    let (mut skip, mut wanted) = (rng.random_range(0..=available - rows), rows);
    let mut window = Vec::new();
    for episode in episodes {
        if wanted == 0 {
            break;
        }
        if skip >= episode.len() {
            skip -= episode.len();
            continue;
        }
        let start = episode.start + std::mem::take(&mut skip);
        let end = episode.end.min(start + wanted);
        wanted -= end - start;
        window.push(start..end);
    }
    Ok(window)
}
