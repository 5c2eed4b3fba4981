//! Trunks.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::flex::FlexTensor;
use burn::tensor::TensorData;
use tellapart_kernels::{Kept, Trunk};

use super::{checked, values_of};

/// What a trunk is run on, forward and backward.
#[derive(Clone, Debug)]
pub(super) struct TrunkPass {
    frames: FlexTensor,
    parameters: FlexTensor,
    plan: Arc<Trunk>,
}

impl TrunkPass {
    pub(super) fn new(frames: &FlexTensor, parameters: &FlexTensor, plan: Arc<Trunk>) -> Self {
        Self {
            frames: frames.to_contiguous(),
            parameters: parameters.to_contiguous(),
            plan,
        }
    }

    /// Empty should they be no bytes, which the kernels then report by name.
    fn frames(&self) -> &[u8] {
        self.frames.as_slice::<u8>().unwrap_or_default()
    }

    pub(super) fn forward(&self, kept: Option<&mut Kept>) -> FlexTensor {
        let image: usize = self.plan.image().iter().product();
        let rows = self.frames().len() / image.max(1);
        let len = rows * self.plan.output().iter().product::<usize>();
        let mut out = vec![0.0; len];
        let parameters = values_of(&self.parameters);
        checked(self.plan.forward(self.frames(), parameters, kept, &mut out));
        FlexTensor::from_data(TensorData::new(out, [len]))
    }

    fn backward(&self, kept: &Kept, gradient: &FlexTensor) -> FlexTensor {
        let gradient = gradient.to_contiguous();
        let mut found = vec![0.0; self.plan.parameter_len()];
        checked(self.plan.backward(
            self.frames(),
            values_of(&self.parameters),
            kept,
            values_of(&gradient),
            &mut found,
        ));
        let len = found.len();
        FlexTensor::from_data(TensorData::new(found, [len]))
    }
}

/// The gradient of a trunk with respect to its parameters.
#[derive(Debug)]
pub(super) struct TrunkGradient;

impl Backward<Flex, 1> for TrunkGradient {
    type State = (TrunkPass, Arc<Kept>);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (pass, kept) = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<Flex>(parent.id, pass.backward(&kept, &gradient));
        }
    }
}
