use tellapart_audit::{AuditReport, SortedDistances};

use crate::figures::{draw_curves, draw_matrix, draw_reconstructions, draw_scatter};
use crate::text::escape;
use crate::{
    Chart, Reconstructions, ReportError, Scatter, Table, certificates, colour, comparison, svg,
    table,
};

pub(crate) const STYLE: &str = include_str!("page.css");

/// Everything one page shows: runs side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The heading.
    pub title: String,
    /// One paragraph: what was asked and what was found.
    pub lead: String,
    /// What was computed, in a few short lines under the heading.
    pub facts: Vec<Fact>,
    /// How classes are called.
    pub classes: ClassNames,
    /// How actions are called in witness words, by action id; an id without a name shows itself.
    pub actions: Vec<String>,
    /// The runs, in the order they are shown.
    pub runs: Vec<RunPage>,
    /// Every seed in short, where there are more seeds than one.
    pub seeds: Option<Table>,
    /// Every run as an audit of recorded data sees it; left out when `None`.
    pub without_truth: Option<Table>,
    /// Charts that compare runs.
    pub charts: Vec<Chart>,
    /// Settings, for the record.
    pub settings: Vec<Fact>,
    /// Versions, machine, seeds: for the record.
    pub environment: Vec<Fact>,
}

/// What one run contributes.
#[derive(Debug, Clone, PartialEq)]
pub struct RunPage {
    /// Its name, short.
    pub name: String,
    /// What is special about it, in a sentence.
    pub description: String,
    /// What was found, in plain words (such as [`AuditReport::summary`]).
    pub finding: String,
    /// The numbers behind it.
    pub audit: AuditReport,
    /// Further numbers for the comparison table.
    pub metrics: Vec<Metric>,
    /// Its latents in two dimensions.
    pub scatter: Option<Scatter>,
    /// Its distance matrix.
    pub distances: Option<SortedDistances>,
    /// What a decoder makes of its latents.
    pub reconstructions: Option<Reconstructions>,
    /// Its own charts, such as losses.
    pub charts: Vec<Chart>,
}

/// A name and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The name.
    pub name: String,
    /// The value, as shown.
    pub value: String,
}

impl Fact {
    /// A fact from anything that can be printed.
    pub fn new(name: impl Into<String>, value: impl ToString) -> Self {
        Self {
            name: name.into(),
            value: value.to_string(),
        }
    }
}

/// A number with a name; runs that lack a number of that name show an en dash.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// The name.
    pub name: String,
    /// The value, if there is one.
    pub value: Option<f64>,
}

/// How classes are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassNames {
    /// What a class is, such as "count".
    pub noun: String,
    /// The name of each class.
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

    /// The name of a class; its number if it has none.
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
    let mut body = String::new();
    body += &header(page);
    body += "<main>\n";
    body += &findings(page);
    body += &comparison::section(page);
    if let Some(seeds) = &page.seeds {
        body += &table::section("seeds", "Every seed", seeds);
    }
    if let Some(audits) = &page.without_truth {
        body += &table::section("without-truth", "Without the truth", audits);
    }
    body += &latents(page)?;
    body += &certificates::merged_section(page);
    body += &certificates::certificate_section(page);
    body += &reconstructions(page)?;
    body += &charts(page);
    body += &records(&page.settings, &page.environment);
    body += "</main>\n";
    let style = format!("{STYLE}{}{}", svg::STYLE, colour::rules(page.classes.len()));
    Ok(document(&page.title, "", &style, &body))
}

/// A whole file; `head`, `style` and `body` are markup.
pub(crate) fn document(title: &str, head: &str, style: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{head}\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n\
         <style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        escape(title)
    )
}

fn header(page: &Page) -> String {
    format!(
        "<header>\n<h1>{}</h1>\n<p class=\"lead\">{}</p>\n{}</header>\n",
        escape(&page.title),
        escape(&page.lead),
        facts(&page.facts, "facts")
    )
}

fn findings(page: &Page) -> String {
    if page.runs.is_empty() {
        return String::new();
    }
    let cards: String = page
        .runs
        .iter()
        .map(|run| {
            let merged = run.audit.clusters.merged.len();
            let (tone, badge) = match merged {
                0 => ("apart", "nothing merged".to_owned()),
                1 => ("merged", "1 pair merged".to_owned()),
                _ => ("merged", format!("{merged} pairs merged")),
            };
            format!(
                "<article class=\"card\"><h3>{}</h3><p class=\"badge {tone}\">{badge}</p>\
                 <p class=\"what\">{}</p><p>{}</p></article>\n",
                escape(&run.name),
                escape(&run.description),
                escape(&run.finding)
            )
        })
        .collect();
    section(
        "findings",
        "Findings",
        "",
        &format!("<div class=\"multiples\">\n{cards}</div>\n"),
    )
}

fn latents(page: &Page) -> Result<String, ReportError> {
    let mut out = String::new();
    let (mut scatters, mut matrices) = (String::new(), String::new());
    for run in &page.runs {
        if let Some(scatter) = &run.scatter {
            scatters += &figure(
                &run.name,
                &draw_scatter(scatter, &page.classes, &run.name).inline(),
            );
        }
        if let Some(distances) = &run.distances {
            let svg = draw_matrix(distances, &page.classes, &run.name)?;
            matrices += &figure(&run.name, &svg.inline());
        }
    }
    let noun = escape(&page.classes.noun);
    if !scatters.is_empty() {
        let key: String = (0..page.classes.len())
            .map(|class| {
                let name = escape(&page.classes.name(class as u32));
                format!("<li><span class=\"swatch c{class}\"></span>{name}</li>")
            })
            .collect();
        let intro = format!(
            "Every dot is an observation at its first two principal components, coloured by its \
             true {noun}. The bar gives the scale: runs differ in it, and a collapsed one is only \
             told by its bar."
        );
        let key = format!(
            "<ul class=\"legend\" aria-label=\"colours by {noun}\"><li class=\"noun\">{noun}</li>{key}</ul>\n"
        );
        let body = format!("{key}<div class=\"multiples\">\n{scatters}</div>\n");
        out += &section("latents", "The latents", &intro, &body);
    }
    if !matrices.is_empty() {
        let intro = format!(
            "Distances of every two observations, sorted by {noun}: dark is near, bright is far. \
             A dark block on the diagonal is a tight {noun}; a dark block that reaches over a \
             white line is a merge."
        );
        let body = format!("<div class=\"multiples\">\n{matrices}</div>\n");
        out += &section("distances", "Distances", &intro, &body);
    }
    Ok(out)
}

fn reconstructions(page: &Page) -> Result<String, ReportError> {
    let mut figures = String::new();
    for run in &page.runs {
        if let Some(pairs) = &run.reconstructions {
            figures += &figure(&run.name, &draw_reconstructions(pairs, &run.name)?.inline());
        }
    }
    if figures.is_empty() {
        return Ok(String::new());
    }
    let intro = "A decoder is trained on the latents without touching them. What it cannot rebuild, \
                 the encoder has not kept.";
    let body = format!("<div class=\"multiples wide\">\n{figures}</div>\n");
    Ok(section(
        "reconstructions",
        "What the latents still hold",
        intro,
        &body,
    ))
}

fn charts(page: &Page) -> String {
    let mut figures = String::new();
    for chart in &page.charts {
        figures += &figure(&chart.title, &draw_curves(chart).inline());
    }
    for run in &page.runs {
        for chart in &run.charts {
            let caption = format!("{} \u{2013} {}", run.name, chart.title);
            figures += &figure(&caption, &draw_curves(chart).inline());
        }
    }
    if figures.is_empty() {
        return String::new();
    }
    let body = format!("<div class=\"multiples charts\">\n{figures}</div>\n");
    section("curves", "Curves", "", &body)
}

/// Settings and environment at the foot of a page.
pub(crate) fn records(settings: &[Fact], environment: &[Fact]) -> String {
    let part = |title: &str, list: &[Fact]| {
        if list.is_empty() {
            String::new()
        } else {
            format!("<div><h3>{title}</h3>\n{}</div>\n", facts(list, "record"))
        }
    };
    let parts = part("Settings", settings) + &part("Environment", environment);
    if parts.is_empty() {
        return String::new();
    }
    section(
        "record",
        "For the record",
        "",
        &format!("<div class=\"records\">\n{parts}</div>\n"),
    )
}

/// A section with a heading; `intro` and `body` are markup.
pub(crate) fn section(id: &str, title: &str, intro: &str, body: &str) -> String {
    let intro = if intro.is_empty() {
        String::new()
    } else {
        format!("<p class=\"intro\">{intro}</p>\n")
    };
    format!(
        "<section id=\"{id}\" aria-labelledby=\"{id}-title\">\n<h2 id=\"{id}-title\">{title}</h2>\n\
         {intro}{body}</section>\n"
    )
}

fn figure(caption: &str, svg: &str) -> String {
    format!(
        "<figure><figcaption>{}</figcaption>{svg}</figure>\n",
        escape(caption)
    )
}

pub(crate) fn facts(facts: &[Fact], class: &str) -> String {
    if facts.is_empty() {
        return String::new();
    }
    let rows: String = facts
        .iter()
        .map(|fact| {
            format!(
                "<div><dt>{}</dt><dd>{}</dd></div>\n",
                escape(&fact.name),
                escape(&fact.value)
            )
        })
        .collect();
    format!("<dl class=\"{class}\">\n{rows}</dl>\n")
}
