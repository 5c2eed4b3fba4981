//! Losses of a batch, compared with the same sums written out row by row.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tellapart_model::conv_stack::FrameBatch;
use tellapart_model::encoder::EncoderKind;
use tellapart_model::head::HeadKind;
use tellapart_model::init::normal;
use tellapart_model::pjepa::{EncoderGradients, TensorBatch};
use tellapart_model::predictor::{ActionBatch, PredictorKind};
use tellapart_model::{IoSpec, ModelConfig, Pjepa};

const SHAPE: [usize; 3] = [16, 16, 3];
const ROWS: usize = 5;
const LATENT: usize = 6;

fn rows(tensor: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = tensor.dims();
    let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

#[test]
fn losses_are_the_sums_they_claim_to_be() {
    let reaches = EncoderGradients {
        dynamics: true,
        auxiliary: true,
        stop_target: false,
    };
    for (seed, encoder, predictor, head) in [
        (
            1,
            EncoderKind::Cnn,
            PredictorKind::Bounded,
            HeadKind::Bounded,
        ),
        (2, EncoderKind::Patch, PredictorKind::Plain, HeadKind::Plain),
        (
            3,
            EncoderKind::Resnet,
            PredictorKind::Bounded,
            HeadKind::Plain,
        ),
    ] {
        let device = Device::flex();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let config = ModelConfig {
            encoder,
            predictor,
            head,
            latent: LATENT,
            hidden: 8,
            ..ModelConfig::default()
        };
        let interface = IoSpec {
            observation: SHAPE,
            actions: 2,
            action_width: 1,
            target_width: 2,
        };
        let model = Pjepa::new(&config, &interface, &mut rng, &device).unwrap();
        let frames: Vec<u8> = (0..ROWS * 16 * 16 * 3)
            .map(|i| ((i * 31 + seed as usize) % 251) as u8)
            .collect();
        let vectors = [-0.5f32, 0.5, 1.0, -1.0, 0.25];
        let ids = [0u32, 1, 1, 0, 1];
        let targets: Vec<f32> = (0..ROWS * 2).map(|_| normal(&mut rng)).collect();
        // Rows 0 -> 1 and 3 -> 4 are transitions, the others are not.
        let sources = [0i32, 3];
        let actions = ActionBatch::new(&vectors, 1, &ids, &device);
        let batch = TensorBatch {
            observations: FrameBatch::new(frames.clone(), SHAPE, &device),
            actions: ActionBatch::new(&[-0.5, -1.0], 1, &[0, 0], &device),
            targets: Tensor::from_data(TensorData::new(targets.clone(), [ROWS, 2]), &device),
            sources: Tensor::from_data(TensorData::new(sources.to_vec(), [2]), &device),
            transitions: 2,
        };
        let losses = model.losses(&batch, reaches, None);

        let latents = model
            .encoder
            .forward(&FrameBatch::new(frames.clone(), SHAPE, &device));
        let stepped = rows(model.predictor.prepare().step(latents.clone(), &actions));
        let predicted = rows(model.head.predict(latents.clone()));
        let latents = rows(latents);
        let squared =
            |a: &[f32], b: &[f32]| -> f32 { a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum() };
        let dynamics =
            (squared(&stepped[0], &latents[1]) + squared(&stepped[3], &latents[4])) / 2.0;
        let auxiliary = predicted
            .iter()
            .zip(targets.chunks(2))
            .map(|(predicted, target)| squared(predicted, target) / 2.0)
            .sum::<f32>()
            / ROWS as f32;
        let close = |name: &str, found: Tensor<1>, expected: f32| {
            let found = found.into_scalar::<f32>();
            let tolerance = 1e-4 * (1.0 + expected.abs());
            assert!(
                (found - expected).abs() < tolerance,
                "seed {seed}, {name}: {found} {expected}"
            );
        };
        close("L_dyn", losses.dynamics, dynamics);
        close("L_p", losses.auxiliary, auxiliary);
    }
}

#[test]
fn bounded_networks_keep_the_constant_they_declare() {
    for seed in 0..8 {
        let device = Device::flex();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let config = ModelConfig {
            latent: LATENT,
            head_layers: 2,
            head_lipschitz: 0.5,
            ..ModelConfig::default()
        };
        let interface = IoSpec {
            observation: SHAPE,
            actions: 2,
            action_width: 1,
            target_width: 3,
        };
        let model = Pjepa::new(&config, &interface, &mut rng, &device).unwrap();
        let declared = model.rollout_lipschitz().unwrap();
        let points: Vec<f32> = (0..2 * LATENT).map(|_| normal(&mut rng)).collect();
        let mut latent = Tensor::from_data(TensorData::new(points.clone(), [2, LATENT]), &device);
        let before = distance(&points[..LATENT], &points[LATENT..]);
        for (step, action) in [0u32, 1, 1, 0].into_iter().enumerate() {
            // Both points take the same action: a word applied to two latents.
            let actions = ActionBatch::new(&[0.0, 0.0], 1, &[action, action], &device);
            latent = model.predictor.prepare().step(latent, &actions);
            let predicted = rows(model.head.predict(latent.clone()));
            let after = distance(&predicted[0], &predicted[1]);
            assert!(
                after <= declared * before * 1.0001,
                "seed {seed}, step {step}: {after} > {declared} * {before}"
            );
        }
    }
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b) * (a - b))
        .sum::<f32>()
        .sqrt()
}
