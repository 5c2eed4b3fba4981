//! Options of how a recording is read as evidence, shared by commands.

use clap::{Args, ValueEnum};
use tellapart::Trajectories;
use tellapart::audit::RecordedOptions;
use tellapart::audit::recorded::{WorldKind, WorldOption};
use tellapart::data::{ActionRule, BelongsTo, DataError};

#[derive(Args)]
pub(super) struct RecordingArgs {
    /// Observations of an HDF5 file that has several
    #[arg(long, value_name = "PATH")]
    observations: Option<String>,
    /// Array to be predicted: rewards (or what the run predicts), aux, or another
    #[arg(long, value_name = "NAME")]
    p: Option<String>,
    /// What p belongs to: observation, arrival or step [default: as the format says]
    #[arg(long, value_name = "OF", value_parser = belongs_to)]
    p_of: Option<BelongsTo>,
    /// Largest distance of values of p that count as equal
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Rule for equal action vectors: sign, distinct, a number of bins, or at:-0.5,0.5
    #[arg(long, value_name = "RULE", value_parser = rule)]
    action_rule: Option<ActionRule>,
    /// World: deterministic, stochastic or auto [default: what DATA says, else auto]
    #[arg(long, value_enum, value_name = "KIND", hide_possible_values = true)]
    world: Option<WorldArg>,
}

/// What the user says of the world.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum WorldArg {
    Auto,
    Deterministic,
    Stochastic,
}

pub(super) fn rule(text: &str) -> Result<ActionRule, String> {
    text.parse().map_err(|error: DataError| error.to_string())
}

fn belongs_to(text: &str) -> Result<BelongsTo, String> {
    text.parse().map_err(|error: DataError| error.to_string())
}

impl RecordingArgs {
    /// Returns the observations that were chosen.
    pub(super) fn observations(&self) -> Option<&str> {
        self.observations.as_deref()
    }

    /// Returns the options of the library. `predicted` is the array that a model predicts, and what
    /// its values belong to; it is `p` unless another one is named.
    pub(super) fn options(
        &self,
        recording: &Trajectories,
        predicted: Option<(&str, BelongsTo)>,
    ) -> RecordedOptions {
        let or_predicted = predicted.map_or("rewards", |(array, _)| array);
        let p = self.p.as_deref().unwrap_or(or_predicted);
        let of = predicted.and_then(|(array, of)| (array == p).then_some(of));
        let of = self.p_of.or(of).unwrap_or_else(|| recording.belongs_to(p));
        RecordedOptions {
            value: p.to_owned(),
            value_of: of,
            world: match self.world {
                None => WorldOption::Recording,
                Some(WorldArg::Auto) => WorldOption::Data,
                Some(WorldArg::Deterministic) => WorldOption::Declared(WorldKind::Deterministic),
                Some(WorldArg::Stochastic) => WorldOption::Declared(WorldKind::Stochastic),
            },
            tolerance: self.tolerance,
            action_rule: self.action_rule.clone(),
        }
    }
}
