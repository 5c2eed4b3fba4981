//! Tests of [`MaxMinNetworks`] against their definition in f64.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{assert_close, on, values};
use crate::simd::Isa;
use crate::{KernelError, MaxMinGradients, MaxMinNetworks, MaxMinParameters};

/// Passes one row through one network, by the definition.
fn one_row(
    row: &[f64],
    weight: &[f64],
    bias: &[f64],
    [layers, networks, network]: [usize; 3],
) -> Vec<f64> {
    let width = row.len();
    let mut x = row.to_vec();
    for layer in 0..layers {
        let at = layer * networks + network;
        x = (0..width)
            .map(|output| {
                let weight = &weight[(at * width + output) * width..][..width];
                let terms = weight.iter().zip(&x).map(|(a, b)| a * b);
                bias[at * width + output] + terms.sum::<f64>()
            })
            .collect();
        if layer + 1 < layers {
            let half = width / 2;
            let sorted = |at: usize| {
                let (a, b) = (x[at % half], x[at % half + half]);
                if at < half { a.max(b) } else { a.min(b) }
            };
            x = (0..width).map(sorted).collect();
        }
    }
    x
}

struct NetworksCase {
    sizes: [usize; 3],
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    chosen: Vec<u32>,
    gradient: Vec<f32>,
}

impl NetworksCase {
    /// Draws a case. If there are several networks, the last one has no rows.
    fn new(seed: u64, [networks, layers, width]: [usize; 3], rows: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let count = networks * layers;
        let used = (networks as u32 - 1).max(1);
        Self {
            sizes: [networks, layers, width],
            input: values(&mut rng, rows * width),
            weight: values(&mut rng, count * width * width),
            bias: values(&mut rng, count * width),
            chosen: (0..rows).map(|_| rng.random_range(0..used)).collect(),
            gradient: values(&mut rng, rows * width),
        }
    }

    /// Returns the output and the gradients with respect to input, weight and bias.
    fn found(&self, isa: Isa) -> [Vec<f32>; 4] {
        let [networks, layers, width] = self.sizes;
        let networks = MaxMinNetworks::new(networks, layers, width)
            .unwrap()
            .on(isa);
        let parameters = MaxMinParameters {
            weight: &self.weight,
            bias: &self.bias,
        };
        let unset = |values: &[f32]| vec![f32::NAN; values.len()];
        let mut out = unset(&self.input);
        networks
            .forward(&self.input, parameters, &self.chosen, &mut out)
            .unwrap();
        let (mut a, mut b, mut c) = (unset(&self.input), unset(&self.weight), unset(&self.bias));
        let gradients = MaxMinGradients {
            input: &mut a,
            weight: &mut b,
            bias: &mut c,
        };
        networks
            .backward(
                &self.input,
                parameters,
                &self.chosen,
                &self.gradient,
                gradients,
            )
            .unwrap();
        [out, a, b, c]
    }

    /// Returns the outputs, all of it in f64.
    fn expected(&self, [input, weight, bias]: &[Vec<f64>; 3]) -> Vec<f64> {
        let [networks, layers, width] = self.sizes;
        let rows = input.chunks(width).zip(&self.chosen);
        rows.flat_map(|(row, &network)| {
            one_row(row, weight, bias, [layers, networks, network as usize])
        })
        .collect()
    }

    fn exact(&self) -> [Vec<f64>; 3] {
        [&self.input, &self.weight, &self.bias]
            .map(|values| values.iter().map(|&x| f64::from(x)).collect())
    }
}

#[test]
fn networks_with_maxmin_equal_their_definition_and_the_gradients_its_differences() {
    // Narrow ones, because every value is moved; and one of several panels.
    let mut cases = vec![
        ([1, 1, 2], 3),
        ([3, 2, 4], 7),
        ([2, 3, 6], 1),
        ([2, 2, 8], 0),
    ];
    if !cfg!(miri) {
        cases.extend([([3, 2, 8], 19), ([4, 3, 34], 9), ([2, 2, 60], 5)]);
    }
    let isas = Isa::available();
    for (seed, (case, isa)) in cases
        .iter()
        .flat_map(|case| isas.iter().map(move |isa| (case, isa)))
        .enumerate()
    {
        let (sizes, rows) = *case;
        let case = NetworksCase::new(9300 + seed as u64, sizes, rows);
        let [out, found @ ..] = case.found(*isa);
        let exact = case.exact();
        assert_close(
            &format!("seed {seed}, output"),
            &out,
            &case.expected(&exact),
        );
        let loss = |at: &[Vec<f64>; 3]| -> f64 {
            let out = case.expected(at);
            out.iter()
                .zip(&case.gradient)
                .map(|(out, &g)| out * f64::from(g))
                .sum()
        };
        for (which, found) in found.iter().enumerate() {
            const BY: f64 = 1e-7;
            let difference = |index: usize| {
                let moved = |by: f64| {
                    let mut exact = exact.clone();
                    exact[which][index] += by;
                    loss(&exact)
                };
                (moved(BY) - moved(-BY)) / (2.0 * BY)
            };
            let every = if found.len() > 500 { 97 } else { 1 };
            let places = || (0..found.len()).step_by(every);
            let expected: Vec<f64> = places().map(difference).collect();
            let found: Vec<f32> = places().map(|place| found[place]).collect();
            assert_close(&format!("seed {seed}, gradient {which}"), &found, &expected);
        }
    }
}

#[test]
fn threads_change_no_bit_of_networks_with_maxmin() {
    let case = NetworksCase::new(9400, [4, 3, 34], 40);
    let bits = |threads| {
        on(threads, || {
            case.found(Isa::detect())
                .map(|values| values.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        })
    };
    let one = bits(1);
    for threads in [2, 3] {
        assert!(one == bits(threads), "{threads} threads");
    }
}

#[test]
fn networks_that_cannot_be_are_named() {
    for sizes in [[0, 1, 2], [1, 0, 2], [1, 1, 0]] {
        let [networks, layers, width] = sizes;
        let found = MaxMinNetworks::new(networks, layers, width);
        assert!(matches!(found, Err(KernelError::Zero { .. })), "{sizes:?}");
    }
    assert_eq!(
        MaxMinNetworks::new(1, 1, 3),
        Err(KernelError::OddWidth { width: 3 })
    );
    let networks = MaxMinNetworks::new(2, 1, 2).unwrap();
    let parameters = MaxMinParameters {
        weight: &[0.0; 8],
        bias: &[0.0; 4],
    };
    let found = networks.forward(&[0.0; 4], parameters, &[1, 2], &mut [0.0; 4]);
    let expected = KernelError::NoSuchNetwork {
        row: 1,
        network: 2,
        networks: 2,
    };
    assert_eq!(found, Err(expected));
    assert!(
        networks
            .forward(&[0.0; 3], parameters, &[1, 1], &mut [0.0; 4])
            .is_err()
    );
}

#[test]
fn what_is_no_number_stays_none() {
    let networks = MaxMinNetworks::new(1, 2, 2).unwrap();
    let identity = [1.0, 0.0, 0.0, 1.0];
    let parameters = MaxMinParameters {
        weight: &[identity, identity].concat(),
        bias: &[0.0; 4],
    };
    let mut out = [0.0; 4];
    let input = [f32::NAN, 1.0, 1.0, 2.0];
    networks
        .forward(&input, parameters, &[0, 0], &mut out)
        .unwrap();
    assert!(out[0].is_nan() && out[2..] == [2.0, 1.0], "{out:?}");
}
