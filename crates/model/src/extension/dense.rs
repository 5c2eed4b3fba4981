//! Dense layers as operations of Burn.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use tellapart_kernels::{Dense, DenseGradients, Precision};

use super::{checked, register, values_of};

/// Gradients of a dense layer.
#[derive(Debug)]
pub(super) struct DenseBackward;

impl Backward<Flex, 3> for DenseBackward {
    /// Input, weight and bias; precision of the products.
    type State = ([FlexTensor; 3], Precision);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (inputs, precision) = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let [x, weight, bias] = inputs.each_ref().map(values_of);
        let mut to_input = ops.parents[0].as_ref().map(|_| vec![0.0; x.len()]);
        let (mut to_weight, mut to_bias) = (vec![0.0; weight.len()], vec![0.0; bias.len()]);
        let gradients = DenseGradients {
            input: to_input.as_deref_mut(),
            weight: &mut to_weight,
            bias: &mut to_bias,
        };
        checked(sizes(&inputs, precision).backward(x, weight, values_of(&gradient), gradients));
        let found = [to_input, Some(to_weight), Some(to_bias)];
        register(
            grads,
            ops.parents.map(|node| Some(node?.id)),
            &inputs,
            found,
        );
    }
}

pub(super) fn linear(inputs: &[FlexTensor; 3], precision: Precision) -> FlexTensor {
    let inputs = inputs.each_ref().map(FlexTensor::to_contiguous);
    let [x, weight, bias] = inputs.each_ref().map(values_of);
    let rows = inputs[0].layout().shape()[0];
    let mut out = vec![0.0; rows * bias.len()];
    checked(sizes(&inputs, precision).forward(x, weight, bias, &mut out));
    FlexTensor::from_data(TensorData::new(out, [rows, bias.len()]))
}

/// Returns the sizes of a dense layer with input `[rows, inputs]` and weight `[outputs, inputs]`.
fn sizes([x, weight, _]: &[FlexTensor; 3], precision: Precision) -> Dense {
    let (x, weight) = (x.layout().shape(), weight.layout().shape());
    checked(Dense::new(x[0], x[1], weight[0], precision))
}
