//! Machine-readable summaries. Field names are fixed; more may be added.

use serde::{Deserialize, Serialize};
use tellapart_audit::Probe;
use tellapart_train::metrics::validation_loss;
use tellapart_train::{Trained, ValidConfig, memory};

use super::measure::Measured;
use super::truth::Truth;
use super::without_truth::WithoutTruth;

/// Summary of an experiment (`summary.json`), `tellapart.reproduce/2`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    /// `tellapart.reproduce/2`.
    pub schema: String,
    /// Setting: `bounded` or `plain`.
    pub setting: String,
    /// Whether the experiment was run with `--quick`.
    pub quick: bool,
    /// Largest bisimulation of the environment.
    pub largest_bisimulation: ClassCount,
    /// Peak memory of the process in MiB, where the system reports it.
    pub peak_memory_mib: Option<u64>,
    /// All runs of all seeds.
    pub runs: Vec<RunSummary>,
}

/// Number of classes of a largest bisimulation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClassCount {
    /// Number of classes.
    pub classes: usize,
}

/// Measurements of one run on held-out observations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RunSummary {
    /// Name: `joint-reward`, `joint-random`, `reward-only` or `dynamics-only`; or as configured.
    pub name: String,
    /// Seed of the run.
    pub seed: u64,
    /// Encoder.
    pub encoder: String,
    /// Auxiliary function: `reward`, `random` or `array`.
    pub target: String,
    /// Predictor T: `bounded` or `plain`.
    pub predictor: String,
    /// Auxiliary head: `bounded`, `plain` or `two-hot`.
    pub head: String,
    /// Number of latent dimensions.
    pub latent: usize,
    /// Number of updates done.
    pub updates: u64,
    /// CPU time of training, on all threads of its pool.
    pub train_cpu_seconds: f64,
    /// Wall time of training; other runs may have run at the same time.
    pub train_wall_seconds: f64,
    /// Leave-one-out nearest-centroid accuracy.
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
    /// Number of pairs of classes with a positive bound, by the worst residual; where p can be
    /// rolled out.
    pub certified_pairs: Option<usize>,
    /// Median positive bound of the certified pairs; where Lipschitz constants are declared.
    pub median_certified_margin: Option<f64>,
    /// Balanced accuracy of p after k = 1, 2, ... steps; empty where p cannot be predicted.
    pub open_loop_accuracy: Vec<Option<f64>>,
    /// RankMe of the latents.
    pub rankme: Option<f64>,
    /// Held-out error of P over the variance of p.
    pub target_error_over_variance: Option<f64>,
    /// Mean squared error per pixel of the detached decoder.
    pub decoder_error: Option<f64>,
    /// Mean squared error per pixel of the mean training image.
    pub mean_image_error: Option<f64>,
    /// Linear probes of the latents.
    pub probes: Vec<Probe>,
    /// Audit of recorded held-out episodes without ground truth.
    pub without_truth: Option<WithoutTruth>,
}

impl RunSummary {
    /// Summarizes the measurements of a run.
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
            encoder: config.model.encoder.name().to_owned(),
            target: word(config.target.kind),
            predictor: word(config.model.predictor),
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

/// Summary of a run on recorded data (`summary.json`), `tellapart.run/1`. The truth is not known,
/// so it only tells how well the losses hold on held-out episodes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RecordedSummary {
    /// `tellapart.run/1`.
    pub schema: String,
    /// Name, as configured.
    pub name: String,
    /// Seed of the run.
    pub seed: u64,
    /// Number of updates done.
    pub updates: u64,
    /// CPU time of training, on all threads of its pool.
    pub train_cpu_seconds: f64,
    /// `L_dyn` on held-out episodes, at the end.
    pub held_out_loss_dynamics: Option<f32>,
    /// `L_p` on held-out episodes, at the end.
    pub held_out_loss_auxiliary: Option<f32>,
}

impl RecordedSummary {
    /// Summarizes a run by its last validation.
    pub fn new(config: &ValidConfig, trained: &Trained) -> Self {
        let mut records = trained.records.iter().rev();
        let last = records.find(|record| record.is_validated());
        let loss = |objective: &str| {
            let value = last?.get(&validation_loss(objective));
            value.map(|value| value as f32)
        };
        Self {
            schema: "tellapart.run/1".to_string(),
            name: config.name.clone(),
            seed: config.seed,
            updates: trained.updates,
            train_cpu_seconds: trained.cpu_seconds,
            held_out_loss_dynamics: loss("dynamics"),
            held_out_loss_auxiliary: loss("auxiliary"),
        }
    }

    /// Describes the run in one sentence.
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
    /// Summarizes all runs of an experiment.
    pub fn new(setting: &str, quick: bool, truth: &Truth, runs: Vec<RunSummary>) -> Self {
        Self {
            schema: "tellapart.reproduce/2".to_string(),
            setting: setting.to_string(),
            quick,
            largest_bisimulation: ClassCount {
                classes: truth.classes,
            },
            peak_memory_mib: memory::peak_mib(),
            runs,
        }
    }
}

/// Returns a choice as configurations spell it.
pub(super) fn word(choice: impl Serialize) -> String {
    let value = serde_json::to_value(choice).ok();
    value
        .and_then(|value| value.as_str().map(str::to_string))
        .unwrap_or_default()
}
