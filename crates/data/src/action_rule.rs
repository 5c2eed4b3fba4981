//! Maps recorded actions to finitely many ids.

use std::fmt;
use std::str::FromStr;

use half::f16;
use tellapart_files::{Dtype, Values};

use crate::columns::Actions;
use crate::distinct::Distinct;
use crate::error::DataError;
use crate::number::shortest;
use crate::trajectories::{MAX_ACTIONS, Trajectories};

/// Rule that says which action vectors count as the same action.
///
/// The user always chooses it: it decides which words of actions were recorded twice, and so what
/// the data shows.
///
/// As text: `distinct`, a number of bins such as `5`, `sign`, or `at:-0.5,0.5`.
#[derive(Clone, Debug, PartialEq)]
pub struct ActionRule(Rule);

#[derive(Clone, Debug, PartialEq)]
enum Rule {
    Distinct,
    Bins(usize),
    /// Ascending, not empty, finite.
    Edges(Vec<f64>),
}

/// Action id of every row of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct FiniteActions {
    /// Number of actions, recorded or not.
    pub count: usize,
    /// `[rows]`, each below `count`; 0 where an episode ends and actions mean nothing.
    pub ids: Vec<u32>,
    /// Edges between bins, for each element of an action; empty where actions are not binned.
    edges: Vec<Vec<f64>>,
    /// Vector of every action with [`ActionRule::distinct`]; otherwise empty.
    vectors: Vec<Vec<f64>>,
    /// Recorded name of every action; empty if there are none, and for vectors. A rule makes
    /// actions from the recorded values, and nothing says which action of the world each is.
    names: Vec<String>,
}

impl ActionRule {
    /// Returns the rule that two actions are the same iff all their elements are equal.
    #[must_use]
    pub fn distinct() -> Self {
        Self(Rule::Distinct)
    }

    /// Returns the rule that puts each element into one of `bins` equal bins of its recorded range.
    ///
    /// # Errors
    /// No bins, or more than 65 536.
    pub fn bins(bins: usize) -> Result<Self, DataError> {
        if bins == 0 || bins > MAX_ACTIONS {
            let expected = "from 1 to 65536 bins, for each number of an action";
            return Err(DataError::ActionRule {
                found: bins.to_string(),
                expected,
            });
        }
        Ok(Self(Rule::Bins(bins)))
    }

    /// Returns the rule that puts each element into a bin between these edges. A bin holds its
    /// lower edge.
    ///
    /// # Errors
    /// No edges, edges that do not ascend or are not finite, or 65 536 edges or more.
    pub fn edges(edges: &[f64]) -> Result<Self, DataError> {
        let is_good = edges.iter().all(|edge| edge.is_finite()) && edges.is_sorted_by(|a, b| a < b);
        if edges.is_empty() || !is_good || edges.len() >= MAX_ACTIONS {
            let expected = "finite edges in ascending order, at least one";
            return Err(DataError::ActionRule {
                found: format!("at:{}", joined(edges)),
                expected,
            });
        }
        Ok(Self(Rule::Edges(edges.to_vec())))
    }

    /// Returns the rule that tells negative elements from all others.
    #[must_use]
    pub fn sign() -> Self {
        Self(Rule::Edges(vec![0.0]))
    }

    /// Whether equal actions are equal in every recording: bins and distinct vectors depend on what
    /// was recorded.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        matches!(self.0, Rule::Edges(_))
    }

    /// Returns the edges between bins of elements in this range.
    fn edges_over(&self, (low, high): (f64, f64)) -> Vec<f64> {
        match &self.0 {
            Rule::Edges(edges) => edges.clone(),
            Rule::Bins(bins) if low < high => {
                let edge = |bin: usize| low + (high - low) * bin as f64 / *bins as f64;
                (1..*bins).map(edge).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl FromStr for ActionRule {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let unknown = || DataError::ActionRule {
            found: text.to_owned(),
            expected: "`sign`, `distinct`, a number of bins such as 5, or edges such as at:-0.5,0.5",
        };
        match text {
            "distinct" => Ok(Self::distinct()),
            "sign" => Ok(Self::sign()),
            _ => match text.strip_prefix("at:") {
                Some(edges) => {
                    let edges: Result<Vec<f64>, _> = edges.split(',').map(str::parse).collect();
                    Self::edges(&edges.map_err(|_| unknown())?)
                }
                None => Self::bins(text.parse().map_err(|_| unknown())?),
            },
        }
    }
}

impl fmt::Display for ActionRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Rule::Distinct => f.write_str("distinct"),
            Rule::Bins(bins) => bins.fmt(f),
            Rule::Edges(edges) if edges == &[0.0] => f.write_str("sign"),
            Rule::Edges(edges) => write!(f, "at:{}", joined(edges)),
        }
    }
}

impl FiniteActions {
    /// Names an action: its recorded name, or else its id. Of vectors, the bin of each element, as
    /// `<0`, `0..0.5`, `>=0.5`; or the vector itself.
    #[must_use]
    pub fn name(&self, action: u32) -> String {
        if let Some(name) = self.names.get(action as usize) {
            return name.clone();
        }
        if let Some(vector) = self.vectors.get(action as usize) {
            return joined(vector);
        }
        if self.edges.is_empty() {
            return action.to_string();
        }
        let mut rest = action as usize;
        let names = self.edges.iter().rev().map(|edges| {
            let bins = edges.len() + 1;
            let bin = rest % bins;
            rest /= bins;
            match (
                bin.checked_sub(1).and_then(|below| edges.get(below)),
                edges.get(bin),
            ) {
                (None, None) => "any".to_owned(),
                (None, Some(&high)) => format!("<{}", shortest(high)),
                (Some(&low), None) => format!(">={}", shortest(low)),
                (Some(&low), Some(&high)) => format!("{}..{}", shortest(low), shortest(high)),
            }
        });
        let mut names: Vec<String> = names.collect();
        names.reverse();
        names.join(",")
    }
}

impl Trajectories {
    /// Maps the actions to finitely many ids: discrete ones keep theirs, vectors follow the rule.
    ///
    /// # Errors
    /// Vectors without a rule, ids with one, or a rule that makes more than 65 536 actions.
    pub fn finite_actions(&self, rule: Option<&ActionRule>) -> Result<FiniteActions, DataError> {
        self.finite_actions_where(rule, |row| !self.ends(row))
    }

    /// Maps the actions to finitely many ids, as [`Trajectories::finite_actions`] does, if those in
    /// other rows than it takes were taken. All others are blank, and have the id 0.
    ///
    /// # Errors
    /// Those of [`Trajectories::finite_actions`].
    pub fn finite_actions_where(
        &self,
        rule: Option<&ActionRule>,
        is_taken: impl Fn(usize) -> bool,
    ) -> Result<FiniteActions, DataError> {
        match (&self.actions, rule) {
            (Actions::Discrete { count, ids }, None) => Ok(FiniteActions {
                count: *count,
                ids: (0..self.rows())
                    .map(|row| if is_taken(row) { ids[row] } else { 0 })
                    .collect(),
                edges: Vec::new(),
                vectors: Vec::new(),
                names: self.action_names.clone().unwrap_or_default(),
            }),
            (Actions::Discrete { .. }, Some(rule)) => Err(DataError::ActionRule {
                found: rule.to_string(),
                expected: "no rule, as `actions` holds ids,",
            }),
            (Actions::Vectors { width, .. }, None) => {
                Err(DataError::ContinuousActions { width: *width })
            }
            (Actions::Vectors { width, values }, Some(ActionRule(Rule::Distinct))) => {
                self.distinct_actions(*width, values, &is_taken)
            }
            (Actions::Vectors { width, values }, Some(rule)) => {
                self.binned(*width, values, rule, &is_taken)
            }
        }
    }

    fn distinct_actions(
        &self,
        width: usize,
        values: &Values,
        is_taken: &dyn Fn(usize) -> bool,
    ) -> Result<FiniteActions, DataError> {
        // Grouped as they are stored, but numbered as they are taken.
        let stored = Distinct::of_values(values, width);
        let mut id_of = vec![u32::MAX; stored.first_rows.len()];
        let (mut ids, mut first_rows) = (vec![0; self.rows()], Vec::new());
        for row in (0..self.rows()).filter(|&row| is_taken(row)) {
            let id = &mut id_of[stored.ids[row] as usize];
            if *id == u32::MAX {
                *id = first_rows.len() as u32;
                first_rows.push(row);
            }
            ids[row] = *id;
        }
        let count = first_rows.len().max(1);
        few_enough(Some(count), "distinct")?;
        let vector = |&row: &usize| (row * width..(row + 1) * width).map(|at| values.number(at));
        let vectors = first_rows.iter().map(|row| vector(row).collect()).collect();
        Ok(FiniteActions {
            count,
            ids,
            edges: Vec::new(),
            vectors,
            names: Vec::new(),
        })
    }

    fn binned(
        &self,
        width: usize,
        values: &Values,
        rule: &ActionRule,
        is_taken: &dyn Fn(usize) -> bool,
    ) -> Result<FiniteActions, DataError> {
        let taken = |row: &usize| is_taken(*row);
        let range = |column: usize| {
            let numbers = (0..self.rows())
                .filter(taken)
                .map(|row| values.number(row * width + column));
            numbers.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), number| {
                (low.min(number), high.max(number))
            })
        };
        // Edges are numbers of the type of the elements: 0.7 as text is the 0.7 of float32, too.
        let in_type = |edge: f64| match values.dtype() {
            Dtype::F16 => f16::from_f64(edge).to_f64(),
            Dtype::F32 => f64::from(edge as f32),
            _ => edge,
        };
        let edges_of = |column: usize| rule.edges_over(range(column)).into_iter().map(in_type);
        let edges: Vec<Vec<f64>> = (0..width)
            .map(|column| edges_of(column).collect())
            .collect();
        let bins = edges.iter().map(|edges| edges.len() + 1);
        let count = bins.clone().try_fold(1_usize, |count, bins| {
            count
                .checked_mul(bins)
                .filter(|&count| count <= MAX_ACTIONS)
        });
        let count = few_enough(count, &rule.to_string())?;
        let mut ids = vec![0; self.rows()];
        for row in (0..self.rows()).filter(taken) {
            ids[row] = edges.iter().zip(row * width..).fold(0, |id, (edges, at)| {
                let bin = edges.partition_point(|&edge| is_at_least(values, at, edge));
                id * (edges.len() + 1) as u32 + bin as u32
            });
        }
        Ok(FiniteActions {
            count,
            ids,
            edges,
            vectors: Vec::new(),
            names: Vec::new(),
        })
    }
}

/// Whether an element is at least an edge. Integers of 64 bits are not rounded for it.
fn is_at_least(values: &Values, at: usize, edge: f64) -> bool {
    match values.integer(at) {
        Some(whole) => edge.ceil() as i128 <= whole,
        None => edge <= values.number(at),
    }
}

fn few_enough(count: Option<usize>, rule: &str) -> Result<usize, DataError> {
    count
        .filter(|&count| count <= MAX_ACTIONS)
        .ok_or_else(|| DataError::ActionRule {
            found: rule.to_owned(),
            expected: "a rule that makes at most 65536 actions of these",
        })
}

fn joined(numbers: &[f64]) -> String {
    let words: Vec<String> = numbers.iter().map(|&number| shortest(number)).collect();
    words.join(",")
}
