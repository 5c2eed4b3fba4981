//! Recorded episodes as input, and errors in them.

use tellapart_progress::Stopped;

/// Whole episodes, one after the other, as flat columns of one length: row `i` is one observation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Episodes<'a> {
    /// Observation id of each row: equal ids mean identical observations.
    ///
    /// Ids are numbered by first occurrence over everything that was ever appended to the
    /// recording. A new observation has the number of different ones before it. If all differ: 0,
    /// 1, 2, ...
    pub observations: &'a [u32],
    /// Action taken at each row, below the number of actions; ignored where an episode ends.
    pub actions: &'a [u32],
    /// Id of the value of `p` at each row: equal ids mean equal values, and [`UNKNOWN`] means that
    /// it is not known. Any integers; with a [`Tolerance`], rows of its table, which `vectors`
    /// extends. See [`ValueOf`] for what a value belongs to.
    pub values: &'a [u32],
    /// Whether each row is the last one of its episode. The last row of all ends its episode in any
    /// case.
    pub ends: &'a [bool],
    /// Vectors of the new value ids, `[new values, width]`, in their order. Only with a
    /// [`Tolerance`].
    pub vectors: &'a [f64],
}

/// Stands for a value of `p` that is not known: it differs from no value.
pub const UNKNOWN: u32 = u32::MAX;

/// What a value of `p` belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValueOf {
    /// The observation of the row. Two rows are compared before any action.
    #[default]
    Observation,
    /// The step that begins at the row: the observation and the action taken there, as a reward
    /// that depends on the action. Two rows are compared only after equal actions. The value in the
    /// last row of an episode means nothing.
    Step,
}

/// Tolerance of values of `p`: they differ if they are further apart than this, in Euclidean
/// distance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    width: usize,
    distance: f64,
}

impl Tolerance {
    /// Makes a tolerance: vectors of `width` elements differ iff they are more than `distance`
    /// apart.
    ///
    /// # Errors
    /// If the width is zero, or the distance is negative or not finite.
    pub fn new(width: usize, distance: f64) -> Result<Self, EvidenceError> {
        if width == 0 {
            return Err(EvidenceError::NoWidth);
        }
        if !distance.is_finite() || distance < 0.0 {
            return Err(EvidenceError::Tolerance { found: distance });
        }
        Ok(Self { width, distance })
    }

    /// Number of elements in one value.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The largest distance at which two values count as equal.
    #[must_use]
    pub fn distance(&self) -> f64 {
        self.distance
    }
}

/// Error for recorded data that cannot be evidence.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// There are no actions.
    #[error("a recording needs at least one action, but there are none")]
    NoActions,
    /// Values have a width of zero.
    #[error("values of p need at least one number each, but their width is 0")]
    NoWidth,
    /// The tolerance is not a distance.
    #[error("the tolerance is {found}, but a finite distance of at least 0 is expected")]
    Tolerance {
        /// Given distance.
        found: f64,
    },
    /// Columns have different lengths.
    #[error(
        "column `{column}` has {found} rows, but `observations` has {expected}; every column needs one for each observation"
    )]
    RowCount {
        /// Name of the column.
        column: &'static str,
        /// Number of its rows.
        found: usize,
        /// Number of rows of `observations`.
        expected: usize,
    },
    /// There are more rows than ids.
    #[error("{rows} recorded rows are too many: at most {} can be compared", u32::MAX - 1)]
    TooManyRows {
        /// Number of rows in all.
        rows: usize,
    },
    /// An id is out of range.
    #[error(
        "row {row} (counted over all that was appended): {column} is {found}, but {expected} is expected"
    )]
    Id {
        /// Name of the column.
        column: &'static str,
        /// Row, counted from the first that was ever appended.
        row: usize,
        /// Id found.
        found: u32,
        /// Ids that are accepted.
        expected: String,
    },
    /// Vectors are not whole, or given although values are compared by id.
    #[error("`vectors` holds {found} numbers, but {expected} are expected")]
    Vectors {
        /// Number of elements found.
        found: usize,
        /// Number of elements that is accepted.
        expected: String,
    },
    /// A vector holds NaN or an infinity.
    #[error("the vector of value {value} holds {found}, but finite numbers are expected")]
    NotFinite {
        /// Id of the value.
        value: usize,
        /// Element that is not finite.
        found: f64,
    },
    /// The work was stopped.
    #[error(transparent)]
    Stopped(#[from] Stopped),
}

impl Episodes<'_> {
    pub(super) fn rows(&self) -> usize {
        self.observations.len()
    }

    /// Whether a row ends an episode; the row is counted from the first of these episodes.
    pub(super) fn ends(&self, row: usize) -> bool {
        self.ends[row] || row + 1 == self.rows()
    }

    /// Checks the columns. `rows`, `observations` and `values` are what the recording already
    /// holds; `values` is the number of its vectors, if values are compared by distance.
    pub(super) fn check(
        &self,
        rows: usize,
        mut observations: u32,
        actions: usize,
        values: Option<(usize, Tolerance)>,
    ) -> Result<(), EvidenceError> {
        let lengths = [
            ("actions", self.actions.len()),
            ("values", self.values.len()),
            ("ends", self.ends.len()),
        ];
        let expected = self.rows();
        for (column, found) in lengths {
            if found != expected {
                return Err(EvidenceError::RowCount {
                    column,
                    found,
                    expected,
                });
            }
        }
        let total = rows + expected;
        if total >= u32::MAX as usize {
            return Err(EvidenceError::TooManyRows { rows: total });
        }
        for (row, &id) in self.observations.iter().enumerate() {
            if id > observations {
                return Err(EvidenceError::Id {
                    column: "observation",
                    row: rows + row,
                    found: id,
                    expected: format!(
                        "at most {observations}, the number of different ones before it (observations are numbered by first occurrence),"
                    ),
                });
            }
            observations += u32::from(id == observations);
        }
        let wrong = |&row: &usize| self.actions[row] as usize >= actions && !self.ends(row);
        if let Some(row) = (0..expected).find(wrong) {
            let found = self.actions[row];
            return Err(EvidenceError::Id {
                column: "action",
                row: rows + row,
                found,
                expected: format!("an id below {actions}, the number of actions,"),
            });
        }
        self.check_values(rows, values)
    }

    fn check_values(
        &self,
        rows: usize,
        values: Option<(usize, Tolerance)>,
    ) -> Result<(), EvidenceError> {
        let found = self.vectors.len();
        let Some((known, Tolerance { width, .. })) = values else {
            if found == 0 {
                return Ok(());
            }
            let expected = "none (values are compared by id)".to_owned();
            return Err(EvidenceError::Vectors { found, expected });
        };
        if !found.is_multiple_of(width) {
            let expected = format!("{width} for each new value");
            return Err(EvidenceError::Vectors { found, expected });
        }
        if let Some(index) = self.vectors.iter().position(|number| !number.is_finite()) {
            let (value, found) = (known + index / width, self.vectors[index]);
            return Err(EvidenceError::NotFinite { value, found });
        }
        let known = known + found / width;
        let is_wrong = |&id: &u32| id != UNKNOWN && id as usize >= known;
        match self.values.iter().position(is_wrong) {
            None => Ok(()),
            Some(row) => Err(EvidenceError::Id {
                column: "value",
                row: rows + row,
                found: self.values[row],
                expected: format!("an id below {known}, the number of vectors,"),
            }),
        }
    }
}
