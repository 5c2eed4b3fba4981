//! The audit of recorded data: which observations were merged that must not be, shown by what, and
//! whose fault it is. It needs embeddings of anybody's encoder and the recording they were made from:
//! no model, no ground truth.

mod evidence;
mod record;

pub use evidence::{Recorded, RecordedError, RecordedOptions};
pub use record::{
    AuditedPair, Cause, ContradictionRecord, Counts, Coverage, Diagnostics, HealthyCollapse,
    KeptNuisance, LatentMap, MergeKind, Neighbourhoods, PairBound, RecordedAudit,
    RecordedCertificate, SCHEMA, Search, Settling, TruthCheck, Verdict,
};
