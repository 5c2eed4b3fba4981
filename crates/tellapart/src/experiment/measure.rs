//! Measures a trained model on held-out observations, against the truth of its environment.

use tellapart_audit::recorded::RecordedAudit;
use tellapart_audit::{
    AuditReport, Certificate, Classes, DEFAULT_RIDGE, Embeddings, OpenLoop, Pca, Probe,
    SortedDistances, StepValues, WordRollout, calibrated_threshold,
};
use tellapart_bisim::{SplittingTree, largest_bisimulation};
use tellapart_env::{ActionSpace, BatchEnvironment, Counting};
use tellapart_model::device::{self, Device};
use tellapart_report::{Point, Reconstructions, Scatter};
use tellapart_system::{ActionId, MooreMachine, StateId};
use tellapart_train::config::TargetKind;
use tellapart_train::decoding::{DecodingErrors, train_decoder};
use tellapart_train::evaluation::{HeldOut, embed, predict, roll_out, roll_out_word};
use tellapart_train::seeds::Purpose;
use tellapart_train::{Observer, TrainError, Trained, ValidConfig};

use super::{ExperimentError, without_truth};

/// Finite system behind the observations, and the classes that must not be merged.
#[derive(Debug, Clone)]
pub struct Truth {
    /// Ground truth of the environment.
    pub system: MooreMachine,
    /// Block of the largest bisimulation, for each hidden state.
    pub class_of_state: Vec<u32>,
    /// Number of blocks.
    pub classes: usize,
    /// Actions of the environment.
    pub actions: ActionSpace,
}

impl Truth {
    /// Computes the largest bisimulation of the configured environment.
    ///
    /// # Errors
    /// The errors of the environment.
    pub fn of(config: &ValidConfig) -> Result<Self, ExperimentError> {
        let options = config
            .environment
            .clone()
            .validate()
            .map_err(TrainError::from)?;
        let world = Counting::new(options, 0, 1);
        let system = world.ground_truth().map_err(TrainError::from)?;
        let partition = largest_bisimulation(&system);
        Ok(Self {
            class_of_state: system
                .state_ids()
                .map(|state| partition.block_of(state).index() as u32)
                .collect(),
            classes: partition.blocks(),
            actions: world.action_space(),
            system,
        })
    }

    /// Returns the names of the actions, by id.
    pub fn action_names(&self) -> Vec<String> {
        let names: &[&str] = if self.actions.distinct() == 3 {
            &["remove", "keep", "add"]
        } else {
            &["remove", "add"]
        };
        names.iter().map(|&name| name.to_string()).collect()
    }

    /// Returns the words to try for certificates: each action repeated up to the horizon, the
    /// shortest witness of every pair of classes, and the empty word.
    fn words(&self, horizon: usize) -> Vec<Vec<ActionId>> {
        let mut words = vec![Vec::new()];
        for action in self.system.action_ids() {
            words.extend((1..=horizon).map(|length| vec![action; length]));
        }
        let tree = SplittingTree::new(&self.system);
        let partition = tree.partition();
        let representatives = partition.representatives();
        for (i, &a) in representatives.iter().enumerate() {
            words.extend(
                representatives[..i]
                    .iter()
                    .filter_map(|&b| tree.witness(a, b)),
            );
        }
        words.sort();
        words.dedup();
        words
    }
}

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

/// Number of observations per class in the scatter and the distance matrix.
const SHOWN_PER_CLASS: usize = 30;

/// Measures a trained model on fresh observations of its environment.
///
/// # Errors
/// Latents that are not finite; data that cannot be made.
pub fn measure(
    trained: &Trained,
    config: &ValidConfig,
    truth: &Truth,
    observer: &dyn Observer,
) -> Result<Measured, ExperimentError> {
    let device = device::by_name(&config.device).map_err(TrainError::from)?;
    let held_out = HeldOut::collect(
        config,
        Purpose::HeldOut,
        config.evaluation.held_out_per_state,
    )?;
    let width = config.model.latent;
    let latents = embed(
        &trained.model,
        &held_out.frames,
        held_out.frame_shape,
        &device,
    );
    let labels: Vec<u32> = held_out
        .states
        .iter()
        .map(|&state| truth.class_of_state[state as usize])
        .collect();
    let embeddings = Embeddings::new(&latents, held_out.rows(), width)?;
    let classes = Classes::new(&labels, truth.classes)?;

    let mut audit = AuditReport::against_truth(&embeddings, &classes, &truth.system)?;
    audit.probes = probes(&latents, width, &held_out, &labels, truth.classes)?;
    let predicted = predict(&trained.model, &latents, width, &device);
    // Positions are drawn anew at every step, so a random function of the pixels cannot be
    // predicted.
    if config.target.kind == TargetKind::Reward {
        let steps = &held_out.continuation;
        let foreseen = roll_out(
            &trained.model,
            &trained.interface,
            &latents,
            width,
            steps,
            &device,
        );
        let pairs: Vec<StepValues<'_>> = foreseen
            .iter()
            .zip(steps)
            .map(|(predicted, step)| StepValues {
                predicted,
                recorded: &step.targets,
            })
            .collect();
        let threshold = threshold(trained, config, &device)?;
        audit.open_loop = Some(OpenLoop::measure(&pairs, held_out.target_width, threshold)?);
        audit.certificate = Some(certificate(
            trained,
            config,
            truth,
            &held_out,
            &latents,
            &embeddings,
            &classes,
        )?);
    }

    let decoder = train_decoder(&trained.model, config, observer)?;
    let pca = Pca::fit(&embeddings, 2)?;
    let distances = SortedDistances::sample(&embeddings, &classes, SHOWN_PER_CLASS)?;
    let shown = first_of_each(&labels, truth.classes);
    let reconstructions = match &decoder {
        None => None,
        Some(decoder) => {
            let latents: Vec<f32> = shown
                .iter()
                .flat_map(|&row| embeddings.row(row).to_vec())
                .collect();
            let bytes: usize = held_out.frame_shape.iter().product();
            let originals = shown
                .iter()
                .flat_map(|&row| held_out.frames[row * bytes..(row + 1) * bytes].to_vec())
                .collect();
            let names = shown
                .iter()
                .map(|&row| held_out.states[row].to_string())
                .collect();
            let rebuilt = decoder.decode(&latents, &device);
            let [height, width, _] = held_out.frame_shape;
            Some(Reconstructions::new(
                [height, width],
                names,
                originals,
                rebuilt,
            )?)
        }
    };
    Ok(Measured {
        target_error_over_variance: error_over_variance(
            &predicted,
            &held_out.targets,
            held_out.target_width,
        ),
        without_truth: without_truth::audit(trained, config, truth)?,
        decoding: decoder.map(|decoder| decoder.errors(&held_out, &latents, &device)),
        scatter: scatter(&pca, &distances.rows, &labels),
        distances,
        reconstructions,
        audit,
    })
}

/// Returns the decision threshold for "rewarded", calibrated on validation observations.
fn threshold(
    trained: &Trained,
    config: &ValidConfig,
    device: &Device,
) -> Result<Option<f64>, ExperimentError> {
    let per_state = config.evaluation.validation_per_state;
    let seen = HeldOut::collect(config, Purpose::Validation, per_state)?;
    let latents = embed(&trained.model, &seen.frames, seen.frame_shape, device);
    let predicted = predict(&trained.model, &latents, config.model.latent, device);
    Ok(calibrated_threshold(StepValues {
        predicted: &predicted,
        recorded: &seen.targets,
    }))
}

/// Measures certificates for each pair of classes and its best word: the theorem with a margin.
///
/// Plain networks declare no Lipschitz constant. The sign of the bound still certifies, and its
/// size stays unknown.
fn certificate(
    trained: &Trained,
    config: &ValidConfig,
    truth: &Truth,
    held_out: &HeldOut,
    latents: &[f32],
    embeddings: &Embeddings<'_>,
    classes: &Classes<'_>,
) -> Result<Certificate, ExperimentError> {
    let device = device::by_name(&config.device).map_err(TrainError::from)?;
    let lipschitz = trained.model.rollout_lipschitz().map(f64::from);
    let words = truth.words(config.evaluation.horizon_steps);
    let mut values = Vec::with_capacity(words.len());
    for word in &words {
        let predicted = roll_out_word(
            &trained.model,
            config,
            &trained.interface,
            latents,
            word,
            &device,
        )?;
        let after = held_out.states.iter().map(|&state| {
            let state = truth.system.run(StateId::from_index(state as usize), word);
            let value = truth.system.output_value(truth.system.output(state));
            value
                .and_then(|value| value.first())
                .map_or(0.0, |&value| value as f32)
        });
        values.push((predicted, after.collect::<Vec<f32>>()));
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
    Ok(Certificate::measure(
        embeddings,
        classes,
        &rollouts,
        held_out.target_width,
    )?)
}

/// Measures linear probes of the latents: the count, and each nuisance.
fn probes(
    latents: &[f32],
    width: usize,
    held_out: &HeldOut,
    labels: &[u32],
    class_count: usize,
) -> Result<Vec<Probe>, ExperimentError> {
    let all = Embeddings::new(latents, held_out.rows(), width)?;
    let counts = Classes::new(labels, class_count)?;
    let mut probes = vec![Probe::classes("count", &all, &counts, DEFAULT_RIDGE)?];

    // An empty image shows no shape, color or position.
    let rows: Vec<usize> = (0..held_out.rows())
        .filter(|&row| held_out.mean_positions[2 * row].is_finite())
        .collect();
    let pick = |values: &[f32], width: usize| -> Vec<f32> {
        rows.iter()
            .flat_map(|&row| values[row * width..(row + 1) * width].to_vec())
            .collect()
    };
    let visible_latents = pick(latents, width);
    let visible = Embeddings::new(&visible_latents, rows.len(), width)?;
    let shapes: Vec<u32> = rows.iter().map(|&row| held_out.shapes[row]).collect();
    let shape_count = shapes.iter().max().map_or(1, |&shape| shape as usize + 1);
    let shapes = Classes::new(&shapes, shape_count)?;
    probes.push(Probe::classes("shape", &visible, &shapes, DEFAULT_RIDGE)?);
    let colors = pick(&held_out.colors, 3);
    probes.push(Probe::continuous(
        "color",
        &visible,
        &colors,
        3,
        DEFAULT_RIDGE,
    )?);
    let positions = pick(&held_out.mean_positions, 2);
    probes.push(Probe::continuous(
        "mean position",
        &visible,
        &positions,
        2,
        DEFAULT_RIDGE,
    )?);
    Ok(probes)
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
