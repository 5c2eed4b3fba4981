//! Oracle of the pairs of rows that the data distinguishes, with witnesses and the depth of
//! comparison.

use tellapart_progress::{Progress, Stopped};

use super::comparison::{Comparison, Missing, Undecided};
use super::episodes::{Episodes, EvidenceError};
use super::extension::Extension;
use super::recording::Recording;
use super::search::PairSearch;
use crate::stop::{BETWEEN_CHECKS, Never, Stop, always};

/// Number of pairs of states that [`Distinguished::compare`] examines before it gives up.
pub const PAIRS_PER_COMPARISON: usize = 1 << 16;

/// Oracle of which pairs of rows are distinguished by the data: *some action word recorded from
/// both leads to recorded values of `p` that differ*.
///
/// Not transitive, and therefore no partition: `a` and `b` may be comparable where `b` and `c` are
/// not.
#[derive(Clone, Debug)]
pub struct Distinguished {
    pub(super) recording: Recording,
    extension: Extension,
}

impl Distinguished {
    /// Builds the oracle of a recording.
    #[must_use]
    pub fn new(recording: Recording) -> Self {
        always(Self::within(recording, &Never))
    }

    /// Builds the oracle of a recording, unless `progress` says to stop.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn with_progress(recording: Recording, progress: &dyn Progress) -> Result<Self, Stopped> {
        Self::within(recording, &progress)
    }

    fn within<S: Stop>(recording: Recording, stop: &S) -> Result<Self, S::Error> {
        let mut oracle = Self {
            recording,
            extension: Extension::default(),
        };
        oracle.extend(0, stop)?;
        Ok(oracle)
    }

    /// Returns the recording of the oracle.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// Adds whole episodes.
    ///
    /// # Errors
    /// Those of [`Recording::append`].
    pub fn append(&mut self, episodes: &Episodes<'_>) -> Result<(), EvidenceError> {
        let start = self.recording.rows();
        self.recording.append(episodes)?;
        always(self.extend(start, &Never));
        Ok(())
    }

    fn extend<S: Stop>(&mut self, start: usize, stop: &S) -> Result<(), S::Error> {
        // Rows since the last check.
        let mut rows = BETWEEN_CHECKS;
        for episode in self.recording.episodes_from(start) {
            rows += episode.len();
            if rows >= BETWEEN_CHECKS {
                rows = 0;
                stop.check()?;
            }
            self.extension
                .append(self.recording.symbols(), episode, stop)?;
        }
        Ok(())
    }

    /// Returns for how many steps two rows agree: the actions are equal, and the values of `p` at
    /// the rows where they are taken do not differ. Ends at the next stop of either.
    pub(super) fn agreement(&self, a: u32, b: u32) -> u32 {
        let limit = self
            .recording
            .until_stop(a)
            .min(self.recording.until_stop(b));
        let mut steps = 0;
        loop {
            let symbols = self.recording.symbols();
            steps += self
                .extension
                .common(symbols, a + steps, b + steps, limit - steps);
            // Values that differ by no more than the tolerance are passed one by one.
            if steps == limit || !self.recording.agree(a + steps, b + steps) {
                return steps;
            }
            steps += 1;
        }
    }

    /// Returns a shortest word of actions after which the recorded values of `p` differ; `None` if
    /// the data does not distinguish the two rows.
    ///
    /// # Errors
    /// [`Undecided`] after [`PAIRS_PER_COMPARISON`] pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn witness(&self, a: usize, b: usize) -> Result<Option<Vec<u32>>, Undecided> {
        match self.compare(a, b) {
            Comparison::Distinguished(witness) => {
                Ok(Some(self.recording.word(witness.path_of_a())))
            }
            Comparison::Same | Comparison::NotDistinguished(_) => Ok(None),
            Comparison::Undecided(undecided) => Err(undecided),
        }
    }

    /// Compares two rows by the data, examining at most [`PAIRS_PER_COMPARISON`] pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn compare(&self, a: usize, b: usize) -> Comparison {
        self.compare_within(a, b, PAIRS_PER_COMPARISON)
    }

    /// Compares two rows by the data, examining at most `pairs` pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    #[must_use]
    pub fn compare_within(&self, a: usize, b: usize, pairs: usize) -> Comparison {
        PairSearch::new(self, a, b).run(pairs, |_, _, _| {})
    }

    /// Returns the first words (at most `limit`, shortest first) that were recorded from one of the
    /// two rows but not from the other; see [`super::Agreement::missing`]. Empty if the rows are
    /// distinguished, or the same.
    ///
    /// # Errors
    /// [`Undecided`] after [`PAIRS_PER_COMPARISON`] pairs of states.
    ///
    /// # Panics
    /// If a row is out of range.
    pub fn missing(&self, a: usize, b: usize, limit: usize) -> Result<Vec<Missing>, Undecided> {
        let mut search = PairSearch::new(self, a, b);
        let mut found = Vec::new();
        let end = search.run(PAIRS_PER_COMPARISON, |pair, side, row| {
            if found.len() < limit {
                found.push((pair, side, row));
            }
        });
        match end {
            Comparison::Undecided(undecided) => Err(undecided),
            Comparison::Same | Comparison::Distinguished(_) => Ok(Vec::new()),
            Comparison::NotDistinguished(_) => {
                let missing = |(pair, side, row): (usize, usize, u32)| {
                    let mut word = self.recording.word(&search.path(pair, side));
                    word.extend(self.recording.action(row));
                    Missing {
                        word,
                        recorded_from: [a, b][side],
                        leads_to: row as usize + 1,
                    }
                };
                Ok(found.into_iter().map(missing).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appended episodes must enter the structure that compares words of any length, instead of
    /// being compared row by row.
    #[test]
    fn appended_episodes_are_parsed_like_those_there_from_the_start() {
        let actions: Vec<u32> = (0..1000_u32).map(|row| row.count_ones() % 2).collect();
        let append = |oracle: &mut Distinguished, number: u32| {
            let observations: Vec<u32> = (number * 1000..(number + 1) * 1000).collect();
            oracle.append(&Episodes {
                observations: &observations,
                actions: &actions,
                values: &actions,
                ends: &[false; 1000],
                vectors: &[],
            })
        };
        let mut grown = Distinguished::new(Recording::new(2).unwrap());
        for number in 0..3 {
            append(&mut grown, number).unwrap();
        }
        let built = Distinguished::new(grown.recording().clone());
        assert!(built.extension.chunks() > 1000);
        assert_eq!(grown.extension.chunks(), built.extension.chunks());
    }
}
