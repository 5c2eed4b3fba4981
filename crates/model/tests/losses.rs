//! Losses of a batch, compared with a reference in f64 that knows only the parameters.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

mod reference;

use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use reference::{LATENT, ROWS, Reference, Row, Rows, covariance, random_model, rows_of, variance};
use tellapart_model::head::HeadKind;
use tellapart_model::init::normal;
use tellapart_model::objective::{
    Auxiliary, Covariance, Distance, Dynamics, Objective, Target, TargetEncoder, Variance, Views,
};
use tellapart_model::pjepa::LatentNoise;
use tellapart_model::predictor::ActionBatch;
use tellapart_model::{IoSpec, ModelConfig, ObservationSpec, Pjepa};

fn rows(tensor: Tensor<2>) -> Vec<Vec<f32>> {
    let [_, width] = tensor.dims();
    let values: Vec<f32> = tensor.into_data().iter::<f32>().collect();
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

fn assert_close(what: &str, found: Tensor<1>, expected: f64) {
    let found = f64::from(found.into_scalar::<f32>());
    let tolerance = 1e-5 * (1.0 + expected.abs());
    assert!(
        (found - expected).abs() < tolerance,
        "{what}: {found}, expected {expected}"
    );
}

/// Which losses reach the encoder changes gradients, never values.
const REACHES: [bool; 2] = [true, false];
const DISTANCES: [Distance; 2] = [Distance::Squared, Distance::Cosine];

#[test]
fn losses_are_those_of_the_reference() {
    let device = Device::flex();
    for seed in 0..6 {
        let (model, values) = (random_model(seed, &device), Rows::random(100 + seed));
        let (reference, batch) = (Reference::of(&model), values.batch(&device));
        let views = Views::new(&model, &batch, Target::default(), None, None);
        let latents = reference.encode(&values);
        for reaches_encoder in REACHES {
            for distance in DISTANCES {
                let dynamics = Dynamics {
                    reaches_encoder,
                    distance,
                };
                let expected = reference.dynamics(&values, distance, &latents, &latents);
                let what = format!("seed {seed}, {dynamics:?}");
                assert_close(&what, dynamics.loss(&model, &views), expected);
                assert_eq!(dynamics.items(&batch), batch.transitions);
            }
            let auxiliary = Auxiliary { reaches_encoder };
            let expected = reference.auxiliary(&values, &latents);
            let what = format!("seed {seed}, {auxiliary:?}");
            assert_close(&what, auxiliary.loss(&model, &views), expected);
            assert_eq!(auxiliary.items(&batch), ROWS);
        }
        let what = format!("seed {seed}, variance or covariance");
        assert_close(&what, Variance.loss(&model, &views), variance(&latents));
        assert_close(&what, Covariance.loss(&model, &views), covariance(&latents));
    }
}

#[test]
fn noise_is_added_to_what_enters_the_networks_and_to_no_target() {
    let device = Device::flex();
    for seed in 10..13 {
        let (model, values) = (random_model(seed, &device), Rows::random(100 + seed));
        let (reference, batch) = (Reference::of(&model), values.batch(&device));
        let mut rng = ChaCha8Rng::seed_from_u64(200 + seed);
        let mut draw = || -> Vec<f32> { (0..ROWS * LATENT).map(|_| normal(&mut rng)).collect() };
        let (dynamics, auxiliary) = (draw(), draw());
        let tensor = |noise: &[f32]| {
            let data = TensorData::new(noise.to_vec(), [ROWS, LATENT]);
            Tensor::from_data(data, &device)
        };
        let noise = LatentNoise {
            dynamics: tensor(&dynamics),
            auxiliary: tensor(&auxiliary),
        };
        let views = Views::new(&model, &batch, Target::default(), None, Some(noise));
        let latents = reference.encode(&values);
        let noisy = |noise: &[f32]| -> Vec<Row> {
            let pairs = latents.iter().zip(rows_of(noise, LATENT));
            pairs
                .map(|(latent, noise)| latent.iter().zip(noise).map(|(z, n)| z + n).collect())
                .collect()
        };
        let distance = Distance::Squared;
        let reaches_encoder = true;
        let expected = reference.dynamics(&values, distance, &noisy(&dynamics), &latents);
        let loss = Dynamics {
            reaches_encoder,
            distance,
        };
        let what = format!("seed {seed}");
        assert_close(&what, loss.loss(&model, &views), expected);
        let expected = reference.auxiliary(&values, &noisy(&auxiliary));
        let loss = Auxiliary { reaches_encoder };
        assert_close(&what, loss.loss(&model, &views), expected);
    }
}

#[test]
fn predictions_are_compared_with_the_latents_of_the_average_if_there_is_one() {
    let device = Device::flex();
    for seed in 20..23 {
        let (model, values) = (random_model(seed, &device), Rows::random(100 + seed));
        let other = random_model(200 + seed, &device);
        let batch = values.batch(&device);
        let latents = Reference::of(&model).encode(&values);
        for target in Target::all() {
            let average = TargetEncoder::new(target, &other.encoder);
            let views = Views::new(&model, &batch, target, average.as_ref(), None);
            let targets = match average {
                Some(_) => Reference::of(&other).encode(&values),
                None => latents.clone(),
            };
            for distance in DISTANCES {
                let dynamics = Dynamics {
                    reaches_encoder: true,
                    distance,
                };
                let reference = Reference::of(&model);
                let expected = reference.dynamics(&values, distance, &latents, &targets);
                let what = format!("seed {seed}, {target:?}, {distance:?}");
                assert_close(&what, dynamics.loss(&model, &views), expected);
            }
        }
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
            observation: ObservationSpec::Image([16, 16, 3]),
            actions: 2,
            action_width: 1,
            target_width: 3,
            p_of_step: false,
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
            let predicted = rows(model.head.predict(latent.clone(), None));
            let after = distance(&predicted[0], &predicted[1]);
            assert!(
                after <= declared * before * 1.0001,
                "seed {seed}, step {step}: {after} > {declared} * {before}"
            );
        }
    }
}

/// Where p belongs to steps, the action taken chooses among the predictions of one latent, and each
/// keeps the declared constant.
#[test]
fn heads_of_steps_have_an_output_for_each_action() {
    const ACTIONS: usize = 3;
    let device = Device::flex();
    for (head, width) in [
        (HeadKind::Bounded, 2),
        (HeadKind::Plain, 2),
        (HeadKind::TwoHot, 1),
    ] {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let config = ModelConfig {
            latent: LATENT,
            hidden: 8,
            head,
            ..ModelConfig::default()
        };
        let interface = IoSpec {
            observation: ObservationSpec::Image([16, 16, 3]),
            actions: ACTIONS,
            action_width: ACTIONS,
            target_width: width,
            p_of_step: true,
        };
        let model = Pjepa::new(&config, &interface, &mut rng, &device).unwrap();
        let mut random = |rows: usize, width: usize| {
            let values: Vec<f32> = (0..rows * width).map(|_| normal(&mut rng)).collect();
            Tensor::<2>::from_data(TensorData::new(values, [rows, width]), &device)
        };
        let (latent, targets) = (random(ACTIONS, LATENT), random(ACTIONS, width));
        let taken = Tensor::<2>::eye(ACTIONS, &device);
        let chosen = rows(model.head.predict(latent.clone(), Some(&taken)));
        for (row, chosen) in chosen.iter().enumerate() {
            // Every action of this row alone.
            let alone = latent.clone().narrow(0, row, 1).repeat_dim(0, ACTIONS);
            let each = rows(model.head.predict(alone, Some(&taken)));
            assert!(distance(&each[row], chosen) < 1e-6, "{head:?}");
            let others = (0..ACTIONS).filter(|&other| other != row);
            for other in others {
                assert!(distance(&each[other], chosen) > 1e-4, "{head:?}");
            }
        }
        let losses = model
            .head
            .row_losses(latent.clone(), targets.clone(), Some(&taken));
        assert_eq!(losses.dims(), [ACTIONS, 1]);
        if head != HeadKind::TwoHot {
            let expected = rows(targets);
            for (row, loss) in rows(losses).iter().enumerate() {
                let mean = distance(&chosen[row], &expected[row]).powi(2) / width as f32;
                assert!((loss[0] - mean).abs() < 1e-4, "{head:?}: {loss:?} {mean}");
            }
        }
        if let Some(declared) = model.head.lipschitz() {
            let other = random(ACTIONS, LATENT);
            let predicted = rows(model.head.predict(other.clone(), Some(&taken)));
            for (row, pair) in rows(latent).iter().zip(rows(other)).enumerate() {
                let before = distance(pair.0, &pair.1);
                let after = distance(&chosen[row], &predicted[row]);
                assert!(after <= declared * before * 1.0001, "row {row}");
            }
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
