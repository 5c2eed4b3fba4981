//! What a run records as it goes: one row of `metrics.csv` each.

use std::fmt::Write as _;

/// One record. Training columns are of the batch of that update; validation columns are there only
/// where validation took place.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRecord {
    /// Updates done, this one included.
    pub update: u64,
    /// CPU time since the run began, on all threads of its pool, resumed parts together.
    pub cpu_seconds: f64,
    /// `L_dyn`.
    pub loss_dynamics: f32,
    /// `L_p`.
    pub loss_auxiliary: f32,
    /// Weight of `L_dyn` in this update.
    pub dynamics_weight: f32,
    /// Learning rate of this update, before the factors of the networks.
    pub learning_rate: f64,
    /// Gradient norms before clipping: encoder, dynamics, head.
    pub gradient_norms: [f32; 3],
    /// Root mean square of the latents about their mean.
    pub latent_spread: f32,
    /// Validation, where it took place.
    pub validation: Option<Validation>,
}

/// Losses and measures on the validation observations.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// `L_dyn`; `None` without a transition to validate on.
    pub loss_dynamics: Option<f32>,
    /// `L_p`; `None` without an observation to validate on.
    pub loss_auxiliary: Option<f32>,
    /// In the order of the names the observer declared.
    pub measures: Vec<Option<f64>>,
}

/// Columns that every run has.
const COLUMNS: [&str; 12] = [
    "update",
    "cpu_seconds",
    "loss_dynamics",
    "loss_auxiliary",
    "dynamics_weight",
    "learning_rate",
    "gradient_norm_encoder",
    "gradient_norm_dynamics",
    "gradient_norm_head",
    "latent_spread",
    "validation_loss_dynamics",
    "validation_loss_auxiliary",
];

/// The header of `metrics.csv`: the same for every run with the same measures.
pub fn csv_header(measures: &[&str]) -> String {
    let mut names = COLUMNS.to_vec();
    names.extend(measures);
    names.join(",")
}

fn push_cell(row: &mut String, value: Option<impl std::fmt::LowerExp>) {
    row.push(',');
    if let Some(value) = value {
        // Writing to a String cannot fail.
        let _ = write!(row, "{value:e}");
    }
}

impl MetricRecord {
    /// One line without its end; absent values are empty.
    pub fn csv_row(&self, measures: usize) -> String {
        let [encoder, dynamics, head] = self.gradient_norms;
        let mut row = format!(
            "{},{:.3},{:e},{:e},{},{:e},{:e},{:e},{:e},{:e}",
            self.update,
            self.cpu_seconds,
            self.loss_dynamics,
            self.loss_auxiliary,
            self.dynamics_weight,
            self.learning_rate,
            encoder,
            dynamics,
            head,
            self.latent_spread
        );
        match &self.validation {
            None => row.push_str(&",".repeat(2 + measures)),
            Some(validation) => {
                let losses = [validation.loss_dynamics, validation.loss_auxiliary];
                for loss in losses {
                    push_cell(&mut row, loss);
                }
                for index in 0..measures {
                    push_cell(&mut row, validation.measures.get(index).copied().flatten());
                }
            }
        }
        row
    }
}

impl MetricRecord {
    /// Reads what [`csv_row`](Self::csv_row) wrote; `None` for a line that is not whole.
    pub fn from_csv(line: &str, measures: usize) -> Option<Self> {
        let fields: Vec<&str> = line.split(',').collect();
        if fields.len() != COLUMNS.len() + measures {
            return None;
        }
        let real = |index: usize| fields[index].parse::<f32>().ok();
        let validation = if fields[10..].iter().all(|field| field.is_empty()) {
            None
        } else {
            Some(Validation {
                loss_dynamics: real(10),
                loss_auxiliary: real(11),
                measures: fields[COLUMNS.len()..]
                    .iter()
                    .map(|text| text.parse().ok())
                    .collect(),
            })
        };
        Some(Self {
            update: fields[0].parse().ok()?,
            cpu_seconds: fields[1].parse().ok()?,
            loss_dynamics: real(2)?,
            loss_auxiliary: real(3)?,
            dynamics_weight: real(4)?,
            learning_rate: fields[5].parse().ok()?,
            gradient_norms: [real(6)?, real(7)?, real(8)?],
            latent_spread: real(9)?,
            validation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was_and_a_torn_one_does_not() {
        let mut record = MetricRecord {
            update: 40,
            cpu_seconds: 1.25,
            loss_dynamics: 0.1,
            loss_auxiliary: 1e-7,
            dynamics_weight: 0.25,
            learning_rate: 3e-3,
            gradient_norms: [1.0, 2.5, 0.0],
            latent_spread: 0.5,
            validation: None,
        };
        for validation in [
            None,
            Some(Validation {
                loss_dynamics: None,
                loss_auxiliary: Some(0.3),
                measures: vec![Some(0.5), None],
            }),
        ] {
            record.validation = validation;
            let row = record.csv_row(2);
            assert_eq!(
                row.split(',').count(),
                csv_header(&["a", "b"]).split(',').count()
            );
            assert_eq!(MetricRecord::from_csv(&row, 2).as_ref(), Some(&record));
            assert_eq!(MetricRecord::from_csv(&row[..row.len() / 2], 2), None);
        }
    }
}
