//! Whether recorded rows that show the same observation have the same future.

use std::collections::BTreeMap;

use tellapart_progress::{Progress, Stopped};

use super::episodes::{UNKNOWN, ValueOf};
use super::recording::Recording;
use crate::stop::BETWEEN_CHECKS;

/// Longest word that is followed.
const MOST_ACTIONS: usize = 64;
/// Number of different values that are compared pair by pair for the chance that they differ.
const MOST_VALUES: usize = 512;

/// What recurring observations say about determinism: whether the same observation and the same
/// actions had the same values of `p`.
///
/// Only `p` counts. Other observations on the way, such as a redrawn background, say nothing
/// against determinism.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Determinism {
    /// Number of rows whose observation and next action were both recorded before, and whose `p`
    /// was compared with what followed then.
    pub compared: usize,
    /// How many of these would differ if values of `p` were drawn at random from those compared:
    /// `compared` times the chance that two of them differ. Where `p` hardly varies, it tells
    /// nothing that it never differs.
    pub expected_by_chance: f64,
    /// Number of rows whose observation was recorded before, but with another value of `p`, at once
    /// or after the same actions. At most `compared` after one action or more.
    pub differing: usize,
    /// Two rows with the same observation, and the number of actions after which `p` differs.
    pub example: Option<([usize; 2], usize)>,
    /// Longest words that were compared, in actions, if there are longer ones that were not.
    pub cut_off: Option<usize>,
}

impl Recording {
    /// Compares what followed rows that show the same observation, whether merged or not.
    ///
    /// Rows that lead to the same observation are compared there, not further. Words of more than
    /// 64 actions are not followed. Cost: at most one pass over the rows for each action of a word.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn determinism(&self, progress: &dyn Progress) -> Result<Determinism, Stopped> {
        let mut walk = Walk {
            recording: self,
            found: Determinism::default(),
            differs: vec![false; self.rows()],
            values: BTreeMap::new(),
        };
        let recurring = (0..self.observations() as u32).filter(|&id| self.recurs(id));
        let rows_of = |id| self.rows_of(id).into_iter().map(|row| row as u32).collect();
        let mut groups: Vec<Vec<u32>> = recurring.map(rows_of).collect();
        if self.value_of() == ValueOf::Observation {
            for rows in &groups {
                walk.compare(rows, 0, 0);
            }
        }
        // All words of one length before any that is longer: every observation gets its share.
        for depth in 0..MOST_ACTIONS {
            let mut longer = Vec::new();
            let mut unchecked = 0;
            for rows in groups {
                unchecked += rows.len();
                if unchecked >= BETWEEN_CHECKS {
                    progress.check()?;
                    unchecked = 0;
                }
                walk.follow(rows, depth, &mut longer);
            }
            groups = longer;
        }
        let chance = walk.chance();
        let mut found = walk.found;
        found.expected_by_chance = found.compared as f64 * chance;
        found.cut_off = (!groups.is_empty()).then_some(MOST_ACTIONS);
        found.differing = walk.differs.iter().filter(|differs| **differs).count();
        Ok(found)
    }
}

struct Walk<'a> {
    recording: &'a Recording,
    found: Determinism,
    /// Whether each row differs from an earlier one with the same observation.
    differs: Vec<bool>,
    /// How often each value occurs among those compared after one action.
    values: BTreeMap<u32, usize>,
}

impl Walk<'_> {
    /// Compares rows, each `depth` equal actions after one observation, after one more action. Adds
    /// those that it does not lead to one observation.
    fn follow(&mut self, rows: Vec<u32>, depth: usize, longer: &mut Vec<Vec<u32>>) {
        let mut by_action: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for row in rows {
            if let Some(action) = self.recording.action(row) {
                by_action.entry(action).or_default().push(row);
            }
        }
        for rows in by_action.into_values().filter(|rows| rows.len() > 1) {
            let next: Vec<u32> = rows.iter().map(|row| row + 1).collect();
            let (holds_p, places) = match self.recording.value_of() {
                ValueOf::Observation => (&next, depth + 1),
                ValueOf::Step => (&rows, depth),
            };
            let known = self.compare(holds_p, places, depth + 1);
            if depth == 0 && known > 1 {
                self.found.compared += known - 1;
                let values = holds_p.iter().map(|&row| self.recording.value(row));
                for value in values.filter(|&value| value != UNKNOWN) {
                    *self.values.entry(value).or_default() += 1;
                }
            }
            let observation = |row: &u32| self.recording.observation(*row as usize);
            if next
                .iter()
                .any(|row| observation(row) != observation(&next[0]))
            {
                longer.push(next);
            }
        }
    }

    /// Returns the chance that two of the values compared differ.
    fn chance(&self) -> f64 {
        let mut values: Vec<(u32, f64)> = Vec::new();
        let total: usize = self.values.values().sum();
        for (&value, &count) in &self.values {
            values.push((value, count as f64 / total as f64));
        }
        // The rest of many values is as various as these.
        values.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        values.truncate(MOST_VALUES);
        let share: f64 = values.iter().map(|(_, share)| share).sum();
        let differing = |&(a, of_a): &(u32, f64)| {
            let others = values
                .iter()
                .filter(move |(b, _)| self.recording.differ(a, *b));
            of_a * others.map(|(_, share)| share).sum::<f64>()
        };
        let chance: f64 = values.iter().map(differing).sum();
        if share > 0.0 {
            chance / (share * share)
        } else {
            0.0
        }
    }

    /// Compares the known values in `rows` with the first of them, and returns their number. The
    /// rows are `depth` actions after rows of one observation, and their values belong to words of
    /// `actions`.
    fn compare(&mut self, rows: &[u32], depth: usize, actions: usize) -> usize {
        let recording = self.recording;
        let mut known = rows
            .iter()
            .filter(|&&row| recording.value(row) != UNKNOWN)
            .peekable();
        let Some(&&first) = known.peek() else {
            return 0;
        };
        let mut count = 0;
        for &row in known {
            count += 1;
            if recording.differ(recording.value(first), recording.value(row)) {
                let [a, b] = [first, row].map(|row| row as usize - depth);
                self.differs[b] = true;
                self.found
                    .example
                    .get_or_insert(([a.min(b), a.max(b)], actions));
            }
        }
        count
    }
}
