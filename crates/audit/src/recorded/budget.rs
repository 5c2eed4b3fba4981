//! Which diagnostics are worth their cost: none takes longer than the rest of the audit, beyond a
//! minute or two.

/// Cost of each multiplication in a product of a matrix with its transpose, and of each cubed side
/// of a matrix in its decomposition. The unit is a multiplication in the search for neighbors, in
/// f32 on all threads; measured on two cores.
const PRODUCT: f64 = 25.0;
const DECOMPOSITION: f64 = 50.0;
/// Number of rows with which the search compares each row at most, about.
const COMPARED: f64 = 8192.0;
/// Cost up to which every diagnostic is measured: a minute or two.
const ALWAYS: f64 = 3e12;

/// Largest cost of a diagnostic of latents of some width.
pub(super) struct Budget {
    width: usize,
    most: f64,
}

impl Budget {
    /// Allows what the search for neighbors costs, which most of an audit is.
    pub(super) fn of(rows: usize, width: usize) -> Self {
        let rows = rows as f64;
        let search = rows * rows.min(COMPARED) * width as f64;
        Self {
            width,
            most: search.max(ALWAYS),
        }
    }

    /// Whether the spectrum of some rows may be measured: two matrices are reduced and decomposed.
    pub(super) fn allows_spectrum(&self, rows: usize) -> bool {
        2.0 * self.reduction(rows, rows) + 2.0 * self.decomposition(rows) <= self.most
    }

    /// Whether `LiDAR` of some rows may be measured: one scatter and two decompositions.
    pub(super) fn allows_lidar(&self, rows: usize, scattered: usize) -> bool {
        self.reduction(rows, scattered) + 2.0 * self.decomposition(rows) <= self.most
    }

    /// Says which numbers are not measured, and why. `None` if all are.
    pub(super) fn left_out(&self, spectrum: bool, lidar: bool) -> Option<String> {
        let what = match (spectrum, lidar) {
            (true, true) => "RankMe, effective rank, singular values and LiDAR are",
            (true, false) => "RankMe, effective rank and singular values are",
            (false, true) => "LiDAR is",
            (false, false) => return None,
        };
        Some(format!(
            "{what} left out: with {} dimensions, that would take longer than the rest of the audit.",
            self.width
        ))
    }

    /// Cost of the scatter of some of the rows. Where rows are fewer than dimensions, the inner
    /// products of all rows come before.
    fn reduction(&self, rows: usize, scattered: usize) -> f64 {
        let side = self.side(rows);
        let inner_products = if rows < self.width {
            0.5 * side.powi(2) * self.width as f64
        } else {
            0.0
        };
        inner_products + PRODUCT * scattered as f64 * side.powi(2)
    }

    fn decomposition(&self, rows: usize) -> f64 {
        DECOMPOSITION * self.side(rows).powi(3)
    }

    fn side(&self, rows: usize) -> f64 {
        rows.min(self.width) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_latents_have_all_diagnostics_and_huge_ones_those_that_pay() {
        // Rows, width, and whether spectrum and LiDAR are measured.
        let cases = [
            (10, 2, [true, true]),
            (1_000_000, 256, [true, true]),
            (4096, 1024, [true, true]),
            (1_000_000, 2048, [true, true]),
            (16_384, 2048, [true, true]),
            (240, 75_000, [true, true]),
            (2000, 75_000, [true, true]),
            (5000, 8192, [false, false]),
            (20_000, 75_000, [true, false]),
            (1_000_000, 8192, [true, false]),
        ];
        for (rows, width, expected) in cases {
            let budget = Budget::of(rows, width);
            let found = [
                budget.allows_spectrum(rows.min(4096)),
                budget.allows_lidar(rows, rows.min(16_384)),
            ];
            assert_eq!(found, expected, "{rows} rows of {width}");
            let said = budget.left_out(!found[0], !found[1]);
            assert_eq!(said.is_none(), found == [true; 2]);
            assert_eq!(
                said.is_some_and(|said| said.starts_with("LiDAR is left out")),
                found[0] && !found[1]
            );
        }
    }
}
