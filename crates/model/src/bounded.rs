//! Networks that cannot stretch distances: orthogonal layers with MaxMin between them.
//!
//! The certificate (the paper's theorem with a margin) divides by a Lipschitz constant of
//! `z -> P(T^w(z))`. For plain networks that constant is unknown or astronomically large, so
//! nothing useful is certified. Here it is declared and holds by construction.
//!
//! Orthogonal weights come from Björck's iteration (Björck & Bowie 1971),
//! `W <- 1.5 W - 0.5 W W^T W`, which needs only matrix products. Singular values in (0, 1] never
//! leave (0, 1] under it. Stopping early therefore costs expressiveness, never soundness (up to f32
//! rounding, about 1e-6 per layer). On the CPU device a kernel runs the iteration, and stops once a
//! matrix is orthogonal up to rounding.

use std::sync::Arc;

use burn::module::{Module, Param};
use burn::tensor::{Tensor, TensorData};
use tellapart_kernels::ablation::{Part, has};

use crate::extension::{Choice, has_kernels, run_networks, run_orthogonal};
use crate::init::Init;
use crate::layers::max_min;

/// Number of steps of Björck's iteration; the kernel of the CPU device may stop earlier. A singular
/// value grows by at most 1.5 per step. Trained matrices stay near orthogonal, and 15 steps bring
/// 0.05 to 1 within 1e-6.
const BJORCK_STEPS: usize = 15;

/// Stack of networks of equal depth and width, evaluated side by side on the same input.
///
/// Each network has `layers` square orthogonal layers, with MaxMin between them and, if
/// `activate_last`, after the last. It is 1-Lipschitz in the Euclidean norm.
#[derive(Module, Debug)]
pub struct OrthogonalStack {
    /// Weights `[layers * networks, width, width]`, layer-major.
    weight: Param<Tensor<3>>,
    /// Biases `[layers * networks, 1, width]`.
    bias: Param<Tensor<3>>,
    networks: usize,
    layers: usize,
    activate_last: bool,
}

/// Orthogonal matrices of a stack, computed once for many evaluations.
#[derive(Clone, Debug)]
pub struct OrthogonalWeights(Tensor<3>);

impl OrthogonalStack {
    /// Builds a stack; `width` must be even, since MaxMin sorts pairs.
    pub fn new(
        init: &mut Init,
        networks: usize,
        layers: usize,
        width: usize,
        activate_last: bool,
    ) -> Self {
        Self {
            weight: init.orthogonal(networks * layers, width),
            // Not zero: otherwise the origin would start as a fixed point of every action.
            bias: init.uniform([networks * layers, 1, width], 1.0 / (width as f32).sqrt()),
            networks,
            layers,
            activate_last,
        }
    }

    /// Computes the orthogonal matrices. Cost: at most `31 * networks * layers * width^3`
    /// multiplications, independent of the batch.
    pub fn orthogonal_weights(&self) -> OrthogonalWeights {
        let weight = self.weight.val();
        OrthogonalWeights(if has(Part::BoundedNetworks) && has_kernels(&weight) {
            run_orthogonal(weight)
        } else {
            bjorck(weight)
        })
    }

    /// Evaluates each row by the network `chosen` for it, `[batch, width] -> [batch, width]`.
    pub fn forward_chosen(
        &self,
        weights: &OrthogonalWeights,
        x: Tensor<2>,
        chosen: &Arc<[u32]>,
    ) -> Tensor<2> {
        if has(Part::BoundedNetworks) && has_kernels(&x) && !self.activate_last {
            let choice = Choice {
                networks: self.networks,
                layers: self.layers,
                ids: chosen.clone(),
            };
            return run_networks(x, weights.0.clone(), self.bias.val(), choice);
        }
        self.forward_masked(weights, x, chosen)
    }

    /// Evaluates each row by the network chosen for it, with Burn's operations: runs every network
    /// and keeps one result.
    fn forward_masked(
        &self,
        weights: &OrthogonalWeights,
        x: Tensor<2>,
        chosen: &[u32],
    ) -> Tensor<2> {
        let (shape, device) = (x.dims(), x.device());
        let each = self.forward(weights, x);
        let batch = chosen.len();
        let mut mask = vec![0.0f32; self.networks * batch];
        for (row, &network) in chosen.iter().enumerate() {
            mask[network as usize * batch + row] = 1.0;
        }
        let mask = TensorData::new(mask, [self.networks, batch, 1]);
        (each * Tensor::from_data(mask, &device))
            .sum_dim(0)
            .reshape(shape)
    }

    /// Evaluates all networks on the same rows, `[batch, width] -> [networks, batch, width]`.
    pub fn forward(&self, weights: &OrthogonalWeights, x: Tensor<2>) -> Tensor<3> {
        let [batch, width] = x.dims();
        let mut x: Tensor<3> = x.unsqueeze::<3>().expand([self.networks, batch, width]);
        for layer in 0..self.layers {
            let rows = layer * self.networks..(layer + 1) * self.networks;
            let weight = weights.0.clone().slice_dim(0, rows.clone());
            let bias = self.bias.val().slice_dim(0, rows);
            x = x.matmul(weight.transpose()) + bias;
            if layer + 1 < self.layers || self.activate_last {
                x = max_min(x);
            }
        }
        x
    }
}

/// Runs Björck's iteration on each matrix of `[count, width, width]`.
///
/// Each matrix is first divided by `sqrt(max_i sum_j |W^T W|_ij)`, an upper bound of its largest
/// singular value. All singular values then start in (0, 1].
fn bjorck(weight: Tensor<3>) -> Tensor<3> {
    let gram = |w: &Tensor<3>| w.clone().transpose().matmul(w.clone());
    let bound = gram(&weight).abs().sum_dim(2).max_dim(1).sqrt();
    let mut w = weight / bound;
    for _ in 0..BJORCK_STEPS {
        w = w.clone().mul_scalar(1.5) - w.clone().matmul(gram(&w)).mul_scalar(0.5);
    }
    w
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn weights_are_orthogonal_and_distances_never_grow() {
        for seed in 0..10 {
            let device = Device::flex();
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut init = Init::new(&mut rng, &device, 0);
            let mut stack = OrthogonalStack::new(&mut init, 2, 3, 8, true);
            // The weights are far from orthogonal, as badly trained ones might be.
            stack.weight = init.uniform([6, 8, 8], 2.0);
            let weights = stack.orthogonal_weights();
            let x: Vec<f32> = (0..2 * 8).map(|_| crate::init::normal(&mut rng)).collect();
            let input = Tensor::<2>::from_data(TensorData::new(x.clone(), [2, 8]), &device);
            let output = stack
                .forward(&weights, input)
                .into_data()
                .try_to_vec::<f32>()
                .unwrap();
            let before = distance(&x[..8], &x[8..]);
            for network in output.chunks(16) {
                let after = distance(&network[..8], &network[8..]);
                assert!(
                    after <= before * 1.0001,
                    "seed {seed}: {before} became {after}"
                );
            }
        }
    }

    type Way<'a> = &'a dyn Fn(&[Tensor<3>]) -> Tensor<3>;

    /// Asserts that two functions of `leaves` have equal values and gradients. Leaves are copied,
    /// since each serves only one backward pass.
    fn assert_alike(what: &str, towards: &Tensor<3>, leaves: &[Tensor<3>], ways: [Way<'_>; 2]) {
        let [ours, burns] = ways.map(|way| {
            let leaves: Vec<Tensor<3>> = leaves
                .iter()
                .map(|leaf| Tensor::from_inner(leaf.clone().inner()).require_grad())
                .collect();
            let out = way(&leaves);
            let towards = Tensor::from_inner(towards.clone().inner());
            let gradients = (out.clone() * towards).sum().backward();
            let mut all = vec![out.inner()];
            all.extend(leaves.iter().map(|leaf| leaf.grad(&gradients).unwrap()));
            all
        });
        for (which, (a, b)) in ours.into_iter().zip(burns).enumerate() {
            let error = (a - b).abs().max().into_scalar::<f32>();
            assert!(error < 1e-5, "{what}, {which}: off by {error}");
        }
    }

    #[test]
    fn the_kernels_do_what_burns_operations_do() {
        let device = Device::flex().autodiff();
        for seed in 0..10 {
            let mut rng = ChaCha8Rng::seed_from_u64(100 + seed);
            let mut init = Init::new(&mut rng, &device, 0);
            let mut random = |shape| init.uniform(shape, 1.0).val();
            let (noise, towards, x) = (random([4, 6, 6]), random([4, 6, 6]), random([1, 5, 6]));
            // No matrix may need more steps than the iteration has: then rounding would be
            // magnified.
            let weight = init.orthogonal(4, 6).val() * 3.0 + noise * 0.5;
            let what = format!("seed {seed}, weights");
            let ways: [Way<'_>; 2] = [&|leaves| run_orthogonal(leaves[0].clone()), &|leaves| {
                bjorck(leaves[0].clone())
            }];
            assert_alike(&what, &towards, std::slice::from_ref(&weight), ways);

            let stack = OrthogonalStack::new(&mut init, 2, 2, 6, false);
            let chosen = Arc::from([1, 0, 0, 1, 1]);
            let run = |leaves: &[Tensor<3>], masked: bool| {
                let [x, weight, bias] = [0, 1, 2].map(|leaf| leaves[leaf].clone());
                let mut stack = stack.clone();
                stack.bias = Param::initialized(burn::module::ParamId::from(7), bias);
                let (weights, x) = (OrthogonalWeights(weight), x.reshape([5, 6]));
                let out = if masked {
                    stack.forward_masked(&weights, x, &chosen)
                } else {
                    stack.forward_chosen(&weights, x, &chosen)
                };
                out.unsqueeze()
            };
            let towards = towards.narrow(0, 0, 1).narrow(1, 0, 5);
            let what = format!("seed {seed}, networks");
            let ways: [Way<'_>; 2] = [&|leaves| run(leaves, false), &|leaves| run(leaves, true)];
            assert_alike(&what, &towards, &[x, weight, stack.bias.val()], ways);
        }
    }

    fn distance(a: &[f32], b: &[f32]) -> f32 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - b) * (a - b))
            .sum::<f32>()
            .sqrt()
    }
}
