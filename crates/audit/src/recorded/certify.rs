//! Certificate of an audit by a model: which pairs are provably apart, and by how much.

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tellapart_progress::{Progress, Stopped};

use super::audit::Audit;
use super::scales::p_distance;
use super::schema::{AuditedPair, BoundedPair, PairBound, RecordedAudit, RecordedCertificate};
use crate::AuditError;
use crate::embeddings::check_matrix;
use crate::residuals::ROUNDING;

/// Number of random pairs of rows drawn; those that the data distinguishes are certified.
const RANDOM_PAIRS: usize = 4096;

/// A prediction that a certificate needs: from the latent of `row`, through the actions taken at
/// the rows `actions_at`, to `p`.
///
/// Both rows of a pair are rolled out with the same actions, those recorded from the first. If
/// actions are continuous, those taken from the second are other values of the same bins. The bound
/// holds for any single map of latents to predictions, but for one only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Row whose latent the rollout starts from.
    pub row: usize,
    /// Rows at which the actions of the word were taken.
    pub actions_at: Vec<usize>,
}

/// Pairs to certify, and the predictions a model must make for that.
#[derive(Clone, Debug)]
pub struct Certifiable {
    /// Two rollouts for each pair, the lower row first.
    rollouts: Vec<Rollout>,
    /// Pairs reported, then the closest, then random ones.
    pairs: Vec<AuditedPair>,
    reported: usize,
    closest: usize,
}

/// Predictions of a model.
#[derive(Clone, Copy, Debug)]
pub struct Foreseen<'a> {
    /// Predicted `p` after each of [`Certifiable::rollouts`], `[rollouts, p_width]`.
    pub predicted: &'a [f32],
    /// Upper bound on the Lipschitz constant of `z -> P(T^w(z))` in exact arithmetic, for every
    /// word. `None` if none is known: then only the signs of bounds count.
    pub lipschitz: Option<f64>,
}

impl Certifiable {
    /// Returns the rollouts, in the order in which predictions are expected.
    #[must_use]
    pub fn rollouts(&self) -> &[Rollout] {
        &self.rollouts
    }

    /// Prepares one pair alone; `None` if the data does not distinguish it.
    #[must_use]
    pub fn of_pair(pair: &AuditedPair) -> Option<Self> {
        pair.witness.as_ref()?;
        Some(Self::of(vec![pair.clone()], 1, 0))
    }

    fn of(pairs: Vec<AuditedPair>, reported: usize, closest: usize) -> Self {
        let rollouts = pairs.iter().flat_map(|pair| {
            let length = pair.witness.as_ref().map_or(0, Vec::len);
            [pair.i, pair.j].map(|row| Rollout {
                row,
                actions_at: pair.trace_i[..length].to_vec(),
            })
        });
        Self {
            rollouts: rollouts.collect(),
            pairs,
            reported,
            closest,
        }
    }
}

impl Audit<'_> {
    /// Collects the pairs to certify: the reported pairs that the data distinguishes, the closest
    /// such pairs ([`RecordedAudit::closest_pairs`]), and those among 4096 random pairs.
    ///
    /// # Errors
    /// [`Stopped`], soon after `progress` says so.
    pub fn certifiable(
        &self,
        found: &RecordedAudit,
        progress: &dyn Progress,
    ) -> Result<Certifiable, Stopped> {
        let reported = found.pairs.iter().chain(&found.closest);
        let mut pairs: Vec<_> = reported
            .filter(|pair| pair.witness.is_some())
            .cloned()
            .collect();
        let reported = pairs.len();
        for &[i, j] in &found.closest_pairs {
            progress.check()?;
            pairs.push(self.oracle.pair(i, j, None));
        }
        let closest = pairs.len() - reported;
        let rows = self.embeddings.rows();
        let mut random = ChaCha8Rng::seed_from_u64(self.options.seed);
        for _ in 0..if rows > 1 { RANDOM_PAIRS } else { 0 } {
            let [i, j] = [0; 2].map(|_| random.random_range(0..rows));
            if i != j {
                progress.check()?;
                pairs.push(self.oracle.pair(i, j, None));
            }
        }
        pairs.retain(|pair| pair.witness.is_some());
        Ok(Certifiable::of(pairs, reported, closest))
    }

    /// Adds the certificate to an audit: a bound to every reported pair, and a summary over the
    /// closest and the random pairs.
    ///
    /// # Errors
    /// If predictions are not finite or have the wrong shape, or the constant is not finite and
    /// above zero.
    pub fn certify(
        &self,
        found: &mut RecordedAudit,
        asked: &Certifiable,
        foreseen: Foreseen<'_>,
    ) -> Result<(), AuditError> {
        let bounds = self.bounds(asked, foreseen)?;
        let (reported, others) = bounds.split_at(asked.reported);
        let shown = found.pairs.iter_mut().chain(&mut found.closest);
        let shown = shown.filter(|pair| pair.witness.is_some());
        for (pair, bound) in shown.zip(reported) {
            pair.bound = Some(bound.clone());
        }
        let (closest, random) = others.split_at(asked.closest);
        let certified =
            |bounds: &[PairBound]| bounds.iter().filter(|bound| bound.certified).count();
        let pairs = asked.pairs[asked.reported..].iter();
        let listed = pairs.zip(closest).map(|(pair, bound)| BoundedPair {
            i: pair.i,
            j: pair.j,
            bound: bound.clone(),
        });
        let scale = self.embeddings.mean_norm();
        let is_violated = |bound: &&PairBound| {
            bound.certified_distance.is_some_and(|distance| {
                distance > bound.actual_distance * (1.0 + ROUNDING) + ROUNDING * scale
            })
        };
        let mut ratios: Vec<f64> = random
            .iter()
            .filter(|bound| bound.certified)
            .filter_map(|bound| Some(bound.certified_distance? / bound.actual_distance))
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        found.certificate = Some(RecordedCertificate {
            soundness: soundness(foreseen.lipschitz),
            lipschitz: foreseen.lipschitz,
            pairs: closest.len(),
            certified: certified(closest),
            random_pairs: random.len(),
            random_certified: certified(random),
            median_certified_over_actual: ratios.get(ratios.len() / 2).copied(),
            violations: bounds.iter().filter(is_violated).count(),
            closest: listed.collect(),
        });
        Ok(())
    }

    /// Computes the bound of every pair of `asked`.
    ///
    /// # Errors
    /// If predictions are not finite or have the wrong shape, or the constant is not finite and
    /// above zero.
    pub fn bounds(
        &self,
        asked: &Certifiable,
        foreseen: Foreseen<'_>,
    ) -> Result<Vec<PairBound>, AuditError> {
        if asked.pairs.is_empty() {
            // Nothing is told apart, as where p never changes.
            return Ok(Vec::new());
        }
        let width = self.recorded.values.width();
        let name = "the predictions of the model";
        check_matrix(name, foreseen.predicted, asked.rollouts.len(), width)?;
        if let Some(value) = foreseen
            .lipschitz
            .filter(|constant| !(constant.is_finite() && *constant > 0.0))
        {
            return Err(AuditError::Setting {
                name: "the Lipschitz constant of the model".to_owned(),
                value,
                expected: "finite and above zero",
            });
        }
        let predictions = foreseen.predicted.chunks_exact(2 * width);
        let bounds = asked
            .pairs
            .iter()
            .zip(predictions)
            .map(|(pair, predicted)| {
                let (of_i, of_j) = predicted.split_at(width);
                self.bound(pair, [of_i, of_j], foreseen.lipschitz)
            });
        Ok(bounds.collect())
    }

    fn bound(
        &self,
        pair: &AuditedPair,
        predicted: [&[f32]; 2],
        lipschitz: Option<f64>,
    ) -> PairBound {
        let distance = p_distance;
        let end = |values: &[Vec<f64>]| values.last().cloned().unwrap_or_default();
        let predicted = predicted.map(|values| values.iter().map(|&v| f64::from(v)).collect());
        let predicted: [Vec<f64>; 2] = predicted;
        let p = [end(&pair.p_i), end(&pair.p_j)];
        let residuals = [0, 1].map(|side| distance(&predicted[side], &p[side]));
        let margin = distance(&p[0], &p[1]) - residuals[0] - residuals[1];
        // Predictions are f32: allow for rounding of a margin, and of the constant at every step.
        let values = p.iter().chain(&predicted).flatten();
        let largest = values.fold(0.0, |most: f64, value| value.abs().max(most));
        let rounding = ROUNDING * largest * (p[0].len() as f64).sqrt();
        let word = pair.witness.clone().unwrap_or_default();
        let steps = i32::try_from(word.len() + 1).unwrap_or(i32::MAX);
        let lipschitz = lipschitz.map(|constant| constant * (1.0 + ROUNDING).powi(steps));
        PairBound {
            word,
            residuals,
            margin,
            lipschitz,
            certified_distance: lipschitz.map(|constant| (margin - rounding) / constant),
            actual_distance: self.embeddings.distance(pair.i, pair.j),
            certified: margin > rounding,
        }
    }
}

fn soundness(lipschitz: Option<f64>) -> String {
    match lipschitz {
        Some(_) => {
            "The Lipschitz constant is the model's own and holds by construction: its dynamics are \
             orthogonal layers, which do not stretch, and its head is scaled to the constant. For rounding \
             in f32 it is raised by 1e-5 for every step, and margins below 1e-5 of p count as none. The \
             bounds hold for the rows they were measured on."
        }
        None => {
            "No useful Lipschitz constant of this model is known (plain networks with LayerNorm declare \
             none), so only the sign of a margin counts: equal latents would give equal predictions, so \
             a pair with a positive margin is apart, by an unknown distance."
        }
    }
    .to_owned()
}
