//! The page of an audit of recorded data: a verdict, a map, and the story of every pair.
//!
//! All of it is in the markup, so that it can be read without scripts; the script chooses which pair
//! is shown, filters, and moves the points between the two maps.

mod check;
mod header;
mod map;
mod measures;
mod observed;
mod pairs;
mod story;

use serde::Serialize;
use tellapart_audit::recorded::{AuditedPair, Cause, LatentMap, RecordedAudit};

use crate::page::{Fact, STYLE, document, records};
use crate::text::plain;
use crate::{ClassNames, ReportError, colour, svg};
use observed::Gallery;

pub use observed::{Observed, Picture, ShownRow};

const AUDIT_STYLE: &str = include_str!("audit.css");
const SCRIPT: &str = include_str!("audit.js");

/// Everything the page of an audit shows.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// What was audited, such as "latents.npy against walks.npz".
    pub title: String,
    /// What was found.
    pub audit: RecordedAudit,
    /// Where the latents lie.
    pub map: Option<LatentMap>,
    /// How the points of the map are coloured; without it they are all alike.
    pub colours: Option<PointColours>,
    /// What was observed in the rows that pairs and their traces show, in any order; a row that is
    /// missing is shown by its number alone.
    pub rows: Vec<ShownRow>,
    /// Files and settings, for the record.
    pub settings: Vec<Fact>,
    /// Versions and machine, for the record.
    pub environment: Vec<Fact>,
}

/// Colours of the points of a [`LatentMap`], in its order.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PointColours {
    /// By true class.
    Classes {
        /// How classes are called.
        names: ClassNames,
        /// The class of each point.
        of_point: Vec<u32>,
    },
    /// By a number, such as `p`.
    Values {
        /// What the number is.
        name: String,
        /// Its value at each point.
        of_point: Vec<f64>,
    },
}

/// Renders the page as one HTML file that refers to nothing outside itself, and that its own content
/// security policy keeps from doing so.
///
/// # Errors
/// [`ReportError`] when parts of the record contradict each other: a trace with fewer values of `p`
/// than rows, a map with more colours than points.
pub fn render_audit_html(page: &AuditPage) -> Result<String, ReportError> {
    check::consistent(page)?;
    let gallery = Gallery::new(&page.rows)?;
    let map = page
        .map
        .as_ref()
        .map(|map| map::Drawn::new(map, page.colours.as_ref(), &page.audit.pairs));
    let mut body = header::header(page);
    body += &gallery.definitions();
    body += "<main>\n";
    body += &pairs::section(page, map.as_ref(), &gallery);
    body += &measures::sections(&page.audit);
    body += &records(&page.settings, &page.environment);
    body += "</main>\n";
    body += &script(page, map.as_ref())?;
    let classes = map.as_ref().map_or(0, |map| map.classes.len());
    let style = format!(
        "{STYLE}{AUDIT_STYLE}{}{}",
        svg::STYLE,
        colour::rules(classes)
    );
    // The page cannot reach for anything, whatever a name in the data may have smuggled in.
    let policy = "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
                  img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                  base-uri 'none'; form-action 'none'\">\n";
    Ok(document(&page.title, policy, &style, &body))
}

/// What the script must know: the rest it reads off the page.
#[derive(Serialize)]
struct ScriptData<'a> {
    pairs: Vec<ScriptPair>,
    /// Places of all points in the picture, for each map.
    maps: Option<&'a map::Places>,
}

#[derive(Serialize)]
struct ScriptPair {
    cause: Cause,
    /// Which points of the map it joins.
    points: Option<[usize; 2]>,
}

fn script(page: &AuditPage, map: Option<&map::Drawn>) -> Result<String, ReportError> {
    let pairs = page
        .audit
        .pairs
        .iter()
        .enumerate()
        .map(|(index, pair)| ScriptPair {
            cause: pair.cause,
            points: map.and_then(|map| map.ends[index]),
        });
    let data = ScriptData {
        pairs: pairs.collect(),
        maps: map.map(|map| &map.places),
    };
    // Nothing in the data can end the block or start a comment in it.
    let json = serde_json::to_string(&data)?.replace('<', "\\u003c");
    Ok(format!(
        "<script type=\"application/json\" id=\"audit-data\">{json}</script>\n<script>\n{SCRIPT}</script>\n"
    ))
}

/// What a cause is called in class names.
fn key(cause: Cause) -> &'static str {
    match cause {
        Cause::Encoder => "encoder",
        Cause::Observation => "observation",
        Cause::Stray => "stray",
        Cause::Data => "data",
    }
}

/// Whether the pair counts as merged: strained beyond the threshold.
fn is_merged(audit: &RecordedAudit, pair: &AuditedPair) -> bool {
    pair.cause != Cause::Data
        && (pair.strain_is_infinite || pair.strain.is_some_and(|strain| strain > audit.threshold))
}

/// Euclidean distance of two values of `p`.
fn difference(a: &[f32], b: &[f32]) -> f64 {
    let square = |(&a, &b): (&f32, &f32)| (f64::from(a) - f64::from(b)).powi(2);
    a.iter().zip(b).map(square).sum::<f64>().sqrt()
}

/// A value of `p`; of a wide one the first numbers.
fn value(p: &[f32]) -> String {
    const SHOWN: usize = 3;
    let shown = p.iter().take(SHOWN).map(|&v| plain(f64::from(v)));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if p.len() > SHOWN {
        text += &format!(", \u{2026} ({})", p.len());
    }
    text
}
