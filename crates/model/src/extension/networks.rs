//! Networks with MaxMin as operations of Burn. Each row goes through the network chosen for it.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use tellapart_kernels::{MaxMinGradients, MaxMinNetworks, MaxMinParameters};

use super::{checked, register, values_of};

/// Number of networks and of their layers, and the network chosen for each row.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) networks: usize,
    pub(crate) layers: usize,
    pub(crate) ids: Arc<[u32]>,
}

/// Gradients of networks with MaxMin.
#[derive(Debug)]
pub(super) struct NetworksBackward;

impl Backward<Flex, 3> for NetworksBackward {
    /// Input, weight and bias.
    type State = ([FlexTensor; 3], Choice);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (inputs, choice) = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [x, weight, bias] = inputs.each_ref().map(values_of);
        let mut found = [x, weight, bias].map(|values| vec![0.0; values.len()]);
        let [to_x, to_weight, to_bias] = &mut found;
        let gradients = MaxMinGradients {
            input: to_x,
            weight: to_weight,
            bias: to_bias,
        };
        checked(sizes(&inputs, &choice).backward(
            x,
            MaxMinParameters { weight, bias },
            &choice.ids,
            values_of(&gradient),
            gradients,
        ));
        register(
            grads,
            ops.parents.map(|node| Some(node?.id)),
            &inputs,
            found.map(Some),
        );
    }
}

pub(super) fn networks(inputs: &[FlexTensor; 3], choice: &Choice) -> FlexTensor {
    let [x, weight, bias] = inputs.each_ref().map(values_of);
    let mut out = vec![0.0; x.len()];
    let parameters = MaxMinParameters { weight, bias };
    checked(sizes(inputs, choice).forward(x, parameters, &choice.ids, &mut out));
    FlexTensor::from_data(TensorData::new(out, inputs[0].layout().shape().clone()))
}

/// Returns the sizes of networks with input `[rows, width]`.
fn sizes([x, ..]: &[FlexTensor; 3], choice: &Choice) -> MaxMinNetworks {
    let width = x.layout().shape()[1];
    checked(MaxMinNetworks::new(choice.networks, choice.layers, width))
}
