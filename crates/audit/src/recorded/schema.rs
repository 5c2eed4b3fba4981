//! What an audit of recorded data says, as plain data: one document of `tellapart audit --json`, and
//! what a page is made of. Field names are fixed; more may be added.

use serde::{Deserialize, Serialize};

/// The `schema` of [`RecordedAudit`].
pub const SCHEMA: &str = "tellapart.audit/2";
/// More outliers are not listed.
pub const MOST_LISTED: usize = 10_000;

/// The outcome of an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedAudit {
    /// [`SCHEMA`].
    pub schema: String,
    /// Is there unhealthy collapse?
    pub verdict: Verdict,
    /// Why, in one or two sentences.
    pub reason: String,
    /// What a reader must know beside the verdict, one sentence each: equal observations with
    /// different latents, constant latents, contradictions in the recording.
    pub warnings: Vec<String>,
    /// Rows (observations as recorded) audited.
    pub rows: usize,
    /// Episodes.
    pub episodes: usize,
    /// Different observations.
    pub observations: usize,
    /// Latent dimensions.
    pub latent_width: usize,
    /// The array that is the auxiliary function.
    pub p: String,
    /// Numbers in one value of `p`.
    pub p_width: usize,
    /// The unit of differences of `p`: the median difference of two recorded values that differ. 0 where
    /// none do.
    pub p_unit: f64,
    /// How far apart two values of `p` may be and still count as equal; `None`: not at all.
    pub tolerance: Option<f64>,
    /// Names of the actions, by id.
    pub actions: Vec<String>,
    /// The unit of latent distances: root mean squared distance of two rows. 0 where all are equal.
    pub spread: f64,
    /// Required Lipschitz constant above which a distinguished pair counts as merged. Where more than
    /// [`MIXED_SHARE`](super::MIXED_SHARE) of the rows (or than may be outliers) are mixed ([`Neighborhoods::mixed`]), pairs
    /// nearer than agreeing rows count as merged, too, whatever theirs.
    pub threshold: f64,
    /// Share of the rows that may be outliers ([`Cause::Outlier`]) without counting as merged.
    pub outlier_tolerance: f64,
    /// Share of the spread (of its square) that one in a hundred rows at most makes up, if that is most of
    /// it; these rows are then left out of [`RecordedAudit::spread`].
    pub trimmed_share: Option<f64>,
    /// The pairs shown: distinguished ones, the worst of each kind first, then the next of each kind that
    /// have no row in common with those, at most three of a kind; then pairs of cause [`Cause::Data`], nearest
    /// first. [`Counts`] says how many there are.
    pub pairs: Vec<AuditedPair>,
    /// The outliers ([`Cause::Outlier`]), ascending; the first [`MOST_LISTED`].
    pub outliers: Vec<usize>,
    /// How many pairs there are of what.
    pub counts: Counts,
    /// How candidates were found, and how complete that was.
    pub search: Search,
    /// What lies nearest to a row.
    pub neighborhoods: Neighborhoods,
    /// How much of the data can be compared at all.
    pub coverage: Coverage,
    /// The first of [`RecordedAudit::closest_pairs`]; merged or not.
    pub closest: Option<AuditedPair>,
    /// Each of [`Search::followed`] rows with the nearest row found that the data tells from it, once for
    /// both, greatest required Lipschitz constant first.
    pub closest_pairs: Vec<[usize; 2]>,
    /// The first contradictions of determinism in the recording.
    pub contradictions: Vec<ContradictionRecord>,
    /// What is usually looked at.
    pub diagnostics: Diagnostics,
    /// How far alike observations were brought together, where something is known of them.
    pub healthy: Option<HealthyCollapse>,
    /// With a model: which pairs are provably apart.
    pub certificate: Option<RecordedCertificate>,
}

/// Whether something was merged that must not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing that the data tells apart was merged by the encoder.
    Healthy,
    /// The encoder merged observations that the data tells apart.
    Unhealthy,
    /// Too little of the data can be compared to say.
    Undecided,
}

/// Whose fault it is that two rows are close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The observations differ, and so does what follows: the encoder threw the difference away.
    Encoder,
    /// One of the two is an outlier: a single observation that the encoder put in the wrong place. The merged
    /// pairs come down to few rows, each in many of them; those of them that do not lie together with at least
    /// four others, none of which the recording tells from another, are outliers.
    Outlier,
    /// The observations do not differ (by more than the stated tolerance), but what follows does: no
    /// encoder of single observations could tell them apart.
    Observation,
    /// The recording does not say whether they must be apart: the comparison ended at actions that
    /// were tried on one side only.
    Data,
}

/// Two rows that lie close together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditedPair {
    /// The lower row.
    pub i: usize,
    /// The higher row.
    pub j: usize,
    /// Episodes of both, from 0.
    pub episodes: [usize; 2],
    /// Steps within their episodes, from 0.
    pub steps: [usize; 2],
    /// Latent distance in units of [`RecordedAudit::spread`].
    pub distance: f64,
    /// Difference of `p` at the end of the witness, in units of [`RecordedAudit::p_unit`], over
    /// `distance`: the Lipschitz constant, in these units, that dynamics and head on top of the latents
    /// would need to answer right. `None` where it is infinite, and for cause [`Cause::Data`].
    pub required_lipschitz: Option<f64>,
    /// Whether the latents are equal, so that no dynamics and head at all can answer right.
    pub required_lipschitz_is_infinite: bool,
    /// Whose fault it is.
    pub cause: Cause,
    /// The outlier, for cause [`Cause::Outlier`].
    pub outlier: Option<usize>,
    /// A shortest word of actions, recorded from both, after which `p` differs; empty where it differs
    /// at once. `None` for cause [`Cause::Data`].
    pub witness: Option<Vec<u32>>,
    /// The rows visited along the witness from `i`, first and last included. Where observations recur,
    /// the way goes on at another row of the same observation: `action` `k` was taken at
    /// `trace_i[k]`. `[witness + 1]`, or just the row itself.
    pub trace_i: Vec<usize>,
    /// The same from `j`.
    pub trace_j: Vec<usize>,
    /// `p` along `trace_i`, `[len][p_width]`.
    pub p_i: Vec<Vec<f32>>,
    /// `p` along `trace_j`.
    pub p_j: Vec<Vec<f32>>,
    /// Which of [`Counts::kinds`] the pair stands for.
    pub kind: Option<usize>,
    /// Cause [`Cause::Data`]: words that would settle it, shortest first.
    pub settling: Vec<Settling>,
    /// With a model: how far apart the pair provably is.
    pub bound: Option<PairBound>,
}

/// A word that was recorded from one row of a pair only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settling {
    /// The actions.
    pub word: Vec<u32>,
    /// The row of the pair from which it is still to be recorded.
    pub record_from: usize,
}

/// How many pairs there are of what, among the candidates that were compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Pairs compared. Rows with equal latents and observation count as one.
    pub compared: u64,
    /// Those that the data tells apart.
    pub distinguished: u64,
    /// Those, and the ones that agree in an action recorded from both.
    pub comparable: u64,
    /// Distinguished and merged pairs of cause [`Cause::Encoder`].
    pub encoder: u64,
    /// Different rows in those pairs.
    pub encoder_rows: u64,
    /// Distinguished and merged pairs of cause [`Cause::Outlier`].
    pub outlier: u64,
    /// Outlier rows. Where they are more than tolerated ([`RecordedAudit::outlier_tolerance`]), their pairs
    /// count as merged by the encoder.
    pub outlier_rows: u64,
    /// Distinguished and merged pairs of cause [`Cause::Observation`].
    pub observation: u64,
    /// Pairs so near that they would be merged if their `p` differed, but whose comparison ended at
    /// words recorded on one side only, before the length of the longest witness found: cause
    /// [`Cause::Data`].
    pub data: u64,
    /// Pairs whose comparison was given up.
    pub undecided: u64,
    /// Merged pairs by kind, worst first.
    pub kinds: Vec<MergeKind>,
}

/// Pairs that are merged in the same way: same cause, same witness, same values of `p` along it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeKind {
    /// Whose fault.
    pub cause: Cause,
    /// The witness that they share.
    pub witness: Vec<u32>,
    /// `p` at the end of the witness, on the side with the lesser value and on the other.
    pub p: [Vec<f32>; 2],
    /// Merged pairs of this kind among the candidates.
    pub pairs: u64,
    /// Their greatest required Lipschitz constant; `None` where infinite.
    pub required_lipschitz: Option<f64>,
    /// Their smallest distance, in units of the spread.
    pub distance: f64,
}

/// How candidate pairs were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// `exact`: every pair of latents was measured; `approximate`: those within cells of random
    /// projections.
    pub method: String,
    /// Nearest neighbors kept for each latent.
    pub neighbors: usize,
    /// Different latents; rows with equal latents are one point.
    pub points: usize,
    /// Rows that share their latent with another row.
    pub duplicates: usize,
    /// Share of the true nearest neighbors found, measured against an exact search for a sample of
    /// the points; 1 where the search is exact.
    pub recall: f64,
    /// UniqueLatents of that sample.
    pub recall_sample: usize,
    /// Share of the points whose neighbors reach beyond the distance within which a typical difference of
    /// `p` would count as merged: of these every near pair was compared (as far as the search is exact). Of
    /// the others the nearest ones were, and most of those are alike where clusters are dense.
    pub exhausted: f64,
    /// UniqueLatents from which the search went on, through at most 4096 neighbors and then the nearest of 4096
    /// random points, to one that the data tells from it: all where there are at most 4096 points, otherwise
    /// a sample. Such pairs count as compared.
    pub followed: usize,
}

/// What lies nearest to a row: with nothing merged, rows that the data does not tell from it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Neighborhoods {
    /// Rows judged: those with a known agreeing row: another row that agrees in all words recorded
    /// from both, at least one action long.
    pub rows: usize,
    /// Share of them that have a distinguished row of another observation nearer than any row that agrees in
    /// words as long as its witness. `None` without rows.
    pub mixed: Option<f64>,
    /// Share of distinguished pairs among random comparable ones: what latents that say nothing show.
    pub by_chance: Option<f64>,
}

/// How much the recording lets one compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Pairs of an observation and an action that were recorded.
    pub recorded_steps: usize,
    /// Pairs that there are.
    pub possible_steps: usize,
    /// Random pairs of rows that were compared.
    pub sampled_pairs: usize,
    /// Of these, the share that the data tells apart.
    pub distinguished: f64,
    /// The share that agrees in every word recorded from both, at least one action long.
    pub agreeing: f64,
    /// The share of which no action was recorded on both sides, and whose `p` is equal: nothing can
    /// be said of them.
    pub incomparable: f64,
    /// Actions in the longest witness of all pairs compared: how deep a comparison has to go.
    pub longest_witness: usize,
}

/// Two rows of one observation whose outcomes differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContradictionRecord {
    /// The rows.
    pub rows: [usize; 2],
    /// `value`: their `p` differs; `successor`: the same action led to different observations.
    pub kind: String,
    /// The action, for `successor`.
    pub action: Option<u32>,
}

/// What is usually looked at, beside what it does not show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// `RankMe` (Garrido et al. 2023). `None` when every latent is zero.
    pub rankme: Option<f64>,
    /// Effective rank (Roy & Vetterli 2007) of the centered latents. `None` when all are equal.
    pub effective_rank: Option<f64>,
    /// LiDAR (Thilak et al. 2023): the effective rank of the discriminant between groups of rows.
    /// `None` without groups of at least two rows.
    pub lidar: Option<f64>,
    /// What the groups of `lidar` are: `state_ids`, `observations` or `episodes`.
    pub lidar_groups: Option<String>,
    /// Rows measured: all, or a sample.
    pub rows: usize,
    /// Singular values of the latents as they are, descending.
    pub singular_values: Vec<f64>,
    /// Mean distance of two rows, as it is.
    pub mean_distance: f64,
    /// Mean distance over mean norm: near zero means collapse to a point. `None` when every latent is
    /// zero.
    pub relative_spread: Option<f64>,
    /// Where these look healthy while pairs are merged, a sentence that says so.
    pub contradicts: Option<String>,
}

/// How far observations that need not be told apart were brought together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthyCollapse {
    /// Root mean squared distance of two rows of one state, in units of the spread: 0 is complete
    /// collapse of all that does not matter, 1 is none. `None` without states.
    pub within_states: Option<f64>,
    /// What of the other arrays can still be read off the latents.
    pub nuisances: Vec<KeptNuisance>,
    /// The audit held against the true states.
    pub truth: Option<TruthCheck>,
}

/// Whether an array that `p` does not need can still be read off the latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptNuisance {
    /// The array.
    pub array: String,
    /// Of a linear probe fitted to every other row (of at most 4096) and scored on the rest: the coefficient
    /// of determination; for ids below 256 the accuracy, with that of the commonest id as 0. `None` if the
    /// array does not vary.
    pub score: Option<f64>,
    /// The same behind a noise floor of [`KeptNuisance::noise`]: what a user of the latents could use.
    pub score_behind_noise: Option<f64>,
    /// Standard deviation of the noise, in units of the spread.
    pub noise: f64,
}

/// The audit's findings held against true states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruthCheck {
    /// True states among the rows.
    pub states: usize,
    /// Pairs of states of which rows were found merged by the encoder.
    pub merged_states: Vec<[u32; 2]>,
    /// How many merged pairs of rows there are of each.
    pub pairs_of_states: Vec<u64>,
    /// Merged pairs of rows of one and the same state: anything but 0 says that states are not what
    /// decides the future of `p`, or that the recording contradicts itself.
    pub same_state: u64,
}

/// How far apart a pair provably is (the theorem with a margin).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairBound {
    /// The word: the shortest witness of the pair.
    pub word: Vec<u32>,
    /// Open-loop errors of the model after that word, from `i` and from `j`.
    pub residuals: [f64; 2],
    /// Difference of `p` minus both errors. The pair is certified apart iff it is positive (by more
    /// than rounding).
    pub margin: f64,
    /// Upper bound of the Lipschitz constant of the rollout, rounding included; `None` where none is
    /// known: then only the sign of `margin` counts.
    pub lipschitz: Option<f64>,
    /// `margin`, less what rounding could make, over `lipschitz`, in the latents' own units; `None` where
    /// that is not known.
    pub certified_distance: Option<f64>,
    /// The actual distance in the same units.
    pub actual_distance: f64,
    /// Whether the pair is certified apart.
    pub certified: bool,
}

/// Which pairs a model keeps provably apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedCertificate {
    /// How the Lipschitz constant is known, and what that makes of the bounds.
    pub soundness: String,
    /// The constant of `z -> P(T^w(z))` for every word, before what is added for rounding, if known.
    pub lipschitz: Option<f64>,
    /// The hard ones: [`RecordedAudit::closest_pairs`], each by its own shortest witness.
    pub pairs: usize,
    /// Of these, certified apart.
    pub certified: usize,
    /// The usual ones: of 4096 random pairs of rows those that the data tells apart.
    pub random_pairs: usize,
    /// Of these, certified apart.
    pub random_certified: usize,
    /// Median of the certified distance over the actual one, over the random pairs that are certified;
    /// `None` where sizes are not known.
    pub median_certified_over_actual: Option<f64>,
    /// Pairs that are closer than their bound, beyond rounding: anything but 0 is a mistake.
    pub violations: usize,
    /// The bounds of the closest pairs, in the order of [`RecordedAudit::closest_pairs`].
    pub closest: Vec<BoundedPair>,
}

/// A pair of rows with its bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundedPair {
    /// The lower row.
    pub i: usize,
    /// The higher row.
    pub j: usize,
    /// How far apart they provably are.
    pub bound: PairBound,
}

/// Two plane maps of a sample of rows, for a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LatentMap {
    /// The rows shown: all that occur in pairs, and a sample of the others; ascending.
    pub rows: Vec<usize>,
    /// Two principal components of each.
    pub pca: Vec<[f64; 2]>,
    /// Share of the variance along them.
    pub explained_share: [f64; 2],
    /// A map that keeps neighbors together.
    pub neighbors: Vec<[f64; 2]>,
}
