//! The verdict of an audit, and its wording.

use super::schema::{
    Cause, Counts, Coverage, DominantDimension, MergeKind, Neighborhoods, RecordedAudit, Verdict,
};
use super::world::{SaidBy, WorldKind};

/// Share of mixed rows above which the latents as a whole count as mixed. A row is mixed if a
/// distinguished row is nearer than every agreeing one.
///
/// An encoder that keeps all nine counts apart stays below 0.01, one that merges two of nine
/// reaches 0.1.
pub const MIXED_SHARE: f64 = 0.05;
/// Number of rows that must be judged before [`MIXED_SHARE`] applies.
const MIXED_ROWS: usize = 20;
/// Share of the nearest pairs that must be comparable for a verdict.
const COMPARABLE_SHARE: f64 = 0.02;
/// Share of distinguished pairs among random ones below which a similar share of mixed rows proves
/// nothing.
const TELLING_CHANCE: f64 = 0.2;
/// Share of the median difference of `p` below which a difference hardly counts.
const SMALL: f64 = 1e-2;
/// Mean distance over mean norm below which latents count as one point.
const POINT: f64 = 1e-2;

/// Counts of observations whose rows have different latents.
#[derive(Debug, Default)]
pub(super) struct DifferentLatents {
    /// Number of observations with several rows.
    pub(super) recurring: usize,
    /// Number of observations whose rows have different latents.
    pub(super) differing: usize,
    pub(super) example: Option<[usize; 2]>,
}

/// Whether the latents as a whole are mixed, given the share of the rows that may be outliers.
pub(super) fn is_mixed(neighborhoods: &Neighborhoods, outlier_tolerance: f64) -> bool {
    neighborhoods.rows >= MIXED_ROWS
        && neighborhoods
            .mixed
            .is_some_and(|share| share > MIXED_SHARE.max(outlier_tolerance))
}

/// Returns the verdict by this rule:
///
/// 1. Undecided if the world is stochastic: one future of each row proves nothing.
/// 2. Unhealthy if the encoder merged any distinguished pair. Pairs of identical observations and
///    pairs explained by an outlier do not count. No share of merged rows is tolerated, since what
///    is rare may be what matters; the number of rows concerned is reported. Undecided instead if
///    it cannot be told whether the world is deterministic: the pairs are suspects.
/// 3. Unhealthy, too, if there are more outliers than tolerated
///    ([`RecordedAuditOptions`](super::RecordedAuditOptions)): their pairs then count as merged.
/// 4. Undecided if no pair at all is distinguished, if hardly any near pair can be compared, or if
///    no action was recorded.
/// 5. Healthy otherwise.
///
/// Pairs that no encoder of single observations could keep apart are reported, but do not count.
pub(super) fn verdict(counts: &Counts, coverage: &Coverage, world: WorldKind) -> Verdict {
    let comparable = counts.comparable as f64 / counts.compared.max(1) as f64;
    if world == WorldKind::Stochastic {
        Verdict::Undecided
    } else if counts.encoder > 0 {
        match world {
            WorldKind::CannotBeTold => Verdict::Undecided,
            _ => Verdict::Unhealthy,
        }
    } else if coverage.recorded_steps == 0
        || counts.distinguished == 0 && coverage.distinguished == 0.0
        || counts.compared > 0 && comparable < COMPARABLE_SHARE
    {
        Verdict::Undecided
    } else {
        Verdict::Healthy
    }
}

/// Returns the reason of the verdict. `greatest` is the greatest required Lipschitz constant found.
pub(super) fn reason(audit: &RecordedAudit, greatest: Option<f64>) -> String {
    let counts = &audit.counts;
    let kinds = |cause| {
        counts
            .kinds
            .iter()
            .filter(|kind| kind.cause == cause)
            .count()
    };
    let mut text = match audit.verdict {
        Verdict::Unhealthy => {
            format!(
                "The encoder merged {} of the {} compared pairs that the recording tells apart, in {}; {} of {} \
             rows are in these pairs.",
                counts.encoder,
                counts.distinguished,
                in_words(kinds(Cause::Encoder), "way", "ways"),
                counts.encoder_rows,
                audit.rows
            ) + &by_mixing(audit)
                + &match counts.outlier_rows {
                    0 => String::new(),
                    rows if counts.outlier == 0 => format!(
                        " {}, more than the {} % that are tolerated.",
                        in_words(rows as usize, "row is an outlier", "rows are outliers"),
                        100.0 * audit.outlier_tolerance
                    ),
                    rows => format!(
                        " There are {} as well.",
                        in_words(rows as usize, "outlier", "outliers")
                    ),
                }
        }
        Verdict::Undecided if audit.world.kind == WorldKind::Stochastic => format!(
            "The world is {}. {}ne recorded future of each row proves nothing about single pairs.{}",
            audit.world.in_words(),
            match audit.world.differing {
                0 => "O".to_owned(),
                _ => format!(
                    "The same observation and actions were followed by different {}, so o",
                    audit.p
                ),
            },
            match audit.world.said_by {
                SaidBy::User => "",
                SaidBy::Recording | SaidBy::Data => {
                    " If the world is deterministic and the observations hide a part of it, declare --world deterministic."
                }
            }
        ),
        Verdict::Undecided if counts.encoder > 0 => format!(
            "{} of the {} compared pairs that the recording tells apart are suspects: they lie within the threshold. \
             Whether {} could be foreseen there is open, since {}. If the world is deterministic, declare \
             --world deterministic: then the encoder merged them.",
            counts.encoder,
            counts.distinguished,
            audit.p,
            audit.world.in_words()
        ),
        Verdict::Undecided if audit.coverage.recorded_steps == 0 => format!(
            "No action was recorded: every episode has one row, so nothing can be said of what follows. Record \
             episodes of several rows, or check where {} are set.",
            "`terminals` and `timeouts`"
        ),
        Verdict::Undecided if audit.p_unit == 0.0 => format!(
            "{} is the same{} in every row{}: the recording tells no two rows apart.",
            audit.p,
            match audit.tolerance {
                Some(tolerance) if tolerance > 0.0 =>
                    format!(", within the tolerance of {tolerance},"),
                _ => String::new(),
            },
            match audit.p_unknown {
                0 => String::new(),
                unknown => format!(
                    " where it is known (of the {}, and not known in {unknown} of {}: are the ends of episodes in \
                     the rows of their last observations?)",
                    audit.p_of, audit.rows
                ),
            }
        ),
        Verdict::Undecided if counts.distinguished == 0 => format!(
            "The recording tells no two rows apart by {}: nothing can be said about what was merged.",
            audit.p
        ),
        Verdict::Undecided => format!(
            "Too little can be compared: of {} near pairs only {} share a recorded action.",
            counts.compared, counts.comparable
        ),
        Verdict::Healthy => match greatest {
            _ if counts.outlier_rows > 0 => format!(
                "The encoder keeps apart what the recording tells apart, but for {} of {} rows that {}: \
                 among rows that must be apart (required Lipschitz constant above {}), without a class of their own.",
                counts.outlier_rows,
                audit.rows,
                if counts.outlier_rows == 1 {
                    "is an outlier"
                } else {
                    "are outliers"
                },
                audit.threshold,
            ),
            Some(constant) => format!(
                "The encoder keeps apart what the recording tells apart: the greatest required Lipschitz constant \
                 found is {constant:.2}, the threshold {}.",
                audit.threshold
            ),
            None => "The encoder keeps apart what the recording tells apart.".to_owned(),
        },
    };
    if counts.observation > 0 {
        text += &format!(
            " {} cannot be told apart by any encoder of single observations, because the observations are \
             identical: that is the observation's fault.",
            in_words(counts.observation as usize, "pair", "pairs")
        );
    }
    text
}

/// Says how many kinds of merged pairs are below the threshold, and count nevertheless.
fn by_mixing(audit: &RecordedAudit) -> String {
    let is_below = |kind: &&MergeKind| {
        let constant = kind.required_lipschitz;
        kind.cause == Cause::Encoder && constant.is_some_and(|it| it <= audit.threshold)
    };
    match audit.counts.kinds.iter().filter(is_below).count() {
        0 => String::new(),
        below => format!(
            " {} within the threshold, but nearer than all rows that agree.",
            in_words(below, "of these ways is", "of these ways are")
        ),
    }
}

/// Says if some differences of `p` are so small next to others that they hardly count.
pub(super) fn magnitudes(audit: &RecordedAudit, smallest: f64) -> Option<String> {
    (smallest < SMALL * audit.p_unit).then(|| {
        format!(
            "Differences of {p} span magnitudes: the smallest is {smallest:.1e}, their median {:.1e}. Required \
             Lipschitz constants are in units of the median, so latents may be very near before a small difference \
             counts. If every difference matters as much, give classes, as of np.unique(..., return_inverse=True).",
            audit.p_unit,
            p = audit.p,
        )
    })
}

/// Returns the warnings that a reader must see next to the verdict.
pub(super) fn warnings(audit: &RecordedAudit, different: DifferentLatents) -> Vec<String> {
    let mut warnings = Vec::new();
    if audit.rows > 1 && audit.spread == 0.0 {
        warnings.push("All latents are equal: the encoder has collapsed to a point.".to_owned());
    } else if let Some(relative) = audit
        .diagnostics
        .relative_spread
        .filter(|share| audit.rows > 1 && *share < POINT)
    {
        warnings.push(format!(
            "The latents are next to a point: their mean distance is {relative:.1e} of their mean norm. \
             Required Lipschitz constants are in units of what spread is left."
        ));
    }
    if let Some(share) = audit.trimmed_share {
        warnings.push(format!(
            "At most one row in a hundred makes up {:.0} % of the spread: latents far outside, as of a diverged \
             encoder. They are left out of the unit of distances.",
            100.0 * share
        ));
    }
    if let Some(DominantDimension { dimension, share }) = audit.dominant_dimension {
        warnings.push(format!(
            "Dimension {dimension} of the latents makes up {:.1} % of the squared spread, so distances hardly see the \
             other {}. If their scales mean nothing, divide each by its standard deviation before the audit.",
            100.0 * share,
            match audit.latent_width - 1 {
                1 => "one".to_owned(),
                others => format!("{others} dimensions"),
            }
        ));
    }
    if let Some([a, b]) = different.example {
        warnings.push(format!(
            "Rows {a} and {b} show the same observation but have different latents, and so have {} of \
             {} observations that recur: either the encoder sees more than the observation (or is random), \
             or the rows of the embeddings are not in the order of the recording.",
            different.differing, different.recurring
        ));
    }
    let near = &audit.neighborhoods;
    if let (true, Some(mixed), Some(chance)) = (
        is_mixed(near, audit.outlier_tolerance),
        near.mixed,
        near.by_chance,
    ) {
        let mut text = format!(
            "For {:.0} % of the rows the nearest comparable row is one that must be apart",
            100.0 * mixed
        );
        let is_telling = chance > TELLING_CHANCE;
        if is_telling && mixed > 0.8 * chance && mixed < (1.5 * chance).min(1.0) {
            text += &format!(
                ", about as many as for rows drawn at random ({:.0} %): it may be that the latents say nothing \
                 about what follows, or that their rows are not in the order of the recording",
                100.0 * chance
            );
        }
        warnings.push(text + ".");
    }
    if let Some(first) = audit.contradictions.first() {
        warnings.push(format!(
            "The recording contradicts itself, for example at rows {} and {}: the same observation, but \
             {}. Such observations count as hidden states of their own.",
            first.rows[0],
            first.rows[1],
            match first.action {
                None => format!("different {}", audit.p),
                Some(action) if first.kind == "output" => format!(
                    "the same action ({}) has different {}",
                    audit.actions[action as usize], audit.p
                ),
                Some(action) => format!(
                    "the same action ({}) leads to different ones",
                    audit.actions[action as usize]
                ),
            }
        ));
    }
    if audit.counts.undecided > 0 {
        warnings.push(format!(
            "{} comparisons were given up.",
            audit.counts.undecided
        ));
    }
    warnings
}

/// Returns a sentence if rank and distances look fine although pairs are merged.
pub(super) fn contradicts(audit: &RecordedAudit) -> Option<String> {
    let diagnostics = &audit.diagnostics;
    let rank = diagnostics.effective_rank?;
    let spread = diagnostics.relative_spread?;
    // Neither of the two shows a collapse.
    let look_fine = rank >= 2.0 && spread > 0.1;
    (audit.verdict == Verdict::Unhealthy && look_fine).then(|| {
        format!(
            "RankMe {}, effective rank {rank:.1} and a mean distance of {spread:.2} mean norms show no \
             collapse, yet pairs are merged that must be apart.",
            diagnostics
                .rankme
                .map_or_else(|| "none".to_owned(), |rank| format!("{rank:.1}")),
        )
    })
}

fn in_words(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
