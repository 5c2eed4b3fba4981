//! Adam as an optimizer of Burn. On the CPU device it takes one pass over memory; elsewhere it is
//! Burn's own.

use burn::optim::{Adam as BurnAdam, AdamConfig, AdamState, AdaptiveMomentumState};
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor, TensorData};
use tellapart_kernels::AdamStep;
use tellapart_kernels::ablation::{Part, has};

use crate::extension::{checked, has_kernels};

/// Adam (Kingma & Ba 2015) without weight decay. Its state is that of Burn's Adam, so that either
/// reads stored moments.
#[derive(Clone)]
pub struct Adam {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    elsewhere: BurnAdam,
}

impl Adam {
    /// Creates an optimizer with fresh moments.
    pub fn optimizer(beta1: f32, beta2: f32, epsilon: f32) -> ModuleOptimizer {
        let elsewhere = AdamConfig::new()
            .with_beta_1(beta1)
            .with_beta_2(beta2)
            .with_epsilon(epsilon)
            .build();
        ModuleOptimizer::from(Self {
            beta1,
            beta2,
            epsilon,
            elsewhere,
        })
    }
}

impl Optimizer for Adam {
    type State<const D: usize> = AdamState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<AdamState<D>>,
    ) -> (Tensor<D>, Option<AdamState<D>>) {
        if !has(Part::Adam) || !has_kernels(&tensor) {
            return self.elsewhere.step(rate, tensor, gradient, state);
        }
        let device = tensor.device();
        let (mut parameters, gradient) = (tensor.into_data(), gradient.into_data());
        let (time, mut moment1, mut moment2) = match state {
            Some(AdamState { momentum }) => (
                momentum.time + 1,
                momentum.moment_1.into_data(),
                momentum.moment_2.into_data(),
            ),
            None => {
                let zeros = || TensorData::zeros::<f32, _>(gradient.shape().clone());
                (1, zeros(), zeros())
            }
        };
        let step = AdamStep {
            rate: rate as f32,
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            time: i32::try_from(time).unwrap_or(i32::MAX),
        };
        checked(tellapart_kernels::adam(
            step,
            values(&gradient),
            values_mut(&mut parameters),
            values_mut(&mut moment1),
            values_mut(&mut moment2),
        ));
        let tensor = |data| Tensor::from_data(data, &device);
        let momentum = AdaptiveMomentumState::new(time, tensor(moment1), tensor(moment2));
        (tensor(parameters), Some(AdamState::new(momentum)))
    }

    fn to_device<const D: usize>(state: AdamState<D>, device: &Device) -> AdamState<D> {
        BurnAdam::to_device(state, device)
    }
}

/// Returns the sum of the squares of a gradient, and the gradient. On the CPU device the gradient
/// comes back contiguous, as the step will read it.
pub fn sum_of_squares<const D: usize>(gradient: Tensor<D>) -> (f32, Tensor<D>) {
    if !has(Part::Adam) || !has_kernels(&gradient) {
        return (
            gradient.clone().square().sum().into_scalar::<f32>(),
            gradient,
        );
    }
    let device = gradient.device();
    let data = gradient.into_data();
    let sum = tellapart_kernels::sum_of_squares(values(&data));
    (sum, Tensor::from_data(data, &device))
}

/// Borrows the elements of f32 data in place. A vector would copy them, because tensors are aligned
/// as vectors are not. Empty if the element type differs, which the kernels then report by name.
fn values(data: &TensorData) -> &[f32] {
    data.as_slice().unwrap_or_default()
}

/// Borrows the elements of f32 data in place, mutably. Empty if the element type differs.
fn values_mut(data: &mut TensorData) -> &mut [f32] {
    data.as_mut_slice().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Distribution;

    #[test]
    fn steps_equal_those_of_burn_and_state_passes_between_them() {
        let device = Device::flex();
        let random = || Tensor::<2>::random([7, 33], Distribution::Uniform(-1.0, 1.0), &device);
        let config = AdamConfig::new().with_beta_2(0.95).with_epsilon(1e-8);
        let burns = config.build();
        let ours = Adam {
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            elsewhere: config.build(),
        };
        let start = random();
        let (mut a, mut b, mut passed) = (start.clone(), start.clone(), start);
        let (mut state_a, mut state_b, mut state_passed) = (None, None, None);
        for step in 0..6 {
            // Transposed, as gradients of dense layers arrive.
            let gradient = random().transpose().mul_scalar(2.0).transpose();
            (a, state_a) = ours.step(3e-3, a, gradient.clone(), state_a);
            (b, state_b) = burns.step(3e-3, b, gradient.clone(), state_b);
            (passed, state_passed) = if step % 2 == 0 {
                ours.step(3e-3, passed, gradient, state_passed)
            } else {
                burns.step(3e-3, passed, gradient, state_passed)
            };
        }
        for found in [a, passed] {
            let error = (found - b.clone()).abs().max().into_scalar::<f32>();
            assert!(error < 1e-6, "off by {error}");
        }
    }
}
