//! Hidden variables of each world's frames other than the state: the nuisances of recorded data.

use std::collections::BTreeMap;

use tellapart_env::{BatchEnvironment, Counting, Grid};
use tellapart_files::{Array, Values};
use tellapart_system::StateId;

/// A world that can be recorded.
pub(super) trait Recordable: BatchEnvironment {
    /// Columns of this world's nuisances while they grow.
    type Hidden: Default;

    /// Adds the nuisances of the frame that the first environment shows, in `state`.
    fn push_hidden(&self, state: StateId, hidden: &mut Self::Hidden);

    /// Converts the columns to named arrays of `rows` rows.
    fn arrays(hidden: Self::Hidden, rows: usize) -> BTreeMap<String, Array>;
}

#[derive(Default)]
pub(super) struct CountingColumns {
    shape_ids: Vec<u8>,
    colors: Vec<u8>,
    positions: Vec<i16>,
}

impl Recordable for Counting {
    type Hidden = CountingColumns;

    fn push_hidden(&self, _: StateId, hidden: &mut CountingColumns) {
        hidden.shape_ids.push(self.shape(0).id());
        hidden.colors.extend(self.color(0));
        hidden.positions.extend(self.positions(0).as_flattened());
    }

    fn arrays(hidden: CountingColumns, rows: usize) -> BTreeMap<String, Array> {
        let max_count = hidden.positions.len() / (2 * rows.max(1));
        named([
            ("shape_ids", vec![rows], Values::U8(hidden.shape_ids)),
            ("colors", vec![rows, 3], Values::U8(hidden.colors)),
            (
                "positions",
                vec![rows, max_count, 2],
                Values::I16(hidden.positions),
            ),
        ])
    }
}

#[derive(Default)]
pub(super) struct GridColumns {
    positions: Vec<i16>,
    view_ids: Vec<u32>,
    tint_ids: Vec<u8>,
}

impl Recordable for Grid {
    type Hidden = GridColumns;

    fn push_hidden(&self, state: StateId, hidden: &mut GridColumns) {
        hidden.positions.extend(self.position(0));
        hidden.view_ids.push(self.view_of(state));
        hidden.tint_ids.push(self.tint(0));
    }

    fn arrays(hidden: GridColumns, rows: usize) -> BTreeMap<String, Array> {
        named([
            ("positions", vec![rows, 2], Values::I16(hidden.positions)),
            ("view_ids", vec![rows], Values::U32(hidden.view_ids)),
            ("tint_ids", vec![rows], Values::U8(hidden.tint_ids)),
        ])
    }
}

fn named<const N: usize>(arrays: [(&str, Vec<usize>, Values); N]) -> BTreeMap<String, Array> {
    arrays
        .into_iter()
        .map(|(name, shape, values)| (name.to_owned(), Array { shape, values }))
        .collect()
}
