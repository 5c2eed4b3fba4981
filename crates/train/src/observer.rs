//! Interface through which a run reports its progress and can be stopped.

use tellapart_progress::Progress;

use crate::metrics::MetricRecord;

/// Latents of observations whose hidden state is known.
#[derive(Debug, Clone, Copy)]
pub struct LabeledLatents<'a> {
    /// Latents `[rows, width]`.
    pub values: &'a [f32],
    /// Dimensions of the latent.
    pub width: usize,
    /// Hidden state of each row.
    pub states: &'a [u32],
}

/// Observer of a run, which may also stop it: when [`stopped`](Progress::stopped) is true, the run
/// writes a checkpoint and ends. Every method has a default that does nothing.
pub trait Observer: Progress {
    /// Names of the values that [`measure`](Self::measure) returns: columns of `metrics.csv`.
    fn measures(&self) -> &[&'static str] {
        &[]
    }

    /// Measures the validation latents; `None` for a quantity that does not exist.
    fn measure(&mut self, latents: LabeledLatents<'_>) -> Vec<Option<f64>> {
        let _ = latents;
        Vec::new()
    }

    /// Called after an update with a metric record. If the record has a validation, the next update
    /// may be done already.
    fn updated(&mut self, record: &MetricRecord) {
        let _ = record;
    }
}

/// Observer that does nothing.
impl Observer for () {}
