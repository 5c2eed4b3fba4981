//! Budget that decides when rounds are no longer worth their cost.

/// Budget that may still be spent on rounds, in values read.
///
/// A round reads every transition of the states that still share a block. Hopcroft refinement reads
/// only what changes, but each read costs some [`WORTH`] times as much, because it jumps about in
/// memory. Its work is known in advance: a state costs it something only when the block of the
/// state at least halves. So a round earns by halvings: it lowers [`halvings_left`], the number
/// that all states have ahead of them, and each one earns [`WORTH`] mean rows.
///
/// All rounds together cost at most what was earned plus the grace, and no state halves more than
/// `log2 n` times. This gives `O((n + m) log n)` for `n` states and `m` transitions. The balance is
/// bounded by the grace, too: after a good start, a long tail wastes no more than [`GRACE`] passes.
pub(crate) struct RoundBudget {
    balance: i64,
    most: i64,
    /// Mean row: a state and its transitions, rounded up.
    row: i64,
}

/// Number of values that a round may read for each one that Hopcroft refinement would read.
///
/// CPU seconds of the whole computation by this value, for about a million states. Fastest of three
/// runs, on one thread of a busy machine; differences below a fifth are noise:
///
/// | system | 0 | 2 | 8 | 32 | 128 | 512 | 4096 |
/// | --- | --- | --- | --- | --- | --- | --- | --- |
/// | random, 2 actions | 0.05 | 0.05 | 0.05 | 0.05 | 0.05 | 0.05 | 0.05 |
/// | shift register | 0.55 | 0.15 | 0.18 | 0.19 | 0.18 | 0.16 | 0.16 |
/// | de Bruijn cycle | 0.72 | 0.20 | 0.20 | 0.21 | 0.21 | 0.21 | 0.20 |
/// | counter, shuffled | 0.22 | 0.34 | 0.36 | 0.38 | 0.37 | 0.38 | 0.33 |
/// | Fibonacci cycle, shuffled | 0.38 | 0.41 | 0.43 | 0.54 | 0.80 | 3.28 | 27.6 |
///
/// With 2, copies of 33 counts are given up too early (0.28 s instead of 0.08). With 128, those of
/// 1025 counts are given up too late (2.3 s instead of 0.2). Between 8 and 32 nothing was found to
/// matter.
const WORTH: i64 = 32;

/// Number of passes over the whole system that may earn nothing.
///
/// A counter with ids in order costs 0.09 to 0.10 s with 1 to 4 of them, 0.11 with 8, 0.15 with 16.
/// Half a random system behind a chain costs 0.08, 0.10, 0.12, 0.18 and 0.31.
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

    /// Makes a budget for no round at all.
    #[cfg(test)]
    pub(crate) fn empty() -> Self {
        Self {
            balance: -1,
            most: -1,
            row: 0,
        }
    }

    /// Makes a budget for rounds to the end.
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

    /// Accounts for a round that read `looked` values and brought `halvings`.
    pub(crate) fn round(&mut self, looked: u64, halvings: u64) {
        let earned = (WORTH * self.row).saturating_mul(halvings as i64);
        let balance = self.balance.saturating_sub(looked as i64);
        self.balance = balance.saturating_add(earned).min(self.most);
    }
}

/// Returns how many halvings the states of blocks of these sizes have ahead of them: `log2`,
/// rounded down, of the size of its block, summed over the states. It never grows when blocks are
/// split, and falls at least by the size of the smaller part.
pub(crate) fn halvings_left(sizes: impl Iterator<Item = u32>) -> u64 {
    sizes
        .filter_map(|size| Some(u64::from(size) * u64::from(size.checked_ilog2()?)))
        .sum()
}
