//! The two inner loops; everything else arranges data for them.
//!
//! Both keep a tile of `ROWS` x two vectors in registers. Each step of the inner loop loads two
//! vectors of elements and broadcasts one element for each row, so the multiply-adds are the
//! bottleneck.

use crate::gemm::element::Element;
use crate::gemm::epilogue::{Epilogue, Out, Sink};
use crate::gemm::pixels::Ascending;
use crate::simd::{Isa, Lanes, WIDEST};

/// Matrix product whose left rows are gathered. For each pixel and column `n`,
/// `out[pixel.output + n] = start[n] + sum of input[pixel.input + run + j] * panels[.., n]` over
/// all `run` in `runs` and `j < run_len`, in that order.
pub(crate) struct ImplicitGemm<'a, I> {
    pub(crate) input: &'a [I],
    pub(crate) pixels: Ascending<'a>,
    pub(crate) runs: &'a [usize],
    pub(crate) run_len: usize,
    /// `[panel][runs * run_len][isa.columns()]`; columns beyond `columns` are zero.
    pub(crate) panels: &'a [I],
    /// Initial sums, one for each column of the panels.
    pub(crate) start: &'a [f32],
    pub(crate) columns: usize,
}

/// Computes an [`ImplicitGemm`] product.
pub(crate) fn implicit_gemm<I: Element>(isa: Isa, product: &ImplicitGemm<'_, I>, out: Out<'_>) {
    let panels = product.columns.div_ceil(isa.columns());
    let depth = product.runs.len() * product.run_len;
    let last_run = product
        .runs
        .iter()
        .max()
        .map_or(0, |run| run + product.run_len);
    let last = product.pixels.last();
    let reads = last.map_or(0, |last| last.input + last_run);
    let writes = last.map_or(0, |last| last.output + product.columns);
    assert!(reads <= product.input.len() && writes <= out.len());
    // A pair holds two neighboring columns.
    assert!(matches!(out, Out::Values(..)) || product.columns.is_multiple_of(2));
    assert!(out.seen().is_none_or(|seen| writes <= seen));
    assert!(panels * depth * isa.columns() <= product.panels.len());
    assert!(panels * isa.columns() <= product.start.len());
    // SAFETY: the instruction set was detected; all reads and writes were bounded just above.
    unsafe { I::implicit_gemm(isa, product, out) }
}

/// Computes the product with the vectors of `S`.
///
/// # Safety
/// The bounds that [`implicit_gemm`] checks; the processor has the instruction set of `S`.
#[inline(always)]
pub(crate) unsafe fn implicit_gemm_unchecked<S: Lanes, const ROWS: usize>(
    product: &ImplicitGemm<'_, S::Element>,
    out: Out<'_>,
) {
    // SAFETY: as the caller promises.
    unsafe {
        match out {
            Out::Values(out, Epilogue::Nothing) => gather::<S, ROWS>(product, out),
            Out::Values(out, epilogue) => gather::<S, ROWS>(product, (out, epilogue)),
            Out::Pairs(out, epilogue) => gather::<S, ROWS>(product, (out, epilogue)),
        }
    }
}

/// Computes the product tile by tile, and hands the sums to `out`.
///
/// # Safety
/// The bounds that [`implicit_gemm`] checks; the processor has the instruction set of `S`.
#[inline(always)]
unsafe fn gather<S: Lanes, const ROWS: usize>(
    product: &ImplicitGemm<'_, S::Element>,
    mut out: impl Sink,
) {
    let width = 2 * S::WIDTH;
    let depth = product.runs.len() * product.run_len;
    let input = product.input.as_ptr();
    for first in (0..product.columns).step_by(width) {
        for tile in product.pixels.chunks(ROWS) {
            // SAFETY: every offset was bounded by `implicit_gemm`; in a last tile with fewer rows
            // the surplus ones repeat the last pixel, and are not stored.
            unsafe {
                let panel = product.panels.as_ptr().add(first * depth);
                let start = product.start.as_ptr().add(first);
                let start = [S::load(start), S::load(start.add(S::WIDTH))];
                let mut sums = [start; ROWS];
                let mut rows = [input; ROWS];
                for (row, pointer) in rows.iter_mut().enumerate() {
                    *pointer = input.add(tile[row.min(tile.len() - 1)].input);
                }
                let mut weights = panel;
                for &run in product.runs {
                    let rows = rows.map(|row| row.add(run));
                    for tap in 0..product.run_len {
                        add_step::<S, ROWS>(&mut sums, &rows, tap, weights);
                        weights = weights.add(width);
                    }
                }
                // Rows are stored by constant index, so that the sums do not leave the registers
                // before. A partial row goes through a buffer.
                let used = width.min(product.columns - first);
                for (row, sums) in sums.into_iter().enumerate() {
                    let Some(pixel) = tile.get(row) else { break };
                    let at = pixel.output + first;
                    if used == width {
                        out.store::<S>(at, sums);
                    } else {
                        let mut buffer = [0.0; 2 * WIDEST];
                        let to = buffer.as_mut_ptr();
                        S::store(to, sums[0]);
                        S::store(to.add(S::WIDTH), sums[1]);
                        out.store_each(at, &buffer[..used]);
                    }
                }
            }
        }
    }
}

/// Takes one step of a register tile: `sums[row] += rows[row][at] * right[..]`.
///
/// # Safety
/// Every row is readable at `at`, `right` for two vectors; the processor has the instruction set.
#[inline(always)]
unsafe fn add_step<S: Lanes, const ROWS: usize>(
    sums: &mut [[S::Vector; 2]; ROWS],
    rows: &[*const S::Element; ROWS],
    at: usize,
    right: *const S::Element,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let right = [
            S::load_elements(right),
            S::load_elements(right.add(S::WIDTH)),
        ];
        for row in 0..ROWS {
            let element = S::splat(*rows[row].add(at));
            sums[row][0] = S::multiply_add(element, right[0], sums[row][0]);
            sums[row][1] = S::multiply_add(element, right[1], sums[row][1]);
        }
    }
}

/// Sums to which products are added.
pub(crate) struct Accumulator<'a> {
    pub(crate) values: &'a mut [f32],
    /// Whether nothing was added before; the present values then do not matter.
    pub(crate) is_first: bool,
}

impl<'a> Accumulator<'a> {
    /// Splits the accumulator into `(weight, bias, is_first)`; the weight has `len` sums. On first
    /// use the bias is zeroed, and so is the weight if `is_empty`, since then no product will
    /// overwrite it.
    pub(crate) fn of_weight(
        self,
        len: usize,
        is_empty: bool,
    ) -> (&'a mut [f32], &'a mut [f32], bool) {
        let (weight, bias) = self.values.split_at_mut(len);
        if self.is_first {
            bias.fill(0.0);
        }
        if self.is_first && is_empty {
            weight.fill(0.0);
        }
        (weight, bias, self.is_first)
    }

    #[cfg(test)]
    pub(crate) fn first(values: &'a mut [f32]) -> Self {
        Self {
            values,
            is_first: true,
        }
    }
}

/// Matrix product whose left columns are gathered, added to `sums` or in their place. For each
/// `tap` and column `n`, `sums[tap][n] += sum of input[pixels[p] + taps[tap]] * gradient[p][n]`
/// over `p`, in order.
pub(crate) struct WeightGradGemm<'a, I> {
    pub(crate) input: &'a [I],
    pub(crate) taps: &'a [usize],
    pub(crate) pixels: Ascending<'a>,
    /// `[pixel][columns]`, with `columns` a multiple of `isa.columns()`.
    pub(crate) gradient: &'a [I],
    pub(crate) columns: usize,
    /// Whether the product overwrites `sums`.
    pub(crate) is_first: bool,
}

/// Adds a [`WeightGradGemm`] product to `sums`, `[tap][columns]`, or overwrites them.
pub(crate) fn weight_grad_gemm<I: Element>(
    isa: Isa,
    product: &WeightGradGemm<'_, I>,
    sums: &mut [f32],
) {
    let last_tap = product.taps.iter().max().map_or(0, |tap| tap + 1);
    let last = product.pixels.last();
    assert!(last.map_or(0, |last| last.input + last_tap) <= product.input.len());
    assert!(product.columns.is_multiple_of(isa.columns()));
    assert!(product.pixels.len() * product.columns <= product.gradient.len());
    assert!(product.taps.len() * product.columns <= sums.len());
    // SAFETY: the instruction set was detected; all reads and writes were bounded just above.
    unsafe { I::weight_grad_gemm(isa, product, sums) }
}

/// Adds the product to `sums`, or overwrites them, with the vectors of `S`.
///
/// # Safety
/// The bounds that [`weight_grad_gemm`] checks; the processor has the instruction set of `S`.
#[inline(always)]
pub(crate) unsafe fn weight_grad_gemm_unchecked<S: Lanes, const ROWS: usize>(
    product: &WeightGradGemm<'_, S::Element>,
    sums: &mut [f32],
) {
    /// Pixels of one pass: their gradients for one tile stay in the first-level cache.
    const PASS: usize = 256;
    let width = 2 * S::WIDTH;
    let input = product.input.as_ptr();
    if product.is_first && product.pixels.is_empty() {
        sums[..product.taps.len() * product.columns].fill(0.0);
    }
    for (pass, pixels) in product.pixels.chunks(PASS).enumerate() {
        let is_first = product.is_first && pass == 0;
        for first in (0..product.columns).step_by(width) {
            for (tile, taps) in product.taps.chunks(ROWS).enumerate() {
                // SAFETY: every offset was bounded by `weight_grad_gemm`; in a last tile with fewer
                // rows the surplus ones repeat the last tap, and are not stored.
                unsafe {
                    let mut rows = [input; ROWS];
                    for (row, pointer) in rows.iter_mut().enumerate() {
                        *pointer = input.add(taps[row.min(taps.len() - 1)]);
                    }
                    let zero = S::zero();
                    let mut tile_sums = [[zero; 2]; ROWS];
                    let mut gradient = product
                        .gradient
                        .as_ptr()
                        .add(pass * PASS * product.columns + first);
                    for pixel in pixels {
                        add_step::<S, ROWS>(&mut tile_sums, &rows, pixel.input, gradient);
                        // The last step may point past the end; that pointer is not read.
                        gradient = gradient.wrapping_add(product.columns);
                    }
                    let to = sums.as_mut_ptr().add(tile * ROWS * product.columns + first);
                    for (row, sum) in tile_sums.iter().enumerate() {
                        if row < taps.len() {
                            let to = to.add(row * product.columns);
                            for (to, sum) in [to, to.add(S::WIDTH)].into_iter().zip(sum) {
                                let before = if is_first { zero } else { S::load(to) };
                                S::store(to, S::add(before, *sum));
                            }
                        }
                    }
                }
            }
        }
    }
}
