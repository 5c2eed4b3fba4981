//! Interface through which a run reports its progress and can be stopped.

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

/// Observer of a run. Every method has a default that does nothing.
pub trait Observer {
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

    /// Whether to write a checkpoint and stop. Asked after every update.
    fn wants_to_stop(&self) -> bool {
        false
    }
}

/// Observer that does nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
