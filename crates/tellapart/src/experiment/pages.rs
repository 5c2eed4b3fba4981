//! Builds the report pages of measured runs.

use std::path::Path;

use tellapart_report::{
    Cell, ClassNames, Fact, Metric, Page, RunPage, Table, figures, render_html,
};
use tellapart_train::metrics::MetricRecord;
use tellapart_train::{RunDirectory, ValidConfig};

use super::ExperimentError;
use super::charts::{losses, open_loop, separation};
use super::measure::Measured;
use super::summary::{RunSummary, Summary, word};
use super::truth::Truth;
use super::without_truth::WithoutTruth;

/// A run with everything that a page shows of it.
#[derive(Debug, Clone)]
pub struct ReportedRun {
    /// Resolved configuration.
    pub config: ValidConfig,
    /// Values of `summary.json`.
    pub summary: RunSummary,
    /// Results behind the figures.
    pub measured: Measured,
    /// Records behind the curves.
    pub records: Vec<MetricRecord>,
}

impl ReportedRun {
    /// Builds the run's part of a page.
    pub fn page(&self) -> RunPage {
        RunPage {
            name: self.config.name.clone(),
            description: describe(&self.config),
            finding: self.measured.audit.summary(),
            audit: self.measured.audit.clone(),
            metrics: metrics(&self.summary),
            scatter: Some(self.measured.scatter.clone()),
            distances: Some(self.measured.distances.clone()),
            reconstructions: self.measured.reconstructions.clone(),
            charts: vec![losses(&self.records), separation(&self.records)],
        }
    }

    /// Writes `report.html` and `figures/` into the run's folder.
    ///
    /// # Errors
    /// A record that contradicts itself, or a folder that cannot be written.
    pub fn write(&self, directory: &RunDirectory, truth: &Truth) -> Result<(), ExperimentError> {
        let classes = class_names(truth);
        let page = Page {
            title: format!("{}, seed {}", self.config.name, self.config.seed),
            lead: self.measured.audit.summary(),
            facts: facts(truth, &[&self.config]),
            classes: classes.clone(),
            actions: truth.action_names(),
            runs: vec![self.page()],
            seeds: None,
            without_truth: without_truth(truth, &[&self.summary]),
            charts: Vec::new(),
            settings: settings(&self.config.name, &self.config),
            environment: environment(),
        };
        directory.write("report.html", render_html(&page)?.as_bytes())?;
        write_figures(&directory.file("figures"), "", &self.page(), &classes)
    }
}

/// Writes the scatter, distance matrix, curves and reconstructions of one run as single files.
///
/// # Errors
/// The errors of [`ReportedRun::write`].
pub fn write_figures(
    folder: &Path,
    prefix: &str,
    run: &RunPage,
    classes: &ClassNames,
) -> Result<(), ExperimentError> {
    std::fs::create_dir_all(folder).map_err(|source| tellapart_train::TrainError::Io {
        action: "cannot create",
        path: folder.to_path_buf(),
        source,
    })?;
    let write = |name: &str, bytes: &[u8]| -> Result<(), ExperimentError> {
        let path = folder.join(format!("{prefix}{name}"));
        Ok(tellapart_files::write_atomically(&path, |out| {
            out.write_all(bytes)
        })?)
    };
    if let Some(scatter) = &run.scatter {
        write("scatter.svg", figures::scatter(scatter, classes).as_bytes())?;
    }
    if let Some(distances) = &run.distances {
        write(
            "distances.svg",
            figures::labeled_distance_matrix(distances, classes)?.as_bytes(),
        )?;
        write("distances.png", &figures::distance_matrix(distances)?)?;
    }
    if let Some(pairs) = &run.reconstructions {
        write("reconstructions.png", &figures::reconstructions(pairs, 3)?)?;
    }
    for (chart, name) in run.charts.iter().zip(["losses.svg", "separation.svg"]) {
        write(name, figures::curves(chart).as_bytes())?;
    }
    Ok(())
}

/// Builds the page of a whole experiment: some runs side by side, and every seed in a table.
pub fn experiment(
    title: &str,
    lead: &str,
    truth: &Truth,
    shown: &[ReportedRun],
    summary: &Summary,
) -> Page {
    let configs: Vec<&ValidConfig> = shown.iter().map(|run| &run.config).collect();
    let headings = headings(&configs);
    let mut facts = facts(truth, &configs);
    facts.push(Fact::new("Setting", &summary.setting));
    let seeds = distinct(configs.iter().map(|config| config.seed));
    let listed: Vec<String> = seeds.iter().map(u64::to_string).collect();
    let noun = if seeds.len() == 1 {
        "Seed shown"
    } else {
        "Seeds shown"
    };
    facts.push(Fact::new(noun, listed.join(", ")));
    let runs = shown.iter().zip(&headings).map(|(run, heading)| RunPage {
        name: heading.clone(),
        ..run.page()
    });
    let settings = configs
        .iter()
        .zip(&headings)
        .flat_map(|(config, heading)| settings(heading, config));
    Page {
        title: title.to_string(),
        lead: lead.to_string(),
        facts,
        classes: class_names(truth),
        actions: truth.action_names(),
        runs: runs.collect(),
        seeds: every_seed(&summary.runs),
        without_truth: without_truth(truth, &summary.runs.iter().collect::<Vec<_>>()),
        charts: vec![open_loop(shown, &headings)],
        settings: settings.collect(),
        environment: environment(),
    }
}

/// Returns a distinct heading for each run: its name, with its seed and number where names repeat.
fn headings(configs: &[&ValidConfig]) -> Vec<String> {
    let with_seed = |config: &ValidConfig| format!("{}, seed {}", config.name, config.seed);
    let mut headings = Vec::with_capacity(configs.len());
    for (index, config) in configs.iter().enumerate() {
        let namesakes = configs.iter().filter(|other| other.name == config.name);
        let twins = configs
            .iter()
            .filter(|other| with_seed(other) == with_seed(config));
        headings.push(if twins.count() > 1 {
            format!("{} ({})", with_seed(config), index + 1)
        } else if namesakes.count() > 1 {
            with_seed(config)
        } else {
            config.name.clone()
        });
    }
    headings
}

/// Builds the table with a row for each run of each seed; `None` where there is only one seed.
fn every_seed(runs: &[RunSummary]) -> Option<Table> {
    let columns = [
        "Run",
        "Seed",
        "Nearest centroid",
        "Merged pairs",
        "Closest gap / mean gap",
        "Certified pairs",
        "Mean distance / mean norm",
        "Error of P over the variance of p",
    ];
    let row = |run: &RunSummary| {
        vec![
            Cell::Text(run.name.clone()),
            Cell::Text(run.seed.to_string()),
            Cell::Share(Some(run.nearest_centroid_accuracy)),
            Cell::Count(Some(run.merged_pairs.len() as u64)),
            Cell::Number(run.closest_gap_over_mean_gap),
            Cell::Count(run.certified_pairs.map(|pairs| pairs as u64)),
            Cell::Number(run.relative_spread),
            Cell::Number(run.target_error_over_variance),
        ]
    };
    (distinct(runs.iter().map(|run| run.seed)).len() > 1).then(|| Table {
        caption: "Every run of every seed, on held-out observations.".to_string(),
        columns: columns.map(str::to_string).to_vec(),
        rows: runs.iter().map(row).collect(),
    })
}

/// Builds the table that compares the audits of recorded held-out episodes with the truth.
fn without_truth(truth: &Truth, runs: &[&RunSummary]) -> Option<Table> {
    let columns = [
        "Run",
        "Seed",
        "Verdict",
        "Rows in merged pairs",
        "Outliers",
        "Greatest required Lipschitz constant",
        &format!("Their true {}", truth.nouns()),
        "Closest pairs certified",
        &format!("Truth: merged {}", truth.nouns()),
    ];
    let row = |run: &RunSummary, found: &WithoutTruth| {
        let certified = found.closest_certified.zip(found.closest_pairs);
        vec![
            Cell::Text(run.name.clone()),
            Cell::Text(run.seed.to_string()),
            Cell::Text(word(found.verdict)),
            Cell::Text(format!("{} of {}", found.merged_rows, found.rows)),
            Cell::Text(found.outlier_rows.to_string()),
            Cell::Number(found.max_required_lipschitz),
            Cell::Text(in_short(&found.merged_pairs)),
            certified.map_or(Cell::Count(None), |(certified, pairs)| {
                Cell::Text(format!("{certified} of {pairs}"))
            }),
            Cell::Text(in_short(&run.merged_pairs)),
        ]
    };
    let rows: Vec<_> = runs
        .iter()
        .filter_map(|run| Some(row(run, run.without_truth.as_ref()?)))
        .collect();
    (!rows.is_empty()).then(|| Table {
        caption: format!(
            "Recorded held-out episodes, audited for the reward with no {} looked at: rows are \
             merged that some recorded word of actions tells apart. Few rows, each alone in the wrong \
             place, are outliers, and no collapse. The true {} of merged rows were looked up \
             afterwards.",
            truth.noun,
            truth.nouns()
        ),
        columns: columns.map(str::to_string).to_vec(),
        rows,
    })
}

/// Lists pairs of classes, or their number where there are many.
fn in_short(pairs: &[[u32; 2]]) -> String {
    const LISTED: usize = 8;
    match pairs {
        [] => "none".to_string(),
        some if some.len() > LISTED => format!("{} pairs", some.len()),
        some => {
            let each = some.iter().map(|[a, b]| format!("{a}\u{2013}{b}"));
            each.collect::<Vec<_>>().join(", ")
        }
    }
}

/// Returns each value once, in the order of first occurrence.
fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

/// Describes one run in one line, with the columns of the table of seeds.
pub fn one_line(run: &RunSummary) -> String {
    let ratio = |value: Option<f64>| value.map_or("–".to_string(), |value| format!("{value:.3}"));
    format!(
        "nearest centroid {:.3}, merged pairs {}, closest gap / mean gap {}, certified {}; without truth {}",
        run.nearest_centroid_accuracy,
        run.merged_pairs.len(),
        ratio(run.closest_gap_over_mean_gap),
        run.certified_pairs
            .map_or("–".to_string(), |pairs| pairs.to_string()),
        run.without_truth
            .as_ref()
            .map_or("–".to_string(), WithoutTruth::one_line),
    )
}

/// Number of states of a class from which on only the first one is named.
const NAMED: usize = 4;

fn class_names(truth: &Truth) -> ClassNames {
    // A class is named by the states in it.
    let names = (0..truth.classes as u32).map(|class| {
        let states: Vec<String> = truth
            .class_of_state
            .iter()
            .enumerate()
            .filter(|(_, of)| **of == class)
            .map(|(state, _)| state.to_string())
            .collect();
        match states.as_slice() {
            [first, rest @ ..] if rest.len() >= NAMED => format!("{first} and {} more", rest.len()),
            states => states.join("/"),
        }
    });
    ClassNames {
        noun: truth.noun.to_string(),
        names: names.collect(),
    }
}

/// Returns the facts that hold for all these runs; where runs differ, their settings show it.
fn facts(truth: &Truth, configs: &[&ValidConfig]) -> Vec<Fact> {
    let mut facts = vec![Fact::new(
        "Classes of the largest bisimulation",
        truth.classes,
    )];
    let states = truth.class_of_state.len();
    let rows = distinct(
        configs
            .iter()
            .map(|config| config.evaluation.held_out_per_state * states),
    );
    if let [rows] = rows[..] {
        facts.push(Fact::new("Held-out observations", rows));
    }
    if let [updates] = distinct(configs.iter().map(|config| config.optimizer.updates))[..] {
        facts.push(Fact::new("Updates per run", updates));
    }
    facts
}

fn settings(heading: &str, config: &ValidConfig) -> Vec<Fact> {
    let model = &config.model;
    let networks = format!(
        "{} encoder, latent {}, {} predictor, {} head",
        model.encoder.name(),
        model.latent,
        word(model.predictor),
        word(model.head),
    );
    let training = format!(
        "{} updates of {} observations, learning rate {}, weight of L_dyn {} (ramp {} to {}), latent \
         noise {}",
        config.optimizer.updates,
        config.data.window * config.data.num_envs,
        config.optimizer.learning_rate,
        config.loss.dynamics.weight,
        config.loss.dynamics.ramp_start,
        config.loss.dynamics.ramp_end,
        config.loss.latent_noise,
    );
    vec![
        Fact::new(format!("{heading}: networks"), networks),
        Fact::new(format!("{heading}: training"), training),
    ]
}

fn environment() -> Vec<Fact> {
    vec![
        Fact::new("tellapart", env!("CARGO_PKG_VERSION")),
        Fact::new(
            "Platform",
            format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        ),
        Fact::new(
            "Cores",
            std::thread::available_parallelism().map_or(1, usize::from),
        ),
    ]
}

/// Describes in a sentence which losses change the encoder.
fn describe(config: &ValidConfig) -> String {
    use tellapart_train::config::TargetKind;
    let target = match config.target.kind {
        TargetKind::Reward => "the reward".to_string(),
        TargetKind::Random => {
            format!(
                "a fixed random linear map of the pixels to {} numbers",
                config.target.width
            )
        }
        TargetKind::Array => format!("the array `{}`", config.target.array),
    };
    match (config.gradients.dynamics, config.gradients.auxiliary) {
        (true, true) => format!("Both losses shape the encoder; p is {target}."),
        (false, true) => format!("Only the auxiliary loss shapes the encoder; p is {target}."),
        (true, false) => "Only the dynamics loss shapes the encoder.".to_string(),
        (false, false) => "No loss shapes the encoder: it stays as initialized.".to_string(),
    }
}

fn metrics(summary: &RunSummary) -> Vec<Metric> {
    let metric = |name: &str, value: Option<f64>| Metric {
        name: name.to_string(),
        value,
    };
    let deepest = |k: usize| summary.open_loop_accuracy.get(k - 1).copied().flatten();
    vec![
        metric(
            "Error of P over the variance of p",
            summary.target_error_over_variance,
        ),
        metric("Open-loop accuracy of p, 1 step", deepest(1)),
        metric("Median certified margin", summary.median_certified_margin),
        metric("Decoder error per pixel", summary.decoder_error),
        metric("Mean image's error per pixel", summary.mean_image_error),
        metric("Training CPU seconds", Some(summary.train_cpu_seconds)),
    ]
}
