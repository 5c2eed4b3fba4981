//! Truth of a live world: its finite system, and the classes that must not be merged.

use tellapart_bisim::{SplittingTree, largest_bisimulation};
use tellapart_env::ActionSpace;
use tellapart_system::{ActionId, MooreMachine, StateId};
use tellapart_train::{TrainError, ValidConfig};

use super::ExperimentError;

/// Finite system behind the observations, and the classes that must not be merged.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Ground truth of the environment.
    pub system: MooreMachine,
    /// Block of the largest bisimulation, for each hidden state.
    pub class_of_state: Vec<u32>,
    /// Number of blocks.
    pub classes: usize,
    /// Actions of the environment.
    pub actions: ActionSpace,
    /// What a state is called, such as `count`.
    pub noun: &'static str,
}

impl Truth {
    /// Computes the largest bisimulation of the configured environment.
    ///
    /// # Errors
    /// The errors of the environment.
    pub fn of(config: &ValidConfig) -> Result<Self, ExperimentError> {
        let world = config.world().build(0, 0);
        let system = world.ground_truth().map_err(TrainError::from)?;
        let partition = largest_bisimulation(&system);
        Ok(Self {
            class_of_state: system
                .state_ids()
                .map(|state| partition.block_of(state).index() as u32)
                .collect(),
            classes: partition.blocks(),
            actions: world.action_space(),
            noun: world.state_noun(),
            system,
        })
    }

    /// Returns what classes are called, in the plural: states, if each is a class of its own.
    pub fn nouns(&self) -> String {
        if self.classes == self.class_of_state.len() {
            format!("{}s", self.noun)
        } else {
            format!("classes of {}s", self.noun)
        }
    }

    /// Returns the names of the actions, by id.
    pub fn action_names(&self) -> Vec<String> {
        let ids = self.system.action_ids();
        ids.map(|id| match self.system.action_name(id) {
            Some(name) => name.to_owned(),
            None => id.to_string(),
        })
        .collect()
    }

    /// Returns the words to try for certificates: each action repeated up to the horizon, the
    /// shortest witness of every pair of classes, and the empty word.
    pub(super) fn words(&self, horizon: usize) -> Vec<Vec<ActionId>> {
        let mut words = vec![Vec::new()];
        for action in self.system.action_ids() {
            words.extend((1..=horizon).map(|length| vec![action; length]));
        }
        let tree = SplittingTree::new(&self.system);
        let partition = tree.partition();
        let representatives = partition.representatives();
        for (i, &a) in representatives.iter().enumerate() {
            words.extend(
                representatives[..i]
                    .iter()
                    .filter_map(|&b| tree.witness(a, b)),
            );
        }
        words.sort();
        words.dedup();
        words
    }

    /// Returns the value that follows each state after a word.
    pub(super) fn values_after(&self, states: &[u32], word: &[ActionId]) -> Vec<f32> {
        let after = states.iter().map(|&state| {
            let state = self.system.run(StateId::new(state), word);
            let value = self.system.output_value(self.system.output(state));
            value.and_then(|value| value.first().copied())
        });
        after
            .map(|value| value.map_or(0.0, |value| value as f32))
            .collect()
    }
}
