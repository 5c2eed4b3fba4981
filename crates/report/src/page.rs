//! The page that compares runs.

use maud::{Markup, html};
use tellapart_audit::{AuditReport, SortedDistances};

use crate::elements::{document, facts, figure, legend, records, section};
use crate::figures::{draw_curves, draw_matrix, draw_reconstructions, draw_scatter};
use crate::{
    Chart, Reconstructions, ReportError, Scatter, Table, certificates, color, comparison, svg,
    table,
};

pub(crate) const STYLE: &str = include_str!("page.css");

/// Page that shows runs side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Heading.
    pub title: String,
    /// Paragraph that says what was asked and what was found.
    pub lead: String,
    /// Short facts about the computation, shown under the heading.
    pub facts: Vec<Fact>,
    /// Names of the classes.
    pub classes: ClassNames,
    /// Names of the actions, by id; an action without a name shows its id.
    pub actions: Vec<String>,
    /// Runs, in the order they are shown.
    pub runs: Vec<RunPage>,
    /// Short results of every seed, if there are several seeds.
    pub seeds: Option<Table>,
    /// Audits of every run without ground truth.
    pub without_truth: Option<Table>,
    /// Charts that compare runs.
    pub charts: Vec<Chart>,
    /// Settings, for the record.
    pub settings: Vec<Fact>,
    /// Versions, machine and seeds, for the record.
    pub environment: Vec<Fact>,
}

/// Part of one run in a [`Page`].
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// Short name.
    pub name: String,
    /// Sentence that says what is special about the run.
    pub description: String,
    /// Result in plain words (such as [`AuditReport::summary`]).
    pub finding: String,
    /// Measures of the audit.
    pub audit: AuditReport,
    /// Further numbers for the comparison table.
    pub metrics: Vec<Metric>,
    /// Latents in two dimensions.
    pub scatter: Option<Scatter>,
    /// Distance matrix.
    pub distances: Option<SortedDistances>,
    /// Pictures that a decoder makes of the latents.
    pub reconstructions: Option<Reconstructions>,
    /// Charts of the run alone, such as losses.
    pub charts: Vec<Chart>,
}

/// Name and value of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Name.
    pub name: String,
    /// Value, as shown.
    pub value: String,
}

impl Fact {
    /// Creates a fact from any printable value.
    pub fn new(name: impl Into<String>, value: impl ToString) -> Self {
        Self {
            name: name.into(),
            value: value.to_string(),
        }
    }
}

/// Named number; a run without a number of that name shows an en dash.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name.
    pub name: String,
    /// Value, if there is one.
    pub value: Option<f64>,
}

/// Names of classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassNames {
    /// Noun for a class, such as "count".
    pub noun: String,
    /// Name of each class.
    pub names: Vec<String>,
}

impl ClassNames {
    /// Number of classes with a name.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no classes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the name of a class, or its number if it has none.
    #[must_use]
    pub fn name(&self, class: u32) -> String {
        self.names
            .get(class as usize)
            .cloned()
            .unwrap_or_else(|| class.to_string())
    }
}

/// Renders the page as one HTML file that refers to nothing outside itself. Figures and sections
/// for which no run has data are left out.
///
/// # Errors
/// [`ReportError`] when a figure's record contradicts itself.
pub fn render_html(page: &Page) -> Result<String, ReportError> {
    let body = html! {
        header {
            h1 { (page.title) }
            p.lead { (page.lead) }
            (facts(&page.facts, "facts"))
        }
        main {
            @if !page.runs.is_empty() {
                (findings(page))
                (comparison::section(page))
            }
            @if let Some(seeds) = &page.seeds {
                (table::section("seeds", "Every seed", seeds))
            }
            @if let Some(audits) = &page.without_truth {
                (table::section("without-truth", "Without the truth", audits))
            }
            (latents(page))
            (distances(page)?)
            (certificates::merged_section(page))
            (certificates::certificate_section(page))
            (reconstructions(page)?)
            (charts(page))
            (records(&page.settings, &page.environment))
        }
    };
    let style = format!("{STYLE}{}{}", svg::STYLE, color::rules(page.classes.len()));
    Ok(document(&page.title, Markup::default(), &style, body))
}

fn findings(page: &Page) -> Markup {
    let cards = html! {
        div.multiples {
            @for run in &page.runs {
                article.card {
                    h3 { (run.name) }
                    @match run.audit.clusters.merged.len() {
                        0 => p.badge.apart { "nothing merged" },
                        1 => p.badge.merged { "1 pair merged" },
                        pairs => p.badge.merged { (pairs) " pairs merged" },
                    }
                    p.what { (run.description) }
                    p { (run.finding) }
                }
            }
        }
    };
    section("findings", "Findings", cards)
}

fn latents(page: &Page) -> Markup {
    let figures = html! {
        @for run in &page.runs {
            @if let Some(scatter) = &run.scatter {
                (figure(&run.name, draw_scatter(scatter, &page.classes, &run.name)))
            }
        }
    };
    if figures.0.is_empty() {
        return figures;
    }
    let body = html! {
        p.intro {
            "Each dot is an observation at its first two principal components, colored by its \
             true " (page.classes.noun) ". The bar gives the scale. Scales differ between runs, \
             and only the bar shows that a run has collapsed to a point."
        }
        (legend(&page.classes))
        div.multiples { (figures) }
    };
    section("latents", "Latents", body)
}

fn distances(page: &Page) -> Result<Markup, ReportError> {
    let figures = html! {
        @for run in &page.runs {
            @if let Some(distances) = &run.distances {
                (figure(&run.name, draw_matrix(distances, &page.classes, &run.name)?))
            }
        }
    };
    if figures.0.is_empty() {
        return Ok(figures);
    }
    let noun = &page.classes.noun;
    let body = html! {
        p.intro {
            "Distances between all pairs of observations, sorted by " (noun) ": dark is near, \
             bright is far. A dark block on the diagonal is a tight " (noun) ". A dark block that \
             crosses a white line is a merge."
        }
        div.multiples { (figures) }
    };
    Ok(section("distances", "Distances", body))
}

fn reconstructions(page: &Page) -> Result<Markup, ReportError> {
    let figures = html! {
        @for run in &page.runs {
            @if let Some(pairs) = &run.reconstructions {
                (figure(&run.name, draw_reconstructions(pairs, &run.name)?))
            }
        }
    };
    if figures.0.is_empty() {
        return Ok(figures);
    }
    let body = html! {
        p.intro {
            "A decoder is trained on the latents without changing them. What it cannot rebuild, \
             the encoder has not kept."
        }
        div.multiples.wide { (figures) }
    };
    Ok(section("reconstructions", "Reconstructions", body))
}

fn charts(page: &Page) -> Markup {
    let figures = html! {
        @for chart in &page.charts { (figure(&chart.title, draw_curves(chart))) }
        @for run in &page.runs {
            @for chart in &run.charts {
                @let caption = format!("{} \u{2013} {}", run.name, chart.title);
                (figure(&caption, draw_curves(chart)))
            }
        }
    };
    if figures.0.is_empty() {
        return figures;
    }
    section(
        "curves",
        "Curves",
        html! { div.multiples.charts { (figures) } },
    )
}
