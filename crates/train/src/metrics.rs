//! Metrics of a run: named values after an update, the rows of `metrics.csv`.

use std::borrow::Cow;

/// Value by name; `None` where it does not exist.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// Name, a column of `metrics.csv` and a tag of TensorBoard.
    pub name: Cow<'static, str>,
    /// The value.
    pub value: Option<f64>,
}

impl Scalar {
    /// Names a value.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<Option<f64>>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// Metrics after one update. Training values belong to the batch of that update. Names that begin
/// with `validation_`, and the measures of an observer, have values only if the update was
/// validated.
#[derive(Debug, Clone, PartialEq)]
pub struct MetricRecord {
    /// Number of updates done, this one included.
    pub update: u64,
    /// Values in the order of the columns, equal for all records of a run.
    pub scalars: Vec<Scalar>,
}

/// Returns the name of the validation value of a loss.
pub fn validation_loss(objective: &str) -> String {
    format!("validation_loss_{objective}")
}

/// Widens a number to the one that the shortest decimal of the narrow one names. So it is written
/// with few digits, and read back as it was.
pub(crate) fn widened(value: f32) -> f64 {
    value.to_string().parse().unwrap_or(f64::from(value))
}

impl MetricRecord {
    /// Returns a value by name; `None` if there is no such name, or no value.
    pub fn get(&self, name: &str) -> Option<f64> {
        let found = self.scalars.iter().find(|scalar| scalar.name == name);
        found.and_then(|scalar| scalar.value)
    }

    /// Whether the record has values of a validation.
    pub fn is_validated(&self) -> bool {
        self.scalars
            .iter()
            .any(|scalar| scalar.value.is_some() && scalar.name.starts_with("validation_"))
    }

    /// Formats the record as one line without a line end. Absent values are empty.
    pub fn csv_row(&self) -> String {
        let mut row = self.update.to_string();
        for scalar in &self.scalars {
            row.push(',');
            match scalar.value {
                Some(value) if value == 0.0 || (1e-4..1e7).contains(&value.abs()) => {
                    row.push_str(&value.to_string());
                }
                Some(value) => row.push_str(&format!("{value:e}")),
                None => {}
            }
        }
        row
    }

    /// Reads a line that [`csv_row`](Self::csv_row) wrote under a header of these names; `None` if
    /// the line is not whole.
    pub fn from_csv(line: &str, names: &[Cow<'static, str>]) -> Option<Self> {
        let mut fields = line.split(',');
        let update = fields.next()?.parse().ok()?;
        let fields: Vec<&str> = fields.collect();
        if fields.len() != names.len() {
            return None;
        }
        let scalars = names.iter().zip(fields).map(|(name, field)| {
            let value = match field {
                "" => None,
                number => Some(number.parse().ok()?),
            };
            Some(Scalar {
                name: name.clone(),
                value,
            })
        });
        Some(Self {
            update,
            scalars: scalars.collect::<Option<_>>()?,
        })
    }
}

/// Returns the header of `metrics.csv` over values of these names.
pub fn csv_header(names: &[Cow<'static, str>]) -> String {
    let mut header = "update".to_owned();
    for name in names {
        header.push(',');
        header.push_str(name);
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_comes_back_as_it_was_and_a_torn_one_does_not() {
        let record = MetricRecord {
            update: 40,
            scalars: vec![
                Scalar::new("cpu_seconds", 1.25),
                Scalar::new("loss_dynamics", widened(0.1)),
                Scalar::new("loss_auxiliary", widened(1e-7)),
                Scalar::new("learning_rate", 3e-3 * 0.123456789),
                Scalar::new("validation_loss_dynamics", None),
                Scalar::new("large", -3.5e30),
            ],
        };
        let row = record.csv_row();
        assert!(row.starts_with("40,1.25,0.1,1e-7,"), "{row}");
        let names: Vec<_> = record.scalars.iter().map(|one| one.name.clone()).collect();
        assert_eq!(
            csv_header(&names).split(',').count(),
            row.split(',').count()
        );
        assert_eq!(MetricRecord::from_csv(&row, &names).as_ref(), Some(&record));
        assert_eq!(MetricRecord::from_csv(&row[..row.len() / 2], &names), None);
        assert_eq!(record.get("loss_dynamics"), Some(0.1));
        assert!(!record.is_validated());
    }
}
