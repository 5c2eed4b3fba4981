//! Tests of Adam, sums of squares and weighted rows against their definitions in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{assert_close, values};
use crate::{AdamStep, adam, sum_of_squares, weighted_rows};

#[test]
fn adam_equals_its_definition() {
    let (rate, beta1, beta2, epsilon) = (3e-3f32, 0.9f32, 0.95f32, 1e-8f32);
    for len in [0, 1, 15, 16, 100] {
        let mut rng = ChaCha8Rng::seed_from_u64(4000 + len);
        let len = len as usize;
        let mut found = values(&mut rng, len);
        let mut expected: Vec<f64> = found.iter().map(|&value| f64::from(value)).collect();
        let mut moments = [vec![0.0; len], vec![0.0; len]];
        let mut naive = [vec![0.0f64; len], vec![0.0f64; len]];
        for time in 1..=20 {
            let gradient = values(&mut rng, len);
            let [first, second] = &mut moments;
            let step = AdamStep {
                rate,
                beta1,
                beta2,
                epsilon,
                time,
            };
            adam(step, &gradient, &mut found, first, second).unwrap();
            let [beta1, beta2] = [beta1, beta2].map(f64::from);
            for index in 0..len {
                let gradient = f64::from(gradient[index]);
                let [first, second] = &mut naive;
                first[index] = beta1 * first[index] + (1.0 - beta1) * gradient;
                second[index] = beta2 * second[index] + (1.0 - beta2) * gradient * gradient;
                let first = first[index] / (1.0 - beta1.powi(time));
                let second = second[index] / (1.0 - beta2.powi(time));
                expected[index] -= f64::from(rate) * first / (second.sqrt() + f64::from(epsilon));
            }
        }
        assert_close(&format!("{len} parameters"), &found, &expected);
    }
    let step = AdamStep {
        rate,
        beta1,
        beta2,
        epsilon,
        time: 1,
    };
    assert!(adam(step, &[0.0; 3], &mut [0.0; 3], &mut [0.0; 2], &mut [0.0; 3]).is_err());
}

#[test]
fn sums_of_squares_and_of_weighted_rows_equal_their_definitions() {
    for seed in 0..if cfg!(miri) { 3 } else { 40 } {
        let mut rng = ChaCha8Rng::seed_from_u64(5000 + seed);
        let len = rng.random_range(0..10_000);
        let numbers = values(&mut rng, len);
        let expected: f64 = numbers.iter().map(|&value| f64::from(value).powi(2)).sum();
        assert_close("squares", &[sum_of_squares(&numbers)], &[expected]);

        let (bytes, columns) = (rng.random_range(0..50), rng.random_range(0..70));
        let frames: Vec<u8> = (0..rng.random_range(0..200))
            .map(|_| rng.random())
            .collect();
        let matrix = values(&mut rng, bytes * columns);
        let found = weighted_rows(&frames, &matrix, columns, 0.5);
        let mut expected = Vec::new();
        if bytes > 0 && columns > 0 {
            for frame in frames.chunks_exact(bytes) {
                for column in 0..columns {
                    let row = |byte: usize| f64::from(matrix[byte * columns + column]);
                    let terms = frame.iter().enumerate();
                    expected.push(
                        terms
                            .map(|(at, &b)| 0.5 * f64::from(b) * row(at))
                            .sum::<f64>(),
                    );
                }
            }
        }
        assert_close(&format!("seed {seed}"), &found, &expected);
    }
}
