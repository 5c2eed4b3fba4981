//! Images copied, a few at a time, into a scratch with zeros around them.

use crate::tile::Pixel;

/// How images lie in a padded scratch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Padded {
    /// Sizes of an image: rows, columns, channels.
    pub(crate) image: [usize; 3],
    /// Zeros before the first row and before the first column.
    pub(crate) before: [usize; 2],
    /// Rows and columns of the scratch; less than the padded image where nothing reads the rest.
    pub(crate) size: [usize; 2],
}

impl Padded {
    /// Elements of one image in the scratch.
    pub(crate) fn len(&self) -> usize {
        self.size[0] * self.row_len()
    }

    pub(crate) fn row_len(&self) -> usize {
        self.size[1] * self.image[2]
    }

    /// How many of `images` to copy at a time, in equal blocks: what is read over and over then
    /// stays in a second-level cache of 256 KiB, and there are pixels enough to fill the tiles.
    pub(crate) fn images_at_once(&self, images: usize) -> usize {
        const ELEMENTS: usize = 32 << 10;
        let most = (ELEMENTS / self.len().max(1)).max(1);
        images.div_ceil(images.div_ceil(most).max(1))
    }

    /// Copies whole images into `scratch`, whose border must be zero already.
    pub(crate) fn copy(&self, images: &[f32], scratch: &mut [f32]) {
        let [rows, columns, channels] = self.image;
        let rows = rows.min(self.size[0].saturating_sub(self.before[0]));
        let used = columns.min(self.size[1].saturating_sub(self.before[1])) * channels;
        if used == 0 {
            return;
        }
        let image_len = self.image.iter().product();
        let left = self.before[1] * channels;
        for (image, to) in images
            .chunks_exact(image_len)
            .zip(scratch.chunks_exact_mut(self.len()))
        {
            let from = image.chunks_exact(columns * channels).take(rows);
            let to = to.chunks_exact_mut(self.row_len()).skip(self.before[0]);
            for (from, to) in from.zip(to) {
                to[left..left + used].copy_from_slice(&from[..used]);
            }
        }
    }

    /// The offset of a scratch pixel.
    pub(crate) fn at(&self, image: usize, row: usize, column: usize) -> usize {
        image * self.len() + row * self.row_len() + column * self.image[2]
    }
}

/// Pixels of an image: `at(image, row, column)` for each of `images` x `rows` x `columns`.
pub(crate) fn pixels(
    images: usize,
    rows: usize,
    columns: usize,
    at: impl Fn(usize, usize, usize) -> Pixel,
) -> Vec<Pixel> {
    let mut all = Vec::with_capacity(images * rows * columns);
    for image in 0..images {
        for row in 0..rows {
            for column in 0..columns {
                all.push(at(image, row, column));
            }
        }
    }
    all
}
