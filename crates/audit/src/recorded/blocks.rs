//! Distances between blocks of latents, by matrix products.

use tellapart_kernels::{Dense, Precision};

use crate::Embeddings;

/// Latents copied next to each other, less their common mean. Far from the origin, rounding would
/// lose the small distances.
pub(super) struct LatentBlock {
    /// `[rows, width]`.
    values: Vec<f32>,
    half_squared_norms: Vec<f32>,
    width: usize,
}

impl LatentBlock {
    pub(super) fn gather(
        embeddings: &Embeddings<'_>,
        mean: &[f64],
        rows: impl ExactSizeIterator<Item = usize>,
    ) -> Self {
        let width = embeddings.width();
        let mut values = Vec::with_capacity(rows.len() * width);
        let mut half_squared_norms = Vec::with_capacity(rows.len());
        for row in rows {
            let start = values.len();
            let centered = embeddings.row(row).iter().zip(mean);
            values.extend(centered.map(|(&value, mean)| (f64::from(value) - mean) as f32));
            let squares = values[start..].iter().map(|value| value * value);
            half_squared_norms.push(0.5 * squares.sum::<f32>());
        }
        Self {
            values,
            half_squared_norms,
            width,
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.half_squared_norms.len()
    }

    /// Calls `offer(row, keys)` for every row of this block, in order. `keys[other]` orders the
    /// rows of the other block by their distance: it is half of the squared distance, less half of
    /// the squared norm of the row.
    ///
    /// Costs `2 * rows * other rows * width` operations; `products` is scratch space.
    pub(super) fn compare(
        &self,
        others: &LatentBlock,
        products: &mut Vec<f32>,
        mut offer: impl FnMut(usize, &[f32]),
    ) {
        let (rows, columns) = (self.rows(), others.rows());
        if rows * columns == 0 {
            return;
        }
        products.resize(rows * columns, 0.0);
        let negated: Vec<f32> = self.values.iter().map(|value| -value).collect();
        let product = Dense::new(rows, self.width, columns, Precision::F32).and_then(|product| {
            product.forward(
                &negated,
                &others.values,
                &others.half_squared_norms,
                products,
            )
        });
        debug_assert!(product.is_ok(), "blocks of one width: {product:?}");
        for (row, keys) in products.chunks_exact(columns).enumerate() {
            offer(row, keys);
        }
    }
}

/// The rows with the smallest keys that were offered, in no order.
#[derive(Clone)]
pub(super) struct TopK {
    items: Vec<(f32, u32)>,
    count: usize,
    limit: f32,
}

impl TopK {
    pub(super) fn new(count: usize) -> Self {
        Self {
            items: Vec::new(),
            count,
            limit: f32::INFINITY,
        }
    }

    /// Offers the rows `id(0)`, `id(1)`, ..., except `except`.
    pub(super) fn offer(&mut self, keys: &[f32], id: impl Fn(usize) -> u32, except: u32) {
        for (place, &key) in keys.iter().enumerate() {
            if key < self.limit {
                let id = id(place);
                if id != except {
                    self.push(key, id);
                }
            }
        }
    }

    pub(super) fn push(&mut self, key: f32, id: u32) {
        self.items.push((key, id));
        if self.items.len() >= 4 * self.count.max(4) {
            self.trim();
        }
    }

    fn trim(&mut self) {
        if self.items.len() > self.count && self.count > 0 {
            let order = |a: &(f32, u32), b: &(f32, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
            let (_, last, _) = self.items.select_nth_unstable_by(self.count - 1, order);
            self.limit = last.0;
            self.items.truncate(self.count);
        }
    }

    /// Returns the `count` smallest, ordered by key and then id.
    pub(super) fn into_items(mut self) -> Vec<(f32, u32)> {
        self.trim();
        self.items
            .sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        self.items
    }
}
