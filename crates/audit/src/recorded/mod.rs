//! Audit of recorded data: which observations the encoder merged that must stay apart, shown by
//! which witness, and for what cause. It needs the embeddings of any encoder and the recording they
//! were made from, but no model and no ground truth.

mod alignment;
mod atomic_bitset;
mod audit;
mod blocks;
mod budget;
mod cells;
mod certify;
mod closest;
mod diagnostics;
mod evidence;
mod invariance;
mod lidar;
mod merge_counts;
mod merged;
mod mixing;
mod neighbors;
mod outliers;
mod pair_oracle;
mod points;
mod scales;
mod scan;
mod schema;
mod verdict;
mod world;

pub use crate::map::LatentMap;
pub use alignment::{ActionsRead, Alignment, EndsRead, PRead, Reading};
pub use audit::{
    Audit, DEFAULT_NEIGHBORS, DEFAULT_OUTLIER_TOLERANCE, DEFAULT_THRESHOLD, RecordedAuditOptions,
};
pub use certify::{Certifiable, Foreseen, Rollout};
pub use evidence::{Recorded, RecordedError, RecordedOptions};
pub use schema::{
    AuditedPair, BoundedPair, Cause, ContradictionRecord, Counts, Coverage, Diagnostics,
    DominantDimension, HealthyCollapse, KeptNuisance, MOST_LISTED, MergeKind, Neighborhoods,
    PairBound, RecordedAudit, RecordedCertificate, SCHEMA, Search, Settling, TruthCheck, Verdict,
};
pub use verdict::MIXED_SHARE;
pub use world::{SaidBy, TELLING_RECURRENCES, World, WorldKind, WorldOption};
