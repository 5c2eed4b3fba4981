//! Made-up audit that resembles one of the counting world, for tests and the example.

use std::error::Error;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::recorded::{
    AuditedPair, Cause, ContradictionRecord, Counts, Coverage, Diagnostics, HealthyCollapse,
    KeptNuisance, LatentMap, MergeKind, Neighborhoods, PairBound, RecordedAudit,
    RecordedCertificate, SCHEMA, SaidBy, Search, Settling, TruthCheck, Verdict, World, WorldKind,
};
use tellapart_audit::{Embeddings, Spectrum};
use tellapart_report::{AuditPage, ClassNames, Fact, Observed, Picture, PointColors, ShownRow};

const SIDE: usize = 32;
const WIDTH: usize = 8;
const BACKGROUND_EPISODES: usize = 140;
const REMOVE: u32 = 0;
const ADD: u32 = 1;

/// Recorded rows: count, episode, step.
#[derive(Default)]
struct Rows(Vec<(u32, usize, usize)>);

impl Rows {
    /// Records an episode that starts at `count` and takes the actions of `word`; returns its rows.
    fn episode(&mut self, mut count: u32, word: &[u32]) -> Vec<usize> {
        let episode = self.0.last().map_or(0, |row| row.1 + 1);
        let first = self.0.len();
        self.0.push((count, episode, 0));
        for (step, &action) in word.iter().enumerate() {
            count = if action == ADD {
                (count + 1).min(8)
            } else {
                count.saturating_sub(1)
            };
            self.0.push((count, episode, step + 1));
        }
        (first..self.0.len()).collect()
    }
}

fn reward(count: u32) -> f64 {
    if count == 4 { 1.0 } else { 0.0 }
}

pub(crate) fn page() -> Result<AuditPage, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut rows = Rows::default();
    for _ in 0..BACKGROUND_EPISODES {
        let word: Vec<u32> = (0..4).map(|_| rng.random_range(0..2)).collect();
        rows.episode(rng.random_range(0..9), &word);
    }
    let mut pairs = Vec::new();
    // Counts, word and distance; `None` means equal latents.
    let encoder: [(u32, u32, &[u32], Option<f64>); 5] = [
        (7, 8, &[REMOVE; 3], None),
        (6, 7, &[REMOVE; 2], Some(0.0021)),
        (0, 1, &[ADD; 3], Some(0.0064)),
        (8, 6, &[REMOVE; 2], Some(0.0141)),
        (4, 5, &[], Some(0.21)),
    ];
    for (kind, &(a, b, word, distance)) in encoder.iter().enumerate() {
        pairs.push(pair(
            &mut rows,
            (a, b),
            word,
            distance,
            Cause::Encoder,
            kind,
        ));
    }
    let mut outlier = pair(&mut rows, (3, 5), &[ADD], Some(0.03), Cause::Outlier, 5);
    outlier.outlier = Some(outlier.j);
    pairs.push(outlier);
    pairs.push(pair(
        &mut rows,
        (2, 3),
        &[ADD],
        Some(0.0009),
        Cause::Observation,
        6,
    ));
    for (a, b) in [(1, 1), (3, 3)] {
        let mut open = pair(&mut rows, (a, b), &[REMOVE], Some(0.0015), Cause::Data, 0);
        open.witness = None;
        open.required_lipschitz = None;
        open.kind = None;
        for trace in [&mut open.trace_i, &mut open.trace_j] {
            trace.truncate(1);
        }
        open.p_i.truncate(1);
        open.p_j.truncate(1);
        open.settling = vec![
            Settling {
                word: vec![ADD, ADD],
                record_from: open.j,
            },
            Settling {
                word: vec![REMOVE, ADD, ADD],
                record_from: open.i,
            },
        ];
        pairs.push(open);
    }
    let shown = shown_rows(&rows, &pairs)?;
    let latents = latents(&rows, &pairs, &mut rng);
    let embeddings = Embeddings::new(&latents, rows.0.len(), WIDTH)?;
    let spectrum = Spectrum::measure(&embeddings)?;
    let wanted: Vec<usize> = pairs.iter().flat_map(|pair| [pair.i, pair.j]).collect();
    let map = LatentMap::draw(&embeddings, &wanted, 300)?;
    let colors = PointColors::Classes {
        names: ClassNames {
            noun: "count".into(),
            names: (0..9).map(|count| count.to_string()).collect(),
        },
        of_point: map.rows.iter().map(|&row| rows.0[row].0).collect(),
    };
    Ok(AuditPage {
        title: "latents.npy against walks.npz".into(),
        map: Some(map),
        colors: Some(colors),
        rows: shown,
        settings: vec![
            Fact::new("--data", "walks.npz"),
            Fact::new("--embeddings", "latents.npy"),
            Fact::new("--threshold", 10),
        ],
        environment: vec![Fact::new("tellapart", "0.1.0"), Fact::new("cores", 2)],
        audit: audit(&rows, pairs, &spectrum),
    })
}

fn pair(
    rows: &mut Rows,
    (a, b): (u32, u32),
    word: &[u32],
    distance: Option<f64>,
    cause: Cause,
    kind: usize,
) -> AuditedPair {
    let (trace_i, trace_j) = (rows.episode(a, word), rows.episode(b, word));
    let p = |trace: &[usize]| {
        trace
            .iter()
            .map(|&row| vec![reward(rows.0[row].0)])
            .collect()
    };
    AuditedPair {
        i: trace_i[0],
        j: trace_j[0],
        episodes: [rows.0[trace_i[0]].1, rows.0[trace_j[0]].1],
        steps: [0, 0],
        distance: distance.unwrap_or(0.0),
        required_lipschitz: distance.map(|distance| 1.0 / distance),
        required_lipschitz_is_infinite: distance.is_none(),
        cause,
        outlier: None,
        witness: Some(word.to_vec()),
        p_i: p(&trace_i),
        p_j: p(&trace_j),
        trace_i,
        trace_j,
        kind: Some(kind),
        settling: Vec::new(),
        bound: (kind == 4).then(|| PairBound {
            word: word.to_vec(),
            residuals: [0.08, 0.11],
            margin: 0.81,
            lipschitz: Some(4.5),
            certified_distance: Some(0.18),
            actual_distance: 0.63,
            certified: true,
        }),
    }
}

fn latents(rows: &Rows, pairs: &[AuditedPair], rng: &mut ChaCha8Rng) -> Vec<f32> {
    let mut latents: Vec<f32> = rows
        .0
        .iter()
        .flat_map(|row| {
            // The highest counts lie close together.
            let angle = 0.42 * f64::from(row.0.min(6)) + 0.02 * f64::from(row.0);
            let mut place = [0.0f64; WIDTH];
            (place[0], place[1]) = (3.0 * angle.cos(), 3.0 * angle.sin());
            place.map(|v| v as f32 + rng.random_range(-0.18..0.18f32))
        })
        .collect();
    for pair in pairs {
        let from = latents[pair.i * WIDTH..(pair.i + 1) * WIDTH].to_vec();
        for (axis, value) in from.into_iter().enumerate() {
            latents[pair.j * WIDTH + axis] = value
                + if axis < 2 {
                    2.0 * pair.distance as f32
                } else {
                    0.0
                };
        }
    }
    latents
}

/// Returns a picture for each row, with as many squares as its count, in random places. The pair of
/// cause `Observation` shows one picture on both sides.
fn shown_rows(rows: &Rows, pairs: &[AuditedPair]) -> Result<Vec<ShownRow>, Box<dyn Error>> {
    let mut shown = Vec::new();
    for pair in pairs {
        for &row in pair.trace_i.iter().chain(&pair.trace_j) {
            let (count, episode, step) = rows.0[row];
            let alike = pair.cause == Cause::Observation && (row == pair.i || row == pair.j);
            let seed = if alike { 0 } else { row as u64 };
            shown.push(ShownRow {
                row,
                episode,
                step,
                observed: Observed::Picture(picture(if alike { 2 } else { count }, seed)?),
            });
        }
    }
    Ok(shown)
}

fn picture(count: u32, seed: u64) -> Result<Picture, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let color: [u8; 3] = std::array::from_fn(|_| rng.random_range(60..=235));
    let mut places: Vec<usize> = (0..16).collect();
    let mut pixels = vec![0; SIDE * SIDE * 3];
    for _ in 0..count {
        let place = places.swap_remove(rng.random_range(0..places.len()));
        for pixel in 0..25 {
            let x = place % 4 * 8 + 1 + pixel % 5;
            let y = place / 4 * 8 + 1 + pixel / 5;
            pixels[(y * SIDE + x) * 3..][..3].copy_from_slice(&color);
        }
    }
    Ok(Picture::new([SIDE, SIDE], pixels)?)
}

fn audit(rows: &Rows, pairs: Vec<AuditedPair>, spectrum: &Spectrum) -> RecordedAudit {
    let kinds = pairs
        .iter()
        .filter(|pair| pair.kind.is_some())
        .zip([412, 188, 57, 9, 1, 4, 23])
        .map(|(pair, alike)| MergeKind {
            cause: pair.cause,
            witness: pair.witness.clone().unwrap_or_default(),
            p: [vec![0.0], vec![1.0]],
            pairs: alike,
            required_lipschitz: pair.required_lipschitz,
            distance: pair.distance,
        })
        .collect();
    RecordedAudit {
        schema: SCHEMA.into(),
        verdict: Verdict::Unhealthy,
        reason:
            "In 666 pairs the observations differ and so does what follows, but their latents are \
                 nearly the same; the worst needs remove, remove, remove to show it."
                .into(),
        warnings: vec![
            "Equal observations were given different latents in 3 places: is the encoder \
                        in training mode?"
                .into(),
        ],
        rows: rows.0.len(),
        episodes: rows.0.last().map_or(0, |row| row.1 + 1),
        observations: rows.0.len() - 12,
        latent_width: WIDTH,
        p: "rewards".into(),
        p_of: "observation".into(),
        p_unknown: 0,
        world: World {
            kind: WorldKind::Deterministic,
            said_by: SaidBy::User,
            compared: 0,
            expected_by_chance: 0.0,
            steps: 0,
            differing: 0,
            example: None,
            example_actions: None,
            cut_off: None,
        },
        p_width: 1,
        p_unit: 1.0,
        tolerance: None,
        actions: vec!["remove".into(), "add".into()],
        spread: 2.9,
        threshold: 10.0,
        outlier_tolerance: 0.05,
        trimmed_share: None,
        dominant_dimension: None,
        outliers: pairs.iter().filter_map(|pair| pair.outlier).collect(),
        pairs,
        counts: Counts {
            compared: 30_412,
            distinguished: 18_020,
            comparable: 24_310,
            encoder: 666,
            encoder_rows: 210,
            outlier: 4,
            outlier_rows: 1,
            observation: 23,
            data: 340,
            undecided: 0,
            kinds,
        },
        search: Search {
            method: "exact".into(),
            neighbors: 32,
            points: rows.0.len() - 1,
            duplicates: 2,
            recall: 1.0,
            recall_sample: rows.0.len() - 1,
            exhausted: 0.08,
            followed: 1450,
        },
        neighborhoods: Neighborhoods {
            rows: 412,
            mixed: Some(0.113),
            by_chance: Some(0.61),
        },
        coverage: Coverage {
            recorded_steps: 596,
            possible_steps: 1450,
            sampled_pairs: 10_000,
            distinguished: 0.412,
            agreeing: 0.077,
            incomparable: 0.511,
            longest_witness: 4,
        },
        closest: None,
        closest_pairs: Vec::new(),
        contradictions: vec![ContradictionRecord {
            rows: [17, 244],
            kind: "successor".into(),
            action: Some(ADD),
        }],
        diagnostics: Diagnostics {
            rows: rows.0.len(),
            rankme: spectrum.rankme,
            effective_rank: spectrum.effective_rank,
            lidar: Some(5.6),
            lidar_groups: Some("episodes".into()),
            singular_values: spectrum.singular_values.clone(),
            mean_distance: 2.63,
            relative_spread: Some(0.88),
            left_out: None,
            contradicts: Some(
                "RankMe and the mean distance look healthy, and yet 666 pairs are merged.".into(),
            ),
        },
        healthy: Some(HealthyCollapse {
            within_states: Some(0.09),
            nuisances: vec![
                KeptNuisance {
                    array: "colors".into(),
                    score: Some(0.31),
                    score_behind_noise: Some(0.02),
                    noise: 0.05,
                },
                KeptNuisance {
                    array: "shape_ids".into(),
                    score: None,
                    score_behind_noise: None,
                    noise: 0.05,
                },
            ],
            truth: Some(TruthCheck {
                states: 9,
                merged_states: vec![[0, 1], [6, 7], [7, 8]],
                pairs_of_states: vec![3, 402, 261],
                same_state: 0,
            }),
        }),
        certificate: Some(RecordedCertificate {
            soundness:
                "The Lipschitz constants hold by construction of the bounded networks; residuals \
                        are those of the rows themselves."
                    .into(),
            lipschitz: Some(1.0),
            pairs: 64,
            certified: 1,
            random_pairs: 1690,
            random_certified: 1204,
            median_certified_over_actual: Some(0.41),
            violations: 0,
            closest: Vec::new(),
        }),
    }
}
