//! Every encoder on tiny observations, and options that no encoder can have.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tellapart_model::encoder::EncoderConfig;
use tellapart_model::encoder::cnn::CnnConfig;
use tellapart_model::encoder::mlp::MlpConfig;
use tellapart_model::encoder::patch::PatchConfig;
use tellapart_model::encoder::resnet::ResnetConfig;
use tellapart_model::encoder::vit::{Token, VitConfig};
use tellapart_model::parameters::parameters;
use tellapart_model::{IoSpec, ModelConfig, ModelError, ObservationBatch, ObservationSpec, Pjepa};

const SHAPE: [usize; 3] = [16, 24, 2];
const IMAGE: ObservationSpec = ObservationSpec::Image(SHAPE);
const VECTOR: ObservationSpec = ObservationSpec::Vector(5);
const LATENT: usize = 6;

fn small_vit(token: Token) -> VitConfig {
    VitConfig {
        patch: 4,
        width: 12,
        depth: 2,
        heads: 3,
        expansion: 2,
        token,
    }
}

fn mlp(hidden: &[usize]) -> EncoderConfig {
    EncoderConfig::Mlp(MlpConfig {
        hidden: hidden.to_vec(),
    })
}

fn build(
    encoder: EncoderConfig,
    observation: ObservationSpec,
    seed: u64,
) -> Result<Pjepa, ModelError> {
    let config = ModelConfig {
        encoder,
        latent: LATENT,
        hidden: 8,
        ..ModelConfig::default()
    };
    let interface = IoSpec {
        observation,
        actions: 2,
        action_width: 1,
        target_width: 1,
        p_of_step: false,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    Pjepa::new(&config, &interface, &mut rng, &Device::flex())
}

/// Returns this number of different observations.
fn observations(spec: ObservationSpec, rows: usize) -> ObservationBatch {
    let device = Device::flex();
    match spec {
        ObservationSpec::Image(shape) => {
            let bytes = rows * shape.iter().product::<usize>();
            let bytes: Vec<u8> = (0..bytes).map(|i| (i * i % 251) as u8).collect();
            ObservationBatch::images(bytes, shape, &device)
        }
        ObservationSpec::Vector(width) => {
            let values: Vec<f32> = (0..rows * width).map(|i| (i as f32).sin()).collect();
            ObservationBatch::vectors(values, width, &device)
        }
    }
}

fn encode(model: &Pjepa, observations: &ObservationBatch) -> Vec<Vec<f32>> {
    let latents = model.encoder.forward(observations);
    let [_, width] = latents.dims();
    let values: Vec<f32> = latents.into_data().iter::<f32>().collect();
    values.chunks(width).map(<[f32]>::to_vec).collect()
}

#[test]
fn every_encoder_tells_observations_apart_and_depends_on_its_seed_alone() {
    let cnn = CnnConfig {
        channels: vec![3, 4],
        kernels: vec![4, 3],
        strides: vec![2, 2],
        hidden: 8,
        ..CnnConfig::default()
    };
    for (encoder, spec) in [
        (EncoderConfig::Cnn(cnn), IMAGE),
        (EncoderConfig::default(), IMAGE),
        (EncoderConfig::Resnet(ResnetConfig {}), IMAGE),
        (EncoderConfig::Patch(PatchConfig {}), IMAGE),
        (mlp(&[8, 7]), VECTOR),
        (mlp(&[]), VECTOR),
        (mlp(&[8]), IMAGE),
        (EncoderConfig::Vit(small_vit(Token::Mean)), IMAGE),
        (EncoderConfig::Vit(small_vit(Token::Class)), IMAGE),
    ] {
        let what = format!("{encoder:?}");
        let model = build(encoder.clone(), spec, 1).unwrap();
        let rows = 3;
        let latents = encode(&model, &observations(spec, rows));
        assert_eq!(latents.len(), rows, "{what}");
        for (row, latent) in latents.iter().enumerate() {
            assert_eq!(latent.len(), LATENT, "{what}");
            assert!(latent.iter().all(|value| value.is_finite()), "{what}");
            for other in &latents[..row] {
                let pairs = latent.iter().zip(other);
                let furthest = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                assert!(furthest > 1e-5, "{what}: {latent:?} and {other:?}");
            }
        }
        // The other rows of a batch do not matter to a row.
        let alone = encode(&model, &observations(spec, 1));
        for (a, b) in alone[0].iter().zip(&latents[0]) {
            assert!((a - b).abs() < 1e-5, "{what}: {a} alone, {b} among others");
        }
        let again = build(encoder.clone(), spec, 1).unwrap();
        assert_eq!(parameters(&model), parameters(&again), "{what}");
        let another = build(encoder, spec, 2).unwrap();
        assert_ne!(
            parameters(&model.encoder),
            parameters(&another.encoder),
            "{what}"
        );
    }
}

#[test]
fn impossible_options_are_refused_by_key_with_what_would_do() {
    let vit = |change: fn(&mut VitConfig)| {
        let mut options = small_vit(Token::Mean);
        change(&mut options);
        EncoderConfig::Vit(options)
    };
    for (encoder, observation, key, expected) in [
        (
            vit(|options| options.width = 10),
            IMAGE,
            "`model.encoder.width` is 10",
            "a multiple of model.encoder.heads",
        ),
        (
            vit(|options| options.heads = 0),
            IMAGE,
            "`model.encoder.heads` is 0",
            "from 1 to 64",
        ),
        (
            vit(|options| options.depth = 65),
            IMAGE,
            "`model.encoder.depth` is 65",
            "from 1 to 64",
        ),
        (
            vit(|options| options.expansion = 17),
            IMAGE,
            "`model.encoder.expansion` is 17",
            "from 1 to 16",
        ),
        (
            vit(|options| options.patch = 0),
            IMAGE,
            "`model.encoder.patch` is 0",
            "from 1 to 64",
        ),
        // 16 divides the height alone.
        (
            vit(|options| options.patch = 16),
            IMAGE,
            "`model.encoder.patch` is 16 for images of 16x24",
            "divides both sides",
        ),
        (
            vit(|options| options.patch = 1),
            ObservationSpec::Image([80, 80, 1]),
            "`model.encoder.patch` is 1 for images of 80x80",
            "at most 4096 patches",
        ),
        (
            mlp(&[8, 0]),
            VECTOR,
            "`model.encoder.hidden` is [8, 0]",
            "whole numbers from 1 to 4096",
        ),
        (
            mlp(&[4096]),
            ObservationSpec::Vector(1_000_000),
            "`model.encoder.hidden` is [4096] for float32 [1000000]",
            "use narrower layers",
        ),
        (
            mlp(&[8]),
            ObservationSpec::Vector(0),
            "`model.encoder.hidden` is [8] for float32 [0]",
            "expected",
        ),
        (
            EncoderConfig::default(),
            ObservationSpec::Image([16, 15, 3]),
            "`observation` is 16x15x3",
            "`model.encoder` as `mlp`",
        ),
    ] {
        let error = build(encoder, observation, 1).unwrap_err().to_string();
        assert!(
            error.contains(key) && error.contains(expected),
            "{error}; not {key}, {expected}"
        );
    }
}

#[test]
fn encoders_of_images_refuse_vectors_and_name_the_one_that_takes_them() {
    for encoder in EncoderConfig::all() {
        let name = encoder.name();
        let built = build(encoder, VECTOR, 1);
        if name == "mlp" {
            assert!(built.is_ok());
            continue;
        }
        let error = built.unwrap_err().to_string();
        let expected = format!("`model.encoder` is {name}; expected `mlp`");
        assert!(error.starts_with(&expected), "{error}");
    }
}

#[test]
fn observations_are_lists_of_lengths_and_other_lists_are_refused() {
    for (text, spec) in [
        ("[64,64,3]", ObservationSpec::Image([64, 64, 3])),
        ("[5]", ObservationSpec::Vector(5)),
    ] {
        assert_eq!(serde_json::from_str::<ObservationSpec>(text).unwrap(), spec);
        assert_eq!(serde_json::to_string(&spec).unwrap(), text);
    }
    for text in ["[1,2]", "[]", "[1,2,3,4]"] {
        let error = serde_json::from_str::<ObservationSpec>(text).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("neither [height, width, channels] of an image nor [width] of a vector"),
            "{text}: {error}"
        );
    }
}
