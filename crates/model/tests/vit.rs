//! The vision transformer against a naive one in f64, and what positions do to it.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use std::collections::BTreeMap;

use burn::tensor::Device;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use tellapart_model::encoder::EncoderConfig;
use tellapart_model::encoder::vit::{Token, VitConfig};
use tellapart_model::init::normal;
use tellapart_model::parameters::{ParameterValues, parameters, with_parameters};
use tellapart_model::{IoSpec, ModelConfig, ObservationBatch, ObservationSpec, Pjepa};

const HEIGHT: usize = 16;
const WIDTH: usize = 24;
const CHANNELS: usize = 2;
const PATCH: usize = 8;
/// Patches from left to right, and from top to bottom.
const ACROSS: usize = WIDTH / PATCH;
const DOWN: usize = HEIGHT / PATCH;
const LATENT: usize = 4;
const EPSILON: f64 = 1e-6;

type Row = Vec<f64>;

/// Builds a transformer whose parameters are all random, positions and normalizations too.
fn random_vit(seed: u64, depth: usize, heads: usize, token: Token) -> Pjepa {
    let vit = VitConfig {
        patch: PATCH,
        width: 6,
        depth,
        heads,
        expansion: 2,
        token,
    };
    let config = ModelConfig {
        encoder: EncoderConfig::Vit(vit),
        latent: LATENT,
        ..ModelConfig::default()
    };
    let interface = IoSpec {
        observation: ObservationSpec::Image([HEIGHT, WIDTH, CHANNELS]),
        actions: 2,
        action_width: 1,
        target_width: 1,
        p_of_step: false,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let model = Pjepa::new(&config, &interface, &mut rng, &Device::flex()).unwrap();
    changed(model, |_, value| *value += 0.3 * normal(&mut rng))
}

fn changed(model: Pjepa, mut change: impl FnMut(&str, &mut f32)) -> Pjepa {
    let mut all = parameters(&model);
    for (name, parameter) in &mut all {
        let values = parameter.values.iter_mut();
        values.for_each(|value| change(name, value));
    }
    with_parameters(model, &all).unwrap()
}

fn image(seed: usize) -> Vec<u8> {
    let bytes = HEIGHT * WIDTH * CHANNELS;
    (0..bytes)
        .map(|i| ((i + seed) * (i + 7) % 251) as u8)
        .collect()
}

fn encode(model: &Pjepa, image: &[u8]) -> Vec<f32> {
    let shape = [HEIGHT, WIDTH, CHANNELS];
    let batch = ObservationBatch::images(image, shape, &Device::flex());
    let latents = model.encoder.forward(&batch).into_data();
    latents.iter::<f32>().collect()
}

/// Returns the place of a byte of a patch.
fn place(patch: usize, y: usize, x: usize, channel: usize) -> usize {
    let (row, column) = (patch / ACROSS * PATCH + y, patch % ACROSS * PATCH + x);
    (row * WIDTH + column) * CHANNELS + channel
}

/// Returns the bytes of a patch, row by row, with the places they came from.
fn patch_of(image: &[u8], patch: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for y in 0..PATCH {
        for x in 0..PATCH {
            bytes.extend((0..CHANNELS).map(|channel| image[place(patch, y, x, channel)]));
        }
    }
    bytes
}

fn exchanged(image: &[u8], one: usize, other: usize) -> Vec<u8> {
    let mut found = image.to_vec();
    for y in 0..PATCH {
        for x in 0..PATCH {
            for channel in 0..CHANNELS {
                let (a, b) = (place(one, y, x, channel), place(other, y, x, channel));
                found.swap(a, b);
            }
        }
    }
    found
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    let pairs = a.iter().zip(b);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn the_order_of_patches_changes_the_latent_by_their_positions_alone() {
    for (seed, token) in [(1, Token::Mean), (2, Token::Class)] {
        let model = random_vit(seed, 2, 2, token);
        let without = changed(model.clone(), |name, value| {
            if name == "encoder.position" {
                *value = 0.0;
            }
        });
        let plain = image(3);
        for (one, other) in [(0, 1), (0, 3), (2, 4)] {
            let exchanged = exchanged(&plain, one, other);
            assert_ne!(plain, exchanged);
            let off = furthest(&encode(&model, &plain), &encode(&model, &exchanged));
            assert!(off > 1e-3, "{token:?}, {one} and {other}: {off}");
            // A transformer without positions sees a set of patches.
            let off = furthest(&encode(&without, &plain), &encode(&without, &exchanged));
            assert!(off < 1e-5, "{token:?}, {one} and {other}: {off}");
        }
    }
}

#[test]
fn the_transformer_is_the_naive_one() {
    for (seed, depth, heads, token) in [
        (1, 1, 1, Token::Mean),
        (2, 1, 1, Token::Class),
        (3, 1, 3, Token::Mean),
        (4, 2, 2, Token::Class),
    ] {
        let model = random_vit(seed, depth, heads, token);
        let naive = Naive {
            parameters: parameters(&model.encoder),
            depth,
            heads,
            token,
        };
        for image in [image(1), image(2)] {
            let (found, expected) = (encode(&model, &image), naive.encode(&image));
            for (found, expected) in found.iter().zip(&expected) {
                assert!(
                    (f64::from(*found) - expected).abs() < 1e-5 * (1.0 + expected.abs()),
                    "{depth} blocks, {heads} heads, {token:?}: {found}, expected {expected}"
                );
            }
        }
    }
}

struct Naive {
    parameters: BTreeMap<String, ParameterValues>,
    depth: usize,
    heads: usize,
    token: Token,
}

impl Naive {
    fn values(&self, name: &str) -> Row {
        let values = self.parameters[name].values.iter();
        values.copied().map(f64::from).collect()
    }

    fn dense(&self, layer: &str, x: &[f64]) -> Row {
        let weight = self.values(&format!("{layer}.weight"));
        let mut y = self.values(&format!("{layer}.bias"));
        for (y, row) in y.iter_mut().zip(weight.chunks_exact(x.len())) {
            *y += row.iter().zip(x).map(|(w, x)| w * x).sum::<f64>();
        }
        y
    }

    fn normalized(&self, layer: &str, x: &[f64]) -> Row {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
        let gamma = self.values(&format!("{layer}.weight"));
        let beta = self.values(&format!("{layer}.bias"));
        (0..x.len())
            .map(|i| (x[i] - mean) / (variance + EPSILON).sqrt() * gamma[i] + beta[i])
            .collect()
    }

    fn encode(&self, image: &[u8]) -> Row {
        let mut tokens = Vec::new();
        if self.token == Token::Class {
            tokens.push(self.values("class"));
        }
        let positions = self.values("position");
        let width = positions.len() / (DOWN * ACROSS);
        for patch in 0..DOWN * ACROSS {
            let pixels: Row = patch_of(image, patch)
                .into_iter()
                .map(|byte| f64::from(byte) / 255.0)
                .collect();
            let position = &positions[patch * width..(patch + 1) * width];
            tokens.push(sum(&self.dense("embed", &pixels), position));
        }
        for block in 0..self.depth {
            self.block(&format!("blocks.{block}"), &mut tokens);
        }
        let normal: Vec<Row> = tokens.iter().map(|x| self.normalized("norm", x)).collect();
        let read = match self.token {
            Token::Class => normal[0].clone(),
            Token::Mean => (0..width)
                .map(|i| normal.iter().map(|x| x[i]).sum::<f64>() / normal.len() as f64)
                .collect(),
        };
        self.dense("latent", &read)
    }

    fn block(&self, block: &str, tokens: &mut [Row]) {
        let seen = self.attention(block, tokens);
        for (token, seen) in tokens.iter_mut().zip(seen) {
            let x = sum(token, &seen);
            let hidden = self.normalized(&format!("{block}.mlp_norm"), &x);
            let mut hidden = self.dense(&format!("{block}.expand"), &hidden);
            hidden.iter_mut().for_each(|x| *x = gelu(*x));
            *token = sum(&x, &self.dense(&format!("{block}.contract"), &hidden));
        }
    }

    /// Every token asks every token, head by head.
    fn attention(&self, block: &str, tokens: &[Row]) -> Vec<Row> {
        let width = tokens[0].len();
        let size = width / self.heads;
        let qkv: Vec<Row> = tokens
            .iter()
            .map(|x| {
                let normal = self.normalized(&format!("{block}.attention_norm"), x);
                self.dense(&format!("{block}.qkv"), &normal)
            })
            .collect();
        let part = |token: usize, which: usize, head: usize| {
            let start = which * width + head * size;
            &qkv[token][start..start + size]
        };
        let answer = |asking: usize| {
            let mut mixed = Vec::new();
            for head in 0..self.heads {
                let weight = |asked: usize| {
                    let pairs = part(asking, 0, head).iter().zip(part(asked, 1, head));
                    let score: f64 = pairs.map(|(q, k)| q * k).sum();
                    (score / (size as f64).sqrt()).exp()
                };
                let weights: Row = (0..tokens.len()).map(weight).collect();
                let total: f64 = weights.iter().sum();
                for i in 0..size {
                    let values = weights.iter().enumerate();
                    let weighted = values.map(|(asked, weight)| weight * part(asked, 2, head)[i]);
                    mixed.push(weighted.sum::<f64>() / total);
                }
            }
            self.dense(&format!("{block}.project"), &mixed)
        };
        (0..tokens.len()).map(answer).collect()
    }
}

fn sum(a: &[f64], b: &[f64]) -> Row {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// `x Phi(x)`, with the exact distribution function.
fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2))
}

/// Power series of the error function. It is exact to rounding for the small numbers here.
fn erf(x: f64) -> f64 {
    assert!(x.abs() < 4.0, "{x}");
    let (mut power, mut sum) = (x, x);
    for n in 1..120 {
        power *= -x * x / f64::from(n);
        sum += power / f64::from(2 * n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}
