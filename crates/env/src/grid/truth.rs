//! Finite system behind the gridworld: one state for each cell that is not a wall.

use tellapart_system::{ActionId, MooreMachine, MooreMachineBuilder, StateId, SystemError};

use super::{ValidOptions, map::Act};

pub(super) fn ground_truth(options: &ValidOptions) -> Result<MooreMachine, SystemError> {
    let (map, actions) = (&options.map, options.action_space().distinct());
    let mut builder = MooreMachineBuilder::new(map.states() as usize, actions)?;
    for state in 0..map.states() {
        let value = f64::from(u8::from(map.is_goal(state)));
        builder.output_value(StateId::new(state), &[value])?;
        for (id, &act) in Act::ALL[..actions].iter().enumerate() {
            let next = StateId::new(map.successor(state, act));
            builder.transition(StateId::new(state), ActionId::from_index(id), next)?;
        }
    }
    let names = Act::ALL[..actions].iter();
    builder
        .build()?
        .with_action_names(names.map(|act| act.name().to_owned()).collect())
}
