//! Winograd filters of two taps along one axis.

use crate::simd::Lanes;

/// Winograd filter: `m` neighboring outputs of `m + 1` inputs, by `m + 1` products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    /// F(2, 2): three products instead of four.
    Two,
    /// F(4, 2): five products instead of eight.
    Four,
}

impl Filter {
    pub(super) const ALL: [Self; 2] = [Self::Two, Self::Four];

    pub(super) fn outputs(self) -> usize {
        self.positions() - 1
    }

    /// Products, each at a position of its own. The first position has no second tap and is in the
    /// first output only. The last one has no first tap and is in the last output only.
    pub(super) fn positions(self) -> usize {
        self.taps().len()
    }

    /// Factors of the first and the second tap at each position.
    pub(super) fn taps(self) -> &'static [[f32; 2]] {
        match self {
            Self::Two => &[[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]],
            Self::Four => &[
                [1.0 / 2.0, 0.0],
                [-1.0 / 2.0, -1.0 / 2.0],
                [-1.0 / 6.0, 1.0 / 6.0],
                [1.0 / 6.0, 1.0 / 3.0],
                [0.0, 1.0],
            ],
        }
    }
}

/// Index of the position, along one axis, that contributes +1 to every output: a bias can be added
/// there, and its gradient read there.
pub(super) const IN_ALL: usize = 1;

/// Transforms of a [`Filter`] in vectors; it has `OUTPUTS` outputs and `POSITIONS` positions.
pub(super) trait CellTransform<const OUTPUTS: usize, const POSITIONS: usize> {
    /// Returns the factors of the products at each position. Only the last one depends on the last
    /// input.
    ///
    /// # Safety
    /// The processor has the instruction set of `S`.
    unsafe fn inputs<S: Lanes>(inputs: [S::Vector; POSITIONS]) -> [S::Vector; POSITIONS];

    /// Returns the outputs that products make.
    ///
    /// # Safety
    /// The processor has the instruction set of `S`.
    unsafe fn outputs<S: Lanes>(products: [S::Vector; POSITIONS]) -> [S::Vector; OUTPUTS];

    /// Applies the transpose of [`outputs`](Self::outputs).
    ///
    /// # Safety
    /// The processor has the instruction set of `S`.
    unsafe fn gradients<S: Lanes>(gradients: [S::Vector; OUTPUTS]) -> [S::Vector; POSITIONS];
}

/// Transforms of [`Filter::Two`].
pub(super) struct Two;

impl CellTransform<2, 3> for Two {
    #[inline(always)]
    unsafe fn inputs<S: Lanes>([a, b, c]: [S::Vector; 3]) -> [S::Vector; 3] {
        // SAFETY: as the caller promises.
        unsafe { [S::subtract(a, b), b, S::subtract(c, b)] }
    }

    #[inline(always)]
    unsafe fn outputs<S: Lanes>([a, b, c]: [S::Vector; 3]) -> [S::Vector; 2] {
        // SAFETY: as the caller promises.
        unsafe { [S::add(a, b), S::add(b, c)] }
    }

    #[inline(always)]
    unsafe fn gradients<S: Lanes>([y, z]: [S::Vector; 2]) -> [S::Vector; 3] {
        // SAFETY: as the caller promises.
        unsafe { [y, S::add(y, z), z] }
    }
}

/// Transforms of [`Filter::Four`]: polynomials are multiplied by their values at 0, 1, -1, 2 and
/// infinity.
pub(super) struct Four;

impl CellTransform<4, 5> for Four {
    #[inline(always)]
    unsafe fn inputs<S: Lanes>([a, b, c, d, e]: [S::Vector; 5]) -> [S::Vector; 5] {
        // SAFETY: as the caller promises.
        unsafe {
            let (db, dc) = (S::subtract(d, b), S::subtract(d, c));
            [
                S::add_scaled(db, 2.0, S::subtract(a, c)),
                S::add_scaled(dc, -2.0, b),
                S::add_scaled(dc, 2.0, S::subtract(b, c)),
                db,
                S::add_scaled(S::subtract(e, c), -2.0, db),
            ]
        }
    }

    #[inline(always)]
    unsafe fn outputs<S: Lanes>([a, b, c, d, e]: [S::Vector; 5]) -> [S::Vector; 4] {
        // SAFETY: as the caller promises.
        unsafe {
            let (plus, minus) = (S::add(b, c), S::subtract(b, c));
            [
                S::add(S::add(a, plus), d),
                S::add_scaled(minus, 2.0, d),
                S::add_scaled(plus, 4.0, d),
                S::add(S::add_scaled(minus, 8.0, d), e),
            ]
        }
    }

    #[inline(always)]
    unsafe fn gradients<S: Lanes>([w, x, y, z]: [S::Vector; 4]) -> [S::Vector; 5] {
        // SAFETY: as the caller promises.
        unsafe {
            let (even, odd) = (S::add(w, y), S::add(x, z));
            let powers = S::add_scaled(S::add_scaled(w, 4.0, y), 2.0, S::add_scaled(x, 4.0, z));
            [w, S::add(even, odd), S::subtract(even, odd), powers, z]
        }
    }
}
