//! Distances of a sample of observations, sorted by class.

use serde::{Deserialize, Serialize};

use crate::{AuditError, Classes, Embeddings};

/// Distances of every two of a sample of observations, sorted by class: a picture of the clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SortedDistances {
    /// Sampled rows in the order of the matrix: by class, then by row.
    pub rows: Vec<usize>,
    /// Number of sampled observations of each class, `[classes]`, in class order.
    pub class_sizes: Vec<usize>,
    /// Euclidean distances, `[rows.len(), rows.len()]`, row-major, symmetric.
    pub distances: Vec<f32>,
}

impl SortedDistances {
    /// Samples at most `per_class` observations of each class, evenly spaced over its rows, so that
    /// every class has equal room in the picture. O((classes per_class)^2 d).
    ///
    /// # Errors
    /// If the labels do not have one entry per row.
    pub fn sample(
        embeddings: &Embeddings<'_>,
        classes: &Classes<'_>,
        per_class: usize,
    ) -> Result<Self, AuditError> {
        classes.check_against(embeddings)?;
        let mut rows = Vec::new();
        let mut class_sizes = Vec::with_capacity(classes.count());
        let mut of_class = vec![Vec::new(); classes.count()];
        for row in 0..embeddings.rows() {
            of_class[classes.of(row)].push(row);
        }
        for members in of_class {
            let taken = members.len().min(per_class);
            rows.extend((0..taken).map(|i| members[i * members.len() / taken]));
            class_sizes.push(taken);
        }
        let distances = rows
            .iter()
            .flat_map(|&a| rows.iter().map(move |&b| embeddings.distance(a, b) as f32))
            .collect();
        Ok(Self {
            rows,
            class_sizes,
            distances,
        })
    }
}
