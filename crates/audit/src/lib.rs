//! Audit of an encoder by its embeddings: what it keeps apart, and what it merges.
//!
//! Embeddings enter as plain slices of `f32` (or `f64`) with a shape, so those of any framework can
//! be audited.
//! This crate knows nothing of models or training. All findings are plain records that serialize. A
//! quantity that does not exist (a ratio over zero, a class without observations) is `None`, never
//! NaN.
//!
//! ```
//! use tellapart_audit::{Classes, Clusters, Embeddings, MERGED_WITHIN_SPREADS};
//!
//! // Six observations of three classes in two dimensions; classes 0 and 1 coincide.
//! let latents = [0.0, 0.1, 0.0, -0.1, 0.0, 0.1, 0.0, -0.1, 9.0, 0.1, 9.0, -0.1];
//! let embeddings = Embeddings::new(&latents, 6, 2)?;
//! let classes = Classes::new(&[0, 0, 1, 1, 2, 2], 3)?;
//! let clusters = Clusters::measure(&embeddings, &classes, MERGED_WITHIN_SPREADS)?;
//! let merged: Vec<_> = clusters.merged.iter().map(|pair| (pair.a, pair.b)).collect();
//! assert_eq!(merged, [(0, 1)]);
//! # Ok::<(), tellapart_audit::AuditError>(())
//! ```
//!
//! - [`AuditReport`] bundles the measures against the truth, and words the finding.
//! - [`Clusters`]: accuracy, silhouette, gaps, spreads, merged pairs.
//! - [`Certificate`]: lower bounds on latent distances that follow from a model's open-loop errors
//!   and its Lipschitz constants; only their signs if it declares none.
//! - [`recorded`]: audit against what a recording itself distinguishes, without ground truth.
//! - [`Spectrum`], [`Pca`], [`Probe`], [`OpenLoop`], [`SortedDistances`].

mod certificate;
mod clusters;
mod distances;
mod embeddings;
mod error;
mod map;
mod open_loop;
mod pca;
mod precise;
mod probe;
pub mod recorded;
mod report;
mod residuals;
mod row_space;
mod scatter;
mod spectrum;

pub use certificate::{Certificate, CertifiedPair, Soundness, SplitCheck};
pub use clusters::{ClassCluster, Clusters, MERGED_WITHIN_SPREADS, MergedPair};
pub use distances::SortedDistances;
pub use embeddings::{Classes, Embeddings};
pub use error::AuditError;
pub use open_loop::{OpenLoop, OpenLoopStep, StepValues, calibrated_threshold};
pub use pca::Pca;
pub use precise::PreciseLatents;
pub use probe::{DEFAULT_RIDGE, Probe, ProbeScore};
pub use recorded::{Recorded, RecordedAudit, RecordedError, RecordedOptions};
pub use report::AuditReport;
pub use residuals::WordRollout;
pub use spectrum::Spectrum;
