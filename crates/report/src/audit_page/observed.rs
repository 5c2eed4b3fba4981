use std::collections::{BTreeMap, HashMap};

use crate::ReportError;
use crate::figures::png_of_pixels;
use crate::svg::data_uri;
use crate::text::{escape, plain};

/// One row of the recording.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownRow {
    /// Its number.
    pub row: usize,
    /// Its episode, from 0.
    pub episode: usize,
    /// Its step within the episode, from 0.
    pub step: usize,
    /// What was observed.
    pub observed: Observed,
}

/// An observation as a reader can see it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Observed {
    /// A picture.
    Picture(Picture),
    /// Plain numbers.
    Values(Vec<f32>),
}

/// RGB pixels.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Picture {
    height: usize,
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// `pixels` is `[height, width, 3]`.
    ///
    /// # Errors
    /// [`ReportError::Shape`] when it is not; [`ReportError::Size`] when a side is 0 or too long.
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
}

/// The rows by number, and every different picture once.
pub(super) struct Gallery<'a> {
    rows: BTreeMap<usize, &'a ShownRow>,
    numbers: HashMap<&'a Picture, usize>,
    definitions: String,
}

impl<'a> Gallery<'a> {
    pub(super) fn new(rows: &'a [ShownRow]) -> Result<Self, ReportError> {
        let (mut numbers, mut definitions) = (HashMap::new(), String::new());
        for row in rows {
            let Observed::Picture(picture) = &row.observed else {
                continue;
            };
            if numbers.contains_key(picture) {
                continue;
            }
            let (width, height) = (picture.width, picture.height);
            let uri = data_uri(&png_of_pixels(width, height, &picture.pixels)?);
            definitions += &format!(
                "<symbol id=\"seen-{}\" viewBox=\"0 0 {width} {height}\"><image class=\"pixels\" \
                 width=\"{width}\" height=\"{height}\" href=\"{uri}\"/></symbol>\n",
                numbers.len(),
            );
            numbers.insert(picture, numbers.len());
        }
        Ok(Self {
            rows: rows.iter().map(|row| (row.row, row)).collect(),
            numbers,
            definitions,
        })
    }

    /// The pictures, to be used by [`Gallery::picture`].
    pub(super) fn definitions(&self) -> String {
        if self.definitions.is_empty() {
            return String::new();
        }
        format!(
            "<svg class=\"hidden\" aria-hidden=\"true\"><defs>\n{}</defs></svg>\n",
            self.definitions
        )
    }

    /// The picture observed in a row, if it is one.
    pub(super) fn picture(&self, row: usize) -> Option<String> {
        let Observed::Picture(picture) = &self.rows.get(&row)?.observed else {
            return None;
        };
        let number = self.numbers.get(picture)?;
        Some(format!(
            "<svg class=\"seen\" role=\"img\" aria-label=\"observation of row {row}\" \
             viewBox=\"0 0 {} {}\"><use href=\"#seen-{number}\"/></svg>",
            picture.width, picture.height
        ))
    }

    /// "episode 3, step 2".
    pub(super) fn place(&self, row: usize) -> Option<String> {
        let shown = self.rows.get(&row)?;
        Some(format!("episode {}, step {}", shown.episode, shown.step))
    }

    /// How two observations differ, in words; `None` where they cannot be compared.
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

    /// Two vectors side by side, the entries that differ most first.
    pub(super) fn values(&self, i: usize, j: usize) -> Option<String> {
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
            .map(|(entry, (&a, &b))| (entry, f64::from(a), f64::from(b)))
            .collect();
        let gap = |(_, a, b): &(usize, f64, f64)| if a == b { 0.0 } else { (a - b).abs() };
        entries.sort_by(|x, y| gap(y).total_cmp(&gap(x)));
        let rows: String = entries
            .iter()
            .take(SHOWN)
            .map(|&(entry, a, b)| {
                let class = if a == b { "same" } else { "differs" };
                format!(
                    "<tr class=\"{class}\"><th scope=\"row\">{entry}</th><td>{}</td><td>{}</td></tr>\n",
                    plain(a),
                    plain(b)
                )
            })
            .collect();
        let more = match entries.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!("; {more} more are not shown"),
        };
        Some(format!(
            "<table class=\"values\"><caption>Observed values, the largest differences first{}</caption>\
             <thead><tr><th scope=\"col\">entry</th><th scope=\"col\">row {i}</th><th scope=\"col\">row {j}</th>\
             </tr></thead><tbody>\n{rows}</tbody></table>\n",
            escape(&more)
        ))
    }
}

fn in_words(differing: usize, all: usize, what: &str) -> String {
    match differing {
        0 => "none: they are identical".to_owned(),
        _ => format!("{differing} of {all} {what}"),
    }
}
