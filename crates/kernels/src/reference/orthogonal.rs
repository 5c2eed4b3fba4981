//! Tests of [`Orthogonal`] against Björck's iteration in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{assert_close, on, values};
use crate::Orthogonal;
use crate::simd::Isa;

/// Takes all steps of Björck's iteration in f64, by the definition.
fn iterated(matrix: &[f64], width: usize) -> Vec<f64> {
    let gram = |w: &[f64]| product(&transposed(w, width), w, width);
    let rows = gram(matrix);
    let sums = rows
        .chunks_exact(width)
        .map(|row| row.iter().map(|x| x.abs()).sum::<f64>());
    let bound = sums.fold(0.0, f64::max).sqrt();
    let mut w: Vec<f64> = matrix.iter().map(|x| x / bound).collect();
    for _ in 0..15 {
        let cubed = product(&w, &gram(&w), width);
        w.iter_mut()
            .zip(cubed)
            .for_each(|(w, cubed)| *w = 1.5 * *w - 0.5 * cubed);
    }
    w
}

fn product(a: &[f64], b: &[f64], width: usize) -> Vec<f64> {
    let sum = |row: usize, column: usize| -> f64 {
        (0..width)
            .map(|k| a[row * width + k] * b[k * width + column])
            .sum()
    };
    (0..width * width)
        .map(|at| sum(at / width, at % width))
        .collect()
}

fn transposed(a: &[f64], width: usize) -> Vec<f64> {
    (0..width * width)
        .map(|at| a[at % width * width + at / width])
        .collect()
}

/// Draws three matrices: one near orthogonal (few steps suffice), an arbitrary one, and one with a
/// singular value too small for all steps.
fn cases(rng: &mut ChaCha8Rng, width: usize) -> [Vec<f32>; 3] {
    let identity = (0..width * width).map(|at| f32::from(at / width == at % width));
    let noise = values(rng, width * width);
    let near = identity
        .zip(&noise)
        .map(|(one, noise)| 3.0 * (one + 0.1 * noise / width as f32));
    let mut flat = noise.clone();
    for column in 0..width {
        flat[column] = 0.001 * (flat[column] + flat[(width - 1) * width + column]);
    }
    [near.collect(), noise, flat]
}

#[test]
fn matrices_are_made_orthogonal_as_bjorck_does_it() {
    for seed in 0..if cfg!(miri) { 2 } else { 30 } {
        let mut rng = ChaCha8Rng::seed_from_u64(9000 + seed);
        let width = [1, 2, 5, 8, 32, 33, 64][rng.random_range(0..if cfg!(miri) { 3 } else { 7 })];
        let matrices = cases(&mut rng, width);
        let expected: Vec<f64> = matrices
            .iter()
            .flat_map(|matrix| {
                iterated(
                    &matrix.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(),
                    width,
                )
            })
            .collect();
        let mut found = vec![f32::NAN; expected.len()];
        let isas = Isa::available();
        let isa = isas[seed as usize % isas.len()];
        let orthogonal = Orthogonal::new(3, width).unwrap().on(isa);
        orthogonal.forward(&matrices.concat(), &mut found).unwrap();
        assert_close(&format!("seed {seed}, width {width}"), &found, &expected);
        let near: Vec<f64> = found[..width * width]
            .iter()
            .map(|&x| f64::from(x))
            .collect();
        let gram = product(&transposed(&near, width), &near, width);
        for (at, x) in gram.into_iter().enumerate() {
            let error = (x - f64::from(u8::from(at / width == at % width))).abs();
            assert!(error < 2e-6, "seed {seed}, width {width}: off by {error}");
        }
    }
    let mut zeros = [f32::NAN; 4];
    Orthogonal::new(1, 2)
        .unwrap()
        .forward(&[0.0; 4], &mut zeros)
        .unwrap();
    assert_eq!(zeros, [0.0; 4]);
    assert!(Orthogonal::new(1, 0).is_err());
    assert!(
        Orthogonal::new(2, 2)
            .unwrap()
            .forward(&[0.0; 4], &mut zeros)
            .is_err()
    );
}

#[test]
fn the_gradient_through_bjorcks_iteration_is_that_of_finite_differences() {
    for seed in 0..if cfg!(miri) { 1 } else { 12 } {
        let mut rng = ChaCha8Rng::seed_from_u64(9100 + seed);
        // The last ones are of several panels.
        let width = match seed {
            10.. => 34,
            _ => rng.random_range(1..if cfg!(miri) { 4 } else { 10 }),
        };
        let matrices = cases(&mut rng, width);
        let gradient = values(&mut rng, 3 * width * width);
        let mut found = vec![f32::NAN; gradient.len()];
        let isas = Isa::available();
        let isa = isas[seed as usize % isas.len()];
        let orthogonal = Orthogonal::new(3, width).unwrap().on(isa);
        orthogonal
            .backward(&matrices.concat(), &gradient, &mut found)
            .unwrap();
        let of_each = matrices.iter().zip(gradient.chunks(width * width));
        for ((matrix, gradient), found) in of_each.zip(found.chunks(width * width)) {
            let loss = |at: usize, by: f64| -> f64 {
                let mut matrix: Vec<f64> = matrix.iter().map(|&x| f64::from(x)).collect();
                matrix[at] += by;
                let out = iterated(&matrix, width);
                out.iter()
                    .zip(gradient)
                    .map(|(out, &g)| out * f64::from(g))
                    .sum()
            };
            const BY: f64 = 1e-6;
            let places = || (0..width * width).step_by(if width > 10 { 61 } else { 1 });
            let expected: Vec<f64> = places()
                .map(|at| (loss(at, BY) - loss(at, -BY)) / (2.0 * BY))
                .collect();
            // Relative to the largest: if one singular value is small, gradients are as large as it
            // is small.
            let scale = expected.iter().fold(1.0, |a: f64, b| a.max(b.abs()));
            let found: Vec<f32> = places().map(|at| found[at] / scale as f32).collect();
            let expected: Vec<f64> = expected.iter().map(|x| x / scale).collect();
            assert_close(&format!("seed {seed}, width {width}"), &found, &expected);
        }
    }
}

#[test]
fn threads_change_no_bit_of_orthogonal_matrices() {
    let (count, width) = if cfg!(miri) { (2, 3) } else { (7, 34) };
    let mut rng = ChaCha8Rng::seed_from_u64(9200);
    let [weight, gradient] = [(); 2].map(|()| values(&mut rng, count * width * width));
    let orthogonal = Orthogonal::new(count, width).unwrap();
    let run = |threads| {
        on(threads, || {
            let [mut out, mut to_weight] = [(); 2].map(|()| vec![f32::NAN; weight.len()]);
            orthogonal.forward(&weight, &mut out).unwrap();
            orthogonal
                .backward(&weight, &gradient, &mut to_weight)
                .unwrap();
            [out, to_weight].map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let one = run(1);
    for threads in [2, 3, 7] {
        assert!(one == run(threads), "{threads} threads");
    }
}
