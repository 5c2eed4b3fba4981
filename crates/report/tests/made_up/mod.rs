//! Made-up runs that resemble the counting experiment, for tests and the example.

use std::error::Error;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::{
    AuditReport, Certificate, Classes, Clusters, DEFAULT_RIDGE, Embeddings, MERGED_WITHIN_SPREADS,
    OpenLoop, Pca, Probe, SortedDistances, Spectrum, StepValues, WordRollout,
};
use tellapart_report::{
    Cell, Chart, ClassNames, Fact, Metric, Page, Point, Reconstructions, RunPage, Scale, Scatter,
    Series, Table,
};

const CLASSES: usize = 9;
const WIDTH: usize = 8;
const ROWS: usize = 700;

pub(crate) fn page() -> Result<Page, Box<dyn Error>> {
    let runs = vec![
        run(
            "joint-reward",
            "Both losses shape the encoder; p is the sparse reward.",
            1,
            |c, r| {
                let angle = 0.36 * c;
                [
                    3.0 * angle.cos() + 0.05 * r[0],
                    3.0 * angle.sin() + 0.05 * r[1],
                    0.05 * r[2],
                ]
            },
        )?,
        run(
            "joint-random",
            "Both losses; p is a fixed random function of the pixels.",
            2,
            |c, r| [2.0 * r[0] + 0.1 * c, 2.0 * r[1], 1.5 * r[2]],
        )?,
        run(
            "reward-only",
            "Only the auxiliary loss shapes the encoder.",
            3,
            |c, r| {
                let coarse = (c / 3.0).floor();
                let hump = if (coarse - 1.0).abs() < 0.5 { 2.5 } else { 0.0 };
                [
                    2.0 * coarse + 0.1 * c + 0.12 * r[0],
                    hump + 0.12 * r[1],
                    0.1 * r[2],
                ]
            },
        )?,
        run(
            "dynamics-only",
            "Only the dynamics loss shapes the encoder.",
            4,
            |_, r| [1.0 + 1e-6 * r[0], 1.0 + 1e-6 * r[1], 1e-6 * r[2]],
        )?,
    ];
    let steps = |values: &[f64]| (1u8..).map(f64::from).zip(values.iter().copied()).collect();
    let series = |name: &str, values: &[f64]| Series {
        name: name.into(),
        points: steps(values),
    };
    let seeds = [11u64, 12].iter().flat_map(|&seed| {
        runs.iter().map(move |run| {
            let clusters = &run.audit.clusters;
            vec![
                Cell::Text(run.name.clone()),
                Cell::Count(Some(seed)),
                Cell::Share(Some(clusters.nearest_centroid_accuracy)),
                Cell::Count(Some(clusters.merged.len() as u64)),
                Cell::Number(clusters.closest_gap_over_mean_gap),
                Cell::Count(None),
            ]
        })
    });
    let columns = [
        "Run",
        "Seed",
        "Nearest centroid",
        "Merged",
        "Closest / mean gap",
        "Certified",
    ];
    Ok(Page {
        seeds: Some(Table {
            caption: "The runs of both seeds.".into(),
            columns: columns.map(String::from).to_vec(),
            rows: seeds.collect(),
        }),
        without_truth: Some(Table {
            caption: "Recorded episodes, audited with no count looked at.".into(),
            columns: ["Run", "Verdict"].map(String::from).to_vec(),
            rows: vec![vec![
                Cell::Text("joint-reward".into()),
                Cell::Text("healthy".into()),
            ]],
        }),
        title: "Which counts does an encoder keep apart?".into(),
        lead:
            "Four encoders saw the same pictures of 0 to 8 objects. The largest bisimulation with \
               respect to the reward has exactly nine classes, one per count: an encoder that \
               merges two counts has lost something its own auxiliary task will need."
                .into(),
        facts: vec![
            Fact::new("Classes of the largest bisimulation", 9),
            Fact::new("Held-out observations", ROWS),
            Fact::new("Updates per run", 1200),
            Fact::new("Setting", "bounded, cnn encoder"),
            Fact::new("Seed", 11),
        ],
        classes: ClassNames {
            noun: "count".into(),
            names: (0..CLASSES).map(|c| c.to_string()).collect(),
        },
        actions: vec!["remove".into(), "add".into()],
        runs,
        charts: vec![Chart {
            title: "Balanced open-loop accuracy of p".into(),
            x_label: "latent steps k".into(),
            scale: Scale::Linear,
            series: vec![
                series(
                    "joint-reward",
                    &[0.99, 0.98, 0.97, 0.95, 0.93, 0.9, 0.88, 0.86],
                ),
                series(
                    "joint-random",
                    &[0.8, 0.7, 0.62, 0.6, 0.57, 0.55, 0.53, 0.52],
                ),
                series(
                    "reward-only",
                    &[0.85, 0.72, 0.61, 0.56, 0.53, 0.52, 0.5, 0.5],
                ),
                series("dynamics-only", &[0.5; 8]),
            ],
        }],
        settings: vec![
            Fact::new("encoder.kind", "cnn"),
            Fact::new("dynamics.bound", 1.0),
            Fact::new("head.lipschitz", 0.25),
            Fact::new("loss.latent_noise", 0.05),
        ],
        environment: vec![Fact::new("tellapart", "0.1.0"), Fact::new("cores", 2)],
    })
}

fn run(
    name: &str,
    description: &str,
    seed: u64,
    place: impl Fn(f64, [f64; 3]) -> [f64; 3],
) -> Result<RunPage, Box<dyn Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || (0..6).map(|_| rng.random_range(-1.0..1.0)).sum::<f64>() / 1.41;
    let labels: Vec<u32> = (0..ROWS).map(|row| (row % CLASSES) as u32).collect();
    let latents: Vec<f32> = labels
        .iter()
        .flat_map(|&class| {
            let at = place(f64::from(class), [normal(), normal(), normal()]);
            (0..WIDTH).map(move |d| (at[d % 3] * [1.0, 0.9, 1.1][d / 3]) as f32)
        })
        .collect();
    let embeddings = Embeddings::new(&latents, ROWS, WIDTH)?;
    let classes = Classes::new(&labels, CLASSES)?;
    let mut clusters = Clusters::measure(&embeddings, &classes, MERGED_WITHIN_SPREADS)?;
    for pair in &mut clusters.merged {
        pair.witness = Some(if pair.b <= 4 {
            vec![1; (4 - pair.b) as usize]
        } else {
            vec![0; pair.a.saturating_sub(4) as usize]
        });
    }
    // Predictions are the true value plus noise; the noise is smaller for tighter clusters.
    let quality = 0.5 * (1.0 - clusters.nearest_centroid_accuracy) + 0.02;
    let after = |class: u32, k: usize, up: bool| {
        let end = if up {
            (class as usize + k).min(8)
        } else {
            (class as usize).saturating_sub(k)
        };
        f32::from(u8::from(end == 4))
    };
    let words: Vec<(usize, bool)> = (0..5).flat_map(|k| [(k, true), (k, false)]).collect();
    let tables: Vec<(Vec<f32>, Vec<f32>)> = words
        .iter()
        .map(|&(k, up)| {
            let truth: Vec<f32> = labels.iter().map(|&class| after(class, k, up)).collect();
            let predicted = truth
                .iter()
                .map(|t| 0.8 * t + (quality * normal().clamp(-1.5, 1.5)) as f32)
                .collect();
            (predicted, truth)
        })
        .collect();
    let rollouts: Vec<WordRollout<'_>> = words
        .iter()
        .zip(&tables)
        .map(|(&(k, up), (predicted, truth))| WordRollout {
            actions: vec![u32::from(up); k],
            lipschitz: Some(0.9),
            predicted,
            truth,
        })
        .collect();
    let open_loop: Vec<StepValues<'_>> = tables
        .iter()
        .map(|(predicted, recorded)| StepValues {
            predicted,
            recorded,
        })
        .collect();
    let mut audit = AuditReport {
        observations: ROWS,
        latent_width: WIDTH,
        spectrum: Spectrum::measure(&embeddings)?,
        probes: vec![Probe::classes(
            "count",
            &embeddings,
            &classes,
            DEFAULT_RIDGE,
        )?],
        open_loop: Some(OpenLoop::measure(&open_loop, 1, None)?),
        certificate: Some(Certificate::measure(&embeddings, &classes, &rollouts, 1)?),
        clusters,
    };
    // A certificate of made-up predictions is not sound, but here only the design matters.
    let certificate = audit.certificate.as_mut();
    if let Some(soundness) = certificate.and_then(|found| found.soundness.as_mut()) {
        soundness.violations = 0;
    }
    let pca = Pca::fit(&embeddings, 2)?;
    let points = pca
        .projection
        .iter()
        .zip(&labels)
        .map(|(at, &class)| Point {
            x: at[0],
            y: at[1],
            class,
        })
        .collect();
    let loss = |start: f64, end: f64, seed: u64| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..600u32)
            .map(|i| {
                let share = f64::from(i) / 600.0;
                let value = start * (end / start).powf(share.sqrt());
                (
                    2.0 * f64::from(i),
                    value * (1.0 + 0.25 * rng.random_range(-1.0..1.0)),
                )
            })
            .collect()
    };
    let charts = vec![Chart {
        title: "losses".into(),
        x_label: "updates".into(),
        scale: Scale::Logarithmic,
        series: vec![
            Series {
                name: "dynamics".into(),
                points: loss(2.0, 0.004, seed),
            },
            Series {
                name: "auxiliary".into(),
                points: loss(0.2, 0.02, seed + 9),
            },
            Series {
                name: "decoder".into(),
                points: loss(0.05, 0.01, seed + 19),
            },
        ],
    }];
    Ok(RunPage {
        name: name.into(),
        description: description.into(),
        finding: audit.summary(),
        audit,
        metrics: vec![
            Metric {
                name: "Decoder loss".into(),
                value: Some(0.0123 * seed as f64),
            },
            Metric {
                name: "CPU seconds".into(),
                value: (seed != 4).then_some(61.4),
            },
        ],
        scatter: Some(Scatter {
            points,
            explained_share: [
                pca.explained_share.first().copied(),
                pca.explained_share.get(1).copied(),
            ],
        }),
        distances: Some(SortedDistances::sample(&embeddings, &classes, 24)?),
        reconstructions: Some(pictures()?),
        charts,
    })
}

/// Returns black frames with as many blobs as their class, and a blurred version of each.
fn pictures() -> Result<Reconstructions, Box<dyn Error>> {
    const SIDE: usize = 64;
    let mut rng = ChaCha8Rng::seed_from_u64(77);
    let mut originals = Vec::new();
    let mut rebuilt = Vec::new();
    for class in 0..CLASSES {
        let color: [u8; 3] = std::array::from_fn(|_| rng.random_range(60..226));
        let centers: Vec<(i32, i32)> = (0..class)
            .map(|_| (rng.random_range(3..61), rng.random_range(3..61)))
            .collect();
        for y in 0..SIDE as i32 {
            for x in 0..SIDE as i32 {
                let square = |(u, v): &(i32, i32)| (x - u).pow(2) + (y - v).pow(2);
                let nearest = centers.iter().map(square).min().unwrap_or(i32::MAX);
                originals.extend(if nearest <= 9 { color } else { [0; 3] });
                let blur = (-f64::from(nearest.min(9999)) / 90.0).exp();
                rebuilt.extend(color.map(|c| (f64::from(c) * 0.7 * blur) as u8));
            }
        }
    }
    let names = (0..CLASSES).map(|c| c.to_string()).collect();
    Ok(Reconstructions::new(
        [SIDE, SIDE],
        names,
        originals,
        rebuilt,
    )?)
}
