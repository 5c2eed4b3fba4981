//! Builds the line charts of reports.

use tellapart_report::{Chart, Scale, Series};
use tellapart_train::metrics::{MetricRecord, Validation};

use super::pages::ReportedRun;

pub(super) fn losses(records: &[MetricRecord]) -> Chart {
    let of = |value: fn(&MetricRecord) -> f32| -> Vec<(f64, f64)> {
        records
            .iter()
            .map(|record| (record.update as f64, f64::from(value(record))))
            .collect()
    };
    Chart {
        title: "Losses".to_string(),
        x_label: "update".to_string(),
        scale: Scale::Logarithmic,
        series: vec![
            Series {
                name: "L_dyn".to_string(),
                points: of(|record| record.loss_dynamics),
            },
            Series {
                name: "L_p".to_string(),
                points: of(|record| record.loss_auxiliary),
            },
        ],
    }
}

/// Builds the chart of nearest-centroid accuracy on validation observations, the first measure of
/// [`ValidationAudit`](super::follow::ValidationAudit).
pub(super) fn separation(records: &[MetricRecord]) -> Chart {
    let first = |validation: &Validation| validation.measures.first().copied().flatten();
    let points = records
        .iter()
        .filter_map(|record| {
            let value = record.validation.as_ref().and_then(first)?;
            Some((record.update as f64, value))
        })
        .collect();
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
