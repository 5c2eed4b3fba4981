//! When rounds are no longer worth their cost.

/// What may still be spent on rounds, in numbers looked at.
///
/// A round looks at every transition of the states that still share a block; smaller-half refinement
/// looks only at what changes, but at some [`WORTH`] times the price each, because it jumps about in
/// memory. What it has to do is known: a state costs it something only when the block of the state at
/// least halves. So that is what a round earns: [`halvings_left`], the number of halvings that all
/// states have before them, falls by some amount, and each halving earns [`WORTH`] mean rows.
///
/// Rounds in all cost what was earned and the grace at most, and no state halves more than `log2 n`
/// times: `O((n + m) log n)` for `n` states and `m` transitions. What may be saved up is bounded by the
/// grace too: after a good start, a long tail wastes no more than [`GRACE`] passes.
pub(crate) struct Purse {
    balance: i64,
    most: i64,
    /// States and transitions for each state, rounded up.
    row: i64,
}

/// How many numbers a round may look at for one that smaller-half refinement would. Chosen on the systems
/// of the benchmark `bisim`, which prints both methods side by side.
const WORTH: i64 = 32;

/// How many passes over the whole system may earn nothing.
const GRACE: i64 = 4;

impl Purse {
    pub(crate) fn new(states: usize, transitions: usize) -> Self {
        let pass = (states + transitions) as i64;
        let most = GRACE * pass;
        let row = pass / states.max(1) as i64 + 1;
        Self {
            balance: most,
            most,
            row,
        }
    }

    /// No round at all.
    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self {
            balance: -1,
            most: -1,
            row: 0,
        }
    }

    /// Rounds to the end.
    #[cfg(test)]
    pub(crate) fn bottomless() -> Self {
        Self {
            balance: i64::MAX,
            most: i64::MAX,
            row: 0,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.balance < 0
    }

    /// After a round that looked at `looked` numbers and brought `halvings`.
    pub(crate) fn round(&mut self, looked: u64, halvings: u64) {
        let earned = (WORTH * self.row).saturating_mul(halvings as i64);
        let balance = self.balance.saturating_sub(looked as i64);
        self.balance = balance.saturating_add(earned).min(self.most);
    }
}

/// How many halvings the states of blocks of these sizes have before them: `log2`, rounded down, of
/// the size of its block, summed over the states. Never grows when blocks are split; falls at least by
/// the size of the smaller part.
pub(crate) fn halvings_left(sizes: impl Iterator<Item = u32>) -> u64 {
    sizes
        .filter_map(|size| Some(u64::from(size) * u64::from(size.checked_ilog2()?)))
        .sum()
}
