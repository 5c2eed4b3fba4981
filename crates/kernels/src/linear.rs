//! Dense layers: three matrix products on the tiles of the convolutions, every operand where it is.

use crate::lanes::Isa;
use crate::norm::accumulate;
use crate::panels::{pack_rows, pack_transposed, padded_start};
use crate::shape::{KernelError, check_length};
use crate::split::over_items;
use crate::tile::{Correlated, Gathered, Pixel, correlated_product, gathered_product};

/// Sizes of a dense layer, checked by [`Linear::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Linear {
    rows: usize,
    inputs: usize,
    outputs: usize,
}

/// Where [`Linear::backward`] writes; all of it is overwritten.
pub struct LinearGradients<'a> {
    /// With respect to the input, if it is wanted.
    pub input: Option<&'a mut [f32]>,
    /// With respect to the weight.
    pub weight: &'a mut [f32],
    /// With respect to the bias.
    pub bias: &'a mut [f32],
}

impl Linear {
    /// From `inputs` to `outputs` numbers, for `rows` rows.
    ///
    /// # Errors
    /// [`KernelError`] names a width that is zero.
    pub fn new(rows: usize, inputs: usize, outputs: usize) -> Result<Self, KernelError> {
        for (name, size) in [
            ("inputs of a dense layer", inputs),
            ("outputs of a dense layer", outputs),
        ] {
            if size == 0 {
                return Err(KernelError::Zero { name });
            }
        }
        Ok(Self {
            rows,
            inputs,
            outputs,
        })
    }

    /// `out = input weight^T + bias`: `input` is `[rows][inputs]`, `weight` `[outputs][inputs]`,
    /// `bias` `[outputs]`, `out` `[rows][outputs]`, overwritten.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn forward(
        &self,
        input: &[f32],
        weight: &[f32],
        bias: &[f32],
        out: &mut [f32],
    ) -> Result<(), KernelError> {
        self.check(input, weight)?;
        check_length("the bias of a dense layer", self.outputs, bias.len())?;
        check_length(
            "the output of a dense layer",
            self.rows * self.outputs,
            out.len(),
        )?;
        let isa = Isa::detect();
        let (inputs, outputs) = (self.inputs, self.outputs);
        let panels = pack_transposed(isa, inputs, outputs, weight);
        let start = padded_start(isa, outputs, Some(bias));
        self.each_row(isa, input, [inputs, outputs], &panels, &start, out);
        Ok(())
    }

    /// Gradients from the `gradient` with respect to the output; `input` and `weight` are those of the
    /// forward pass.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn backward(
        &self,
        input: &[f32],
        weight: &[f32],
        gradient: &[f32],
        gradients: LinearGradients<'_>,
    ) -> Result<(), KernelError> {
        self.check(input, weight)?;
        let (rows, inputs, outputs) = (self.rows, self.inputs, self.outputs);
        let LinearGradients {
            input: to_input,
            weight: to_weight,
            bias: to_bias,
        } = gradients;
        for (name, expected, found) in [
            (
                "the output gradient of a dense layer",
                rows * outputs,
                gradient.len(),
            ),
            (
                "the weight gradient of a dense layer",
                outputs * inputs,
                to_weight.len(),
            ),
            ("the bias gradient of a dense layer", outputs, to_bias.len()),
        ] {
            check_length(name, expected, found)?;
        }
        let isa = Isa::detect();
        to_bias.fill(0.0);
        for row in gradient.chunks_exact(outputs) {
            accumulate(isa, to_bias, row);
        }

        let columns = inputs.next_multiple_of(isa.columns());
        let (taps, rows_of) = (Vec::from_iter(0..outputs), pixels(rows, outputs, 0));
        let wide = (columns != inputs).then(|| widened(input, inputs, columns));
        over_items(outputs, self.products(), to_weight, |range, to_weight| {
            let product = Correlated {
                input: gradient,
                taps: &taps[range.clone()],
                pixels: &rows_of,
                gradient: wide.as_deref().unwrap_or(input),
                columns,
            };
            to_weight.fill(0.0);
            if columns == inputs {
                return correlated_product(isa, &product, to_weight);
            }
            let mut sums = vec![0.0; range.len() * columns];
            correlated_product(isa, &product, &mut sums);
            let sums = sums.chunks_exact(columns);
            for (to, from) in to_weight.chunks_exact_mut(inputs).zip(sums) {
                to.copy_from_slice(&from[..inputs]);
            }
        });

        if let Some(to_input) = to_input {
            check_length(
                "the input gradient of a dense layer",
                rows * inputs,
                to_input.len(),
            )?;
            let panels = pack_rows(isa, outputs, inputs, weight);
            let start = padded_start(isa, inputs, None);
            self.each_row(isa, gradient, [outputs, inputs], &panels, &start, to_input);
        }
        Ok(())
    }

    /// Every row, `from` numbers of `input`, times the packed matrix: `to` numbers of `out`.
    fn each_row(
        &self,
        isa: Isa,
        input: &[f32],
        [from, to]: [usize; 2],
        panels: &[f32],
        start: &[f32],
        out: &mut [f32],
    ) {
        over_items(self.rows, self.products(), out, |rows, out| {
            let product = Gathered {
                input: &input[rows.start * from..rows.end * from],
                pixels: &pixels(rows.len(), from, to),
                runs: &[0],
                run_len: from,
                panels,
                start,
                columns: to,
            };
            gathered_product(isa, &product, out);
        });
    }

    /// Multiplications of one of the three matrix products.
    fn products(&self) -> usize {
        self.rows * self.inputs * self.outputs
    }

    fn check(&self, input: &[f32], weight: &[f32]) -> Result<(), KernelError> {
        check_length(
            "the input of a dense layer",
            self.rows * self.inputs,
            input.len(),
        )?;
        check_length(
            "the weight of a dense layer",
            self.outputs * self.inputs,
            weight.len(),
        )
    }
}

/// Rows of matrices that are read and written `reads` and `writes` elements apart.
fn pixels(rows: usize, reads: usize, writes: usize) -> Vec<Pixel> {
    let pixel = |row| Pixel {
        input: row * reads,
        output: row * writes,
    };
    (0..rows).map(pixel).collect()
}

/// Rows of `width` elements followed by zeros up to `columns`.
fn widened(values: &[f32], width: usize, columns: usize) -> Vec<f32> {
    let mut wide = vec![0.0; values.len() / width * columns];
    for (to, from) in wide
        .chunks_exact_mut(columns)
        .zip(values.chunks_exact(width))
    {
        to[..width].copy_from_slice(from);
    }
    wide
}
