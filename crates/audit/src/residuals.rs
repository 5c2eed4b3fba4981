//! Open-loop errors of a model along action words, by row and by class.

use std::collections::HashMap;

use crate::embeddings::check_matrix;
use crate::{AuditError, Classes};

/// Number of distinct values of `p` up to which their distances are tabulated; beyond it, they are
/// computed when needed.
const TABULATED_VALUES: usize = 512;

/// Relative rounding error of a rollout in f32: a few units in the last place for each of its
/// layers.
pub(crate) const ROUNDING: f64 = 1e-5;

/// Predictions of a model along one action word, from every observation, with the true values.
#[derive(Debug, Clone)]
pub struct WordRollout<'a> {
    /// Action ids of the word; empty for `p` of the observation itself.
    pub actions: Vec<u32>,
    /// Upper bound on the Lipschitz constant of `z -> P(T^w(z))`, above zero: the product of the
    /// constants of the head and of one dynamics step for each action. The certificate is only as
    /// sound as this bound. `None` if none is declared: the constant is finite, but unknown.
    pub lipschitz: Option<f64>,
    /// `P(T^w(E(o)))` for every observation, `[rows, width]`.
    pub predicted: &'a [f32],
    /// True `p` after the word, `[rows, width]`.
    pub truth: &'a [f32],
}

/// Errors of one word, and the distances of its true values.
pub(crate) struct WordResiduals<'a> {
    word: &'a WordRollout<'a>,
    width: usize,
    /// Declared constant. 1 if none is declared, which keeps the sign of every bound, but leaves
    /// its size without meaning.
    lipschitz: f64,
    /// Error of every row.
    error: Vec<f64>,
    /// Index of the distinct true value of every row.
    value: Vec<usize>,
    /// A row with each distinct value.
    example: Vec<usize>,
    /// Distances of distinct values, `[values, values]`; empty if there are too many.
    table: Vec<f64>,
}

impl<'a> WordResiduals<'a> {
    pub(crate) fn measure(
        word: &'a WordRollout<'a>,
        rows: usize,
        width: usize,
    ) -> Result<Self, AuditError> {
        let name = format!("{:?}", word.actions);
        check_matrix(
            &format!("the predictions along word {name}"),
            word.predicted,
            rows,
            width,
        )?;
        check_matrix(
            &format!("the true values along word {name}"),
            word.truth,
            rows,
            width,
        )?;
        let lipschitz = word.lipschitz.unwrap_or(1.0);
        if !(lipschitz > 0.0 && lipschitz.is_finite()) {
            return Err(AuditError::Setting {
                name: format!("the Lipschitz constant of word {name}"),
                value: lipschitz,
                expected: "finite and above zero",
            });
        }
        let of_row = |values: &'a [f32], row: usize| &values[row * width..(row + 1) * width];
        let error = (0..rows)
            .map(|row| norm_of_difference(of_row(word.predicted, row), of_row(word.truth, row)))
            .collect();
        let mut seen: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut example = Vec::new();
        let value = (0..rows)
            .map(|row| {
                let bits = of_row(word.truth, row)
                    .iter()
                    .map(|v| v.to_bits())
                    .collect();
                *seen.entry(bits).or_insert_with(|| {
                    example.push(row);
                    example.len() - 1
                })
            })
            .collect();
        let mut residuals = Self {
            word,
            width,
            lipschitz,
            error,
            value,
            example,
            table: Vec::new(),
        };
        if residuals.example.len() <= TABULATED_VALUES {
            let all = 0..residuals.example.len();
            residuals.table = all
                .clone()
                .flat_map(|a| all.clone().map(move |b| (a, b)))
                .map(|(a, b)| residuals.value_distance(a, b))
                .collect();
        }
        Ok(residuals)
    }

    /// Whether the bounds have a size, not only a sign.
    pub(crate) fn is_declared(&self) -> bool {
        self.word.lipschitz.is_some()
    }

    pub(crate) fn actions(&self) -> &[u32] {
        &self.word.actions
    }

    /// Returns the error that rounding alone can cause in a bound: predictions are f32, so no error
    /// is known more exactly.
    pub(crate) fn rounding(&self) -> f64 {
        let truth = self.word.truth.iter();
        let largest = truth.fold(0.0, |most, value| f64::from(value.abs()).max(most));
        ROUNDING * largest * (self.width as f64).sqrt() / self.lipschitz
    }

    /// Returns the lower bound on the latent distance of two rows by their own errors.
    pub(crate) fn row_bound(&self, a: usize, b: usize) -> f64 {
        let apart = self.value_distance(self.value[a], self.value[b]);
        (apart - self.error[a] - self.error[b]) / self.lipschitz
    }

    /// Collects errors and values of each class, over the rows for which `chosen` holds.
    pub(crate) fn by_class(
        &self,
        classes: &Classes<'_>,
        chosen: impl Fn(usize) -> bool,
    ) -> ClassResiduals<'_> {
        let mut errors = vec![Vec::new(); classes.count()];
        let mut values = vec![Vec::new(); classes.count()];
        for row in (0..self.error.len()).filter(|&row| chosen(row)) {
            errors[classes.of(row)].push(self.error[row]);
            values[classes.of(row)].push(self.value[row]);
        }
        for values in &mut values {
            values.sort_unstable();
            values.dedup();
        }
        ClassResiduals {
            of: self,
            errors: errors.into_iter().map(Errors::summarize).collect(),
            values,
        }
    }

    fn value_distance(&self, a: usize, b: usize) -> f64 {
        if let Some(distance) = self.table.get(a * self.example.len() + b) {
            return *distance;
        }
        let of = |value: usize| {
            &self.word.truth
                [self.example[value] * self.width..(self.example[value] + 1) * self.width]
        };
        norm_of_difference(of(a), of(b))
    }
}

/// Errors of one word, by class.
pub(crate) struct ClassResiduals<'a> {
    of: &'a WordResiduals<'a>,
    errors: Vec<Option<Errors>>,
    /// Distinct true values of each class; a single one if `p` is a function of the class.
    values: Vec<Vec<usize>>,
}

/// Errors of one class along one word.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Errors {
    pub(crate) worst: f64,
    pub(crate) median: f64,
}

impl ClassResiduals<'_> {
    /// Returns the bound for two classes with one error for each, or `None` if one has no rows. If
    /// the rows of a class disagree about the value, the two closest values of the classes count.
    pub(crate) fn bound(&self, a: usize, b: usize, error: impl Fn(&Errors) -> f64) -> Option<f64> {
        let (of_a, of_b) = (self.errors[a].as_ref()?, self.errors[b].as_ref()?);
        let apart = self.values[a]
            .iter()
            .flat_map(|&x| {
                self.values[b]
                    .iter()
                    .map(move |&y| self.of.value_distance(x, y))
            })
            .fold(f64::INFINITY, f64::min);
        Some((apart - error(of_a) - error(of_b)) / self.of.lipschitz)
    }
}

impl Errors {
    /// Summarizes errors by the worst and the lower median, so that both are errors that occurred.
    fn summarize(mut errors: Vec<f64>) -> Option<Self> {
        errors.sort_by(f64::total_cmp);
        let worst = *errors.last()?;
        Some(Self {
            worst,
            median: errors[(errors.len() - 1) / 2],
        })
    }
}

fn norm_of_difference(a: &[f32], b: &[f32]) -> f64 {
    crate::embeddings::squared_distance(a, b).sqrt()
}
