//! Dense layers: three matrix products on the register tiles of the convolutions. Operands are read
//! in place where their layout allows it.

use std::borrow::Cow;
use std::ops::Range;

use crate::conv::stored::Stored;
use crate::gemm::element::{Element, ElementBuffer};
use crate::gemm::epilogue::Out;
use crate::gemm::microkernel::{ImplicitGemm, WeightGradGemm, implicit_gemm, weight_grad_gemm};
use crate::gemm::panels::{
    grouped_columns, pack_panel_of_rows, pack_transposed_panel, padded_start,
};
use crate::gemm::pixels::Pixels;
use crate::nn::elementwise::add_rows;
use crate::parallel::{over_columns, over_ranges};
use crate::shape::{KernelError, check_length};
use crate::simd::Isa;
use crate::simd::precision::Pair;
use crate::simd::precision::Precision;

/// Sizes of a dense layer, checked by [`Dense::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dense {
    rows: usize,
    inputs: usize,
    outputs: usize,
    precision: Precision,
}

/// Gradients that [`Dense::backward`] computes; all of them are overwritten.
pub struct DenseGradients<'a> {
    /// Gradient with respect to the input, if it is wanted.
    pub input: Option<&'a mut [f32]>,
    /// Gradient with respect to the weight.
    pub weight: &'a mut [f32],
    /// Gradient with respect to the bias.
    pub bias: &'a mut [f32],
}

impl Dense {
    /// Checks the sizes of a layer from `inputs` to `outputs` values, for `rows` rows.
    ///
    /// # Errors
    /// [`KernelError`] names a width that is zero.
    pub fn new(
        rows: usize,
        inputs: usize,
        outputs: usize,
        precision: Precision,
    ) -> Result<Self, KernelError> {
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
            precision,
        })
    }

    /// Computes `out = input weight^T + bias`: `input` is `[rows][inputs]`, `weight`
    /// `[outputs][inputs]`, `bias` `[outputs]`, `out` `[rows][outputs]`, overwritten.
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
        match self.precision {
            Precision::F32 => self.forward_in::<f32>(input, weight, bias, out),
            Precision::Bf16 => self.forward_in::<Pair>(input, weight, bias, out),
        }
        Ok(())
    }

    /// Computes `gradients` from the `gradient` with respect to the output. `input` and `weight`
    /// are those of the forward pass.
    ///
    /// # Errors
    /// [`KernelError::Length`] names a slice whose length does not fit.
    pub fn backward(
        &self,
        input: &[f32],
        weight: &[f32],
        gradient: &[f32],
        gradients: DenseGradients<'_>,
    ) -> Result<(), KernelError> {
        self.check(input, weight)?;
        let (rows, inputs, outputs) = (self.rows, self.inputs, self.outputs);
        let DenseGradients {
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
        if let Some(to_input) = &to_input {
            check_length(
                "the input gradient of a dense layer",
                rows * inputs,
                to_input.len(),
            )?;
        }
        let isa = Isa::detect();
        to_bias.fill(0.0);
        add_rows(isa, gradient, to_bias);
        match self.precision {
            Precision::F32 => self.backward_in::<f32>(input, weight, gradient, to_input, to_weight),
            Precision::Bf16 => {
                self.backward_in::<Pair>(input, weight, gradient, to_input, to_weight)
            }
        }
        Ok(())
    }

    fn forward_in<I: Element>(&self, input: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
        let isa = Isa::detect();
        let weight = grouped_columns::<I>(isa, weight, self.inputs);
        let depth = self.inputs.div_ceil(I::VALUES);
        let start = padded_start(isa, self.outputs, Some(bias));
        let pack =
            |panel, elements: &mut [I]| pack_transposed_panel(isa, depth, &weight, panel, elements);
        self.multiply(isa, input, [self.inputs, self.outputs], pack, &start, out);
    }

    fn backward_in<I: Element>(
        &self,
        input: &[f32],
        weight: &[f32],
        gradient: &[f32],
        to_input: Option<&mut [f32]>,
        to_weight: &mut [f32],
    ) {
        let isa = Isa::detect();
        let (inputs, outputs) = (self.inputs, self.outputs);
        let columns = inputs.next_multiple_of(isa.columns());
        let groups = self.rows.div_ceil(I::VALUES);
        let (taps, pixels) = (
            Vec::from_iter(0..outputs),
            Pixels::of_rows(groups, outputs, 0),
        );
        let left = grouped_rows::<I>(isa, gradient, outputs, outputs);
        let right = grouped_rows::<I>(isa, input, inputs, columns);
        over_ranges(outputs, self.products(), to_weight, |range, to_weight| {
            let product = WeightGradGemm {
                input: &left,
                taps: &taps[range.clone()],
                pixels: pixels.first(groups),
                gradient: &right,
                columns,
                is_first: true,
            };
            if columns == inputs {
                return weight_grad_gemm(isa, &product, to_weight);
            }
            let mut sums = vec![0.0; range.len() * columns];
            weight_grad_gemm(isa, &product, &mut sums);
            let sums = sums.chunks_exact(columns);
            for (to, from) in to_weight.chunks_exact_mut(inputs).zip(sums) {
                to.copy_from_slice(&from[..inputs]);
            }
        });
        if let Some(to_input) = to_input {
            let start = padded_start(isa, inputs, None);
            let pack = |panel, elements: &mut [I]| {
                pack_panel_of_rows(isa, inputs, weight, panel, elements)
            };
            self.multiply(isa, gradient, [outputs, inputs], pack, &start, to_input);
        }
    }

    /// Multiplies every row, `from` values of `input`, by a matrix whose panels
    /// `pack(panel, elements)` writes. A row of `out` has `to` values. Panels are packed one at a
    /// time, because the caches do not hold all of them.
    fn multiply<I: Element>(
        &self,
        isa: Isa,
        input: &[f32],
        [from, to]: [usize; 2],
        pack: impl Fn(usize, &mut [I]) + Sync,
        start: &[f32],
        out: &mut [f32],
    ) {
        let (width, depth) = (isa.columns(), from.div_ceil(I::VALUES));
        let some = |rows: Range<usize>, columns: Range<usize>, apart: usize, out: &mut [f32]| {
            let input = grouped_columns::<I>(isa, &input[rows.start * from..rows.end * from], from);
            let mut panel = ElementBuffer::zeros(depth * width);
            let pixels = Pixels::of_rows(rows.len(), depth, apart);
            for first in columns.clone().step_by(width) {
                let used = width.min(columns.end - first);
                pack(first / width, &mut panel);
                if used < width {
                    let rows = panel.chunks_exact_mut(width);
                    rows.for_each(|row| row[used..].fill(I::default()));
                }
                let product = ImplicitGemm {
                    input: &input,
                    pixels: pixels.first(rows.len()),
                    runs: &[0],
                    run_len: depth,
                    panels: &panel,
                    start: &start[first..],
                    columns: used,
                };
                let out = &mut out[first - columns.start..];
                implicit_gemm(isa, &product, Out::plain(out));
            }
        };
        // Divided by columns, no panel is packed twice; with many rows, packing does not matter.
        const MANY: usize = 1024;
        if self.rows >= MANY || to <= width {
            over_ranges(self.rows, self.products(), out, |rows, out| {
                some(rows, 0..to, to, out);
            });
        } else if self.rows > 0 {
            over_columns(to, width, self.products(), out, |columns, apart, out| {
                some(0..self.rows, columns, apart, out);
            });
        }
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

/// Converts rows of `width` values to elements. Consecutive rows share elements, and zeros follow
/// each row up to `columns`.
fn grouped_rows<I: Element>(isa: Isa, rows: &[f32], width: usize, columns: usize) -> Cow<'_, [I]> {
    let same = I::as_elements(rows).filter(|_| width == columns);
    same.map_or_else(
        || {
            let groups = rows.len().div_ceil(I::VALUES * width);
            let mut elements = vec![I::default(); groups * columns];
            I::group_rows(isa, Stored::Values(rows), width, columns, &mut elements);
            Cow::Owned(elements)
        },
        Cow::Borrowed,
    )
}
