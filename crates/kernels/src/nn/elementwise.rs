//! Elementwise operations that several kernels share.

use crate::simd::each_isa::on_each_isa;

on_each_isa!(scale_bytes = bytes_to_unit(bytes: &[u8], out: &mut [f32]));
on_each_isa!(rectify = relu(input: &[f32], out: &mut [f32]));
on_each_isa!(add_rows = add_each_row(rows: &[f32], to: &mut [f32]));
on_each_isa!(accumulate = add(to: &mut [f32], values: &[f32]));

#[inline(always)]
fn add_each_row(rows: &[f32], to: &mut [f32]) {
    for row in rows.chunks_exact(to.len()) {
        add(to, row);
    }
}

/// Scales `0..=255` to `[0, 1]`.
#[inline(always)]
fn bytes_to_unit(bytes: &[u8], out: &mut [f32]) {
    for (out, &byte) in out.iter_mut().zip(bytes) {
        *out = f32::from(byte) * (1.0 / 255.0);
    }
}

#[inline(always)]
pub(crate) fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}

#[inline(always)]
fn relu(input: &[f32], out: &mut [f32]) {
    for (out, &value) in out.iter_mut().zip(input) {
        *out = if value > 0.0 { value } else { 0.0 };
    }
}
