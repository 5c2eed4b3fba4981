//! Measures a run while it trains, and decides whether it should stop.

use tellapart_audit::{Classes, Clusters, Embeddings, MERGED_WITHIN_SPREADS, Spectrum};
use tellapart_progress::Progress;
use tellapart_train::metrics::MetricRecord;
use tellapart_train::observer::{LabeledLatents, Observer};

/// Columns of `metrics.csv` that the audit fills: collapse shows here, not in the losses.
pub(super) const MEASURES: [&str; 5] = [
    "nearest_centroid_accuracy",
    "closest_gap_over_mean_gap",
    "merged_pairs",
    "relative_spread",
    "rankme",
];

/// Measures validation latents against the true classes, and passes progress on.
pub struct ValidationAudit<'a> {
    class_of_state: &'a [u32],
    progress: &'a dyn Progress,
    on_update: Box<dyn Fn(&MetricRecord) + Sync + 'a>,
}

impl<'a> ValidationAudit<'a> {
    /// Makes an observer. `class_of_state[s]` is the true class of hidden state `s`; empty where it
    /// is not known. `progress` says when to stop.
    pub fn new(
        class_of_state: &'a [u32],
        progress: &'a dyn Progress,
        on_update: impl Fn(&MetricRecord) + Sync + 'a,
    ) -> Self {
        Self {
            class_of_state,
            progress,
            on_update: Box::new(on_update),
        }
    }

    fn clusters(&self, latents: LabeledLatents<'_>) -> Option<(Clusters, Spectrum)> {
        let classes: Option<Vec<u32>> = latents
            .states
            .iter()
            .map(|&state| self.class_of_state.get(state as usize).copied())
            .collect();
        let classes = classes?;
        let count = self
            .class_of_state
            .iter()
            .max()
            .map_or(0, |&class| class as usize + 1);
        let embeddings =
            Embeddings::new(latents.values, latents.states.len(), latents.width).ok()?;
        let classes = Classes::new(&classes, count).ok()?;
        let clusters = Clusters::measure(&embeddings, &classes, MERGED_WITHIN_SPREADS).ok()?;
        Some((clusters, Spectrum::measure(&embeddings).ok()?))
    }
}

impl Observer for ValidationAudit<'_> {
    fn measures(&self) -> &[&'static str] {
        &MEASURES
    }

    fn measure(&mut self, latents: LabeledLatents<'_>) -> Vec<Option<f64>> {
        match self.clusters(latents) {
            None => vec![None; MEASURES.len()],
            Some((clusters, spectrum)) => vec![
                Some(clusters.nearest_centroid_accuracy),
                clusters.closest_gap_over_mean_gap,
                Some(clusters.merged.len() as f64),
                clusters.relative_spread,
                spectrum.rankme,
            ],
        }
    }

    fn updated(&mut self, record: &MetricRecord) {
        (self.on_update)(record);
    }
}

impl Progress for ValidationAudit<'_> {
    fn stopped(&self) -> bool {
        self.progress.stopped()
    }
}
