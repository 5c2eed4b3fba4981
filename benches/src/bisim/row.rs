//! Systems that the `bisim` benchmark measures.

use tellapart_system::{MooreMachine, SystemError, generate};

/// A system, made from a number of states. A large one has ten times as many.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) large: bool,
    pub(super) make: Make,
}

pub(super) type Make = fn(usize) -> Result<MooreMachine, SystemError>;

const fn row(name: &'static str, make: Make) -> Row {
    Row {
        name,
        large: false,
        make,
    }
}

const fn large(name: &'static str, make: Make) -> Row {
    Row {
        name,
        large: true,
        make,
    }
}

pub(super) const ROWS: &[Row] = &[
    row("random, 2 actions", |n| generate::random(1, n, 2, 2)),
    row("random, 4 actions", |n| generate::random(1, n, 4, 2)),
    row("counter, ids in order", generate::counter),
    row("counter, ids shuffled", |n| {
        generate::shuffled(&generate::counter(n)?, 1)
    }),
    row("chain, ids shuffled", |n| {
        generate::shuffled(&generate::chain(n)?, 1)
    }),
    row("binary tree", |n| generate::tree(n, 2, 2)),
    row("shift register", |n| {
        generate::shift_register(n.max(1).ilog2())
    }),
    row("de Bruijn cycle", |n| {
        generate::de_bruijn_cycle(n.max(1).ilog2())
    }),
    row("Fibonacci cycle, shuffled", |n| {
        // Inverse of `F(order) = phi^(order + 2) / sqrt(5)`, where phi is the golden ratio.
        let order = (n as f64 * 5_f64.sqrt()).ln() / 1.618_034_f64.ln() - 2.0;
        generate::shuffled(&generate::fibonacci_cycle(order.round() as u32)?, 1)
    }),
    row("a thousand actions", |n| {
        generate::random(1, (n / 1000).max(1), 1000, 2)
    }),
    row("all states alike", |n| generate::random(1, n, 2, 1)),
    large("9 counts, each n times", |n| {
        generate::with_nuisances(&generate::counter(9)?, n, 7)
    }),
    large("random, 2 actions, 10 n", |n| {
        generate::random(1, 10 * n, 2, 2)
    }),
    large("random, 4 actions, 10 n", |n| {
        generate::random(1, 10 * n, 4, 2)
    }),
];
