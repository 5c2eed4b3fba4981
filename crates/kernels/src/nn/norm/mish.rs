//! Activation Mish and its slope, in arithmetic that becomes vectors.

/// Returns `x tanh(ln(1 + e^x)) = x n / (n + 2)` with `n = e^x (e^x + 2)`.
#[inline(always)]
pub(super) fn mish(x: f32) -> f32 {
    let e = exp(x);
    let n = e * (e + 2.0);
    x * (n / (n + 2.0))
}

/// Returns the derivative of [`mish`].
#[inline(always)]
pub(super) fn mish_slope(x: f32) -> f32 {
    let e = exp(x);
    let n = e * (e + 2.0);
    let share = 1.0 / (n + 2.0);
    n * share + x * (4.0 * e * share) * ((e + 1.0) * share)
}

/// Returns `e^x` for x in [-87, 20], and that of the nearer end outside: beyond them [`mish`] is 0
/// or x to the last bit. Relative error below 2e-7 (Cephes' polynomial).
#[inline(always)]
fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 * 2^23: adding it rounds to a whole number.
    let x = x.clamp(-87.0, 20.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, so that the remainder keeps its digits.
    let r = x - whole * (355.0 / 512.0) + whole * 2.121_944_4e-4;
    let mut p = 1.987_569_2e-4;
    for c in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        p = p * r + c;
    }
    let mantissa = p * r * r + r + 1.0;
    let power = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    mantissa * f32::from_bits(power)
}
