//! Checks that the meaning of outputs fits the tables and tells the outputs apart.

use std::collections::HashSet;

use super::Wrong;
use crate::meaning::{OutputMeaning, Sets};
use crate::outputs::comparison_bits;
use crate::{ActionId, OutputId, StateId};

/// Checks that every action that is not enabled leads to the state itself.
pub(super) fn check_disabled(
    enabled: &Sets<ActionId>,
    next: &[StateId],
    output: &[OutputId],
) -> Result<(), Wrong> {
    let actions = next.len() / output.len();
    for (state, (successors, id)) in next.chunks_exact(actions).zip(output).enumerate() {
        let mut set = enabled
            .get(id.index())
            .unwrap_or_default()
            .iter()
            .peekable();
        for (action, target) in successors.iter().enumerate() {
            if set.next_if(|member| member.index() == action).is_none() && target.index() != state {
                return Err(format!(
                    "leads from state {state} to {target} by action {action}, which is not enabled \
                     there"
                )
                .into());
            }
        }
    }
    Ok(())
}

/// Checks that no two outputs agree in all of their meaning, where it is known.
pub(super) fn check_distinct(meaning: &OutputMeaning, outputs: usize) -> Result<(), Wrong> {
    let OutputMeaning {
        values,
        enabled,
        labels,
        tolerance: _,
    } = meaning;
    if values.is_none() && enabled.is_none() && labels.is_none() {
        return Ok(());
    }
    let mut seen =
        HashSet::with_capacity_and_hasher(outputs, foldhash::fast::RandomState::default());
    for output in 0..outputs {
        let bits = |value: &f64| comparison_bits(*value);
        let values = values.as_ref().and_then(|vectors| vectors.get(output));
        let values: Option<Vec<_>> = values.map(|values| values.iter().map(bits).collect());
        let enabled = enabled.as_ref().and_then(|sets| sets.get(output));
        let labels = labels.as_ref().and_then(|labels| labels.sets.get(output));
        if !seen.insert((values, enabled, labels)) {
            return Err(format!("gives output {output} and an earlier one the same value").into());
        }
    }
    Ok(())
}
