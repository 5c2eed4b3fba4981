//! Builds the line charts of reports.

use tellapart_report::{Chart, Scale, Series};
use tellapart_train::metrics::MetricRecord;

use super::follow::MEASURES;
use super::pages::ReportedRun;

pub(super) fn losses(records: &[MetricRecord]) -> Chart {
    let names = records.first().map(|record| &record.scalars);
    let names = names.into_iter().flatten().map(|scalar| &*scalar.name);
    let series = names
        .filter_map(|name| Some((name, name.strip_prefix("loss_")?)))
        .map(|(name, objective)| Series {
            name: symbol(objective).to_owned(),
            points: curve(records, name),
        });
    Chart {
        title: "Losses".to_string(),
        x_label: "update".to_string(),
        scale: Scale::Logarithmic,
        series: series.collect(),
    }
}

/// Returns the symbol of an objective in formulas, or else its name.
fn symbol(objective: &str) -> &str {
    match objective {
        "dynamics" => "L_dyn",
        "auxiliary" => "L_p",
        other => other,
    }
}

/// Returns the points at which a value exists, over updates.
fn curve(records: &[MetricRecord], name: &str) -> Vec<(f64, f64)> {
    let points = records.iter();
    points
        .filter_map(|record| Some((record.update as f64, record.get(name)?)))
        .collect()
}

/// Builds the chart of nearest-centroid accuracy on validation observations, the first measure of
/// [`ValidationAudit`](super::follow::ValidationAudit).
pub(super) fn separation(records: &[MetricRecord]) -> Chart {
    let points = curve(records, MEASURES[0]);
    Chart {
        title: "Nearest-centroid accuracy (validation)".to_string(),
        x_label: "update".to_string(),
        scale: Scale::Linear,
        series: vec![Series {
            name: "accuracy".to_string(),
            points,
        }],
    }
}

pub(super) fn open_loop(shown: &[ReportedRun], headings: &[String]) -> Chart {
    let runs = shown.iter().zip(headings);
    let foreseen = runs.filter(|(run, _)| !run.summary.open_loop_accuracy.is_empty());
    let series = foreseen.map(|(run, heading)| {
        let points = run
            .summary
            .open_loop_accuracy
            .iter()
            .enumerate()
            .filter_map(|(step, accuracy)| Some(((step + 1) as f64, (*accuracy)?)))
            .collect();
        Series {
            name: heading.clone(),
            points,
        }
    });
    Chart {
        title: "Open-loop balanced accuracy of p".to_string(),
        x_label: "steps ahead".to_string(),
        scale: Scale::Linear,
        series: series.collect(),
    }
}
