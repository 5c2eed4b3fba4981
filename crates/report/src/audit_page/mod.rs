//! Page of an audit of recorded data: a verdict, a map, and the story of every pair.
//!
//! The markup contains everything, so that the page can be read without scripts. The script chooses
//! which pair is shown, filters pairs, and moves the points between the two maps.

mod check;
mod header;
mod map;
mod measures;
mod observed;
mod pairs;
mod story;

use maud::{Markup, PreEscaped, html};
use serde::Serialize;
use tellapart_audit::recorded::{AuditedPair, Cause, LatentMap, RecordedAudit};

use crate::elements::{document, records};
use crate::page::{Fact, STYLE};
use crate::text::{MISSING, plain};
use crate::{ClassNames, ReportError, color, svg};
use observed::Gallery;

pub use observed::{Observed, Picture, ShownRow};

const AUDIT_STYLE: &str = include_str!("audit.css");
const SCRIPT: &str = include_str!("audit.js");

/// Contents of the page of an audit.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// Name of the audited data, such as "latents.npy against walks.npz".
    pub title: String,
    /// Result of the audit.
    pub audit: RecordedAudit,
    /// Places of the latents in two dimensions.
    pub map: Option<LatentMap>,
    /// Colors of the points of the map; without them all points look alike.
    pub colors: Option<PointColors>,
    /// Observations of the rows in pairs and their traces, in any order. A missing row is shown by
    /// its number alone.
    pub rows: Vec<ShownRow>,
    /// Files and settings, for the record.
    pub settings: Vec<Fact>,
    /// Versions and machine, for the record.
    pub environment: Vec<Fact>,
}

/// Colors of the points of a [`LatentMap`], in the order of its rows.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum PointColors {
    /// Colors by true class.
    Classes {
        /// Names of the classes.
        names: ClassNames,
        /// Class of each point.
        of_point: Vec<u32>,
    },
    /// Colors by a number, such as `p`.
    Values {
        /// Name of the number.
        name: String,
        /// Value at each point.
        of_point: Vec<f64>,
    },
}

/// Renders the page as one HTML file that refers to nothing outside itself. Its content security
/// policy forbids it to.
///
/// # Errors
/// [`ReportError`] when parts of the record contradict each other, such as a trace with fewer
/// values of `p` than rows, or a map with more colors than points; when a place on the map is not
/// finite; when a picture is too large.
pub fn render_audit_html(page: &AuditPage) -> Result<String, ReportError> {
    check::consistent(page)?;
    let gallery = Gallery::new(&page.rows)?;
    let map = page
        .map
        .as_ref()
        .map(|map| map::Drawn::new(map, page.colors.as_ref(), &page.audit.pairs));
    let body = html! {
        (header::header(page))
        (gallery.definitions())
        main {
            (pairs::section(page, map.as_ref(), &gallery))
            (measures::sections(&page.audit))
            (records(&page.settings, &page.environment))
        }
        (script(page, map.as_ref())?)
    };
    let classes = map.as_ref().map_or(0, |map| map.classes.len());
    let style = format!(
        "{STYLE}{AUDIT_STYLE}{}{}",
        svg::STYLE,
        color::rules(classes)
    );
    // A second guard besides escaping: the page cannot load anything, whatever a name contains.
    let policy = html! {
        meta http-equiv="Content-Security-Policy"
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; \
                     script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
    };
    Ok(document(&page.title, policy, &style, body))
}

/// Data for the script, which reads everything else off the page.
#[derive(Serialize)]
struct ScriptData<'a> {
    pairs: Vec<ScriptPair>,
    /// Places of all points in the picture, for both maps.
    maps: Option<&'a map::Places>,
}

#[derive(Serialize)]
struct ScriptPair {
    cause: Cause,
    /// Points of the map that the pair joins.
    points: Option<[usize; 2]>,
}

fn script(page: &AuditPage, map: Option<&map::Drawn>) -> Result<Markup, ReportError> {
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
    // Without `<`, nothing in the data can end the script element or start a comment.
    let json = serde_json::to_string(&data)?.replace('<', "\\u003c");
    Ok(html! {
        script type="application/json" #audit-data { (PreEscaped(json)) }
        script { (PreEscaped(SCRIPT)) }
    })
}

/// Returns the name of a cause in style classes and in the script.
fn key(cause: Cause) -> &'static str {
    match cause {
        Cause::Encoder => "encoder",
        Cause::Observation => "observation",
        Cause::Outlier => "outlier",
        Cause::Data => "data",
    }
}

/// Whether the required Lipschitz constant of a pair is above the threshold.
fn is_merged(audit: &RecordedAudit, pair: &AuditedPair) -> bool {
    pair.cause != Cause::Data
        && (pair.required_lipschitz_is_infinite
            || pair
                .required_lipschitz
                .is_some_and(|constant| constant > audit.threshold))
}

/// Returns the Euclidean distance between two values of `p`.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let differences = a.iter().zip(b).map(|(a, b)| a - b);
    differences.fold(0.0, f64::hypot)
}

/// Formats a value of `p`; of a wide one, only the first elements and the width.
fn value(p: &[f64]) -> String {
    if p.is_empty() {
        return MISSING.to_owned();
    }
    const SHOWN: usize = 3;
    let shown = p.iter().take(SHOWN).map(|&v| plain(v));
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if p.len() > SHOWN {
        text += &format!(", \u{2026} ({})", p.len());
    }
    text
}
