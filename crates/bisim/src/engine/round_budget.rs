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
pub(crate) struct RoundBudget {
    balance: i64,
    most: i64,
    /// States and transitions for each state, rounded up.
    row: i64,
}

/// How many numbers a round may look at for one that smaller-half refinement would.
///
/// CPU seconds of the whole computation by its value, a million states or so, fastest of three, one thread
/// of a busy machine (differences below a fifth are noise):
///
/// | system | 0 | 2 | 8 | 32 | 128 | 512 | 4096 |
/// | --- | --- | --- | --- | --- | --- | --- | --- |
/// | random, 2 actions | 0.05 | 0.05 | 0.05 | 0.05 | 0.05 | 0.05 | 0.05 |
/// | shift register | 0.55 | 0.15 | 0.18 | 0.19 | 0.18 | 0.16 | 0.16 |
/// | de Bruijn cycle | 0.72 | 0.20 | 0.20 | 0.21 | 0.21 | 0.21 | 0.20 |
/// | counter, shuffled | 0.22 | 0.34 | 0.36 | 0.38 | 0.37 | 0.38 | 0.33 |
/// | Fibonacci cycle, shuffled | 0.38 | 0.41 | 0.43 | 0.54 | 0.80 | 3.28 | 27.6 |
///
/// With 2, copies of 33 counts are given up too early (0.28 s instead of 0.08), with 128 those of 1025
/// counts too late (2.3 s instead of 0.2). Between 8 and 32 nothing was found to matter.
const WORTH: i64 = 32;

/// How many passes over the whole system may earn nothing. A counter with ids in order costs 0.09 to 0.10 s
/// with 1 to 4 of them, 0.11 with 8, 0.15 with 16; half a random system behind a chain 0.08, 0.10, 0.12,
/// 0.18 and 0.31.
const GRACE: i64 = 4;

impl RoundBudget {
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
