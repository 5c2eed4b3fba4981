//! Raster images, and their encoding as PNG.

use crate::ReportError;

const LARGEST_SIDE: usize = 32_767;

/// RGBA image, row by row.
pub(super) struct Raster {
    width: usize,
    height: usize,
    pixels: Vec<[u8; 4]>,
}

impl Raster {
    /// Creates a transparent image.
    pub(super) fn new(width: usize, height: usize) -> Result<Self, ReportError> {
        if !(1..=LARGEST_SIDE).contains(&width) || !(1..=LARGEST_SIDE).contains(&height) {
            return Err(ReportError::Size { width, height });
        }
        Ok(Self {
            width,
            height,
            pixels: vec![[0; 4]; width * height],
        })
    }

    /// Paints an opaque square of `side` pixels, clipped to the image.
    pub(super) fn square(&mut self, x: usize, y: usize, side: usize, [r, g, b]: [u8; 3]) {
        for row in y..(y + side).min(self.height) {
            for column in x..(x + side).min(self.width) {
                self.pixels[row * self.width + column] = [r, g, b, 255];
            }
        }
    }

    pub(super) fn png(&self) -> Result<Vec<u8>, ReportError> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(self.pixels.as_flattened())?;
        writer.finish()?;
        Ok(out)
    }
}

/// Encodes RGB pixels, row by row, as a PNG.
pub(crate) fn png_of_pixels(
    width: usize,
    height: usize,
    pixels: &[u8],
) -> Result<Vec<u8>, ReportError> {
    let mut raster = Raster::new(width, height)?;
    for (to, &[r, g, b]) in raster.pixels.iter_mut().zip(pixels.as_chunks::<3>().0) {
        *to = [r, g, b, 255];
    }
    raster.png()
}
