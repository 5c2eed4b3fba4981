//! Convolution stacks as operations of Burn.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use tellapart_kernels::{ConvStack, SavedActivations};

use super::{checked, values_of};

/// Inputs and plan of a convolution stack, for the forward and the backward pass.
#[derive(Clone, Debug)]
pub(super) struct ConvStackPass {
    frames: FlexTensor,
    parameters: FlexTensor,
    plan: Arc<ConvStack>,
}

impl ConvStackPass {
    pub(super) fn new(frames: &FlexTensor, parameters: &FlexTensor, plan: Arc<ConvStack>) -> Self {
        Self {
            frames: frames.to_contiguous(),
            parameters: parameters.to_contiguous(),
            plan,
        }
    }

    /// Returns the bytes of the frames. Empty if they are not bytes, which the kernels then report
    /// by name.
    fn frames(&self) -> &[u8] {
        self.frames.as_slice::<u8>().unwrap_or_default()
    }

    pub(super) fn forward(&self, saved: Option<&mut SavedActivations>) -> FlexTensor {
        let image: usize = self.plan.image().iter().product();
        let rows = self.frames().len() / image.max(1);
        let len = rows * self.plan.output().iter().product::<usize>();
        let mut out = vec![0.0; len];
        let parameters = values_of(&self.parameters);
        checked(
            self.plan
                .forward(self.frames(), parameters, saved, &mut out),
        );
        FlexTensor::from_data(TensorData::new(out, [len]))
    }

    fn backward(&self, saved: &SavedActivations, gradient: &FlexTensor) -> FlexTensor {
        let gradient = gradient.to_contiguous();
        let mut found = vec![0.0; self.plan.parameter_len()];
        checked(self.plan.backward(
            self.frames(),
            values_of(&self.parameters),
            saved,
            values_of(&gradient),
            &mut found,
        ));
        let len = found.len();
        FlexTensor::from_data(TensorData::new(found, [len]))
    }
}

/// Gradient of a convolution stack with respect to its parameters.
#[derive(Debug)]
pub(super) struct ConvStackBackward;

impl Backward<Flex, 1> for ConvStackBackward {
    type State = (ConvStackPass, Arc<SavedActivations>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (pass, saved) = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<Flex>(parent.id, pass.backward(&saved, &gradient));
        }
    }
}
