//! Held-out observations of a live world, which nothing was trained on or chosen by.

use tellapart_data::Frames;
use tellapart_env::Nuisance;

use crate::config::ValidConfig;
use crate::error::TrainError;
use crate::evaluator::RecordedStep;
use crate::experience::{balanced, behavior, describe_actions, random_function};
use crate::seeds::{Purpose, derived_seed};

/// Fresh observations of a live world, equally many of every state. Each has its nuisances and a
/// recorded continuation of random actions.
#[derive(Debug, Clone)]
pub struct HeldOut {
    /// Images `[rows, height, width, channels]`.
    pub observations: Frames,
    /// Hidden state of each row.
    pub states: Vec<u32>,
    /// Hidden variables other than the state.
    pub nuisances: Vec<Nuisance>,
    /// Values of all nuisances, `[rows, sum of their widths]`; NaN where an observation shows none.
    pub nuisance_values: Vec<f32>,
    /// p of each row, `[rows, width]`.
    pub targets: Vec<f32>,
    /// Length of p.
    pub target_width: usize,
    /// Actions and what followed, step after step.
    pub continuation: Vec<RecordedStep>,
}

impl HeldOut {
    /// Collects `per_state` observations of every state, for this purpose alone. Episodes do not
    /// end, so that every row has a whole continuation.
    ///
    /// # Errors
    /// Those of the environment.
    pub fn collect(
        config: &ValidConfig,
        purpose: Purpose,
        per_state: usize,
    ) -> Result<Self, TrainError> {
        let seed = derived_seed(config.seed, purpose);
        let horizon = config.evaluation.horizon_steps;
        let steps = u32::try_from(horizon).unwrap_or(u32::MAX).saturating_add(1);
        let world = config.world().clone().endless(steps);
        let start = balanced(&world, per_state);
        let rows = start.len();
        let mut rollout = behavior(&world, seed, rows, 1).starting_at(start);
        let space = rollout.world().action_space();
        let random = random_function(config)?;
        let mut held_out = Self {
            observations: Frames::default(),
            states: Vec::with_capacity(rows),
            nuisances: rollout.world().nuisances(),
            nuisance_values: Vec::new(),
            targets: Vec::new(),
            target_width: random.as_ref().map_or(1, |function| function.width()),
            continuation: Vec::with_capacity(horizon),
        };
        // Actions of the row before, which led to this row.
        let mut taken: Option<(Vec<f32>, Vec<u32>)> = None;
        rollout.run(horizon + 1, |row| -> Result<(), TrainError> {
            let targets = match &random {
                Some(function) => function.evaluate(row.frames),
                None => row.outcomes.iter().map(|outcome| outcome.value).collect(),
            };
            match taken.take() {
                Some((actions, action_ids)) => held_out.continuation.push(RecordedStep {
                    actions,
                    action_ids,
                    targets,
                }),
                None => {
                    held_out.observations = Frames::U8 {
                        shape: row.world.observation_shape().to_vec(),
                        values: row.frames.to_vec(),
                    };
                    let states = row.outcomes.iter().map(|outcome| outcome.state.get());
                    held_out.states.extend(states);
                    for copy in 0..rows {
                        let values = &mut held_out.nuisance_values;
                        row.world.push_nuisances(copy, values);
                    }
                    held_out.targets = targets;
                }
            }
            let (mut actions, mut action_ids) = (Vec::new(), Vec::new());
            describe_actions(space, row.actions, &mut actions, &mut action_ids)?;
            taken = Some((actions, action_ids));
            Ok(())
        })?;
        Ok(held_out)
    }

    /// Returns the number of observations.
    pub fn rows(&self) -> usize {
        self.states.len()
    }

    /// Returns height, width and channels of an image.
    pub fn image_shape(&self) -> [usize; 3] {
        self.observations.image_shape().unwrap_or_default()
    }

    /// Returns the bytes of one image.
    pub fn image(&self, row: usize) -> &[u8] {
        let bytes: usize = self.image_shape().iter().product();
        match &self.observations {
            Frames::U8 { values, .. } => &values[row * bytes..(row + 1) * bytes],
            Frames::F32 { .. } | Frames::Other { .. } => &[],
        }
    }
}
