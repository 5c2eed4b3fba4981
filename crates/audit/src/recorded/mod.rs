//! The audit of recorded data: which observations were merged that must not be, shown by what, and
//! whose fault it is. It needs embeddings of anybody's encoder and the recording they were made from:
//! no model, no ground truth.

mod audit;
mod blocks;
mod cells;
mod certify;
mod closest;
mod diagnostics;
mod evidence;
mod healthy;
mod judge;
mod marks;
mod merged;
mod neighbours;
mod points;
mod record;
mod scan;
mod strays;
mod tally;
mod units;
mod verdict;

pub use audit::{
    Audit, DEFAULT_NEIGHBOURS, DEFAULT_STRAYS, DEFAULT_THRESHOLD, Progress, RecordedAuditOptions,
};
pub use certify::{Certifiable, Foreseen, Rollout};
pub use evidence::{Recorded, RecordedError, RecordedOptions};
pub use record::{
    AuditedPair, BoundedPair, Cause, ContradictionRecord, Counts, Coverage, Diagnostics,
    HealthyCollapse, KeptNuisance, LatentMap, MOST_LISTED, MergeKind, Neighbourhoods, PairBound,
    RecordedAudit, RecordedCertificate, SCHEMA, Search, Settling, TruthCheck, Verdict,
};
pub use verdict::MIXED_SHARE;
