//! Options of how a recording is read as evidence, shared by commands.

use clap::Args;
use tellapart::audit::RecordedOptions;
use tellapart::data::{ActionRule, DataError};

#[derive(Args)]
pub(super) struct RecordingArgs {
    /// Array to be predicted: rewards (or what the run predicts), aux, or another
    #[arg(long, value_name = "NAME")]
    p: Option<String>,
    /// Largest distance of values of p that count as equal
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    tolerance: Option<f64>,
    /// Rule for equal action vectors: sign, distinct, a number of bins, or at:-0.5,0.5
    #[arg(long, value_name = "RULE", value_parser = rule)]
    action_rule: Option<ActionRule>,
}

fn rule(text: &str) -> Result<ActionRule, String> {
    text.parse().map_err(|error: DataError| error.to_string())
}

impl RecordingArgs {
    /// Returns the options of the library; `p` is the array that is read unless one is named.
    pub(super) fn options(&self, p: &str) -> RecordedOptions {
        RecordedOptions {
            value: self.p.as_deref().unwrap_or(p).to_owned(),
            tolerance: self.tolerance,
            action_rule: self.action_rule.clone(),
        }
    }
}
