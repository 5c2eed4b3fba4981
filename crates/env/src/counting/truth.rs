//! Finite system behind the counting world: one state for each count.

use tellapart_system::{ActionId, MooreMachine, MooreMachineBuilder, StateId, SystemError};

use super::{Options, act_of};
use crate::EnvError;

pub(super) fn ground_truth(options: &Options) -> Result<MooreMachine, EnvError> {
    Ok(build(options)?)
}

fn build(options: &Options) -> Result<MooreMachine, SystemError> {
    let actions = options.actions.distinct();
    let acts: Vec<_> = (0..actions)
        .map(ActionId::from_index)
        .filter_map(|id| Some((id, act_of(options.actions, options.actions.action(id)?)?)))
        .collect();
    let mut builder = MooreMachineBuilder::new(usize::from(options.max_count) + 1, actions)?;
    for count in 0..=options.max_count {
        let state = StateId::from_index(usize::from(count));
        builder.output_value(state, &[f64::from(options.value_of(count))])?;
        for &(action, act) in &acts {
            let next = act.apply(count, options.max_count);
            builder.transition(state, action, StateId::from_index(usize::from(next)))?;
        }
    }
    let names = acts.iter().map(|(_, act)| act.name().to_owned()).collect();
    builder.build()?.with_action_names(names)
}
