//! Pictures next to their reconstructions.

use super::raster::Raster;
use crate::ReportError;
use crate::svg::Svg;

const GAP: usize = 3;

/// Pictures, and their reconstructions from latents by a decoder.
#[derive(Debug, Clone, PartialEq)]
pub struct Reconstructions {
    height: usize,
    width: usize,
    names: Vec<String>,
    originals: Vec<u8>,
    rebuilt: Vec<u8>,
}

impl Reconstructions {
    /// Creates the record from RGB arrays `originals` and `rebuilt`, `[n, height, width, 3]`, and
    /// a name for each of the `n` pictures (such as its class).
    ///
    /// # Errors
    /// [`ReportError::Shape`] when an array does not have `n * height * width * 3` values.
    pub fn new(
        [height, width]: [usize; 2],
        names: Vec<String>,
        originals: Vec<u8>,
        rebuilt: Vec<u8>,
    ) -> Result<Self, ReportError> {
        let expected = [height, width, 3]
            .into_iter()
            .fold(names.len(), usize::saturating_mul);
        for (what, found) in [
            ("the originals", originals.len()),
            ("the reconstructions", rebuilt.len()),
        ] {
            if found != expected {
                return Err(ReportError::Shape {
                    what,
                    found,
                    expected,
                });
            }
        }
        Ok(Self {
            height,
            width,
            names,
            originals,
            rebuilt,
        })
    }
}

/// Draws the montage, with a name above each column and a label to the left of each row.
pub(crate) fn draw(pairs: &Reconstructions, what: &str) -> Result<Svg, ReportError> {
    const SIDE: f64 = 62.0;
    const LEFT: f64 = 74.0;
    const TOP: f64 = 18.0;
    let picture = montage(pairs, 1)?;
    let per_pixel = SIDE / pairs.width as f64;
    let (width, height) = montage_size(pairs);
    let (shown_width, shown_height) = (width as f64 * per_pixel, height as f64 * per_pixel);
    let label = format!(
        "{} observations above their reconstructions, {what}",
        pairs.names.len()
    );
    let mut svg = Svg::new(LEFT + shown_width, TOP + shown_height, &label);
    svg.image(&picture, LEFT, TOP, shown_width, shown_height);
    for (index, name) in pairs.names.iter().enumerate() {
        let middle = (index * (pairs.width + GAP)) as f64 * per_pixel + SIDE / 2.0;
        svg.text("middle", LEFT + middle, TOP - 6.0, name);
    }
    let row = pairs.height as f64 * per_pixel;
    svg.text("end", LEFT - 8.0, TOP + row / 2.0 + 4.0, "original");
    let second = (pairs.height + GAP) as f64 * per_pixel + row / 2.0;
    svg.text("end", LEFT - 8.0, TOP + second + 4.0, "rebuilt");
    Ok(svg)
}

pub(super) fn montage(pairs: &Reconstructions, times: usize) -> Result<Vec<u8>, ReportError> {
    let (width, height) = montage_size(pairs);
    let mut raster = Raster::new(width.saturating_mul(times), height.saturating_mul(times))?;
    for (row, pictures) in [&pairs.originals, &pairs.rebuilt].into_iter().enumerate() {
        for (index, pixel) in pictures.as_chunks::<3>().0.iter().enumerate() {
            let (line, x) = (index / pairs.width, index % pairs.width);
            let (picture, y) = (line / pairs.height, line % pairs.height);
            raster.square(
                (picture * (pairs.width + GAP) + x) * times,
                (row * (pairs.height + GAP) + y) * times,
                times,
                *pixel,
            );
        }
    }
    raster.png()
}

fn montage_size(pairs: &Reconstructions) -> (usize, usize) {
    let count = pairs.names.len();
    (
        count * pairs.width + count.saturating_sub(1) * GAP,
        2 * pairs.height + GAP,
    )
}
