//! Observations as a reader sees them: pictures or values.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use maud::{Markup, html};

use crate::ReportError;
use crate::elements::column_heads;
use crate::figures::png_of_pixels;
use crate::svg::data_uri;
use crate::text::plain;

/// Row of the recording, with its observation.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownRow {
    /// Number of the row.
    pub row: usize,
    /// Episode, from 0.
    pub episode: usize,
    /// Step within the episode, from 0.
    pub step: usize,
    /// Observation.
    pub observed: Observed,
}

/// Observation in a form that a reader can see.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Observed {
    /// Picture.
    Picture(Picture),
    /// Vector of values.
    Values(Vec<f64>),
}

/// RGB picture.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Picture {
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Creates a picture from `pixels`, `[height, width, 3]`.
    ///
    /// # Errors
    /// [`ReportError::Shape`] when `pixels` has another length, [`ReportError::Size`] when a side
    /// is 0.
    pub fn new([height, width]: [usize; 2], pixels: Vec<u8>) -> Result<Self, ReportError> {
        let expected = height.saturating_mul(width).saturating_mul(3);
        if pixels.len() != expected {
            return Err(ReportError::Shape {
                what: "a picture of an observation",
                found: pixels.len(),
                expected,
            });
        }
        if expected == 0 {
            return Err(ReportError::Size { width, height });
        }
        Ok(Self {
            height,
            width,
            pixels,
        })
    }

    fn view_box(&self) -> String {
        format!("0 0 {} {}", self.width, self.height)
    }

    /// Returns the SVG symbol `seen-{number}`, which shows the picture wherever it is used.
    fn symbol(&self, number: usize) -> Result<Markup, ReportError> {
        let png = png_of_pixels(self.width, self.height, &self.pixels)?;
        Ok(html! {
            symbol #{ "seen-" (number) } viewBox=(self.view_box()) {
                image.pixels width=(self.width) height=(self.height) href=(data_uri(&png)) {}
            }
        })
    }
}

/// Rows by number, and each distinct picture once.
pub(super) struct Gallery<'a> {
    rows: BTreeMap<usize, &'a ShownRow>,
    numbers: HashMap<&'a Picture, usize>,
    symbols: Vec<Markup>,
}

impl<'a> Gallery<'a> {
    pub(super) fn new(rows: &'a [ShownRow]) -> Result<Self, ReportError> {
        let (mut numbers, mut symbols) = (HashMap::new(), Vec::new());
        for row in rows {
            let Observed::Picture(picture) = &row.observed else {
                continue;
            };
            let number = symbols.len();
            if let Entry::Vacant(entry) = numbers.entry(picture) {
                entry.insert(number);
                symbols.push(picture.symbol(number)?);
            }
        }
        Ok(Self {
            rows: rows.iter().map(|row| (row.row, row)).collect(),
            numbers,
            symbols,
        })
    }

    /// Returns the hidden definitions that [`Gallery::picture`] refers to.
    pub(super) fn definitions(&self) -> Markup {
        html! {
            @if !self.symbols.is_empty() {
                svg.hidden aria-hidden="true" {
                    defs { @for symbol in &self.symbols { (symbol) } }
                }
            }
        }
    }

    /// Returns the picture observed in a row, if it is one.
    pub(super) fn picture(&self, row: usize) -> Option<Markup> {
        let Observed::Picture(picture) = &self.rows.get(&row)?.observed else {
            return None;
        };
        let number = self.numbers.get(picture)?;
        Some(html! {
            svg.seen role="img" aria-label={ "observation of row " (row) }
                viewBox=(picture.view_box()) { use href={ "#seen-" (number) } {} }
        })
    }

    /// Says where a row was recorded, such as "episode 3, step 2".
    pub(super) fn place(&self, row: usize) -> Option<String> {
        let shown = self.rows.get(&row)?;
        Some(format!("episode {}, step {}", shown.episode, shown.step))
    }

    /// Says how two observations differ; `None` if they cannot be compared.
    pub(super) fn difference(&self, i: usize, j: usize) -> Option<String> {
        match (&self.rows.get(&i)?.observed, &self.rows.get(&j)?.observed) {
            (Observed::Picture(a), Observed::Picture(b)) => {
                let (a, b) = (a.pixels.as_chunks::<3>().0, b.pixels.as_chunks::<3>().0);
                let differing = a.iter().zip(b).filter(|(a, b)| a != b).count();
                (a.len() == b.len()).then(|| in_words(differing, a.len(), "pixels"))
            }
            (Observed::Values(a), Observed::Values(b)) => {
                let differing = a.iter().zip(b).filter(|(a, b)| a != b).count();
                (a.len() == b.len()).then(|| in_words(differing, a.len(), "values"))
            }
            _ => None,
        }
    }

    /// Returns a table of two vectors, with the entries that differ most first.
    pub(super) fn values(&self, i: usize, j: usize) -> Option<Markup> {
        const SHOWN: usize = 12;
        let (Observed::Values(a), Observed::Values(b)) =
            (&self.rows.get(&i)?.observed, &self.rows.get(&j)?.observed)
        else {
            return None;
        };
        let mut entries: Vec<(usize, f64, f64)> = a
            .iter()
            .zip(b)
            .enumerate()
            .map(|(entry, (&a, &b))| (entry, a, b))
            .collect();
        // Infinities may be equal, but their difference is not a number.
        let gap = |(_, a, b): &(usize, f64, f64)| if a == b { 0.0 } else { (a - b).abs() };
        entries.sort_by(|x, y| gap(y).total_cmp(&gap(x)));
        Some(html! {
            table.values {
                caption {
                    "Observed values, the largest differences first"
                    @if entries.len() > SHOWN {
                        "; " (entries.len() - SHOWN) " more are not shown"
                    }
                }
                thead { tr { (column_heads(["entry", &format!("row {i}"), &format!("row {j}")])) } }
                tbody {
                    @for &(entry, a, b) in entries.iter().take(SHOWN) {
                        tr.(if a == b { "same" } else { "differs" }) {
                            th scope="row" { (entry) }
                            td { (plain(a)) }
                            td { (plain(b)) }
                        }
                    }
                }
            }
        })
    }
}

fn in_words(differing: usize, all: usize, what: &str) -> String {
    match differing {
        0 => "none: they are identical".to_owned(),
        _ => format!("{differing} of {all} {what}"),
    }
}
