//! The JSON document of an audit of recorded data (`tellapart.audit/3`), from which the page is
//! drawn, too.
//!
//! Written by `tellapart audit --json`. Field names are fixed; more may be added. A `None` is
//! `null` in JSON, never a missing key. A *row* is one recorded observation and its latent, counted
//! from 0.

use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Serialize, Serializer};

use super::world::World;

/// Name of the schema: the field `schema` of [`RecordedAudit`].
pub const SCHEMA: &str = "tellapart.audit/3";
/// Largest number of rows in [`RecordedAudit::outliers`].
pub const MOST_LISTED: usize = 10_000;

/// Result of an audit of a recording.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedAudit {
    /// Name of this schema: always `tellapart.audit/3`.
    pub schema: String,
    /// Whether the encoder merged what the recording distinguishes: `healthy`, `unhealthy` or
    /// `undecided`.
    pub verdict: Verdict,
    /// Reason of the verdict, in one or two sentences.
    pub reason: String,
    /// Warnings, one sentence or two each. Examples: equal observations with different latents,
    /// constant latents, contradictions in the recording. Empty if there are none.
    pub warnings: Vec<String>,
    /// Number of rows audited.
    pub rows: usize,
    /// Number of episodes.
    pub episodes: usize,
    /// Number of different observations.
    pub observations: usize,
    /// Number of latent dimensions.
    pub latent_width: usize,
    /// Name of the array that is the auxiliary function `p`.
    pub p: String,
    /// What the values of `p` belong to: `observation`, `arrival` or `step`.
    pub p_of: String,
    /// Number of rows whose `p` is not known. Where values belong to steps or arrivals, each
    /// episode has one.
    pub p_unknown: usize,
    /// Number of elements in one value of `p`.
    pub p_width: usize,
    /// Unit of differences of `p`: the median Euclidean distance of two recorded values that
    /// differ. 0 if no two differ. With more than 512 different values, it is measured on 65,536
    /// random pairs of rows.
    pub p_unit: f64,
    /// Largest Euclidean distance at which two values of `p` count as equal, in the units of `p`.
    /// `null` if only identical values do.
    pub tolerance: Option<f64>,
    /// Whether the world is deterministic, and how that is known.
    pub world: World,
    /// Names of the actions; the index is the action id.
    pub actions: Vec<String>,
    /// Unit of latent distances: the root mean squared Euclidean distance of two rows, in the units
    /// of the latents. 0 if all latents are equal.
    pub spread: f64,
    /// Required Lipschitz constant above which a distinguished pair counts as merged, in units of
    /// `p_unit` over `spread`.
    ///
    /// A pair can also count as merged by being nearer than every agreeing row, whatever its
    /// constant. That holds if more than [`MIXED_SHARE`](super::MIXED_SHARE) of the rows, and more
    /// than `outlier_tolerance`, are mixed ([`Neighborhoods::mixed`]).
    pub threshold: f64,
    /// Share of the rows, from 0 to 1, that may be outliers ([`Cause::Outlier`]) without counting
    /// as merged.
    pub outlier_tolerance: f64,
    /// Share of the squared spread that the farthest hundredth of the rows makes up, from 0.5 to 1.
    /// Those rows are then left out of `spread`. `null` if they make up half of it or less, with
    /// under 100 rows, or if all other latents are equal.
    pub trimmed_share: Option<f64>,
    /// Dimension that makes up at least 99 % of the squared spread, so that distances hardly see
    /// the others. `null` if there is none, or no other dimension.
    pub dominant_dimension: Option<DominantDimension>,
    /// Pairs shown as examples; [`RecordedAudit::counts`] counts all.
    ///
    /// First come merged pairs: the worst of each kind, then the next ones, at most three of a
    /// kind, without a row in common within the kind. Then come up to three pairs of cause
    /// [`Cause::Data`], those compared over the fewest actions first, then the nearest.
    pub pairs: Vec<AuditedPair>,
    /// Outliers ([`Cause::Outlier`]) as row numbers, ascending; only the first [`MOST_LISTED`].
    pub outliers: Vec<usize>,
    /// Numbers of compared and merged pairs, by cause and by kind.
    pub counts: Counts,
    /// Method of the search for candidate pairs, and how complete it was.
    pub search: Search,
    /// Whether agreeing or distinguished rows lie nearest to a row.
    pub neighborhoods: Neighborhoods,
    /// Share of the recording that can be compared at all.
    pub coverage: Coverage,
    /// First of `closest_pairs` in full, whether merged or not. `null` if that list is empty.
    pub closest: Option<AuditedPair>,
    /// Distinguished pairs of rows, each with the lower row first, greatest required Lipschitz
    /// constant first. One for each of the [`Search::followed`] latents: the latent and the nearest
    /// row found that the recording distinguishes from it. A pair found from both sides is listed
    /// once.
    pub closest_pairs: Vec<[usize; 2]>,
    /// First 20 contradictions of determinism in the recording.
    pub contradictions: Vec<ContradictionRecord>,
    /// Usual diagnostics of embeddings: ranks, spectrum, distances.
    pub diagnostics: Diagnostics,
    /// Measures of how far observations that need not differ were brought together. `null` if
    /// neither hidden states nor further arrays are used.
    pub healthy: Option<HealthyCollapse>,
    /// Certificate by a model: which pairs are provably apart. `null` without a model.
    pub certificate: Option<RecordedCertificate>,
}

/// Whether the encoder merged what the recording distinguishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The encoder merged nothing that the recording distinguishes, apart from tolerated outliers.
    Healthy,
    /// The encoder merged observations that the recording distinguishes.
    Unhealthy,
    /// The recording distinguishes nothing, too little of it can be compared, or its world is not
    /// known to be deterministic.
    Undecided,
}

/// Reason why two rows are close.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// The observations differ, and so does what follows: the encoder discarded the difference.
    Encoder,
    /// One of the two is an outlier: a single row in the wrong place.
    ///
    /// A greedy vertex cover picks a small set of rows that explains every merged pair. Five or
    /// more of them are a merged class if they lie together, none is distinguished from another,
    /// and at least six of their pairs could be compared. The others are outliers.
    Outlier,
    /// The observations do not differ by more than the stated tolerance, but what follows does. No
    /// encoder of single observations could keep them apart.
    Observation,
    /// The recording does not say whether they must be apart: the comparison ended at actions that
    /// were recorded on one side only.
    Data,
}

/// Two rows that lie close together, or that were asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditedPair {
    /// Lower row of the pair.
    pub i: usize,
    /// Higher row of the pair.
    pub j: usize,
    /// Episodes of `i` and `j`, counted from 0.
    pub episodes: [usize; 2],
    /// Steps of `i` and `j` within their episodes, counted from 0.
    pub steps: [usize; 2],
    /// Latent distance, in units of [`RecordedAudit::spread`]. 0 if the spread is 0.
    pub distance: f64,
    /// Lipschitz constant that dynamics and head on top of the latents would need to answer right
    /// for both rows. It is the difference of `p` at the end of the witness, in units of
    /// [`RecordedAudit::p_unit`] and at most 5 of them, over `distance`. `null` if it is infinite,
    /// and for cause [`Cause::Data`].
    pub required_lipschitz: Option<f64>,
    /// Whether the required Lipschitz constant is infinite: the latents are equal, so no dynamics
    /// and head at all can answer right for both.
    pub required_lipschitz_is_infinite: bool,
    /// Reason why the two rows are close.
    pub cause: Cause,
    /// Row number of the outlier. `null` unless the cause is [`Cause::Outlier`].
    pub outlier: Option<usize>,
    /// Shortest word (action ids), recorded from both rows, after which `p` differs. Empty if `p`
    /// differs at once. `null` for cause [`Cause::Data`].
    pub witness: Option<Vec<u32>>,
    /// Rows visited from `i` along the witness, first and last included: one more than actions.
    /// Action `k` of the witness was taken at `trace_i[k]`. Where an observation recurs, another
    /// row of the same observation may stand for a row, even for `i`. Without a witness just `i`.
    pub trace_i: Vec<usize>,
    /// Rows visited from `j` along the witness, first and last included: one more than actions.
    /// Where an observation recurs, another row of the same observation may stand for a row, even
    /// for `j`. Without a witness just `j`.
    pub trace_j: Vec<usize>,
    /// Values of `p` at the rows of `trace_i`, `[rows][p_width]`, or of the steps that led there. A
    /// value that is not known is empty.
    #[serde(serialize_with = "shortest_numbers")]
    pub p_i: Vec<Vec<f64>>,
    /// Values of `p` at the rows of `trace_j`, as in `p_i`.
    #[serde(serialize_with = "shortest_numbers")]
    pub p_j: Vec<Vec<f64>>,
    /// Index into [`Counts::kinds`] of the kind that the pair is an example of. `null` outside the
    /// merged pairs of [`RecordedAudit::pairs`].
    pub kind: Option<usize>,
    /// Words that would settle whether the rows must be apart, shortest first, at most three. Empty
    /// unless the cause is [`Cause::Data`].
    pub settling: Vec<Settling>,
    /// Lower bound of the latent distance by a model. `null` without a model or without a witness.
    pub bound: Option<PairBound>,
}

/// A dimension of the latents that makes up nearly all of their spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DominantDimension {
    /// Number of the dimension, from 0.
    pub dimension: usize,
    /// Its share of the squared spread.
    pub share: f64,
}

/// A word that was recorded from one row of a pair only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settling {
    /// Action ids of the word. All but the last action were recorded from both rows.
    pub word: Vec<u32>,
    /// Row of the pair from which the word is still to be recorded.
    pub record_from: usize,
}

/// Numbers of pairs among the candidates that were compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Pairs of rows compared. Rows with equal latents are one point. Two points are compared by at
    /// most three rows of each; the rows of one point with each other, or in a chain if there are
    /// more than 24.
    pub compared: u64,
    /// Compared pairs that the recording distinguishes.
    pub distinguished: u64,
    /// Compared pairs that are distinguished, or that share a recorded action and agree.
    pub comparable: u64,
    /// Merged pairs of cause [`Cause::Encoder`].
    pub encoder: u64,
    /// Number of different rows in the merged pairs of cause [`Cause::Encoder`].
    pub encoder_rows: u64,
    /// Merged pairs of cause [`Cause::Outlier`].
    pub outlier: u64,
    /// Number of outliers. If they are more than [`RecordedAudit::outlier_tolerance`] allows, their
    /// pairs count as merged by the encoder.
    pub outlier_rows: u64,
    /// Merged pairs of cause [`Cause::Observation`].
    pub observation: u64,
    /// Pairs of cause [`Cause::Data`] that are so near that a typical difference of `p` would make
    /// them merged. Their comparison ended at words recorded on one side only, after fewer actions
    /// than the longest witness found.
    pub data: u64,
    /// Compared pairs whose comparison was given up, after 4096 pairs of states.
    pub undecided: u64,
    /// Merged pairs by kind, worst first; kinds of cause [`Cause::Outlier`] last.
    pub kinds: Vec<MergeKind>,
}

/// Pairs that are merged in the same way: same cause, same witness, same values of `p` at its end.
/// From the 257th different value on, values count as equal here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergeKind {
    /// Cause of the merged pairs of this kind.
    pub cause: Cause,
    /// Witness that the pairs share (action ids); empty if `p` differs at once.
    pub witness: Vec<u32>,
    /// Values of `p` at the end of the witness in the worst pair, the lesser one first.
    #[serde(serialize_with = "shortest_numbers")]
    pub p: [Vec<f64>; 2],
    /// Number of merged pairs of this kind among the candidates.
    pub pairs: u64,
    /// Greatest required Lipschitz constant of the kind. `null` if it is infinite.
    pub required_lipschitz: Option<f64>,
    /// Smallest latent distance in the kind (among its 64 worst pairs), in units of the spread.
    pub distance: f64,
}

/// How candidate pairs were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Search {
    /// `exact` if every pair of latents was measured, `approximate` if only those within cells of
    /// random projections.
    pub method: String,
    /// Number of nearest neighbors kept for each latent.
    pub neighbors: usize,
    /// Number of different latents; rows with equal latents are one point.
    pub points: usize,
    /// Number of rows that share their latent with another row.
    pub duplicates: usize,
    /// Share of the true nearest neighbors that were found, measured by an exact search for a
    /// sample of the points. 1 if the search is exact.
    pub recall: f64,
    /// Number of points in the sample for `recall`; 0 if the search is exact.
    pub recall_sample: usize,
    /// Share of the points, from 0 to 1, whose farthest neighbor lies beyond the distance at which
    /// a typical difference of `p` would count as merged. For these, every near pair was compared,
    /// as far as the search is exact. For the others only the nearest pairs were, and most of those
    /// agree where clusters are dense.
    pub exhausted: f64,
    /// Number of points followed until a distinguished row was found: through up to 4096 neighbors,
    /// then the nearest of 4096 random points. All points if there are at most 4096, otherwise a
    /// sample of 384. The pairs found count as compared.
    pub followed: usize,
}

/// Order of the rows nearest to a row. With nothing merged, agreeing rows come first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Neighborhoods {
    /// Number of rows judged: those with a known agreeing row. That is another row which agrees in
    /// all words recorded from both, at least one action long.
    pub rows: usize,
    /// Share of the judged rows that are mixed: a distinguished row of another observation is
    /// nearer than every row that agrees in words as long as its witness. `null` if no row was
    /// judged.
    pub mixed: Option<f64>,
    /// Share of distinguished pairs among random comparable ones: the value of `mixed` to expect
    /// from latents that say nothing. `null` if no random pair is comparable.
    pub by_chance: Option<f64>,
}

/// How much of the recording can be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Number of pairs of an observation and an action that were recorded.
    pub recorded_steps: usize,
    /// Number of pairs of an observation and an action in all: observations times actions.
    pub possible_steps: usize,
    /// Number of random pairs of rows that were compared: 4096, or 0 for a single row.
    pub sampled_pairs: usize,
    /// Share of the sampled pairs that the recording distinguishes.
    pub distinguished: f64,
    /// Share of the sampled pairs that agree in every word recorded from both, at least one action
    /// long.
    pub agreeing: f64,
    /// Share of the sampled pairs of which nothing can be said: `p` is equal and no action was
    /// recorded on both sides, or the comparison was given up.
    pub incomparable: f64,
    /// Number of actions in the longest witness of all compared pairs: how deep a comparison has to
    /// go.
    pub longest_witness: usize,
}

/// Two rows of one observation whose outcomes differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContradictionRecord {
    /// Row numbers.
    pub rows: [usize; 2],
    /// `value` if their `p` differs, `output` if the same action had different `p`, `successor` if
    /// it led to different observations.
    pub kind: String,
    /// Action id; `null` for `value`.
    pub action: Option<u32>,
}

/// Usual diagnostics of embeddings, which do not show whether anything was merged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Diagnostics {
    /// `RankMe` (Garrido et al. 2023). `null` if every latent is zero, or if it is left out.
    pub rankme: Option<f64>,
    /// Effective rank (Roy & Vetterli 2007) of the centered latents. `null` if all are equal, or if
    /// it is left out.
    pub effective_rank: Option<f64>,
    /// LiDAR (Thilak et al. 2023): the effective rank of the discriminant between groups of rows.
    /// `null` with fewer than two groups of at least two rows, if latents do not vary within or
    /// between groups, or if it is left out.
    pub lidar: Option<f64>,
    /// Groups of `lidar`: always `episodes`. `null` with fewer than two groups of at least two
    /// rows, if latents do not vary within groups, or if it is left out.
    pub lidar_groups: Option<String>,
    /// Number of rows whose ranks and spectrum were measured: all, or a sample of 4096.
    pub rows: usize,
    /// Singular values of the measured latents, not centered, in the units of the latents,
    /// descending. Empty if they are left out.
    pub singular_values: Vec<f64>,
    /// Mean distance of two rows, in the units of the latents; beyond 20,000 pairs from a sample of
    /// as many. 0 for a single row.
    pub mean_distance: f64,
    /// Mean distance over mean norm; near zero, all latents are one point. `null` if every latent
    /// is zero.
    pub relative_spread: Option<f64>,
    /// A sentence on the numbers that were not measured, since that would take longer than the rest
    /// of the audit. `null` if all were.
    pub left_out: Option<String>,
    /// A sentence which says that these diagnostics look healthy although pairs are merged. `null`
    /// if they do not, or if none are.
    pub contradicts: Option<String>,
}

/// How far observations that need not be kept apart were brought together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthyCollapse {
    /// Root mean squared distance of two rows of one hidden state, in units of the spread. 0 is
    /// complete collapse of all that does not matter, 1 is none. `null` without states, if no state
    /// has two rows, or if the spread is 0.
    pub within_states: Option<f64>,
    /// Whether the other arrays can still be read off the latents. One entry for each numeric array
    /// other than `p`, of at most 64 elements a row. Empty with under four rows or a spread of 0.
    pub nuisances: Vec<KeptNuisance>,
    /// Comparison of the audit with the hidden states. `null` without states.
    pub truth: Option<TruthCheck>,
}

/// Whether an array that `p` does not need can still be read off the latents.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeptNuisance {
    /// Name of the array.
    pub array: String,
    /// Score of a linear probe on at most 4096 rows, fitted to every other one and scored on the
    /// rest. 1 is perfect; negative values are worse than guessing. For whole numbers below 256 it
    /// is the accuracy, scaled so that always naming the commonest is 0. For other arrays it is the
    /// coefficient of determination. `null` if the array does not vary.
    pub score: Option<f64>,
    /// Score of the same probe behind noise of [`KeptNuisance::noise`], which is what a user of the
    /// latents could rely on. `null` if the array does not vary.
    pub score_behind_noise: Option<f64>,
    /// Standard deviation of the noise added to a latent as a vector, in units of the spread.
    pub noise: f64,
}

/// Comparison of the audit's findings with the hidden states.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TruthCheck {
    /// Number of different hidden states among the rows.
    pub states: usize,
    /// Pairs of different states with rows that the encoder merged, the lower state first.
    pub merged_states: Vec<[u32; 2]>,
    /// Number of merged pairs of rows for each entry of `merged_states`.
    pub pairs_of_states: Vec<u64>,
    /// Number of pairs of one and the same state that count as merged by the encoder. Above 0, the
    /// state does not determine the future of `p`, or the recording contradicts itself.
    pub same_state: u64,
}

/// Lower bound of the latent distance of a pair (the theorem with a margin).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairBound {
    /// Word (action ids) that the bound is for: the shortest witness of the pair.
    pub word: Vec<u32>,
    /// Open-loop errors of the model after the word, from `i` and from `j`: Euclidean distances, in
    /// the units of `p`.
    pub residuals: [f64; 2],
    /// Distance of the two values of `p` after the word, minus both errors, in the units of `p`.
    /// The pair is certified apart iff this is positive by more than rounding.
    pub margin: f64,
    /// Upper bound of the Lipschitz constant of the rollout, rounding included, in units of `p`
    /// over units of the latents. `null` if none is known: then only the sign of `margin` counts.
    pub lipschitz: Option<f64>,
    /// Lower bound of the latent distance, in the units of the latents: `margin`, less rounding,
    /// over `lipschitz`. `null` if `lipschitz` is. Negative values say nothing.
    pub certified_distance: Option<f64>,
    /// Actual latent distance, in the units of the latents.
    pub actual_distance: f64,
    /// Whether the pair is certified apart.
    pub certified: bool,
}

/// Pairs that a model keeps provably apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedCertificate {
    /// Explanation of how the Lipschitz constant is known, and what that means for the bounds.
    pub soundness: String,
    /// Lipschitz constant of `z -> P(T^w(z))` for every word `w`, before the allowance for
    /// rounding. `null` if none is known.
    pub lipschitz: Option<f64>,
    /// Number of hard pairs: those of [`RecordedAudit::closest_pairs`], each by its own shortest
    /// witness.
    pub pairs: usize,
    /// Number of hard pairs that are certified apart.
    pub certified: usize,
    /// Number of usual pairs: those of 4096 random pairs of rows that the recording distinguishes.
    pub random_pairs: usize,
    /// Number of usual pairs that are certified apart.
    pub random_certified: usize,
    /// Median, over the usual pairs that are certified, of the certified distance over the actual
    /// one. `null` if no Lipschitz constant is known or no such pair is certified.
    pub median_certified_over_actual: Option<f64>,
    /// Number of pairs, of all that were bounded, that are closer than their bound, beyond
    /// rounding. Anything but 0 indicates a mistake.
    pub violations: usize,
    /// Bounds of the hard pairs, in the order of [`RecordedAudit::closest_pairs`].
    pub closest: Vec<BoundedPair>,
}

/// A pair of rows with its bound.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BoundedPair {
    /// Lower row of the pair.
    pub i: usize,
    /// Higher row of the pair.
    pub j: usize,
    /// Lower bound of the latent distance.
    pub bound: PairBound,
}

/// Writes numbers that came from `f32` as such, so that 0.1 stays 0.1.
fn shortest_numbers<S: Serializer>(
    values: &(impl AsRef<[Vec<f64>]> + ?Sized),
    serializer: S,
) -> Result<S::Ok, S::Error> {
    struct Shortest<'a>(&'a [f64]);
    impl Serialize for Shortest<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut list = serializer.serialize_seq(Some(self.0.len()))?;
            for &number in self.0 {
                let narrow = number as f32;
                if f64::from(narrow) == number && number.fract() != 0.0 {
                    list.serialize_element(&narrow)?;
                } else {
                    list.serialize_element(&number)?;
                }
            }
            list.end()
        }
    }
    serializer.collect_seq(values.as_ref().iter().map(|value| Shortest(value)))
}
