//! Certificates against the truth: which classes are provably apart in latent space.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::embeddings::squared_distance;
use crate::residuals::{ROUNDING, WordResiduals};
use crate::{AuditError, Classes, Embeddings, WordRollout};

/// Certificate of which classes are provably apart in latent space, and by how much.
///
/// For an action word `w`, let `p_w(o)` be the auxiliary value that `w` leads to from observation
/// `o`. Let `e_w(o)` be the error of the model's open-loop prediction of it, and `L_w` a bound on
/// the Lipschitz constant of `z -> P(T^w(z))`. The triangle inequality gives
///
/// ```text
/// || E(o) - E(o') ||  >=  ( || p_w(o) - p_w(o') || - e_w(o) - e_w(o') ) / L_w .
/// ```
///
/// A positive right side certifies the pair. For a pair of classes, the bound takes the worst error
/// of each class, so that it holds for every two of the observations given, and the best of the
/// words. With zero losses this is the theorem that a well-trained model merges only bisimilar
/// observations.
///
/// A positive numerator certifies the pair whatever `L_w` is: equal latents give equal predictions,
/// so the two cannot coincide. How far apart they are is known only where `L_w` is declared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Certificate {
    /// Whether every word came with a Lipschitz constant. If not, only the signs of the bounds are
    /// known: `soundness`, `split` and every size are `None`.
    pub declared: bool,
    /// One record for each pair of classes, in order.
    pub pairs: Vec<CertifiedPair>,
    /// Number of pairs with a positive bound.
    pub certified: usize,
    /// Check of the bounds on the observations themselves.
    pub soundness: Option<Soundness>,
    /// Check whether errors measured on half of the observations certify the other half.
    pub split: Option<SplitCheck>,
}

/// Bound for two classes, and their actual distance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CertifiedPair {
    /// Lower class of the pair.
    pub a: u32,
    /// Higher class of the pair.
    pub b: u32,
    /// Whether the lower bound is positive, by more than f32 rounding, for one of the words, with
    /// the worst error of each class.
    pub certified: bool,
    /// Largest lower bound over the words. May be negative, which says nothing. `None` if a class
    /// is empty, no word was given, or constants are not declared.
    pub bound: Option<f64>,
    /// Word that gives the largest bound, or the largest numerator if constants are not declared;
    /// the first on a tie. `None` if a class is empty or no word was given.
    pub word: Option<Vec<u32>>,
    /// Largest bound with each class's median error instead of the worst. It is informative, but
    /// certifies nothing.
    pub median_bound: Option<f64>,
    /// Largest bound with the errors of the even rows alone.
    pub even_rows_bound: Option<f64>,
    /// Smallest actual distance of an observation of one class from one of the other. `None` if a
    /// class is empty.
    pub smallest_distance: Option<f64>,
}

/// Check of every two observations against the bound with their own errors.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Soundness {
    /// Number of pairs of observations compared.
    pub pairs: u64,
    /// Number of pairs that are closer than their bound allows, beyond rounding. Anything but 0
    /// means that a given Lipschitz constant is too small, or that predictions and latents do not
    /// belong together.
    pub violations: u64,
    /// Largest (bound - distance); negative if every bound holds with room to spare.
    pub worst_excess: Option<f64>,
}

/// Check of the class bounds of the even rows against the odd rows, which the bounds do not use.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SplitCheck {
    /// Number of pairs of classes with a positive bound by the even rows.
    pub certified: usize,
    /// Number of pairs of odd rows whose classes are certified by the even rows.
    pub pairs: u64,
    /// Number of those pairs of odd rows that are closer than the bound: 0 if the certificate
    /// carries over.
    pub closer_than_bound: u64,
}

impl Certificate {
    /// Measures every pair of classes with every word.
    ///
    /// O(n^2 (d + words)) time on the threads of the current rayon pool (the result does not depend
    /// on their number), O(n words) memory. A continuous `p`, with more than a few hundred distinct
    /// values, costs O(n^2 m words) instead.
    ///
    /// `width` is the number of components of `p`.
    ///
    /// # Errors
    /// If the arrays of a word do not have `rows * width` finite values, or its declared Lipschitz
    /// constant is not finite and above zero.
    pub fn measure(
        embeddings: &Embeddings<'_>,
        classes: &Classes<'_>,
        words: &[WordRollout<'_>],
        width: usize,
    ) -> Result<Self, AuditError> {
        classes.check_against(embeddings)?;
        let words = words
            .iter()
            .map(|word| WordResiduals::measure(word, embeddings.rows(), width))
            .collect::<Result<Vec<_>, _>>()?;
        let declared = words.iter().all(WordResiduals::is_declared);
        let mut pairs = class_bounds(&words, classes, declared);
        // Without constants there is no size to compare a distance with.
        let checked = if declared { &words[..] } else { &[] };
        let rows = compare_rows(embeddings, classes, checked, &pairs);
        for (pair, distance) in pairs.iter_mut().zip(&rows.smallest) {
            pair.smallest_distance = distance.is_finite().then_some(*distance);
        }
        let positive = |bound: Option<f64>| bound.is_some_and(|b| b > 0.0);
        Ok(Self {
            declared,
            certified: pairs.iter().filter(|pair| pair.certified).count(),
            split: declared.then(|| SplitCheck {
                certified: pairs
                    .iter()
                    .filter(|pair| positive(pair.even_rows_bound))
                    .count(),
                pairs: rows.split_pairs,
                closer_than_bound: rows.split_closer,
            }),
            soundness: declared.then(|| Soundness {
                pairs: rows.pairs,
                violations: rows.violations,
                worst_excess: rows.worst_excess.is_finite().then_some(rows.worst_excess),
            }),
            pairs,
        })
    }
}

/// Returns the bounds of every two classes, with their sizes if `declared`. Actual distances are
/// filled in later.
fn class_bounds(
    words: &[WordResiduals<'_>],
    classes: &Classes<'_>,
    declared: bool,
) -> Vec<CertifiedPair> {
    let size = |best: Option<(usize, f64)>| best.filter(|_| declared).map(|(_, bound)| bound);
    let of_words: Vec<_> = words
        .iter()
        .map(|word| word.by_class(classes, |_| true))
        .collect();
    let of_even: Vec<_> = words
        .iter()
        .map(|word| word.by_class(classes, |r| r % 2 == 0))
        .collect();
    let rounding: Vec<f64> = words.iter().map(WordResiduals::rounding).collect();
    let count = classes.count();
    let mut pairs = Vec::with_capacity(count * count.saturating_sub(1) / 2);
    for a in 0..count {
        for b in a + 1..count {
            let best = |bounds: &mut dyn Iterator<Item = Option<f64>>| {
                let mut best: Option<(usize, f64)> = None;
                for (index, bound) in bounds.enumerate() {
                    if let Some(bound) = bound
                        && best.is_none_or(|(_, so_far)| bound > so_far)
                    {
                        best = Some((index, bound));
                    }
                }
                best
            };
            let worst = best(&mut of_words.iter().map(|w| w.bound(a, b, |e| e.worst)));
            let median = best(&mut of_words.iter().map(|w| w.bound(a, b, |e| e.median)));
            let even = best(&mut of_even.iter().map(|w| w.bound(a, b, |e| e.worst)));
            pairs.push(CertifiedPair {
                a: a as u32,
                b: b as u32,
                certified: worst.is_some_and(|(word, bound)| bound > rounding[word]),
                bound: size(worst),
                word: worst.map(|(index, _)| words[index].actions().to_vec()),
                median_bound: size(median),
                even_rows_bound: size(even),
                smallest_distance: None,
            });
        }
    }
    pairs
}

/// Results of comparing every two observations.
struct RowPairs {
    smallest: Vec<f64>,
    pairs: u64,
    violations: u64,
    worst_excess: f64,
    split_pairs: u64,
    split_closer: u64,
}

impl RowPairs {
    fn none(class_pairs: usize) -> Self {
        Self {
            smallest: vec![f64::INFINITY; class_pairs],
            pairs: 0,
            violations: 0,
            worst_excess: f64::NEG_INFINITY,
            split_pairs: 0,
            split_closer: 0,
        }
    }

    /// Merges by minima, maxima and integer sums only, so the order does not matter.
    fn merge(mut self, other: Self) -> Self {
        for (mine, theirs) in self.smallest.iter_mut().zip(other.smallest) {
            *mine = mine.min(theirs);
        }
        self.pairs += other.pairs;
        self.violations += other.violations;
        self.worst_excess = self.worst_excess.max(other.worst_excess);
        self.split_pairs += other.split_pairs;
        self.split_closer += other.split_closer;
        self
    }
}

fn compare_rows(
    embeddings: &Embeddings<'_>,
    classes: &Classes<'_>,
    words: &[WordResiduals<'_>],
    bounds: &[CertifiedPair],
) -> RowPairs {
    let scale = (0..embeddings.rows())
        .map(|row| {
            embeddings
                .row(row)
                .iter()
                .map(|&v| f64::from(v).powi(2))
                .sum::<f64>()
                .sqrt()
        })
        .fold(0.0, f64::max);
    let tolerance = ROUNDING * scale;
    let one_row = |mut found: RowPairs, row: usize| {
        for other in row + 1..embeddings.rows() {
            let distance = squared_distance(embeddings.row(row), embeddings.row(other)).sqrt();
            let bound = words
                .iter()
                .map(|word| word.row_bound(row, other))
                .fold(f64::NEG_INFINITY, f64::max);
            let excess = bound - distance;
            found.pairs += 1;
            found.worst_excess = found.worst_excess.max(excess);
            found.violations += u64::from(excess > tolerance + ROUNDING * bound.max(0.0));
            let Some(pair) = pair_index(classes.of(row), classes.of(other), classes.count()) else {
                continue;
            };
            found.smallest[pair] = found.smallest[pair].min(distance);
            let even_bound = bounds[pair].even_rows_bound.unwrap_or(0.0);
            if row % 2 == 1 && other % 2 == 1 && even_bound > 0.0 {
                found.split_pairs += 1;
                found.split_closer += u64::from(distance < even_bound - tolerance);
            }
        }
        found
    };
    (0..embeddings.rows())
        .into_par_iter()
        .fold(|| RowPairs::none(bounds.len()), one_row)
        .reduce(|| RowPairs::none(bounds.len()), RowPairs::merge)
}

/// Returns the place of a pair of classes in the list of all pairs; `None` for a class with itself.
fn pair_index(a: usize, b: usize, count: usize) -> Option<usize> {
    let (low, high) = (a.min(b), a.max(b));
    (low != high).then(|| low * (2 * count - low - 1) / 2 + (high - low - 1))
}
