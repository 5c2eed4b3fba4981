//! Whether recorded rows that show the same observation have the same future.

use std::collections::BTreeMap;

use tellapart_progress::{Progress, Stopped};

use super::episodes::{UNKNOWN, ValueOf};
use super::recording::Recording;
use crate::stop::BETWEEN_CHECKS;

/// Longest word that is followed.
const MOST_ACTIONS: usize = 64;
/// Number of rows looked at for each row of the recording, after which words are not followed
/// further.
const LOOKS_PER_ROW: usize = 64;

/// What recurring observations say about determinism: whether the same observation and the same
/// actions had the same values of `p`.
///
/// Only `p` counts. Other observations on the way, such as a redrawn background, say nothing
/// against determinism.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Determinism {
    /// Number of rows whose observation and next action were both recorded before, and whose `p`
    /// could be compared with what followed then.
    pub compared: usize,
    /// Number of rows whose observation was recorded before, but with another value of `p`, at once
    /// or after the same actions. At most `compared` after one action or more.
    pub differing: usize,
    /// Two rows with the same observation, and the number of actions after which `p` differs.
    pub example: Option<([usize; 2], usize)>,
}

impl Recording {
    /// Compares what followed rows that show the same observation, whether merged or not.
    ///
    /// Rows that lead to the same observation are compared there, not further. Words of more than
    /// 64 actions are not followed, nor is any word after 64 looks for each row of the recording.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn determinism(&self, progress: &dyn Progress) -> Result<Determinism, Stopped> {
        let mut walk = Walk {
            recording: self,
            found: Determinism::default(),
            differs: vec![false; self.rows()],
            looks: self.rows().saturating_mul(LOOKS_PER_ROW),
        };
        let mut seen = 0;
        for observation in 0..self.observations() as u32 {
            seen += 1;
            if seen % BETWEEN_CHECKS == 0 {
                progress.check()?;
            }
            if self.recurs(observation) {
                let rows = self.rows_of(observation).into_iter();
                walk.follow(rows.map(|row| row as u32).collect());
            }
        }
        let mut found = walk.found;
        found.differing = walk.differs.iter().filter(|differs| **differs).count();
        Ok(found)
    }
}

struct Walk<'a> {
    recording: &'a Recording,
    found: Determinism,
    /// Whether each row differs from an earlier one with the same observation.
    differs: Vec<bool>,
    looks: usize,
}

impl Walk<'_> {
    /// Follows rows with the same observation by all words that several of them have in common.
    fn follow(&mut self, rows: Vec<u32>) {
        let mut open = vec![(rows, 0)];
        while let Some((rows, depth)) = open.pop() {
            self.looks = self.looks.saturating_sub(rows.len());
            if self.recording.value_of() == ValueOf::Observation {
                self.compare(&rows, depth, depth);
            }
            let mut by_action: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for row in rows {
                if let Some(action) = self.recording.action(row) {
                    by_action.entry(action).or_default().push(row);
                }
            }
            for rows in by_action.into_values().filter(|rows| rows.len() > 1) {
                let next: Vec<u32> = rows.iter().map(|row| row + 1).collect();
                let holds_p = match self.recording.value_of() {
                    ValueOf::Observation => &next,
                    ValueOf::Step => &rows,
                };
                if depth == 0 {
                    let known = |row: &&u32| self.recording.value(**row) != UNKNOWN;
                    self.found.compared += holds_p.iter().filter(known).count().saturating_sub(1);
                }
                let observation = |row: &u32| self.recording.observation(*row as usize);
                let meet = next
                    .iter()
                    .all(|row| observation(row) == observation(&next[0]));
                if self.recording.value_of() == ValueOf::Step {
                    self.compare(&rows, depth, depth + 1);
                } else if meet {
                    self.compare(&next, depth + 1, depth + 1);
                }
                if !meet && depth < MOST_ACTIONS && self.looks > 0 {
                    open.push((next, depth + 1));
                }
            }
        }
    }

    /// Compares the known values in `rows` with the first of them. The rows are `depth` actions
    /// after rows of one observation, and their values belong to words of `actions`.
    fn compare(&mut self, rows: &[u32], depth: usize, actions: usize) {
        let recording = self.recording;
        let known = |row: &&u32| recording.value(**row) != UNKNOWN;
        let Some(first) = rows.iter().find(known) else {
            return;
        };
        for row in rows {
            if recording.differ(recording.value(*first), recording.value(*row)) {
                let start = |row: u32| row as usize - depth;
                self.differs[start(*row)] = true;
                let pair = [start(*first), start(*row)];
                self.found
                    .example
                    .get_or_insert(([pair[0].min(pair[1]), pair[0].max(pair[1])], actions));
            }
        }
    }
}
