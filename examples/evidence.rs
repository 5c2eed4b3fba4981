//! Asks a recording which observations it distinguishes, without any ground truth.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::bisim::evidence::{Comparison, Distinguished, Episodes, Recording};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Two episodes of a corridor 0 - 1 - 2 - 3 whose right end is rewarded; action 1 goes right, 0
    // left.
    let observations = [0, 1, 2, 3, 1, 0, 1, 2];
    let mut recording = Recording::new(2)?;
    recording.append(&Episodes {
        observations: &observations,
        actions: &[1, 1, 1, 0, 0, 1, 1, 0],
        values: &observations.map(|cell| u32::from(cell == 3)),
        ends: &[false, false, false, true, false, false, false, true],
        ..Episodes::default()
    })?;
    let oracle = Distinguished::new(recording);

    // Rows 1 and 2 show cells 1 and 2. One step right of each was recorded; only cell 3 is
    // rewarded.
    match oracle.compare(1, 2) {
        Comparison::Distinguished(witness) => {
            let word = oracle.recording().word(witness.path_of_a());
            println!("rows 1 and 2 are told apart by the actions {word:?}");
            assert_eq!(word, [1]);
        }
        other => return Err(format!("not distinguished: {other:?}").into()),
    }

    // Rows 0 and 5 show the same cell: nothing can distinguish them.
    assert_eq!(oracle.witness(0, 5)?, None);
    Ok(())
}
