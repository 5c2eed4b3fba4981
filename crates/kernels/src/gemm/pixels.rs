//! Offsets of the rows of a matrix product.

use std::ops::Deref;

/// Offsets at which one output pixel reads (in elements) and writes (in values).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pixel {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

/// Pixels in ascending order of both offsets: the last one bounds the reads and writes of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pixels(Vec<Pixel>);

/// First pixels of [`Pixels`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ascending<'a>(&'a [Pixel]);

impl Pixels {
    /// Lists `at(image, row, column)`, in ascending order, for each of `images` x `rows` x
    /// `columns`.
    pub(crate) fn of_images(
        images: usize,
        rows: usize,
        columns: usize,
        at: impl Fn(usize, usize, usize) -> Pixel,
    ) -> Self {
        let mut all = Vec::with_capacity(images * rows * columns);
        for image in 0..images {
            for row in 0..rows {
                for column in 0..columns {
                    all.push(at(image, row, column));
                }
            }
        }
        assert!(all.is_sorted_by_key(|pixel| pixel.input));
        assert!(all.is_sorted_by_key(|pixel| pixel.output));
        Self(all)
    }

    /// Lists rows that are `reads` elements apart where they are read, and `writes` values apart
    /// where they are written.
    pub(crate) fn of_rows(rows: usize, reads: usize, writes: usize) -> Self {
        let pixel = |row| Pixel {
            input: row * reads,
            output: row * writes,
        };
        Self((0..rows).map(pixel).collect())
    }

    pub(crate) fn first(&self, count: usize) -> Ascending<'_> {
        Ascending(&self.0[..count])
    }
}

impl Deref for Pixels {
    type Target = [Pixel];

    fn deref(&self) -> &[Pixel] {
        &self.0
    }
}

impl Deref for Ascending<'_> {
    type Target = [Pixel];

    fn deref(&self) -> &[Pixel] {
        self.0
    }
}
