//! The kernels as operations of Burn's CPU device, with hand-written gradients.

use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Flex, backend_extension};
use burn::tensor::TensorData;
use tellapart_kernels::{ConvShape, NormGradients};

use super::checked;

/// The operations that Burn dispatches to our kernels.
#[backend_extension(Flex, Autodiff)]
pub(super) trait KernelExtension: Backend {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvShape,
        threads: usize,
    ) -> FloatTensor<Self>;

    fn convolve_biased(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvShape,
        threads: usize,
    ) -> FloatTensor<Self>;

    fn norm_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        threads: usize,
    ) -> FloatTensor<Self>;
}

impl KernelExtension for Flex {
    fn convolve(x: FlexTensor, weight: FlexTensor, shape: ConvShape, threads: usize) -> FlexTensor {
        forward(&x, &weight, None, shape, threads)
    }

    fn convolve_biased(
        x: FlexTensor,
        weight: FlexTensor,
        bias: FlexTensor,
        shape: ConvShape,
        threads: usize,
    ) -> FlexTensor {
        forward(&x, &weight, Some(&bias), shape, threads)
    }

    fn norm_relu(
        x: FlexTensor,
        gamma: FlexTensor,
        beta: FlexTensor,
        epsilon: f32,
        threads: usize,
    ) -> FlexTensor {
        norm_relu(&x, &gamma, &beta, epsilon, threads)
    }
}

impl<C: CheckpointStrategy> KernelExtension for Autodiff<Flex, C> {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: ConvShape,
        threads: usize,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node()];
        match Convolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (
                    prep.checkpoint(&x),
                    prep.checkpoint(&weight),
                    shape,
                    threads,
                );
                let output = forward(x.primitive(), weight.primitive(), None, shape, threads);
                prep.finish(state, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(forward(
                x.primitive(),
                weight.primitive(),
                None,
                shape,
                threads,
            )),
        }
    }

    fn convolve_biased(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        shape: ConvShape,
        threads: usize,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), weight.node(), bias.node()];
        let run = |x: &FlexTensor, weight: &FlexTensor| {
            forward(x, weight, Some(bias.primitive()), shape, threads)
        };
        match Convolution.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (
                    prep.checkpoint(&x),
                    prep.checkpoint(&weight),
                    shape,
                    threads,
                );
                prep.finish(state, run(x.primitive(), weight.primitive()))
            }
            OpsKind::UnTracked(prep) => prep.finish(run(x.primitive(), weight.primitive())),
        }
    }

    fn norm_relu(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        epsilon: f32,
        threads: usize,
    ) -> FloatTensor<Self> {
        let nodes = [x.node(), gamma.node(), beta.node()];
        let out = norm_relu(
            x.primitive(),
            gamma.primitive(),
            beta.primitive(),
            epsilon,
            threads,
        );
        match Normalisation.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let inputs = [&x, &gamma, &beta].map(|input| prep.checkpoint(input));
                prep.finish((inputs, epsilon, threads), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }
}

/// The gradients, with and without a bias as third parent.
#[derive(Debug)]
struct Convolution;

type State = (NodeId, NodeId, ConvShape, usize);

impl Backward<Flex, 2> for Convolution {
    type State = State;

    fn backward(self, ops: Ops<State, 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x, weight] = ops.parents;
        let gradient = grads.consume::<Flex>(&ops.node);
        backward(
            [x.map(|x| x.id), weight.map(|w| w.id)],
            &gradient,
            ops.state,
            grads,
            checkpointer,
        );
    }
}

impl Backward<Flex, 3> for Convolution {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [x, weight, bias] = ops.parents;
        let gradient = grads.consume::<Flex>(&ops.node);
        if let Some(bias) = bias {
            let shape = ops.state.2;
            let [.., channels] = shape.output();
            let mut values = vec![0.0; channels];
            let gradient = gradient.to_contiguous();
            checked(tellapart_kernels::bias_gradient(
                &shape,
                values_of(&gradient),
                &mut values,
            ));
            grads.register::<Flex>(bias.id, tensor(values, [channels]));
        }
        backward(
            [x.map(|x| x.id), weight.map(|w| w.id)],
            &gradient,
            ops.state,
            grads,
            checkpointer,
        );
    }
}

fn backward(
    [x_node, weight_node]: [Option<NodeId>; 2],
    gradient: &FlexTensor,
    (x_state, weight_state, shape, threads): State,
    grads: &mut Gradients,
    checkpointer: &mut Checkpointer,
) {
    let x: FlexTensor = checkpointer.retrieve_node_output(x_state);
    let weight: FlexTensor = checkpointer.retrieve_node_output(weight_state);
    let gradient = gradient.to_contiguous();
    let gradient = values_of(&gradient);
    if let Some(node) = weight_node {
        let x = x.to_contiguous();
        let mut values = vec![0.0; shape.weight_len()];
        let values_in = values_of(&x);
        checked(tellapart_kernels::weight_gradient(
            &shape,
            values_in,
            gradient,
            &mut values,
            threads,
        ));
        grads.register::<Flex>(node, tensor(values, shape.weight()));
    }
    if let Some(node) = x_node {
        let weight = weight.to_contiguous();
        let mut values = vec![0.0; shape.input_len()];
        let weights = values_of(&weight);
        checked(tellapart_kernels::data_gradient(
            &shape,
            weights,
            gradient,
            &mut values,
            threads,
        ));
        grads.register::<Flex>(node, tensor(values, shape.input()));
    }
}

fn forward(
    x: &FlexTensor,
    weight: &FlexTensor,
    bias: Option<&FlexTensor>,
    shape: ConvShape,
    threads: usize,
) -> FlexTensor {
    let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
    let bias = bias.map(FlexTensor::to_contiguous);
    let mut out = vec![0.0; shape.output_len()];
    checked(tellapart_kernels::convolve(
        &shape,
        values_of(&x),
        values_of(&weight),
        bias.as_ref().map(values_of),
        &mut out,
        threads,
    ));
    tensor(out, shape.output())
}

/// The gradients of normalisation and ReLU, all from one pass.
#[derive(Debug)]
struct Normalisation;

impl Backward<Flex, 3> for Normalisation {
    /// Input, gamma and beta; epsilon; threads.
    type State = ([NodeId; 3], f32, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let (inputs, epsilon, threads) = ops.state;
        let gradient = grads.consume::<Flex>(&ops.node).to_contiguous();
        let inputs = inputs.map(|id| {
            let tensor: FlexTensor = checkpointer.retrieve_node_output(id);
            tensor.to_contiguous()
        });
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
        checked(tellapart_kernels::norm_relu_gradient(
            x,
            gamma,
            beta,
            epsilon,
            values_of(&gradient),
            gradients,
            threads,
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

fn norm_relu(
    x: &FlexTensor,
    gamma: &FlexTensor,
    beta: &FlexTensor,
    epsilon: f32,
    threads: usize,
) -> FlexTensor {
    let [values, gamma, beta] = [x, gamma, beta].map(FlexTensor::to_contiguous);
    let mut out = vec![0.0; values_of(&values).len()];
    checked(tellapart_kernels::norm_relu(
        values_of(&values),
        values_of(&gamma),
        values_of(&beta),
        epsilon,
        &mut out,
        threads,
    ));
    FlexTensor::from_data(TensorData::new(out, x.layout().shape().clone()))
}

/// The elements of a contiguous tensor, in C order. Empty, which the kernels then report by name,
/// should the precision be another one.
fn values_of(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or_default()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
