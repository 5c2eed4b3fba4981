//! Collapsed, empty, single and wrong input; probes; open-loop errors.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::{
    AuditError, Classes, Clusters, DEFAULT_RIDGE, Embeddings, MERGED_WITHIN_SPREADS, OpenLoop, Pca,
    Probe, ProbeScore, SortedDistances, Spectrum, StepValues,
};

fn clusters(latents: &[f32], width: usize, labels: &[u32], count: usize) -> Clusters {
    let embeddings = Embeddings::new(latents, latents.len() / width, width).unwrap();
    let classes = Classes::new(labels, count).unwrap();
    Clusters::measure(&embeddings, &classes, MERGED_WITHIN_SPREADS).unwrap()
}

#[test]
fn equal_latents_are_all_merged_and_nothing_is_nan() {
    let labels: Vec<u32> = (0..45).map(|row| row % 9).collect();
    for value in [0.0, 0.1, -7.3] {
        let latents = vec![value; 45 * 4];
        let found = clusters(&latents, 4, &labels, 9);
        assert_eq!(found.merged.len(), 36);
        assert_eq!(found.nearest_centroid_accuracy, 0.0);
        assert_eq!(found.silhouette, Some(0.0));
        assert_eq!(found.closest_gap, Some(0.0));
        assert_eq!(found.closest_gap_over_mean_gap, None);
        assert_eq!(found.spread_over_closest_gap, None);
        assert_eq!(
            found.relative_spread,
            if value == 0.0 { None } else { Some(0.0) }
        );
        let json = serde_json::to_string(&found).unwrap();
        assert_eq!(serde_json::from_str::<Clusters>(&json).unwrap(), found);

        let embeddings = Embeddings::new(&latents, 45, 4).unwrap();
        let spectrum = Spectrum::measure(&embeddings).unwrap();
        assert_eq!(spectrum.rankme.is_some(), value != 0.0);
        let pca = Pca::fit(&embeddings, 2).unwrap();
        assert_eq!(pca.explained_share.len(), 2);
        assert!(pca.projection.iter().flatten().all(|x| x.abs() < 1e-12));
    }
}

#[test]
fn latents_collapsed_up_to_a_billionth_are_all_merged_at_about_chance() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let labels: Vec<u32> = (0..900).map(|row| row % 9).collect();
    for center in [0.0f32, 1e-6, 0.5] {
        let latents: Vec<f32> = (0..900 * 8)
            .map(|_| center + 1e-9 * rng.random_range(-1.0..1.0f32))
            .collect();
        let found = clusters(&latents, 8, &labels, 9);
        assert_eq!(found.merged.len(), 36, "center {center}");
        assert!(
            found.nearest_centroid_accuracy < 0.25,
            "{}",
            found.nearest_centroid_accuracy
        );
        assert!(!serde_json::to_string(&found).unwrap().contains("NaN"));
    }
}

#[test]
fn distinct_points_without_spread_are_not_merged() {
    let found = clusters(&[0.0, 0.0, 1.0, 1.0, 5.0, 5.0], 1, &[0, 0, 1, 1, 2, 2], 3);
    assert!(found.merged.is_empty());
    assert_eq!(found.nearest_centroid_accuracy, 1.0);
    assert_eq!(found.silhouette, Some(1.0));
    assert_eq!(found.closest_gap_over_mean_gap, Some(0.3));
    assert_eq!(found.spread_over_closest_gap, Some(0.0));
}

#[test]
fn an_observation_alone_in_its_class_cannot_be_found_and_empty_classes_do_no_harm() {
    let found = clusters(&[0.0, 0.0, 9.0], 1, &[0, 0, 2], 4);
    assert!((found.nearest_centroid_accuracy - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(found.gaps[0][2], Some(9.0));
    assert_eq!(found.gaps[0][1], None);
    assert_eq!(found.closest_gap, Some(9.0));
    let one = clusters(&[3.0], 1, &[0], 1);
    assert_eq!(
        (one.silhouette, one.closest_gap, one.relative_spread),
        (None, None, None)
    );
}

#[test]
fn bad_input_is_refused_by_place() {
    let error = |e: Result<Embeddings<'_>, AuditError>| e.unwrap_err().to_string();
    assert!(error(Embeddings::new(&[0.0, 1.0, f32::NAN, 2.0], 2, 2)).contains("row 1, column 0"));
    assert!(error(Embeddings::new(&[f32::INFINITY], 1, 1)).contains("inf"));
    assert!(error(Embeddings::new(&[0.0; 5], 2, 3)).contains("asks for 6"));
    assert!(error(Embeddings::new(&[], 0, 3)).contains("empty"));
    assert!(error(Embeddings::new(&[0.0], usize::MAX, 3)).contains("1 values"));
    let classes = Classes::new(&[0, 1, 9], 9).unwrap_err().to_string();
    assert!(classes.contains("row 2 has class 9"), "{classes}");
    let embeddings = Embeddings::new(&[0.0, 1.0], 2, 1).unwrap();
    let short = Classes::new(&[0], 1).unwrap();
    assert!(Clusters::measure(&embeddings, &short, 3.0).is_err());
    let labels = Classes::new(&[0, 0], 1).unwrap();
    assert!(Clusters::measure(&embeddings, &labels, f64::NAN).is_err());
    assert!(Probe::classes("x", &embeddings, &labels, 0.0).is_err());
}

#[test]
fn rankme_counts_equal_directions() {
    let mut latents = vec![0.0f32; 64];
    (0..8).for_each(|i| latents[i * 8 + i] = if i < 5 { 2.0 } else { 0.0 });
    let spectrum = Spectrum::measure(&Embeddings::new(&latents, 8, 8).unwrap()).unwrap();
    assert!((spectrum.rankme.unwrap() - 5.0).abs() < 1e-3);
}

#[test]
fn component_signs_do_not_depend_on_the_sign_of_the_data() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let latents: Vec<f32> = (0..60).map(|_| rng.random_range(-1.0..1.0)).collect();
    let negated: Vec<f32> = latents.iter().map(|v| -v).collect();
    let fit = |v: &[f32]| {
        Pca::fit(&Embeddings::new(v, 20, 3).unwrap(), 3)
            .unwrap()
            .components
    };
    for (a, b) in fit(&latents)
        .iter()
        .flatten()
        .zip(fit(&negated).iter().flatten())
    {
        assert!((a - b).abs() < 1e-9);
    }
}

#[test]
fn a_probe_reads_what_is_linear_and_not_what_is_noise() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let rows = 400;
    // The last latent never varies and must not disturb.
    let latents: Vec<f32> = (0..rows)
        .flat_map(|_| {
            [
                rng.random_range(-1.0..1.0),
                rng.random_range(-1e-3..1e-3),
                4.0,
            ]
        })
        .collect();
    let embeddings = Embeddings::new(&latents, rows, 3).unwrap();
    let targets: Vec<f32> = (0..rows)
        .flat_map(|r| {
            [
                3.0 * latents[3 * r] - 500.0 * latents[3 * r + 1] + 1.0,
                rng.random_range(-1.0..1.0),
            ]
        })
        .collect();
    let score = |column: usize| {
        let values: Vec<f32> = (0..rows).map(|r| targets[2 * r + column]).collect();
        match Probe::continuous("t", &embeddings, &values, 1, DEFAULT_RIDGE)
            .unwrap()
            .score
        {
            ProbeScore::Continuous {
                r_squared,
                mean_baseline,
            } => {
                assert!(mean_baseline.unwrap() <= 0.0);
                r_squared.unwrap()
            }
            ProbeScore::Classes { .. } => unreachable!(),
        }
    };
    assert!(score(0) > 0.999);
    assert!(score(1) < 0.05);

    let labels: Vec<u32> = (0..rows).map(|r| u32::from(latents[3 * r] > 0.2)).collect();
    let classes = Classes::new(&labels, 2).unwrap();
    let probe = Probe::classes("sign", &embeddings, &classes, DEFAULT_RIDGE).unwrap();
    assert_eq!((probe.fitted_rows, probe.scored_rows), (200, 200));
    let ProbeScore::Classes {
        accuracy,
        majority_baseline,
    } = probe.score
    else {
        unreachable!()
    };
    assert!(accuracy > 0.9 && (0.5..0.7).contains(&majority_baseline));
}

#[test]
fn open_loop_errors_by_hand() {
    let steps = [
        StepValues {
            predicted: &[0.1, 0.9, 0.2, 0.4],
            recorded: &[0.0, 1.0, 0.0, 1.0],
        },
        StepValues {
            predicted: &[0.0, 0.5],
            recorded: &[0.0, 0.0],
        },
    ];
    let found = OpenLoop::measure(&steps, 1, None).unwrap();
    assert_eq!(found.two_values, Some([0.0, 1.0]));
    let first = &found.steps[0];
    assert!((first.mean_squared_error - 0.105).abs() < 1e-6);
    assert!((first.error_over_variance.unwrap() - 0.42).abs() < 1e-6);
    assert_eq!(first.balanced_accuracy, Some(0.75));
    let second = &found.steps[1];
    assert_eq!((second.k, second.rows), (2, 2));
    assert_eq!(
        (second.error_over_variance, second.balanced_accuracy),
        (None, None)
    );

    let bad = [StepValues {
        predicted: &[0.1],
        recorded: &[0.0, 1.0],
    }];
    assert!(
        OpenLoop::measure(&bad, 1, None)
            .unwrap_err()
            .to_string()
            .contains("step 1")
    );
    assert!(
        OpenLoop::measure(
            &[StepValues {
                predicted: &[],
                recorded: &[]
            }],
            0,
            None
        )
        .is_err()
    );
}

#[test]
fn sorted_distances_keep_class_order_and_take_evenly() {
    let latents: Vec<f32> = (0..10u8).map(f32::from).collect();
    let labels = [1, 0, 1, 0, 1, 0, 1, 0, 1, 1];
    let embeddings = Embeddings::new(&latents, 10, 1).unwrap();
    let found =
        SortedDistances::sample(&embeddings, &Classes::new(&labels, 3).unwrap(), 3).unwrap();
    assert_eq!(found.class_sizes, [3, 3, 0]);
    assert_eq!(found.rows, [1, 3, 5, 0, 4, 8]);
    assert_eq!(found.distances[3], 1.0);
    assert_eq!(found.distances.len(), 36);
}
