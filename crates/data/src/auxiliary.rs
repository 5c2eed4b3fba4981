//! The auxiliary function `p` along a recording: values as stored, compared exactly.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use tellapart_files::Values;

use crate::columns::Columns;
use crate::distinct::Distinct;
use crate::error::DataError;
use crate::trajectories::Trajectories;

/// Whole number up to which all are exact in `f64`.
const EXACT: i128 = 1 << 53;

/// What a value of `p` belongs to. As text: `observation`, `arrival`, `step`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BelongsTo {
    /// The observation in the same row.
    #[default]
    Observation,
    /// The observation that the step from the row led to, in the next row. The first row of an
    /// episode has no value, and what the last one stores is not read.
    Arrival,
    /// The step from the row: the observation and the action taken there. What the last row of an
    /// episode stores is not read.
    Step,
}

impl BelongsTo {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Observation, Self::Arrival, Self::Step];
}

impl fmt::Display for BelongsTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Observation => "observation",
            Self::Arrival => "arrival",
            Self::Step => "step",
        })
    }
}

impl FromStr for BelongsTo {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let named = Self::ALL.into_iter().find(|of| of.to_string() == text);
        named.ok_or_else(|| DataError::BelongsTo {
            found: text.to_owned(),
        })
    }
}

/// Values of `p`, one for each row that they belong to.
///
/// Values are equal iff they are stored equal, in any type; `0.0` and `-0.0` are equal. A value is
/// unknown where any of its elements is NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Auxiliary {
    /// Number of elements in one value, at least 1.
    width: usize,
    /// Id of the value in each row, or [`Auxiliary::UNKNOWN`].
    ids: Vec<u32>,
    /// `[values, width]`; whole numbers beyond 2^53 are rounded.
    table: Vec<f64>,
    /// `[values, width]`, exactly, if there are whole numbers beyond 2^53; otherwise empty.
    whole: Vec<i128>,
    unread: usize,
}

impl Auxiliary {
    /// Stands for a value that is not known.
    pub const UNKNOWN: u32 = u32::MAX;

    /// Number of elements in one value.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ids.len()
    }

    /// Id of the value in each row: equal ids mean equal values. [`Auxiliary::UNKNOWN`] where it is
    /// not known.
    #[must_use]
    pub fn ids(&self) -> &[u32] {
        &self.ids
    }

    /// Different values by their id, `[values, width]`. Whole numbers beyond 2^53 are rounded, so
    /// that [different values](Auxiliary::is_rounded) may look equal: [`Auxiliary::distance`] is
    /// exact.
    #[must_use]
    pub fn table(&self) -> &[f64] {
        &self.table
    }

    /// Returns the value in a row; empty where it is not known.
    ///
    /// # Panics
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f64] {
        match self.ids[row] {
            Self::UNKNOWN => &[],
            id => &self.table[id as usize * self.width..][..self.width],
        }
    }

    /// Number of different values.
    #[must_use]
    pub fn distinct(&self) -> u32 {
        (self.table.len() / self.width) as u32
    }

    /// Whether there are whole numbers beyond 2^53, which `f64` rounds.
    #[must_use]
    pub fn is_rounded(&self) -> bool {
        !self.whole.is_empty()
    }

    /// Returns the Euclidean distance of two different values, by their ids: above zero, and at
    /// most [`f64::MAX`], whatever their size and type.
    ///
    /// # Panics
    /// If there are no such values.
    #[must_use]
    pub fn distance(&self, a: u32, b: u32) -> f64 {
        let [a, b] = [a, b].map(|id| id as usize * self.width);
        let difference = |at: usize| match self.whole.is_empty() {
            true => self.table[a + at] - self.table[b + at],
            false => (self.whole[a + at] - self.whole[b + at]) as f64,
        };
        // `hypot` neither overflows nor underflows on the way, as sums of squares do.
        let distance = (0..self.width).map(difference).fold(0.0, f64::hypot);
        distance.min(f64::MAX)
    }

    /// Number of rows in which an episode ends that store a known value other than zero, which was
    /// not read: it belongs to no recorded step. 0 where values belong to observations.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.unread
    }

    /// Number of rows whose value is not known.
    #[must_use]
    pub fn unknown(&self) -> usize {
        self.ids.iter().filter(|&&id| id == Self::UNKNOWN).count()
    }

    /// Returns the values as `f32`, for training: NaN where they are not known.
    ///
    /// # Errors
    /// [`DataError::Rounded`] if different values are equal in `f32`; [`DataError::TooLarge`] for
    /// one that is too large for it.
    pub fn targets(&self, name: &str) -> Result<Columns, DataError> {
        let table = Columns {
            width: self.width,
            values: self.table.iter().map(|&value| value as f32).collect(),
        };
        if let Some(at) = table.values.iter().position(|value| value.is_infinite()) {
            let id = (at / self.width) as u32;
            return Err(DataError::TooLarge {
                array: name.to_owned(),
                row: self.ids.iter().position(|&of| of == id).unwrap_or(0),
                found: self.table[at],
            });
        }
        let (exact, rounded) = (self.table.len() / self.width, table.distinct());
        if rounded.first_rows.len() < exact {
            return Err(DataError::Rounded {
                array: name.to_owned(),
                exact,
                rounded: rounded.first_rows.len(),
            });
        }
        let mut values = Vec::with_capacity(self.ids.len() * self.width);
        for &id in &self.ids {
            match id {
                Self::UNKNOWN => values.extend(std::iter::repeat_n(f32::NAN, self.width)),
                id => values.extend_from_slice(table.rows(id as usize..id as usize + 1)),
            }
        }
        Ok(Columns {
            width: self.width,
            values,
        })
    }
}

impl Trajectories {
    /// Reads an array as values of `p`: `rewards`, `aux`, `state_ids`, or an additional array with
    /// its trailing axes flattened. NaN means that a value is not known.
    ///
    /// Cost: hashes every value that it reads.
    ///
    /// # Errors
    /// [`DataError::NoSuchArray`]; [`DataError::Value`] for an infinity; [`DataError::Shape`] for
    /// an array without values.
    pub fn auxiliary(&self, name: &str, of: BelongsTo) -> Result<Auxiliary, DataError> {
        let (values, width) = self.values_by_row(name)?;
        self.values_of(name, &values, width, of)
    }

    /// Returns what the values of an array belong to unless somebody says otherwise: what the
    /// format says of `rewards`, and the observation for all other arrays.
    #[must_use]
    pub fn belongs_to(&self, name: &str) -> BelongsTo {
        match self.meaning(name) {
            "rewards" => self.rewards_of(),
            _ => BelongsTo::Observation,
        }
    }

    /// Returns a number for the value stored in each row of an array: equal iff they are stored
    /// equal. [`Auxiliary::UNKNOWN`] where an element is NaN or infinite.
    ///
    /// # Errors
    /// [`DataError::NoSuchArray`]; [`DataError::Shape`] for an array without values.
    pub fn value_ids(&self, name: &str) -> Result<Vec<u32>, DataError> {
        let (values, width) = self.values_by_row(name)?;
        let Distinct { mut ids, .. } = Distinct::of_values(&values, width);
        for (row, id) in ids.iter_mut().enumerate() {
            let mut elements = row * width..(row + 1) * width;
            if elements.any(|at| !values.number(at).is_finite()) {
                *id = Auxiliary::UNKNOWN;
            }
        }
        Ok(ids)
    }

    /// Returns the values of an array and how many there are in each row.
    pub(crate) fn values_by_row(&self, name: &str) -> Result<(Cow<'_, Values>, usize), DataError> {
        let (values, shape) = self.values_named(name)?;
        match values.len() / self.rows() {
            0 => Err(DataError::Shape {
                array: name.to_owned(),
                found: shape,
                expected: "at least one value for each row,",
            }),
            width => Ok((values, width)),
        }
    }

    fn values_of(
        &self,
        name: &str,
        values: &Values,
        width: usize,
        of: BelongsTo,
    ) -> Result<Auxiliary, DataError> {
        let stored = Distinct::of_values(values, width);
        let elements = |row: usize| row * width..(row + 1) * width;
        // For each stored value: whether it has no NaN. Infinities matter only where they are read.
        let is_known: Vec<bool> = stored
            .first_rows
            .iter()
            .map(|&row| !elements(row).any(|at| values.number(at).is_nan()))
            .collect();
        let mut ids = vec![Auxiliary::UNKNOWN; self.rows()];
        // Ids of the values that are read, numbered by first occurrence.
        let mut id_of = vec![Auxiliary::UNKNOWN; stored.first_rows.len()];
        let mut read = Vec::new();
        let mut unread = 0;
        for row in 0..self.rows() {
            let place = match of {
                BelongsTo::Observation => row,
                _ if self.ends(row) => {
                    // Zeros fill the place, as NaN does.
                    let is_value =
                        |at: usize| values.number(at) != 0.0 && values.number(at).is_finite();
                    unread += usize::from(elements(row).any(is_value));
                    continue;
                }
                BelongsTo::Arrival => row + 1,
                BelongsTo::Step => row,
            };
            let value = stored.ids[row] as usize;
            if !is_known[value] {
                continue;
            }
            if id_of[value] == Auxiliary::UNKNOWN {
                if let Some(at) = elements(row).find(|&at| values.number(at).is_infinite()) {
                    return Err(DataError::Value {
                        array: name.to_owned(),
                        row,
                        found: values.number(at).to_string(),
                        expected: "a finite number (or NaN where it is not known)".to_owned(),
                    });
                }
                id_of[value] = read.len() as u32;
                read.push(row);
            }
            ids[place] = id_of[value];
        }
        let all = || read.iter().flat_map(|&row| elements(row));
        let is_beyond = |at: usize| {
            let whole = values.integer(at);
            whole.is_some_and(|whole| whole.abs() > EXACT)
        };
        Ok(Auxiliary {
            width,
            ids,
            table: all().map(|at| values.number(at)).collect(),
            whole: match all().any(is_beyond) {
                true => all().filter_map(|at| values.integer(at)).collect(),
                false => Vec::new(),
            },
            unread,
        })
    }
}
