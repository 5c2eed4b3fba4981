//! How a run tells the rest of the program how it goes, and is told to stop.

use crate::metrics::MetricRecord;

/// Latents of observations whose hidden state is known.
#[derive(Debug, Clone, Copy)]
pub struct LabelledLatents<'a> {
    /// `[rows, width]`.
    pub values: &'a [f32],
    /// Dimensions of the latent.
    pub width: usize,
    /// Hidden state of each row.
    pub states: &'a [u32],
}

/// Follows a run. Every method has a default that does nothing.
pub trait Observer {
    /// Names of what [`measure`](Self::measure) answers: columns of `metrics.csv`.
    fn measures(&self) -> &[&'static str] {
        &[]
    }

    /// Measures the validation latents; `None` where a quantity does not exist.
    fn measure(&mut self, latents: LabelledLatents<'_>) -> Vec<Option<f64>> {
        let _ = latents;
        Vec::new()
    }

    /// An update is done; where the model was evaluated after it, perhaps the next one is, too.
    fn updated(&mut self, record: &MetricRecord) {
        let _ = record;
    }

    /// Asked after every update: whether to write a checkpoint and stop.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Follows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
