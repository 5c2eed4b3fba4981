//! Our kernels as operations of Burn's CPU device, with hand-written gradients.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Autodiff, Backend, Dispatch, DispatchDevice, Flex, backend_extension};
use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use tellapart_kernels::{
    Activation, Kept, KernelError, Linear, LinearGradients, NormGradients, Orthogonal, Precision,
    Trunk,
};

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
}

/// What a trunk is run on, forward and backward.
#[derive(Clone, Debug)]
struct TrunkPass {
    frames: FlexTensor,
    parameters: FlexTensor,
    plan: Arc<Trunk>,
}

impl TrunkPass {
    fn new(frames: &FlexTensor, parameters: &FlexTensor, plan: Arc<Trunk>) -> Self {
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

    fn forward(&self, kept: Option<&mut Kept>) -> FlexTensor {
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
struct TrunkGradient;

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

/// The gradients of normalisation and activation, all from one pass.
#[derive(Debug)]
struct Normalisation;

impl Backward<Flex, 3> for Normalisation {
    /// Input, gamma and beta; epsilon; activation.
    type State = ([FlexTensor; 3], f32, Activation);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let (inputs, epsilon, activation) = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let inputs = inputs.each_ref().map(FlexTensor::to_contiguous);
        let [x, gamma, beta] = inputs.each_ref().map(values_of);
        let mut found = [
            vec![0.0; x.len()],
            vec![0.0; gamma.len()],
            vec![0.0; beta.len()],
        ];
        let [to_x, to_gamma, to_beta] = &mut found;
        let gradients = NormGradients {
            input: to_x,
            gamma: to_gamma,
            beta: to_beta,
        };
        checked(tellapart_kernels::norm_activate_gradient(
            x,
            gamma,
            beta,
            epsilon,
            activation,
            values_of(&gradient),
            gradients,
        ));
        for ((parent, input), values) in ops.parents.into_iter().zip(&inputs).zip(found) {
            if let Some(parent) = parent {
                let gradient =
                    FlexTensor::from_data(TensorData::new(values, input.layout().shape().clone()));
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

fn norm_activate(
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

/// The gradients of a dense layer.
#[derive(Debug)]
struct Dense;

impl Backward<Flex, 3> for Dense {
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
        let gradients = LinearGradients {
            input: to_input.as_deref_mut(),
            weight: &mut to_weight,
            bias: &mut to_bias,
        };
        checked(sizes(&inputs, precision).backward(x, weight, values_of(&gradient), gradients));
        let found = [to_input, Some(to_weight), Some(to_bias)];
        for ((parent, input), values) in ops.parents.into_iter().zip(&inputs).zip(found) {
            if let (Some(parent), Some(values)) = (parent, values) {
                let gradient =
                    FlexTensor::from_data(TensorData::new(values, input.layout().shape().clone()));
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

fn linear(inputs: &[FlexTensor; 3], precision: Precision) -> FlexTensor {
    let inputs = inputs.each_ref().map(FlexTensor::to_contiguous);
    let [x, weight, bias] = inputs.each_ref().map(values_of);
    let rows = inputs[0].layout().shape()[0];
    let mut out = vec![0.0; rows * bias.len()];
    checked(sizes(&inputs, precision).forward(x, weight, bias, &mut out));
    FlexTensor::from_data(TensorData::new(out, [rows, bias.len()]))
}

/// Of a dense layer: input `[rows, inputs]`, weight `[outputs, inputs]`.
fn sizes([x, weight, _]: &[FlexTensor; 3], precision: Precision) -> Linear {
    let (x, weight) = (x.layout().shape(), weight.layout().shape());
    checked(Linear::new(x[0], x[1], weight[0], precision))
}

/// The gradient through Björck's iteration.
#[derive(Debug)]
struct Bjorck;

impl Backward<Flex, 1> for Bjorck {
    type State = FlexTensor;

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let weight = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        if let [Some(parent)] = ops.parents {
            let mut found = vec![0.0; values_of(&weight).len()];
            let (from, gradient) = (values_of(&weight), values_of(&gradient));
            checked(matrices(&weight).backward(from, gradient, &mut found));
            let found = TensorData::new(found, weight.layout().shape().clone());
            grads.register::<Flex>(parent.id, FlexTensor::from_data(found));
        }
    }
}

fn orthogonal(weight: &FlexTensor) -> FlexTensor {
    let mut out = vec![0.0; values_of(weight).len()];
    checked(matrices(weight).forward(values_of(weight), &mut out));
    FlexTensor::from_data(TensorData::new(out, weight.layout().shape().clone()))
}

/// Of `[count, width, width]`.
fn matrices(weight: &FlexTensor) -> Orthogonal {
    let shape = weight.layout().shape();
    checked(Orthogonal::new(shape[0], shape[2]))
}

/// The elements of a contiguous tensor, in C order. Empty, which the kernels then report by name,
/// should the precision be another one.
fn values_of(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_default()
}
