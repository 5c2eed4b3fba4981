//! Björck's iteration as an operation of Burn, which makes matrices orthogonal.

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use tellapart_kernels::Orthogonal;

use super::{checked, register, values_of};

/// Gradient through Björck's iteration.
#[derive(Debug)]
pub(super) struct BjorckBackward;

impl Backward<Flex, 1> for BjorckBackward {
    type State = FlexTensor;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let weight = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let mut found = vec![0.0; values_of(&weight).len()];
        let (from, gradient) = (values_of(&weight), values_of(&gradient));
        checked(matrices(&weight).backward(from, gradient, &mut found));
        register(
            grads,
            ops.parents.map(|node| Some(node?.id)),
            &[weight],
            [Some(found)],
        );
    }
}

pub(super) fn orthogonal(weight: &FlexTensor) -> FlexTensor {
    let mut out = vec![0.0; values_of(weight).len()];
    checked(matrices(weight).forward(values_of(weight), &mut out));
    FlexTensor::from_data(TensorData::new(out, weight.layout().shape().clone()))
}

/// Returns the sizes of matrices `[count, width, width]`.
fn matrices(weight: &FlexTensor) -> Orthogonal {
    let shape = weight.layout().shape();
    checked(Orthogonal::new(shape[0], shape[2]))
}
