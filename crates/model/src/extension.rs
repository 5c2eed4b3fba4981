//! Kernels of `tellapart-kernels` as operations of Burn's CPU device, with hand-written gradients.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Dispatch, DispatchDevice, Flex, backend_extension};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use tellapart_kernels::{Activation, ConvStack, KernelError, Precision, SavedActivations};

mod conv_stack;
mod dense;
mod networks;
mod norm;
mod orthogonal;

use conv_stack::{ConvStackBackward, ConvStackPass};
use dense::{DenseBackward, linear};
pub(crate) use networks::Choice;
use networks::{NetworksBackward, networks};
use norm::{NormBackward, norm_activate};
use orthogonal::{BjorckBackward, orthogonal};

/// Whether the kernels serve this tensor.
pub(crate) fn has_kernels<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_cpu(&x.device())
}

/// Whether the kernels serve this device.
pub(crate) fn is_cpu(device: &Device) -> bool {
    matches!(
        device.as_dispatch().clone().inner(),
        DispatchDevice::Flex(_)
    )
}

/// Unwraps the result of a kernel. Panics if sizes do not fit together: like in every tensor
/// operation, that is a fault of the calling code.
#[expect(clippy::panic)]
#[track_caller]
pub(crate) fn checked<T>(result: Result<T, KernelError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Runs a convolution stack over u8 frames; the result is flat.
pub(crate) fn run_conv_stack(
    frames: Tensor<4, Int>,
    parameters: Tensor<1>,
    plan: Arc<ConvStack>,
) -> Tensor<1> {
    let (frames, parameters) = (frames.into_dispatch(), parameters.into_dispatch());
    Tensor::from_dispatch(Dispatch::conv_stack(frames, parameters, plan))
}

/// Runs layer normalization over the last dimension, then the activation.
pub(crate) fn run_norm_activate<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Tensor<1>,
    epsilon: f32,
    activation: Activation,
) -> Tensor<D> {
    let (gamma, beta) = (gamma.into_dispatch(), beta.into_dispatch());
    let x = x.into_dispatch();
    Tensor::from_dispatch(Dispatch::norm_activate(x, gamma, beta, epsilon, activation))
}

/// Computes `x weight^T + bias`.
pub(crate) fn run_linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    precision: Precision,
) -> Tensor<2> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(Dispatch::linear(x.into_dispatch(), weight, bias, precision))
}

/// Makes each matrix of `[count, width, width]` orthogonal.
pub(crate) fn run_orthogonal(weight: Tensor<3>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::orthogonal(weight.into_dispatch()))
}

/// Evaluates each row of `[rows, width]` by the network chosen for it.
pub(crate) fn run_networks(
    x: Tensor<2>,
    weight: Tensor<3>,
    bias: Tensor<3>,
    choice: Choice,
) -> Tensor<2> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(Dispatch::networks(x.into_dispatch(), weight, bias, choice))
}

/// Operations that Burn dispatches to the kernels.
#[backend_extension(Flex, Autodiff)]
pub(super) trait KernelExtension: Backend {
    fn conv_stack(
        frames: IntTensor<Self>,
        parameters: FloatTensor<Self>,
        plan: Arc<ConvStack>,
    ) -> FloatTensor<Self>;

    fn norm_activate(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        activation: Activation,
    ) -> FloatTensor<Self>;

    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;

    fn orthogonal(weight: FloatTensor<Self>) -> FloatTensor<Self>;

    fn networks(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        choice: Choice,
    ) -> FloatTensor<Self>;
}

impl KernelExtension for Flex {
    fn conv_stack(frames: FlexTensor, parameters: FlexTensor, plan: Arc<ConvStack>) -> FlexTensor {
        ConvStackPass::new(&frames, &parameters, plan).forward(None)
    }

    fn norm_activate(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f32,
        activation: Activation,
    ) -> FlexTensor {
        norm_activate(&x, &gamma, &beta, epsilon, activation)
    }

    fn linear(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        precision: Precision,
    ) -> FlexTensor {
        linear(&[x, weight, bias], precision)
    }

    fn orthogonal(weight: FlexTensor) -> FlexTensor {
        orthogonal(&weight.to_contiguous())
    }

    fn networks(x: FlexTensor, weight: FlexTensor, bias: FlexTensor, choice: Choice) -> FlexTensor {
        networks(
            &[x, weight, bias].map(|tensor| tensor.to_contiguous()),
            &choice,
        )
    }
}

impl<C: CheckpointStrategy> KernelExtension for Autodiff<Flex, C> {
    fn conv_stack(
        frames: IntTensor<Self>,
        parameters: FloatTensor<Self>,
        plan: Arc<ConvStack>,
    ) -> FloatTensor<Self> {
        let pass = ConvStackPass::new(&frames, parameters.primitive(), plan);
        let nodes = [parameters.node()];
        match ConvStackBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let mut saved = SavedActivations::default();
                let out = pass.forward(Some(&mut saved));
                prep.finish((pass, Arc::new(saved)), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(pass.forward(None)),
        }
    }

    fn norm_activate(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        activation: Activation,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let inputs = [&x, &gamma, &beta].map(|tensor| tensor.primitive().clone());
        let [values, scale, shift] = &inputs;
        let out = norm_activate(values, scale, shift, epsilon, activation);
        match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, epsilon, activation), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let inputs = [&x, &weight, &bias].map(|tensor| tensor.primitive().to_contiguous());
        let out = linear(&inputs, precision);
        match DenseBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, precision), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn orthogonal(weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [weight.node()];
        let weight = weight.primitive().to_contiguous();
        let out = orthogonal(&weight);
        match BjorckBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(weight, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn networks(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        choice: Choice,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let inputs = [&x, &weight, &bias].map(|tensor| tensor.primitive().to_contiguous());
        let out = networks(&inputs, &choice);
        match NetworksBackward
            .prepare::<C>(nodes)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish((inputs, choice), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

/// Registers gradients with the parents that ask for them, in the shapes of the inputs.
fn register<const N: usize>(
    grads: &mut Gradients,
    parents: [Option<NodeId>; N],
    inputs: &[FlexTensor; N],
    found: [Option<Vec<f32>>; N],
) {
    for ((parent, input), values) in parents.into_iter().zip(inputs).zip(found) {
        if let (Some(parent), Some(values)) = (parent, values) {
            let data = TensorData::new(values, input.layout().shape().clone());
            grads.register::<Flex>(parent, FlexTensor::from_data(data));
        }
    }
}

/// Returns the elements of a contiguous tensor, in C order. Empty if the element type is not f32,
/// which the kernels then report by name.
fn values_of(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_default()
}
