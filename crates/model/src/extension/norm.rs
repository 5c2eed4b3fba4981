//! Layer normalization with its activation as an operation of Burn.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use tellapart_kernels::{Activation, NormGradients};

use super::{checked, register, values_of};

/// Gradients of normalization and activation, all from one pass.
#[derive(Debug)]
pub(super) struct NormBackward;

impl Backward<Flex, 3> for NormBackward {
    /// Input, gamma and beta; epsilon; activation.
    type State = ([FlexTensor; 3], f32, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (inputs, epsilon, activation) = ops.state;
        // Copied only if shared; otherwise it is changed in place.
        let mut gradient = grads.consume::<Flex>(&ops.node).into_data();
        let inputs = inputs.each_ref().map(FlexTensor::to_contiguous);
        let [x, gamma, beta] = inputs.each_ref().map(values_of);
        let [mut to_gamma, mut to_beta] = [gamma, beta].map(|values| vec![0.0; values.len()]);
        let gradients = NormGradients {
            values: gradient.as_mut_slice().unwrap_or_default(),
            gamma: &mut to_gamma,
            beta: &mut to_beta,
        };
        checked(tellapart_kernels::norm_activate_gradient(
            x, gamma, beta, epsilon, activation, gradients,
        ));
        let [to_x, to_gamma_node, to_beta_node] = ops.parents.map(|node| Some(node?.id));
        if let Some(parent) = to_x {
            grads.register::<Flex>(parent, FlexTensor::from_data(gradient));
        }
        let [_, gamma, beta] = inputs;
        let found = [Some(to_gamma), Some(to_beta)];
        register(grads, [to_gamma_node, to_beta_node], &[gamma, beta], found);
    }
}

pub(super) fn norm_activate(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    epsilon: f32,
    activation: Activation,
) -> FlexTensor {
    let [values, gamma, beta] = [x, gamma, beta].map(FlexTensor::to_contiguous);
    let mut out = vec![0.0; values_of(&values).len()];
    checked(tellapart_kernels::norm_activate(
        values_of(&values),
        values_of(&gamma),
        values_of(&beta),
        epsilon,
        activation,
        &mut out,
    ));
    FlexTensor::from_data(TensorData::new(out, x.layout().shape().clone()))
}
