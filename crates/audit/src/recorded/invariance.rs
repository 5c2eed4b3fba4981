//! Healthy collapse: how far observations that need not be kept apart were brought together.

use std::collections::{BTreeSet, HashMap};

use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tellapart_data::Trajectories;
use tellapart_progress::Progress;

use super::merge_counts::MergedStates;
use super::neighbors::sample;
use super::schema::{HealthyCollapse, KeptNuisance, RecordedAudit, TruthCheck};
use crate::{AuditError, Classes, DEFAULT_RIDGE, Embeddings, Probe, ProbeScore};

/// Number of rows that probes are fitted to and scored on.
const MOST_ROWS: usize = 4096;
/// Standard deviation of the noise floor, in units of the spread. No user could rely on a trace
/// below a hundredth of what the latents span.
const NOISE: f64 = 0.01;
/// Widest array that counts as a nuisance; wider ones are data.
const MOST_WIDTH: usize = 64;
/// Bound of whole numbers that count as classes; an array with larger ones is continuous.
const MOST_IDS: f32 = 256.0;

/// Measures invariance. `states` are hidden states, with the merged pairs of rows by states.
/// Returns `None` if there are neither states nor other arrays.
pub(super) fn measure(
    trajectories: &Trajectories,
    embeddings: &Embeddings<'_>,
    audit: &RecordedAudit,
    states: Option<(&[u32], &MergedStates)>,
    seed: u64,
    progress: &dyn Progress,
) -> Result<Option<HealthyCollapse>, AuditError> {
    let mut nuisances = Vec::new();
    if embeddings.rows() >= 4 && audit.spread > 0.0 {
        for name in trajectories.extra.keys().filter(|name| **name != audit.p) {
            progress.check()?;
            let Ok(columns) = trajectories.column(name) else {
                continue;
            };
            if (1..=MOST_WIDTH).contains(&columns.width) {
                nuisances.push(kept(
                    name,
                    &columns.values,
                    columns.width,
                    embeddings,
                    audit.spread,
                    seed,
                )?);
            }
        }
    }
    let result = HealthyCollapse {
        within_states: states.and_then(|(states, _)| within(states, embeddings, audit.spread)),
        nuisances,
        truth: states.map(|(states, merged)| truth(states, merged)),
    };
    Ok((states.is_some() || !result.nuisances.is_empty()).then_some(result))
}

/// Returns the root mean squared distance of two rows of one state, in units of the spread.
fn within(states: &[u32], embeddings: &Embeddings<'_>, spread: f64) -> Option<f64> {
    let width = embeddings.width();
    let mut sums: HashMap<u32, (f64, Vec<f64>)> = HashMap::new();
    for (row, &state) in states.iter().enumerate() {
        let (count, sum) = sums.entry(state).or_insert_with(|| (0.0, vec![0.0; width]));
        *count += 1.0;
        for (sum, &value) in sum.iter_mut().zip(embeddings.row(row)) {
            *sum += f64::from(value);
        }
    }
    let (mut squares, mut freedom) = (0.0, 0.0);
    for (row, &state) in states.iter().enumerate() {
        let (count, sum) = &sums[&state];
        if *count > 1.0 {
            let centered = embeddings.row(row).iter().zip(sum);
            squares += centered
                .map(|(&value, sum)| (f64::from(value) - sum / count).powi(2))
                .sum::<f64>();
            freedom += (count - 1.0) / count;
        }
    }
    (freedom > 0.0 && spread > 0.0).then(|| (2.0 * squares / freedom).sqrt() / spread)
}

/// Scores a linear probe on the latents, without noise and behind the noise floor.
fn kept(
    name: &str,
    values: &[f32],
    width: usize,
    embeddings: &Embeddings<'_>,
    spread: f64,
    seed: u64,
) -> Result<KeptNuisance, AuditError> {
    let rows = sample(embeddings.rows(), MOST_ROWS, seed);
    let pick = |row: &u32| embeddings.row(*row as usize).iter().copied();
    let latents: Vec<f32> = rows.iter().flat_map(pick).collect();
    let targets: Vec<f32> = rows
        .iter()
        .flat_map(|&row| &values[row as usize * width..][..width])
        .copied()
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    // Per coordinate, so that the noise as a vector moves a latent by NOISE spreads.
    let deviation = NOISE * spread / (embeddings.width() as f64).sqrt();
    let noisy: Vec<f32> = latents
        .iter()
        .map(|&value| (f64::from(value) + deviation * normal(&mut random)) as f32)
        .collect();
    let score = |latents: &[f32]| -> Result<Option<f64>, AuditError> {
        let latents = Embeddings::new(latents, rows.len(), embeddings.width())?;
        let probe = match ids(&targets, width) {
            Some((ids, count)) => {
                let classes = Classes::new(&ids, count)?;
                Probe::classes(name, &latents, &classes, DEFAULT_RIDGE)?
            }
            None => Probe::continuous(name, &latents, &targets, width, DEFAULT_RIDGE)?,
        };
        Ok(match probe.score {
            ProbeScore::Continuous { r_squared, .. } => r_squared,
            // 0 is always naming the commonest class, 1 is all right.
            ProbeScore::Classes {
                accuracy,
                majority_baseline,
            } => (majority_baseline < 1.0)
                .then(|| (accuracy - majority_baseline) / (1.0 - majority_baseline)),
        })
    };
    Ok(KeptNuisance {
        array: name.to_owned(),
        score: score(&latents)?,
        score_behind_noise: score(&noisy)?,
        noise: NOISE,
    })
}

/// Returns the targets as ids, with their count; `None` unless each is a single whole number below
/// [`MOST_IDS`].
fn ids(targets: &[f32], width: usize) -> Option<(Vec<u32>, usize)> {
    let is_id = |value: &f32| value.fract() == 0.0 && (0.0..MOST_IDS).contains(value);
    if width != 1 || !targets.iter().all(is_id) {
        return None;
    }
    let ids: Vec<u32> = targets.iter().map(|&value| value as u32).collect();
    let count = ids.iter().max().map_or(1, |&most| most as usize + 1);
    Some((ids, count))
}

/// Draws from the standard normal distribution (Box and Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    use rand::RngExt as _;
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

fn truth(states: &[u32], merged: &MergedStates) -> TruthCheck {
    let (same, different): (Vec<_>, Vec<_>) = merged.iter().partition(|([a, b], _)| a == b);
    TruthCheck {
        states: states.iter().collect::<BTreeSet<_>>().len(),
        merged_states: different.iter().map(|(states, _)| **states).collect(),
        pairs_of_states: different.iter().map(|(_, count)| **count).collect(),
        same_state: same.iter().map(|(_, count)| **count).sum(),
    }
}
