//! Observations that were recorded more than once, in flat tables. A million of them take three
//! allocations, and adding a row reads one place in each.

const NONE: u32 = u32::MAX;

/// All recurring observations, numbered as they are found to recur.
#[derive(Clone, Debug, Default)]
pub(super) struct Recurrences {
    all: Vec<Recurring>,
    /// Steps of all observations. Those of one observation lie together, in a block that holds a
    /// power of two; see [`Recurrences::insert`].
    steps: Vec<RecurringStep>,
    /// Blocks that were outgrown, by the logarithm of their size.
    outgrown: Vec<Vec<u32>>,
    /// Previous row with the same observation, up to the last row that has one.
    previous: Vec<u32>,
}

/// An observation that was recorded more than once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recurring {
    /// Its first row whose value of `p` is known, or else its first row.
    pub(super) value_row: u32,
    /// Id of the value of `p` in that row; here, next to the rest, it costs no look into the rows.
    pub(super) value: u32,
    last: u32,
    /// Start of its steps, which are `steps[start..start + count]`.
    start: u32,
    count: u32,
    pub(super) is_unmerged: bool,
    /// Whether its values are not all equal, but do not differ: they are within the tolerance, or
    /// some are not known.
    pub(super) is_mixed: bool,
    pub(super) has_value_contradiction: bool,
}

/// The recorded step of an observation under one action.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RecurringStep {
    pub(super) action: u32,
    /// A row at which it was taken. Where values belong to steps, the first one that has a known
    /// value, or else the first one.
    pub(super) row: u32,
    /// Observation that the step led to.
    pub(super) to: u32,
    /// Whether the action also led to another observation.
    pub(super) is_contradicted: bool,
    /// Whether the action also had another value.
    pub(super) has_output_contradiction: bool,
}

impl Recurrences {
    /// Adds an observation that was seen in one row so far and recurs now; returns its number.
    pub(super) fn begin(&mut self, first: u32, value: u32) -> u32 {
        self.all.push(Recurring {
            value_row: first,
            value,
            last: NONE,
            start: 0,
            count: 0,
            is_unmerged: false,
            is_mixed: false,
            has_value_contradiction: false,
        });
        let number = self.all.len() as u32 - 1;
        self.add_row(number, first);
        number
    }

    /// Adds a row of an observation. Rows of one observation must come in ascending order.
    pub(super) fn add_row(&mut self, number: u32, row: u32) {
        let last = &mut self.all[number as usize].last;
        if self.previous.len() <= row as usize {
            self.previous.resize(row as usize + 1, NONE);
        }
        self.previous[row as usize] = std::mem::replace(last, row);
    }

    pub(super) fn get(&self, number: u32) -> Option<&Recurring> {
        self.all.get(number as usize)
    }

    pub(super) fn of(&mut self, number: u32) -> &mut Recurring {
        &mut self.all[number as usize]
    }

    /// Iterates over the rows of an observation, the last one first.
    pub(super) fn rows(&self, number: u32) -> impl Iterator<Item = u32> + '_ {
        let some = |row: u32| (row != NONE).then_some(row);
        let last = self.get(number).and_then(|recurring| some(recurring.last));
        std::iter::successors(last, move |&row| some(self.previous[row as usize]))
    }

    /// Returns the steps of an observation, by ascending action.
    pub(super) fn steps(&self, number: u32) -> &[RecurringStep] {
        let Recurring { start, count, .. } = self.all[number as usize];
        &self.steps[start as usize..][..count as usize]
    }

    /// Returns the place of an action among the steps, or where it belongs.
    pub(super) fn step(&self, number: u32, action: u32) -> Result<usize, usize> {
        self.steps(number)
            .binary_search_by_key(&action, |step| step.action)
    }

    pub(super) fn step_mut(&mut self, number: u32, place: usize) -> &mut RecurringStep {
        let start = self.all[number as usize].start as usize;
        &mut self.steps[start + place]
    }

    /// Adds a step at its place. A full block moves into one of twice the size; the room that it
    /// leaves is reused.
    pub(super) fn insert(&mut self, number: u32, place: usize, step: RecurringStep) {
        let Recurring { start, count, .. } = self.all[number as usize];
        let (mut start, count) = (start as usize, count as usize);
        if count == 0 || count.is_power_of_two() {
            let size = (2 * count).max(1);
            let log = size.ilog2() as usize;
            if self.outgrown.len() <= log {
                self.outgrown.resize(log + 1, Vec::new());
            }
            let block = self.outgrown[log].pop().map(|block| block as usize);
            let block = block.unwrap_or_else(|| {
                self.steps
                    .resize(self.steps.len() + size, RecurringStep::default());
                self.steps.len() - size
            });
            self.steps.copy_within(start..start + count, block);
            if count > 0 {
                self.outgrown[log - 1].push(start as u32);
            }
            start = block;
        }
        self.steps
            .copy_within(start + place..start + count, start + place + 1);
        self.steps[start + place] = step;
        let recurring = &mut self.all[number as usize];
        recurring.start = start as u32;
        recurring.count = count as u32 + 1;
    }

    /// Brings the tables of these observations into the cache. Waiting for all at once is several
    /// times as fast as waiting for each in turn.
    pub(super) fn look_ahead(&self, numbers: &[u32]) {
        let start = |&number: &u32| self.get(number).map(|recurring| recurring.start as usize);
        let steps = numbers.iter().filter_map(start);
        let rows = steps.map(|start| self.steps.get(start).map_or(0, |step| step.row));
        std::hint::black_box(rows.fold(0, |all, row| all ^ row));
    }
}
