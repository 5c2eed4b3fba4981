//! Measures a trained model on held-out observations, against the truth of its environment.

use tellapart_audit::recorded::RecordedAudit;
use tellapart_audit::{
    AuditReport, Certificate, Classes, Embeddings, OpenLoop, Pca, SortedDistances, StepValues,
    WordRollout, calibrated_threshold,
};
use tellapart_progress::Progress;
use tellapart_report::{Point, Reconstructions, Scatter};
use tellapart_train::config::TargetKind;
use tellapart_train::decoding::{DecodingErrors, TrainedDecoder, train_decoder};
use tellapart_train::evaluation::HeldOut;
use tellapart_train::evaluator::Evaluator;
use tellapart_train::seeds::Purpose;
use tellapart_train::{Trained, ValidConfig};

use super::probes::probes;
use super::truth::Truth;
use super::{ExperimentError, without_truth};

/// All results of one run that tables and figures show.
#[derive(Debug, Clone)]
pub struct Measured {
    /// Clusters, merged pairs with witnesses, spectrum, probes, open loop, certificate.
    pub audit: AuditReport,
    /// Held-out error of P over the variance of p; below 1 where p was learned.
    pub target_error_over_variance: Option<f64>,
    /// Audit of the same model on recorded held-out episodes, without ground truth.
    pub without_truth: RecordedAudit,
    /// Errors of the detached decoder on held-out images.
    pub decoding: Option<DecodingErrors>,
    /// Latents on their two principal components.
    pub scatter: Scatter,
    /// Distances sorted by class.
    pub distances: SortedDistances,
    /// Held-out images next to their reconstructions by the decoder.
    pub reconstructions: Option<Reconstructions>,
}

/// Returns the number of observations per class in the scatter and the distance matrix: 30, or
/// fewer where classes are many.
fn shown_per_class(classes: usize) -> usize {
    (3000 / classes.max(1)).clamp(1, 30)
}

/// Measures a trained model on fresh observations of its environment.
///
/// # Errors
/// Latents that are not finite; data that cannot be made.
pub fn measure(
    trained: &Trained,
    config: &ValidConfig,
    truth: &Truth,
    progress: &dyn Progress,
) -> Result<Measured, ExperimentError> {
    let evaluator = Evaluator::new(&trained.model, trained.interface, config)?;
    let per_state = config.evaluation.held_out_per_state;
    let held_out = HeldOut::collect(config, Purpose::HeldOut, per_state)?;
    let latents = evaluator.embed(&held_out.observations);
    let labels: Vec<u32> = held_out
        .states
        .iter()
        .map(|&state| truth.class_of_state[state as usize])
        .collect();
    let embeddings = Embeddings::new(&latents, held_out.rows(), evaluator.latent())?;
    let classes = Classes::new(&labels, truth.classes)?;
    let seen = Seen {
        evaluator: &evaluator,
        held_out: &held_out,
        latents: &latents,
    };

    let mut audit = AuditReport::against_truth(&embeddings, &classes, &truth.system)?;
    audit.probes = probes(truth.noun, &embeddings, &classes, &held_out)?;
    // Nuisances are drawn anew at every step, so a random function of the pixels cannot be
    // predicted.
    if config.target.kind == TargetKind::Reward {
        audit.open_loop = Some(seen.open_loop(config)?);
        audit.certificate = Some(seen.certificate(config, truth, &embeddings, &classes)?);
    }
    let decoder = train_decoder(&evaluator, config, progress)?;
    let pca = Pca::fit(&embeddings, 2)?;
    let distances = SortedDistances::sample(&embeddings, &classes, shown_per_class(truth.classes))?;
    let reconstructions = decoder
        .as_ref()
        .map(|decoder| seen.reconstructions(decoder, &first_of_each(&labels, truth.classes)))
        .transpose()?;
    Ok(Measured {
        target_error_over_variance: error_over_variance(
            &evaluator.predict(&latents),
            &held_out.targets,
            held_out.target_width,
        ),
        without_truth: without_truth::audit(trained, config, truth)?,
        decoding: decoder.map(|of| of.errors(&held_out, &latents, evaluator.device())),
        scatter: scatter(&pca, &distances.rows, &labels),
        distances,
        reconstructions,
        audit,
    })
}

/// Held-out observations as the model sees them.
struct Seen<'a> {
    evaluator: &'a Evaluator<'a>,
    held_out: &'a HeldOut,
    latents: &'a [f32],
}

impl Seen<'_> {
    /// Measures predictions of p along recorded continuations.
    fn open_loop(&self, config: &ValidConfig) -> Result<OpenLoop, ExperimentError> {
        let steps = &self.held_out.continuation;
        let foreseen = self.evaluator.roll_out(self.latents, steps);
        let pairs: Vec<StepValues<'_>> = foreseen
            .iter()
            .zip(steps)
            .map(|(predicted, step)| StepValues {
                predicted,
                recorded: &step.targets,
            })
            .collect();
        // The decision threshold for "rewarded" is calibrated on validation observations.
        let per_state = config.evaluation.validation_per_state;
        let other = HeldOut::collect(config, Purpose::Validation, per_state)?;
        let latents = self.evaluator.embed(&other.observations);
        let threshold = calibrated_threshold(StepValues {
            predicted: &self.evaluator.predict(&latents),
            recorded: &other.targets,
        });
        let width = self.held_out.target_width;
        Ok(OpenLoop::measure(&pairs, width, threshold)?)
    }

    /// Measures certificates for each pair of classes and its best word: the theorem with a margin.
    ///
    /// Plain networks declare no Lipschitz constant. The sign of the bound still certifies, and its
    /// size stays unknown.
    fn certificate(
        &self,
        config: &ValidConfig,
        truth: &Truth,
        embeddings: &Embeddings<'_>,
        classes: &Classes<'_>,
    ) -> Result<Certificate, ExperimentError> {
        let lipschitz = self.evaluator.model().rollout_lipschitz().map(f64::from);
        let words = truth.words(config.evaluation.horizon_steps);
        let mut values = Vec::with_capacity(words.len());
        for word in &words {
            let evaluator = self.evaluator;
            let predicted = evaluator.roll_out_word(self.latents, truth.actions, word)?;
            values.push((predicted, truth.values_after(&self.held_out.states, word)));
        }
        let rollouts: Vec<WordRollout<'_>> = words
            .iter()
            .zip(&values)
            .map(|(word, (predicted, after))| WordRollout {
                actions: word.iter().map(|action| action.get()).collect(),
                lipschitz,
                predicted,
                truth: after,
            })
            .collect();
        let width = self.held_out.target_width;
        Ok(Certificate::measure(embeddings, classes, &rollouts, width)?)
    }

    /// Decodes some rows, next to what they show.
    fn reconstructions(
        &self,
        decoder: &TrainedDecoder,
        rows: &[usize],
    ) -> Result<Reconstructions, ExperimentError> {
        let (held_out, width) = (self.held_out, self.evaluator.latent());
        let latents: Vec<f32> = rows
            .iter()
            .flat_map(|&row| self.latents[row * width..(row + 1) * width].iter().copied())
            .collect();
        let images = rows.iter().flat_map(|&row| held_out.image(row).iter());
        let names = rows.iter().map(|&row| held_out.states[row].to_string());
        let rebuilt = decoder.decode(&latents, self.evaluator.device());
        let [height, width, _] = held_out.image_shape();
        let originals = images.copied().collect();
        let size = [height, width];
        Ok(Reconstructions::new(
            size,
            names.collect(),
            originals,
            rebuilt,
        )?)
    }
}

/// Computes the mean squared error over the variance about the mean, all components together.
fn error_over_variance(predicted: &[f32], truth: &[f32], width: usize) -> Option<f64> {
    let rows = (truth.len() / width) as f64;
    let mut means = vec![0.0f64; width];
    for row in truth.chunks_exact(width) {
        means
            .iter_mut()
            .zip(row)
            .for_each(|(mean, &value)| *mean += f64::from(value) / rows);
    }
    let (mut error, mut variance) = (0.0, 0.0);
    for (predicted, truth) in predicted.chunks_exact(width).zip(truth.chunks_exact(width)) {
        for ((&predicted, &truth), mean) in predicted.iter().zip(truth).zip(&means) {
            error += (f64::from(predicted) - f64::from(truth)).powi(2);
            variance += (f64::from(truth) - mean).powi(2);
        }
    }
    (variance > 0.0).then(|| error / variance)
}

fn scatter(pca: &Pca, rows: &[usize], labels: &[u32]) -> Scatter {
    let axis = |row: usize, axis: usize| pca.projection[row].get(axis).copied().unwrap_or(0.0);
    Scatter {
        points: rows
            .iter()
            .map(|&row| Point {
                x: axis(row, 0),
                y: axis(row, 1),
                class: labels[row],
            })
            .collect(),
        explained_share: [
            pca.explained_share.first().copied(),
            pca.explained_share.get(1).copied(),
        ],
    }
}

/// Returns the first row of each class, by class.
fn first_of_each(labels: &[u32], classes: usize) -> Vec<usize> {
    (0..classes as u32)
        .filter_map(|class| labels.iter().position(|&label| label == class))
        .collect()
}
