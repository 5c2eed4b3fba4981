//! Networks of square layers with MaxMin between them (Anil et al. 2019, also called GroupSort2).
//! Each row goes through the network chosen for it.
//!
//! MaxMin sorts the pairs `(i, i + width / 2)` of a row: the larger value goes first.

use crate::gemm::panels::{pack_rows, pack_transposed_panel, padded_start};
use crate::nn::elementwise::add_rows;
use crate::nn::padded_rows::PaddedRows;
use crate::parallel::made_of_each;
use crate::shape::{KernelError, check_length};
use crate::simd::Isa;

/// Networks of one shape, checked by [`MaxMinNetworks::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxMinNetworks {
    networks: usize,
    layers: usize,
    width: usize,
    isa: Isa,
}

/// Parameters of the networks: `weight` is `[layers][networks][width][width]`, output axis before
/// input axis, and `bias` is `[layers][networks][width]`.
#[derive(Clone, Copy, Debug)]
pub struct MaxMinParameters<'a> {
    /// Weights of all layers.
    pub weight: &'a [f32],
    /// Biases of all layers.
    pub bias: &'a [f32],
}

/// Gradients that [`MaxMinNetworks::backward`] computes; all of them are overwritten.
pub struct MaxMinGradients<'a> {
    /// Gradient with respect to the input.
    pub input: &'a mut [f32],
    /// Gradient with respect to the weight.
    pub weight: &'a mut [f32],
    /// Gradient with respect to the bias.
    pub bias: &'a mut [f32],
}

impl MaxMinNetworks {
    /// Checks the sizes of `networks` networks of `layers` layers. MaxMin follows every layer but
    /// the last.
    ///
    /// # Errors
    /// [`KernelError`] names the size that is zero, or says that the width is odd.
    pub fn new(networks: usize, layers: usize, width: usize) -> Result<Self, KernelError> {
        let sizes = [
            ("the number of networks", networks),
            ("the number of layers", layers),
            ("the width of a layer with MaxMin", width),
        ];
        if let Some((name, _)) = sizes.into_iter().find(|(_, size)| *size == 0) {
            return Err(KernelError::Zero { name });
        }
        if !width.is_multiple_of(2) {
            return Err(KernelError::OddWidth { width });
        }
        Ok(Self {
            networks,
            layers,
            width,
            isa: Isa::detect(),
        })
    }

    #[cfg(test)]
    pub(crate) fn on(self, isa: Isa) -> Self {
        Self { isa, ..self }
    }

    /// Passes each row of `input` through the network `chosen` for it, and overwrites `out`. Both
    /// are `[rows][width]`.
    ///
    /// Cost: `2 layers width^2` operations for each row.
    ///
    /// # Errors
    /// [`KernelError`] names a slice whose length does not fit, or a network that does not exist.
    pub fn forward(
        &self,
        input: &[f32],
        parameters: MaxMinParameters<'_>,
        chosen: &[u32],
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        self.check(input, parameters, chosen)?;
        check_length("the output of the networks", input.len(), out.len())?;
        let outputs = self.of_each_network(chosen, |network, rows| {
            let padded = PaddedRows::new(self.isa, self.width, rows.len());
            let input = padded.gather(input, rows.iter().copied());
            self.layers_of(&padded, network, parameters, &input).pop()
        });
        for (rows, output) in outputs {
            let padded = PaddedRows::new(self.isa, self.width, rows.len());
            padded.scatter(&output.unwrap_or_default(), rows, out);
        }
        Ok(())
    }

    /// Computes `gradients` from the `gradient` with respect to the output. `input`, `parameters`
    /// and `chosen` are those of the forward pass, which is computed once more.
    ///
    /// Cost: `6 layers width^2` operations for each row.
    ///
    /// # Errors
    /// [`KernelError`] names a slice whose length does not fit, or a network that does not exist.
    pub fn backward(
        &self,
        input: &[f32],
        parameters: MaxMinParameters<'_>,
        chosen: &[u32],
        gradient: &[f32],
        gradients: MaxMinGradients<'_>,
    ) -> Result<(), KernelError> {
        self.check(input, parameters, chosen)?;
        let MaxMinParameters { weight, bias } = parameters;
        for (name, expected, found) in [
            (
                "the output gradient of the networks",
                input.len(),
                gradient.len(),
            ),
            (
                "the input gradient of the networks",
                input.len(),
                gradients.input.len(),
            ),
            (
                "the weight gradient of the networks",
                weight.len(),
                gradients.weight.len(),
            ),
            (
                "the bias gradient of the networks",
                bias.len(),
                gradients.bias.len(),
            ),
        ] {
            check_length(name, expected, found)?;
        }
        let found = self.of_each_network(chosen, |network, rows| {
            let padded = PaddedRows::new(self.isa, self.width, rows.len());
            let [input, gradient] =
                [input, gradient].map(|from| padded.gather(from, rows.iter().copied()));
            self.gradients_of(&padded, network, parameters, &input, gradient)
        });
        for (network, (rows, (to_input, of_layers))) in found.into_iter().enumerate() {
            let padded = PaddedRows::new(self.isa, self.width, rows.len());
            padded.scatter(&to_input, rows, gradients.input);
            for (layer, found) in of_layers.iter().enumerate() {
                let at = layer * self.networks + network;
                let square = self.width * self.width;
                let to_weight = &mut gradients.weight[at * square..][..square];
                padded.scatter(&found.weight, 0..self.width, to_weight);
                gradients.bias[at * self.width..][..self.width]
                    .copy_from_slice(&found.bias[..self.width]);
            }
        }
        Ok(())
    }

    /// Returns, for every network, its rows and `make(network, rows)`.
    fn of_each_network<R: Send>(
        &self,
        chosen: &[u32],
        make: impl Fn(usize, &[usize]) -> R + Sync,
    ) -> Vec<(Vec<usize>, R)> {
        let mut rows = vec![Vec::new(); self.networks];
        for (row, &network) in chosen.iter().enumerate() {
            rows[network as usize].push(row);
        }
        let made = made_of_each(&rows, |network, rows| make(network, rows));
        rows.into_iter().zip(made).collect()
    }

    /// Returns the outputs of each layer, before MaxMin.
    fn layers_of(
        &self,
        rows: &PaddedRows,
        network: usize,
        parameters: MaxMinParameters<'_>,
        input: &[f32],
    ) -> Vec<Vec<f32>> {
        let mut outputs: Vec<Vec<f32>> = Vec::with_capacity(self.layers);
        for layer in 0..self.layers {
            let sorted = outputs.last().map(|output| sorted(rows, output));
            let from = sorted.as_deref().unwrap_or(input);
            let (weight, bias) = self.layer(parameters, layer, network);
            let panels = packed_transpose(rows, weight);
            let start = padded_start(rows.isa, rows.columns, Some(bias));
            let mut output = rows.zeros();
            rows.product(from, &panels, &start, &mut output);
            outputs.push(output);
        }
        outputs
    }

    /// Returns the gradients with respect to the input (rows padded) and of each layer.
    fn gradients_of(
        &self,
        rows: &PaddedRows,
        network: usize,
        parameters: MaxMinParameters<'_>,
        input: &[f32],
        gradient: Vec<f32>,
    ) -> (Vec<f32>, Vec<LayerGradient>) {
        let outputs = self.layers_of(rows, network, parameters, input);
        let zeros = padded_start(rows.isa, rows.columns, None);
        let mut gradient = gradient;
        let mut of_layers = Vec::with_capacity(self.layers);
        for layer in (0..self.layers).rev() {
            let before = layer.checked_sub(1).map(|before| &outputs[before]);
            let sorted = before.map(|output| sorted(rows, output));
            let from = sorted.as_deref().unwrap_or(input);
            let mut found = LayerGradient {
                weight: vec![0.0; self.width * rows.columns],
                bias: vec![0.0; rows.columns],
            };
            rows.transposed_product(&gradient, from, true, &mut found.weight);
            add_rows(rows.isa, &gradient, &mut found.bias);
            of_layers.push(found);
            let (weight, _) = self.layer(parameters, layer, network);
            let panels = pack_rows::<f32>(rows.isa, self.width, self.width, weight);
            let mut next = rows.zeros();
            rows.product(&gradient, &panels, &zeros, &mut next);
            if let Some(output) = before {
                exchange(rows, output, &mut next);
            }
            gradient = next;
        }
        of_layers.reverse();
        (gradient, of_layers)
    }

    fn layer<'a>(
        &self,
        parameters: MaxMinParameters<'a>,
        layer: usize,
        network: usize,
    ) -> (&'a [f32], &'a [f32]) {
        let at = layer * self.networks + network;
        let square = self.width * self.width;
        (
            &parameters.weight[at * square..][..square],
            &parameters.bias[at * self.width..][..self.width],
        )
    }

    fn check(
        &self,
        input: &[f32],
        parameters: MaxMinParameters<'_>,
        chosen: &[u32],
    ) -> Result<(), KernelError> {
        let biases = self.layers * self.networks * self.width;
        check_length(
            "the input of the networks",
            chosen.len() * self.width,
            input.len(),
        )?;
        check_length(
            "the weight of the networks",
            biases * self.width,
            parameters.weight.len(),
        )?;
        check_length("the bias of the networks", biases, parameters.bias.len())?;
        match chosen
            .iter()
            .position(|&network| network as usize >= self.networks)
        {
            None => Ok(()),
            Some(row) => Err(KernelError::NoSuchNetwork {
                row,
                network: chosen[row],
                networks: self.networks,
            }),
        }
    }
}

/// Gradients of a layer of one network, rows padded.
struct LayerGradient {
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Packs a weight, `[width][width]`, for its product with rows.
fn packed_transpose(rows: &PaddedRows, weight: &[f32]) -> Vec<f32> {
    let panel_len = rows.width * rows.isa.columns();
    let mut panels = vec![0.0; rows.width * rows.columns];
    for (panel, elements) in panels.chunks_exact_mut(panel_len).enumerate() {
        pack_transposed_panel(rows.isa, rows.width, weight, panel, elements);
    }
    panels
}

/// Returns MaxMin of padded rows.
fn sorted(of: &PaddedRows, rows: &[f32]) -> Vec<f32> {
    let mut sorted = rows.to_vec();
    exchange(of, rows, &mut sorted);
    sorted
}

/// Exchanges the pairs of `values` whose counterparts in `rows` MaxMin exchanges. NaN stays where
/// it is.
fn exchange(of: &PaddedRows, rows: &[f32], values: &mut [f32]) {
    let half = of.width / 2;
    let each_row = rows.chunks_exact(of.columns);
    for (row, values) in each_row.zip(values.chunks_exact_mut(of.columns)) {
        let ((a, b), (x, y)) = (row.split_at(half), values.split_at_mut(half));
        for ((a, b), (x, y)) in a.iter().zip(b).zip(x.iter_mut().zip(y)) {
            (*x, *y) = if a < b { (*y, *x) } else { (*x, *y) };
        }
    }
}
