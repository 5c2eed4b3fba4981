//! Sums of the rows of a matrix, weighted by the bytes of frames.

use crate::simd::Isa;
use crate::simd::each_isa::on_each_isa;

/// Returns the product of frames, u8 `[frames][bytes]`, with a matrix `[bytes][columns]` and with
/// `scale`: `[frames][columns]`. Matrix rows whose byte is zero are never read. Values that do not
/// fill a whole row or frame are left out.
#[must_use]
pub fn weighted_rows(frames: &[u8], matrix: &[f32], columns: usize, scale: f32) -> Vec<f32> {
    let bytes = matrix.len() / columns.max(1);
    if bytes == 0 {
        return Vec::new();
    }
    let isa = Isa::detect();
    let mut out = vec![0.0; frames.len() / bytes * columns];
    for (frame, out) in frames
        .chunks_exact(bytes)
        .zip(out.chunks_exact_mut(columns))
    {
        weighted_rows_on(isa, frame, matrix, scale, out);
    }
    out
}

on_each_isa!(
    weighted_rows_on = add_rows(frame: &[u8], matrix: &[f32], scale: f32, out: &mut [f32])
);

#[inline(always)]
fn add_rows(frame: &[u8], matrix: &[f32], scale: f32, out: &mut [f32]) {
    for (&byte, row) in frame.iter().zip(matrix.chunks_exact(out.len())) {
        if byte != 0 {
            let weight = f32::from(byte) * scale;
            for (sum, value) in out.iter_mut().zip(row) {
                *sum += weight * value;
            }
        }
    }
}
