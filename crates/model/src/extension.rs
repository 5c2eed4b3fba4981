//! Our kernels as operations of Burn's CPU device, with hand-written gradients.

use std::sync::Arc;

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Dispatch, DispatchDevice, Flex, backend_extension};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use tellapart_kernels::{Activation, Kept, KernelError, Precision, Trunk};

mod dense;
mod networks;
mod norm;
mod orthogonal;
mod trunk;

use dense::{Dense, linear};
pub(crate) use networks::Choice;
use networks::{Networks, networks};
use norm::{Normalisation, norm_activate};
use orthogonal::{Bjorck, orthogonal};
use trunk::{TrunkGradient, TrunkPass};

/// Whether the kernels serve this tensor.
pub(crate) fn has_kernels<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && is_cpu(&x.device())
}

/// Whether this is the device of the kernels.
pub(crate) fn is_cpu(device: &Device) -> bool {
    matches!(
        device.as_dispatch().clone().inner(),
        DispatchDevice::Flex(_)
    )
}

/// Sizes that do not fit together are a fault of the calling code, as in every tensor operation.
#[expect(clippy::panic)]
#[track_caller]
pub(crate) fn checked<T>(result: Result<T, KernelError>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// A trunk over u8 frames, flat.
pub(crate) fn run_trunk(
    frames: Tensor<4, Int>,
    parameters: Tensor<1>,
    plan: Arc<Trunk>,
) -> Tensor<1> {
    let (frames, parameters) = (frames.into_dispatch(), parameters.into_dispatch());
    Tensor::from_dispatch(Dispatch::trunk(frames, parameters, plan))
}

/// Layer normalisation over the last dimension, then the activation.
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

/// `x weight^T + bias`.
pub(crate) fn run_linear(
    x: Tensor<2>,
    weight: Tensor<2>,
    bias: Tensor<1>,
    precision: Precision,
) -> Tensor<2> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(Dispatch::linear(x.into_dispatch(), weight, bias, precision))
}

/// Each of `[count, width, width]` made orthogonal.
pub(crate) fn run_orthogonal(weight: Tensor<3>) -> Tensor<3> {
    Tensor::from_dispatch(Dispatch::orthogonal(weight.into_dispatch()))
}

/// Each row of `[rows, width]` through the network that is chosen for it.
pub(crate) fn run_networks(
    x: Tensor<2>,
    weight: Tensor<3>,
    bias: Tensor<3>,
    choice: Choice,
) -> Tensor<2> {
    let (weight, bias) = (weight.into_dispatch(), bias.into_dispatch());
    Tensor::from_dispatch(Dispatch::networks(x.into_dispatch(), weight, bias, choice))
}

/// The operations that Burn dispatches to our kernels.
#[backend_extension(Flex, Autodiff)]
pub(super) trait KernelExtension: Backend {
    fn trunk(
        frames: IntTensor<Self>,
        parameters: FloatTensor<Self>,
        plan: Arc<Trunk>,
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
    fn trunk(frames: FlexTensor, parameters: FlexTensor, plan: Arc<Trunk>) -> FlexTensor {
        TrunkPass::new(&frames, &parameters, plan).forward(None)
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
    fn trunk(
        frames: IntTensor<Self>,
        parameters: FloatTensor<Self>,
        plan: Arc<Trunk>,
    ) -> FloatTensor<Self> {
        let pass = TrunkPass::new(&frames, parameters.primitive(), plan);
        let nodes = [parameters.node()];
        match TrunkGradient.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let mut kept = Kept::default();
                let out = pass.forward(Some(&mut kept));
                prep.finish((pass, Arc::new(kept)), out)
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
        match Normalisation.prepare::<C>(nodes).compute_bound().stateful() {
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
        match Dense.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, precision), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn orthogonal(weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let nodes = [weight.node()];
        let weight = weight.primitive().to_contiguous();
        let out = orthogonal(&weight);
        match Bjorck.prepare::<C>(nodes).compute_bound().stateful() {
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
        match Networks.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((inputs, choice), out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

/// Hands gradients to those who ask for them, in the shapes of what they are with respect to.
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

/// The elements of a contiguous tensor, in C order. Empty, which the kernels then report by name,
/// should the precision be another one.
fn values_of(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_default()
}
