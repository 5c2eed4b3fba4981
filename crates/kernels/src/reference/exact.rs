//! Convolution and its gradients in f64, by the definition, with sums of absolute terms.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{products, values};
use crate::shape::ConvShape;

/// Random arguments of a convolution, and the exact results.
pub(super) struct Exact {
    pub(super) input: Vec<f32>,
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) gradient: Vec<f32>,
    out: TermSums,
    to_weight: TermSums,
    to_input: TermSums,
    to_bias: TermSums,
}

/// Results of one algorithm.
pub(super) struct Results {
    pub(super) out: Vec<f32>,
    pub(super) to_weight: Vec<f32>,
    pub(super) to_bias: Vec<f32>,
    /// Gradient with respect to the input, if the algorithm has it for the shape.
    pub(super) to_input: Option<Vec<f32>>,
}

impl Results {
    /// Makes results of the lengths of a shape; all of them are to be overwritten.
    pub(super) fn unset(shape: &ConvShape) -> Self {
        let unset = |len| vec![f32::NAN; len];
        Self {
            out: unset(shape.output_len()),
            to_weight: unset(shape.weight_len()),
            to_bias: unset(shape.out_channels),
            to_input: None,
        }
    }
}

/// Sums of products, and of their absolute values.
struct TermSums(Vec<f64>, Vec<f64>);

impl Exact {
    pub(super) fn of(shape: &ConvShape, rng: &mut ChaCha8Rng) -> Self {
        Self::of_values(shape, |len| values(rng, len), 1.0)
    }

    /// Draws small whole numbers, with weights that are multiples of 4. Adding, halving and
    /// rounding them to bf16, or summing up their products, makes no error.
    pub(super) fn of_whole_numbers(shape: &ConvShape, rng: &mut ChaCha8Rng) -> Self {
        let mut whole = |_| f32::from(rng.random_range(-3_i8..=3));
        Self::of_values(shape, |len| (0..len).map(&mut whole).collect(), 4.0)
    }

    fn of_values(
        shape: &ConvShape,
        mut values: impl FnMut(usize) -> Vec<f32>,
        weights_by: f32,
    ) -> Self {
        let input = values(shape.input_len());
        let weight = values(shape.weight_len());
        let mut exact = Self {
            input,
            weight: weight
                .into_iter()
                .map(|weight| weights_by * weight)
                .collect(),
            bias: values(shape.out_channels),
            gradient: values(shape.output_len()),
            out: TermSums::zeros(shape.output_len()),
            to_weight: TermSums::zeros(shape.weight_len()),
            to_input: TermSums::zeros(shape.input_len()),
            to_bias: TermSums::zeros(shape.out_channels),
        };
        for (index, &gradient) in exact.gradient.iter().enumerate() {
            let channel = index % shape.out_channels;
            exact.out.add(index, 1.0, exact.bias[channel]);
            exact.to_bias.add(channel, 1.0, gradient);
        }
        products(shape, |i, w, o| {
            exact.out.add(o, exact.input[i], exact.weight[w]);
            exact.to_weight.add(w, exact.input[i], exact.gradient[o]);
            exact.to_input.add(i, exact.weight[w], exact.gradient[o]);
        });
        exact
    }

    /// Asserts that `found` has no error.
    #[track_caller]
    pub(super) fn assert_equal(&self, found: &Results, case: &str) {
        self.assert_near(found, 0.0, case);
    }

    /// Asserts that errors are at most `most`, counted in epsilons of the sum of the absolute
    /// products.
    #[track_caller]
    pub(super) fn assert_near(&self, found: &Results, most: f64, case: &str) {
        let near = |what: &str, sums: &TermSums, found: &[f32]| {
            sums.assert_near(&format!("{what}, {case}"), found, most);
        };
        near("output", &self.out, &found.out);
        near("weight gradient", &self.to_weight, &found.to_weight);
        near("bias gradient", &self.to_bias, &found.to_bias);
        if let Some(found) = &found.to_input {
            near("input gradient", &self.to_input, found);
        }
    }
}

impl Exact {
    /// Returns the relative error of the output, in the root mean square.
    pub(super) fn relative_error(&self, out: &[f32]) -> f64 {
        self.out.relative_error(out)
    }

    /// Returns the relative error of the gradient with respect to the weight, in the root mean
    /// square.
    pub(super) fn relative_error_of_weight(&self, to_weight: &[f32]) -> f64 {
        self.to_weight.relative_error(to_weight)
    }
}

impl TermSums {
    fn relative_error(&self, out: &[f32]) -> f64 {
        let exact = &self.0;
        let norm = |terms: &mut dyn Iterator<Item = f64>| terms.map(|x| x * x).sum::<f64>().sqrt();
        let mut off = out
            .iter()
            .zip(exact)
            .map(|(&found, exact)| f64::from(found) - exact);
        norm(&mut off) / norm(&mut exact.iter().copied())
    }
}

impl TermSums {
    fn zeros(len: usize) -> Self {
        Self(vec![0.0; len], vec![0.0; len])
    }

    fn add(&mut self, index: usize, a: f32, b: f32) {
        let product = f64::from(a) * f64::from(b);
        self.0[index] += product;
        self.1[index] += product.abs();
    }

    #[track_caller]
    fn assert_near(&self, what: &str, found: &[f32], most: f64) {
        assert_eq!(found.len(), self.0.len());
        for (index, &found) in found.iter().enumerate() {
            let error = (f64::from(found) - self.0[index]).abs();
            assert!(
                error <= most * f64::from(f32::EPSILON) * (1.0 + self.1[index]),
                "{what}: element {index} is {found}, expected {}",
                self.0[index]
            );
        }
    }
}
