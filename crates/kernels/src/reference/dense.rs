//! Tests of [`Dense`] against its definition in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{assert_close, on, values};
use crate::simd::bf16::bf16;
use crate::{Dense, DenseGradients, Precision};

#[test]
fn threads_change_no_bit_of_a_dense_layer() {
    let (rows, inputs, outputs) = if cfg!(miri) {
        (3, 4, 5)
    } else {
        (71, 151, 131)
    };
    let mut rng = ChaCha8Rng::seed_from_u64(7000);
    let [x, weight, bias, gradient] =
        [rows * inputs, outputs * inputs, outputs, rows * outputs].map(|len| values(&mut rng, len));
    for precision in [Precision::F32, Precision::Bf16] {
        let layer = Dense::new(rows, inputs, outputs, precision).unwrap();
        let run = |threads| {
            on(threads, || {
                let mut out = vec![f32::NAN; rows * outputs];
                layer.forward(&x, &weight, &bias, &mut out).unwrap();
                let [mut a, mut b, mut c] =
                    [x.len(), weight.len(), outputs].map(|len| vec![f32::NAN; len]);
                let gradients = DenseGradients {
                    input: Some(&mut a),
                    weight: &mut b,
                    bias: &mut c,
                };
                layer.backward(&x, &weight, &gradient, gradients).unwrap();
                [out, a, b, c]
                    .map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
            })
        };
        let one = run(1);
        for threads in [2, 3, 7] {
            assert!(one == run(threads), "{precision:?}, {threads} threads");
        }
    }
}

#[test]
fn a_dense_layer_equals_its_definition_and_the_gradients_theirs() {
    dense_layers_equal_their_definition(Precision::F32, |x| x);
    dense_layers_equal_their_definition(Precision::Bf16, |x| f32::from_bits(bf16(x) << 16));
    assert!(Dense::new(1, 0, 1, Precision::F32).is_err());
}

fn dense_layers_equal_their_definition(precision: Precision, rounded: impl Fn(f32) -> f32) {
    for seed in 0..if cfg!(miri) { 3 } else { 60 } {
        let mut rng = ChaCha8Rng::seed_from_u64(6000 + seed);
        let widths = [1, 2, 5, 31, 32, 33, 64, 100];
        let rows = rng.random_range(0..40);
        let inputs = widths[rng.random_range(0..widths.len())];
        let outputs = widths[rng.random_range(0..widths.len())];
        let [x, weight, bias, gradient] =
            [rows * inputs, outputs * inputs, outputs, rows * outputs].map(|len| -> Vec<f32> {
                let values = values(&mut rng, len).into_iter();
                values.map(&rounded).collect()
            });
        let mut out = Vec::new();
        let mut to_input = vec![0.0; x.len()];
        let mut to_weight = vec![0.0; weight.len()];
        let mut to_bias = vec![0.0; outputs];
        for row in 0..rows {
            for output in 0..outputs {
                let arriving = f64::from(gradient[row * outputs + output]);
                let mut sum = f64::from(bias[output]);
                to_bias[output] += arriving;
                for input in 0..inputs {
                    let [a, b] =
                        [x[row * inputs + input], weight[output * inputs + input]].map(f64::from);
                    sum += a * b;
                    to_input[row * inputs + input] += arriving * b;
                    to_weight[output * inputs + input] += arriving * a;
                }
                out.push(sum);
            }
        }
        let layer = Dense::new(rows, inputs, outputs, precision).unwrap();
        let case = format!("seed {seed}, {layer:?}");
        let mut found = vec![f32::NAN; rows * outputs];
        layer.forward(&x, &weight, &bias, &mut found).unwrap();
        assert_close(&case, &found, &out);
        let [mut a, mut b, mut c] = [x.len(), weight.len(), outputs].map(|len| vec![f32::NAN; len]);
        let gradients = DenseGradients {
            input: Some(&mut a),
            weight: &mut b,
            bias: &mut c,
        };
        layer.backward(&x, &weight, &gradient, gradients).unwrap();
        for (found, expected) in [(a, to_input), (b, to_weight), (c, to_bias)] {
            assert_close(&format!("gradient, {case}"), &found, &expected);
        }
    }
}
