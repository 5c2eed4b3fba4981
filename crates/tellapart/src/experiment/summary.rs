//! Machine-readable summaries: field names are fixed, more may be added.

use serde::{Deserialize, Serialize};
use tellapart_audit::Probe;
use tellapart_train::{Trained, ValidConfig, memory};

use super::measure::{Measured, Truth};
use super::without_truth::WithoutTruth;

/// `summary.json` of an experiment, `tellapart.reproduce/1`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// `tellapart.reproduce/1`.
    pub schema: String,
    /// Which setting: `bounded` or `plain`.
    pub setting: String,
    /// Whether it was the quick form.
    pub quick: bool,
    /// Of the environment.
    pub largest_bisimulation: Blocks,
    /// Most memory the process ever held, where the system tells.
    pub peak_memory_mib: Option<u64>,
    /// Every run of every seed.
    pub runs: Vec<RunSummary>,
}

/// A largest bisimulation in short.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Blocks {
    /// How many classes.
    pub classes: usize,
}

/// One run, measured on held-out observations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunSummary {
    /// `joint-reward`, `joint-random`, `reward-only` or `dynamics-only`; or as configured.
    pub name: String,
    /// The run's seed.
    pub seed: u64,
    /// The encoder.
    pub encoder: String,
    /// The auxiliary function: `reward`, `random` or `array`.
    pub target: String,
    /// The latent dynamics: `bounded` or `plain`.
    pub dynamics: String,
    /// The auxiliary head: `bounded`, `plain` or `two-hot`.
    pub head: String,
    /// Latent dimensions.
    pub latent: usize,
    /// Updates done.
    pub updates: u64,
    /// CPU time of training, on all threads of its pool.
    pub train_cpu_seconds: f64,
    /// Time on the wall; other runs may have run beside.
    pub train_wall_seconds: f64,
    /// Leave-one-out nearest centroid.
    pub nearest_centroid_accuracy: f64,
    /// Mean silhouette.
    pub silhouette: Option<f64>,
    /// Closest centroid gap over the mean gap.
    pub closest_gap_over_mean_gap: Option<f64>,
    /// Mean within-class spread over the closest gap.
    pub spread_over_closest_gap: Option<f64>,
    /// Mean pairwise latent distance over mean latent norm.
    pub relative_spread: Option<f64>,
    /// Pairs of classes that are merged.
    pub merged_pairs: Vec<[u32; 2]>,
    /// Pairs of classes with a positive bound, by the worst residual; where p can be rolled out.
    pub certified_pairs: Option<usize>,
    /// Median positive bound of the certified pairs; where Lipschitz constants are declared.
    pub median_certified_margin: Option<f64>,
    /// Balanced accuracy of p after k = 1, 2, ... steps; empty where p cannot be foreseen.
    pub open_loop_accuracy: Vec<Option<f64>>,
    /// RankMe of the latents.
    pub rankme: Option<f64>,
    /// Held-out error of P over the variance of p.
    pub target_error_over_variance: Option<f64>,
    /// Mean squared error per pixel of the detached decoder.
    pub decoder_error: Option<f64>,
    /// The same of the mean training image.
    pub mean_image_error: Option<f64>,
    /// What can be read off the latents linearly.
    pub probes: Vec<Probe>,
    /// The audit of recorded held-out episodes, beside what is measured against the truth.
    pub without_truth: Option<WithoutTruth>,
}

impl RunSummary {
    /// The short form of what was measured.
    pub fn new(config: &ValidConfig, trained: &Trained, measured: &Measured) -> Self {
        let audit = &measured.audit;
        let clusters = &audit.clusters;
        let declared = trained.model.rollout_lipschitz().is_some();
        let margins = audit
            .certificate
            .as_ref()
            .filter(|_| declared)
            .map(|certificate| {
                let mut bounds: Vec<f64> = certificate
                    .pairs
                    .iter()
                    .filter(|pair| pair.certified)
                    .filter_map(|pair| pair.bound)
                    .collect();
                bounds.sort_by(f64::total_cmp);
                bounds
            });
        Self {
            name: config.name.clone(),
            seed: config.seed,
            encoder: word(config.model.encoder),
            target: word(config.target.kind),
            dynamics: word(config.model.dynamics),
            head: word(config.model.head),
            latent: config.model.latent,
            updates: trained.updates,
            train_cpu_seconds: trained.cpu_seconds,
            train_wall_seconds: trained.wall_seconds,
            nearest_centroid_accuracy: clusters.nearest_centroid_accuracy,
            silhouette: clusters.silhouette,
            closest_gap_over_mean_gap: clusters.closest_gap_over_mean_gap,
            spread_over_closest_gap: clusters.spread_over_closest_gap,
            relative_spread: clusters.relative_spread,
            merged_pairs: clusters
                .merged
                .iter()
                .map(|pair| [pair.a, pair.b])
                .collect(),
            certified_pairs: audit
                .certificate
                .as_ref()
                .map(|certificate| certificate.certified),
            median_certified_margin: margins
                .and_then(|bounds| bounds.get(bounds.len() / 2).copied()),
            open_loop_accuracy: audit.open_loop.as_ref().map_or_else(Vec::new, |open_loop| {
                open_loop
                    .steps
                    .iter()
                    .map(|step| step.balanced_accuracy)
                    .collect()
            }),
            rankme: audit.spectrum.rankme,
            target_error_over_variance: measured.target_error_over_variance,
            decoder_error: measured.decoding.map(|errors| errors.decoder),
            mean_image_error: measured.decoding.map(|errors| errors.mean_image),
            probes: audit.probes.clone(),
            without_truth: Some(WithoutTruth::new(
                &measured.without_truth,
                !clusters.merged.is_empty(),
            )),
        }
    }
}

/// `summary.json` of a run on recorded data, `tellapart.run/1`: nothing is known of the truth, so it
/// says how well the losses hold on held-out episodes and no more.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedSummary {
    /// `tellapart.run/1`.
    pub schema: String,
    /// As configured.
    pub name: String,
    /// The run's seed.
    pub seed: u64,
    /// Updates done.
    pub updates: u64,
    /// CPU time of training, on all threads of its pool.
    pub train_cpu_seconds: f64,
    /// `L_dyn` on held-out episodes, at the end.
    pub held_out_loss_dynamics: Option<f32>,
    /// `L_p` on held-out episodes, at the end.
    pub held_out_loss_auxiliary: Option<f32>,
}

impl RecordedSummary {
    /// From the last validation.
    pub fn new(config: &ValidConfig, trained: &Trained) -> Self {
        let last = trained
            .records
            .iter()
            .rev()
            .find_map(|record| record.validation.as_ref());
        Self {
            schema: "tellapart.run/1".to_string(),
            name: config.name.clone(),
            seed: config.seed,
            updates: trained.updates,
            train_cpu_seconds: trained.cpu_seconds,
            held_out_loss_dynamics: last.and_then(|validation| validation.loss_dynamics),
            held_out_loss_auxiliary: last.and_then(|validation| validation.loss_auxiliary),
        }
    }

    /// One sentence.
    pub fn in_words(&self) -> String {
        let loss =
            |value: Option<f32>| value.map_or("–".to_string(), |value| format!("{value:.4}"));
        format!(
            "{} updates; on held-out episodes L_dyn is {} and L_p is {}.",
            self.updates,
            loss(self.held_out_loss_dynamics),
            loss(self.held_out_loss_auxiliary)
        )
    }
}

impl Summary {
    /// All runs of an experiment.
    pub fn new(setting: &str, quick: bool, truth: &Truth, runs: Vec<RunSummary>) -> Self {
        Self {
            schema: "tellapart.reproduce/1".to_string(),
            setting: setting.to_string(),
            quick,
            largest_bisimulation: Blocks {
                classes: truth.classes,
            },
            peak_memory_mib: memory::peak_mib(),
            runs,
        }
    }
}

/// A choice as configurations spell it.
pub(super) fn word(choice: impl Serialize) -> String {
    let value = serde_json::to_value(choice).ok();
    value
        .and_then(|value| value.as_str().map(str::to_string))
        .unwrap_or_default()
}
