//! Merges outputs that are equal up to a tolerance, where that is an equivalence on the data.

use crate::meaning::{OutputMeaning, Vectors};
use crate::{MooreMachine, OutputId, StateId, SystemError};

/// Three states whose outputs show that a tolerance is not transitive. The second output is close
/// to the first and the third, which are not close to each other.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "outputs cannot be grouped within {tolerance}: state {} has {} and state {} has {}, which are {} apart; \
     state {} has {}, which is {} from the second but {} from the first. Choose a tolerance at which close \
     outputs are close to all of each other, or round the outputs",
    states[0], values[0], states[1], values[1], distances[0], states[2], values[2], distances[1],
    distances[2]
)]
pub struct NotTransitive {
    /// Largest distance of close outputs.
    pub tolerance: f64,
    /// First states with these outputs.
    pub states: [StateId; 3],
    /// Outputs of the three states, formatted for people.
    pub values: [String; 3],
    /// Distances from the first to the second output, the second to the third, and the first to the
    /// third.
    pub distances: [f64; 3],
}

impl MooreMachine {
    /// Merges outputs that are at most `tolerance` apart, in Euclidean distance. The value of the
    /// first state stands for all, and the machine keeps the tolerance
    /// ([`MooreMachine::output_tolerance`]).
    ///
    /// Being close is no equivalence in general: `a` and `b` may be close, and `b` and `c`, but not
    /// `a` and `c`. Where that happens among the outputs, nothing is merged and the error names
    /// three states. Cost: `O(k log k)` for `k` distinct outputs if groups lie well apart and are
    /// well within the tolerance. Otherwise pairs of outputs that are close in one direction are
    /// compared.
    ///
    /// # Errors
    /// [`SystemError::Tolerance`], [`SystemError::NotTransitive`]; [`SystemError::NoValues`] or
    /// [`SystemError::InfiniteOutput`] for outputs that are not finite numbers.
    pub fn with_tolerance(self, tolerance: f64) -> Result<Self, SystemError> {
        if !tolerance.is_finite() || tolerance < 0.0 {
            return Err(SystemError::Tolerance { found: tolerance });
        }
        let meaning = self.meaning();
        let values = meaning.values.as_ref();
        let values = values.filter(|_| meaning.is_only_values());
        let values = values.ok_or(SystemError::NoValues)?;
        let mut first_state = vec![None; self.outputs()];
        for state in self.state_ids() {
            first_state[self.output(state).index()].get_or_insert(state);
        }
        let state = |output: usize| first_state[output].unwrap_or_default();
        if let Some(place) = values.values.iter().position(|value| !value.is_finite()) {
            return Err(SystemError::InfiniteOutput {
                state: state(place / values.width).index(),
                column: place % values.width,
            });
        }

        let groups = Grouping::new(values, tolerance)
            .groups()
            .map_err(|outputs| not_transitive(values, tolerance, outputs, state))?;
        let (mut merged, mut kept) = (vec![None; self.outputs()], Vec::new());
        let mut fresh = 0;
        let output = self.output_table().iter().map(|output| {
            let group = groups[output.index()];
            *merged[group].get_or_insert_with(|| {
                kept.extend_from_slice(values.get(output.index()).unwrap_or_default());
                fresh += 1;
                OutputId::new(fresh - 1)
            })
        });
        let output = output.collect();
        let meaning = OutputMeaning {
            tolerance: Some(tolerance),
            ..OutputMeaning::of_values(values.width, kept)
        };
        self.with_outputs(output, meaning)
    }
}

fn not_transitive(
    values: &Vectors,
    tolerance: f64,
    outputs: [usize; 3],
    state: impl Fn(usize) -> StateId,
) -> SystemError {
    let shown = |output: usize| {
        let numbers = values.get(output).unwrap_or_default();
        let numbers: Vec<String> = numbers.iter().take(8).map(f64::to_string).collect();
        let more = if values.width > 8 { ", ..." } else { "" };
        format!("[{}{more}]", numbers.join(", "))
    };
    let distance = |a, b| Grouping::new(values, tolerance).distance(a, b);
    let [a, b, c] = outputs;
    SystemError::NotTransitive(Box::new(NotTransitive {
        tolerance,
        states: outputs.map(state),
        values: outputs.map(shown),
        distances: [distance(a, b), distance(b, c), distance(a, c)],
    }))
}

/// Outputs ordered by their projections on one direction. Close outputs have close projections,
/// too.
struct Grouping<'a> {
    values: &'a Vectors,
    tolerance: f64,
    /// Projection of each output.
    place: Vec<f64>,
    /// Largest difference of the projections of close outputs, with an allowance for rounding.
    reach: f64,
}

impl<'a> Grouping<'a> {
    fn new(values: &'a Vectors, tolerance: f64) -> Self {
        // Any direction is correct; this one is in no special position to grids and axes.
        let direction: Vec<f64> = (1..=values.width)
            .map(|column| 0.5 + (column as f64 * 0.618_033_988_749_895).fract())
            .collect();
        let length = norm(direction.iter().copied());
        let place = values.values.chunks_exact(values.width).map(|row| {
            let along = row.iter().zip(&direction).map(|(value, step)| value * step);
            along.sum::<f64>() / length
        });
        let place: Vec<f64> = place.collect();
        let largest = values
            .values
            .iter()
            .fold(0.0_f64, |most, value| most.max(value.abs()));
        let rounding = 8.0 * f64::EPSILON * largest * values.width as f64;
        Self {
            values,
            tolerance,
            place,
            reach: tolerance * (1.0 + 1e-9) + rounding,
        }
    }

    fn distance(&self, a: usize, b: usize) -> f64 {
        let row = |output| self.values.get(output).unwrap_or_default();
        norm(row(a).iter().zip(row(b)).map(|(a, b)| a - b))
    }

    fn are_close(&self, a: usize, b: usize) -> bool {
        self.distance(a, b) <= self.tolerance
    }

    /// Returns a number for each output, equal iff they are close. Or fails with `[a, b, c]`, where
    /// `b` is close to both others, which are not close to each other.
    fn groups(&self) -> Result<Vec<usize>, [usize; 3]> {
        let mut order: Vec<usize> = (0..self.place.len()).collect();
        order.sort_unstable_by(|&a, &b| self.place[a].total_cmp(&self.place[b]).then(a.cmp(&b)));
        // The first output of each group is its leader, and no two leaders are close.
        let mut members: Vec<Vec<usize>> = Vec::new();
        let mut group_of = vec![0; order.len()];
        let mut near = std::collections::VecDeque::new();
        for &output in &order {
            let is_far =
                |&group: &usize| self.place[output] - self.place[members[group][0]] > self.reach;
            while near.front().is_some_and(is_far) {
                near.pop_front();
            }
            let mut leaders = near
                .iter()
                .copied()
                .filter(|&group| self.are_close(members[group][0], output));
            match (leaders.next(), leaders.next()) {
                (Some(one), Some(other)) => {
                    return Err([members[one][0], output, members[other][0]]);
                }
                (Some(group), None) => {
                    group_of[output] = group;
                    members[group].push(output);
                }
                (None, _) => {
                    group_of[output] = members.len();
                    near.push_back(members.len());
                    members.push(vec![output]);
                }
            }
        }
        members
            .iter()
            .try_for_each(|group| self.check_within(group))?;
        self.check_between(&members, &order, &group_of)?;
        Ok(group_of)
    }

    /// Checks that the members of a group, which are close to their leader, are close to each
    /// other.
    fn check_within(&self, group: &[usize]) -> Result<(), [usize; 3]> {
        let extent = (0..self.values.width).map(|column| {
            let value = |&output: &usize| self.values.values[output * self.values.width + column];
            let (mut least, mut most) = (f64::MAX, f64::MIN);
            for value in group.iter().map(value) {
                (least, most) = (least.min(value), most.max(value));
            }
            most - least
        });
        if norm(extent) <= self.tolerance {
            return Ok(());
        }
        // Starts with the ends, which are the likeliest to be far apart.
        for (count, &b) in group.iter().enumerate().rev() {
            if let Some(&a) = group[..count].iter().find(|&&a| !self.are_close(a, b)) {
                return Err([a, group[0], b]);
            }
        }
        Ok(())
    }

    /// Checks that no outputs of different groups are close.
    fn check_between(
        &self,
        members: &[Vec<usize>],
        order: &[usize],
        group_of: &[usize],
    ) -> Result<(), [usize; 3]> {
        // Groups with a member near the current output, and the number of members of each group
        // passed so far.
        let mut passed = vec![0; members.len()];
        let mut open: Vec<usize> = Vec::new();
        for &output in order {
            let own = group_of[output];
            let is_near = |other: usize| self.place[output] - self.place[other] <= self.reach;
            open.retain(|&group| is_near(members[group][passed[group] - 1]));
            for &group in open.iter().filter(|&&group| group != own) {
                let before = members[group][..passed[group]].iter().rev();
                let mut near = before.take_while(|&&other| is_near(other));
                if let Some(&other) = near.find(|&&other| self.are_close(other, output)) {
                    return Err([members[group][0], other, output]);
                }
            }
            if passed[own] == 0 || !open.contains(&own) {
                open.push(own);
            }
            passed[own] += 1;
        }
        Ok(())
    }
}

fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|number| number * number).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Checks all pairs and triples, by the definition.
    fn is_transitive(grouping: &Grouping<'_>, count: usize) -> bool {
        let close = |a, b| grouping.are_close(a, b);
        let triples = (0..count).flat_map(|a| (0..count).map(move |b| (a, b)));
        let mut triples = triples.flat_map(|(a, b)| (0..count).map(move |c| (a, b, c)));
        triples.all(|(a, b, c)| !close(a, b) || !close(b, c) || close(a, c))
    }

    #[test]
    fn every_pair_and_every_triple() {
        let (mut accepted, mut refused) = (0, 0);
        for seed in 0..20_000 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let width = random.random_range(1..4);
            let count = random.random_range(1..9);
            let fine = random.random_range(2..40);
            // Integers, so that distances equal to the tolerance occur.
            let numbers = (0..width * count).map(|_| f64::from(random.random_range(0..fine)));
            let values = numbers.collect();
            let values = Vectors { width, values };
            let tolerance = f64::from(random.random_range(0..8));
            let grouping = Grouping::new(&values, tolerance);
            match grouping.groups() {
                Ok(groups) => {
                    accepted += 1;
                    for a in 0..count {
                        for b in 0..count {
                            let same = groups[a] == groups[b];
                            assert_eq!(same, grouping.are_close(a, b), "seed {seed}: {a}, {b}");
                        }
                    }
                }
                Err([a, b, c]) => {
                    refused += 1;
                    let close = |a, b| grouping.are_close(a, b);
                    assert!(close(a, b) && close(b, c) && !close(a, c), "seed {seed}");
                }
            }
            assert_eq!(
                grouping.groups().is_ok(),
                is_transitive(&grouping, count),
                "seed {seed}"
            );
        }
        assert!(
            accepted > 3000 && refused > 3000,
            "{accepted} and {refused}"
        );
    }
}
