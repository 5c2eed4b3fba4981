//! A P-JEPA of dense layers on vectors, written out in f64 from the formulas: the `mlp` encoder,
//! the plain predictor, the plain head, and all losses. It shares only parameters with the library.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tellapart_model::encoder::EncoderConfig;
use tellapart_model::encoder::mlp::MlpConfig;
use tellapart_model::head::HeadKind;
use tellapart_model::init::normal;
use tellapart_model::objective::Distance;
use tellapart_model::parameters::{parameters, with_parameters};
use tellapart_model::pjepa::TensorBatch;
use tellapart_model::predictor::{ActionBatch, PredictorKind};
use tellapart_model::{IoSpec, ModelConfig, ObservationBatch, ObservationSpec, Pjepa};

/// Offset of the variance in every layer normalization of these networks.
const EPSILON: f64 = 1e-5;

const OBSERVATION: usize = 5;
pub(crate) const LATENT: usize = 4;
const ACTION: usize = 2;
const TARGET: usize = 3;
pub(crate) const ROWS: usize = 7;
/// Rows whose successor is the next row: episodes end at rows 2, 3 and 6.
const SOURCES: [usize; 4] = [0, 1, 4, 5];

pub(crate) type Row = Vec<f64>;

/// Builds a model whose every parameter is random, the scales and shifts of normalizations too.
pub(crate) fn random_model(seed: u64, device: &Device) -> Pjepa {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let config = ModelConfig {
        encoder: EncoderConfig::Mlp(MlpConfig { hidden: vec![7, 6] }),
        predictor: PredictorKind::Plain,
        head: HeadKind::Plain,
        latent: LATENT,
        hidden: 8,
        ..ModelConfig::default()
    };
    let interface = IoSpec {
        observation: ObservationSpec::Vector(OBSERVATION),
        actions: 3,
        action_width: ACTION,
        target_width: TARGET,
        p_of_step: false,
    };
    let model = Pjepa::new(&config, &interface, &mut rng, device).unwrap();
    let mut changed = parameters(&model);
    for parameter in changed.values_mut() {
        let values = parameter.values.iter_mut();
        values.for_each(|value| *value += 0.3 * normal(&mut rng));
    }
    with_parameters(model, &changed).unwrap()
}

/// Random rows, with an action for each transition.
pub(crate) struct Rows {
    observations: Vec<f32>,
    actions: Vec<f32>,
    targets: Vec<f32>,
}

impl Rows {
    pub(crate) fn random(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |count| (0..count).map(|_| normal(&mut rng)).collect();
        Self {
            observations: draw(ROWS * OBSERVATION),
            actions: draw(SOURCES.len() * ACTION),
            targets: draw(ROWS * TARGET),
        }
    }

    pub(crate) fn batch(&self, device: &Device) -> TensorBatch {
        let places = SOURCES.map(|row| row as i32);
        TensorBatch {
            observations: ObservationBatch::vectors(self.observations.clone(), OBSERVATION, device),
            // A plain predictor does not look at ids.
            actions: ActionBatch::new(&self.actions, ACTION, &[0; SOURCES.len()], device),
            taken: None,
            known: None,
            targets: Tensor::from_data(
                TensorData::new(self.targets.clone(), [ROWS, TARGET]),
                device,
            ),
            sources: Tensor::from_data(TensorData::new(places.to_vec(), [places.len()]), device),
            transitions: SOURCES.len(),
        }
    }
}

/// Returns rows of this width in f64.
pub(crate) fn rows_of(values: &[f32], width: usize) -> Vec<Row> {
    let rows = values.chunks_exact(width);
    rows.map(|row| row.iter().copied().map(f64::from).collect())
        .collect()
}

/// Parameters by name, flat and row-major.
#[derive(Clone)]
pub(crate) struct Reference(pub(crate) BTreeMap<String, Vec<f64>>);

impl Reference {
    pub(crate) fn of<M: Module>(module: &M) -> Self {
        let all = parameters(module).into_iter();
        let widen = |values: Vec<f32>| values.into_iter().map(f64::from).collect();
        Self(all.map(|(name, of)| (name, widen(of.values))).collect())
    }

    fn dense(&self, layer: &str, x: &[f64]) -> Row {
        let weight = &self.0[&format!("{layer}.weight")];
        let bias = &self.0[&format!("{layer}.bias")];
        let rows = weight.chunks_exact(x.len());
        assert_eq!(rows.len(), bias.len(), "{layer}");
        let products = rows.map(|row| row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>());
        products.zip(bias).map(|(sum, bias)| sum + bias).collect()
    }

    fn normalized(&self, layer: &str, x: &[f64]) -> Row {
        let (mean, variance) = moments(x);
        let gamma = &self.0[&format!("{layer}.weight")];
        let beta = &self.0[&format!("{layer}.bias")];
        let scaled = x.iter().zip(gamma.iter().zip(beta));
        scaled
            .map(|(x, (gamma, beta))| (x - mean) / (variance + EPSILON).sqrt() * gamma + beta)
            .collect()
    }

    /// Dense layers, each with normalization and an activation, then a dense layer.
    fn network(&self, layers: [&str; 5], activation: fn(f64) -> f64, x: &[f64]) -> Row {
        let mut x = x.to_vec();
        for pair in layers[..4].chunks_exact(2) {
            x = self.normalized(pair[1], &self.dense(pair[0], &x));
            x.iter_mut().for_each(|x| *x = activation(*x));
        }
        self.dense(layers[4], &x)
    }

    pub(crate) fn encode(&self, rows: &Rows) -> Vec<Row> {
        let layers = [
            "encoder.layers.0",
            "encoder.norms.0",
            "encoder.layers.1",
            "encoder.norms.1",
            "encoder.latent",
        ];
        let observations = rows_of(&rows.observations, OBSERVATION);
        let encode = |row: &Row| self.network(layers, |x| x.max(0.0), row);
        observations.iter().map(encode).collect()
    }

    /// Mean over transitions of the distance between `T(from, a)` and the next row of `to`.
    pub(crate) fn dynamics(
        &self,
        rows: &Rows,
        distance: Distance,
        from: &[Row],
        to: &[Row],
    ) -> f64 {
        let actions = rows_of(&rows.actions, ACTION);
        let each = SOURCES.iter().zip(&actions).map(|(&row, action)| {
            let x = [from[row].clone(), action.clone()].concat();
            let hidden = self.normalized("dynamics.norm", &self.dense("dynamics.input", &x));
            let hidden: Row = hidden.into_iter().map(mish).collect();
            let (predicted, target) = (self.dense("dynamics.output", &hidden), &to[row + 1]);
            match distance {
                Distance::Squared => {
                    let differences = predicted.iter().zip(target);
                    differences.map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
                }
                Distance::Cosine => {
                    let norms = (dot(&predicted, &predicted) * dot(target, target)).sqrt();
                    2.0 - 2.0 * dot(&predicted, target) / norms
                }
            }
        });
        each.sum::<f64>() / SOURCES.len() as f64
    }

    /// Mean over rows of the mean squared error of the head.
    pub(crate) fn auxiliary(&self, rows: &Rows, latents: &[Row]) -> f64 {
        let layers = [
            "head.layers.0",
            "head.norms.0",
            "head.layers.1",
            "head.norms.1",
            "head.output",
        ];
        let targets = rows_of(&rows.targets, TARGET);
        let each = latents.iter().zip(&targets).map(|(latent, target)| {
            let predicted = self.network(layers, mish, latent);
            let differences = predicted.iter().zip(target);
            differences.map(|(a, b)| (a - b) * (a - b)).sum::<f64>() / TARGET as f64
        });
        each.sum::<f64>() / latents.len() as f64
    }
}

/// Mean over dimensions of `max(0, 1 - sqrt(var + 1e-4))`.
pub(crate) fn variance(latents: &[Row]) -> f64 {
    let each = (0..LATENT).map(|i| (1.0 - (covariance_of(latents, i, i) + 1e-4).sqrt()).max(0.0));
    each.sum::<f64>() / LATENT as f64
}

/// Sum of the squared covariances of different dimensions, over their number.
pub(crate) fn covariance(latents: &[Row]) -> f64 {
    let mut sum = 0.0;
    for i in 0..LATENT {
        for j in (0..LATENT).filter(|&j| j != i) {
            sum += covariance_of(latents, i, j).powi(2);
        }
    }
    sum / LATENT as f64
}

fn covariance_of(latents: &[Row], i: usize, j: usize) -> f64 {
    let mean = |i: usize| latents.iter().map(|row| row[i]).sum::<f64>() / latents.len() as f64;
    let (a, b) = (mean(i), mean(j));
    let sum: f64 = latents.iter().map(|row| (row[i] - a) * (row[j] - b)).sum();
    sum / (latents.len() - 1) as f64
}

fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let squares: f64 = x.iter().map(|x| (x - mean) * (x - mean)).sum();
    (mean, squares / x.len() as f64)
}

fn mish(x: f64) -> f64 {
    x * x.exp().ln_1p().tanh()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
