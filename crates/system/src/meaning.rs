//! Meaning of the ids of outputs, as far as the source of a system gave it.

use crate::ActionId;

/// Meaning of outputs: any of the fields may be known. Two outputs never agree in all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OutputMeaning {
    /// A vector of values for each output.
    pub(crate) values: Option<Vectors>,
    /// Actions that the original, partial system enables.
    pub(crate) enabled: Option<Sets<ActionId>>,
    /// Labels that the states carry.
    pub(crate) labels: Option<Labels>,
    /// Largest distance of values that were merged; each then stands for all values within it.
    pub(crate) tolerance: Option<f64>,
}

/// A vector of `width` values for each output: `values[output * width..][..width]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vectors {
    pub(crate) width: usize,
    pub(crate) values: Vec<f64>,
}

/// A set for each output, ascending: `members[bounds[output]..bounds[output + 1]]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sets<T> {
    pub(crate) bounds: Vec<usize>,
    pub(crate) members: Vec<T>,
}

/// Names, and for each output the positions of the names that its states carry.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Labels {
    pub(crate) names: Vec<String>,
    pub(crate) sets: Sets<u32>,
}

impl OutputMeaning {
    pub(crate) fn of_values(width: usize, values: Vec<f64>) -> Self {
        Self {
            values: Some(Vectors { width, values }),
            ..Self::default()
        }
    }

    /// Whether values, and nothing else, tell the outputs apart.
    pub(crate) fn is_only_values(&self) -> bool {
        self.values.is_some() && self.enabled.is_none() && self.labels.is_none()
    }

    /// Whether nothing but the enabled actions tells the outputs apart.
    pub(crate) fn is_only_enabled(&self) -> bool {
        self.enabled.is_some() && self.values.is_none() && self.labels.is_none()
    }
}

impl Vectors {
    pub(crate) fn get(&self, output: usize) -> Option<&[f64]> {
        let start = output.checked_mul(self.width)?;
        self.values.get(start..start + self.width)
    }
}

impl<T> Sets<T> {
    pub(crate) fn new() -> Self {
        Self {
            bounds: vec![0],
            members: Vec::new(),
        }
    }

    /// Adds the set of the next output.
    pub(crate) fn push(&mut self, members: impl IntoIterator<Item = T>) {
        self.members.extend(members);
        self.bounds.push(self.members.len());
    }

    pub(crate) fn get(&self, output: usize) -> Option<&[T]> {
        let (start, end) = (self.bounds.get(output)?, self.bounds.get(output + 1)?);
        self.members.get(*start..*end)
    }
}
