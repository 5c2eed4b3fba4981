//! Computes the largest bisimulation of a table of transitions, with a witness for two states.
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::{ActionId, MooreMachineBuilder, OutputId, StateId};
use tellapart::{largest_bisimulation, quotient, witness};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Six cells on a ring, each in two colors; action 0 moves on and changes the color.
    let (cells, colors) = (6, 2);
    let (go, stay) = (ActionId::new(0), ActionId::new(1));
    let mut builder = MooreMachineBuilder::new(12, 2)?;
    for cell in 0..cells {
        for color in 0..colors {
            let state = StateId::new(cell * colors + color);
            let next = StateId::new((cell + 1) % cells * colors + (1 - color));
            builder.transition(state, go, next)?;
            builder.transition(state, stay, state)?;
            builder.output(state, OutputId::new(u32::from(cell == 0)))?; // cell 0 is rewarded
        }
    }
    let machine = builder.build()?;

    // The colors may be merged, the cells may not: an encoder must keep six classes apart.
    let classes = largest_bisimulation(&machine);
    println!("{} states, {} classes", machine.states(), classes.blocks());
    assert_eq!(classes.blocks(), 6);

    // Why not merge cells 1 and 2? After four moves, only one of the two is at the reward.
    let word = witness(&machine, StateId::new(2), StateId::new(4)).ok_or("bisimilar")?;
    println!("states 2 and 4 are told apart by {} moves", word.len());
    assert_eq!(word, [go; 4]);

    // The quotient is the smallest system that behaves the same.
    assert_eq!(quotient(&machine, &classes)?.states(), 6);
    Ok(())
}
