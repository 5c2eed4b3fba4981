//! The certificate on linear models, whose Lipschitz constants are known exactly.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tellapart_audit::{AuditError, Certificate, Classes, Embeddings, WordRollout};

const ACTIONS: usize = 2;
const DEPTH: usize = 4;

/// Chain of classes with a random output each, an embedding of it, and a linear model.
///
/// The model is `T_a(z) = s Q_a z` (Q a rotation in a plane, so the constant is s) and
/// `P(z) = <p, z>`.
struct Model {
    classes: usize,
    labels: Vec<u32>,
    latents: Vec<f32>,
    rows: usize,
    width: usize,
    output: Vec<f32>,
    scale: f64,
    head: Vec<f64>,
    angles: [f64; ACTIONS],
}

impl Model {
    fn random(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (classes, width) = (rng.random_range(2..6usize), rng.random_range(2..6usize));
        let rows = rng.random_range(2..30usize);
        let labels: Vec<u32> = (0..rows)
            .map(|_| rng.random_range(0..classes) as u32)
            .collect();
        let noise = [0.0, 0.01, 1.0][rng.random_range(0..3)];
        let centers: Vec<f32> = (0..classes * width)
            .map(|_| rng.random_range(-2.0..2.0))
            .collect();
        let latents = labels
            .iter()
            .flat_map(|&c| centers[c as usize * width..(c as usize + 1) * width].to_vec())
            .map(|center| center + noise * rng.random_range(-1.0..1.0f32))
            .collect();
        Self {
            classes,
            labels,
            latents,
            rows,
            width,
            output: (0..classes).map(|_| rng.random_range(-4.0..4.0)).collect(),
            scale: rng.random_range(0.5..1.5),
            head: (0..width).map(|_| rng.random_range(-2.0..2.0)).collect(),
            angles: [rng.random_range(0.0..6.0), rng.random_range(0.0..6.0)],
        }
    }

    fn lipschitz(&self, word: &[u32]) -> f64 {
        let head: f64 = self.head.iter().map(|v| v * v).sum::<f64>().sqrt();
        head * self.scale.powi(word.len() as i32)
    }

    fn predicted(&self, row: usize, word: &[u32]) -> f32 {
        let mut z: Vec<f64> = self.latents[row * self.width..(row + 1) * self.width]
            .iter()
            .map(|&v| f64::from(v))
            .collect();
        for &action in word {
            let (sin, cos) = self.angles[action as usize].sin_cos();
            (z[0], z[1]) = (cos * z[0] - sin * z[1], sin * z[0] + cos * z[1]);
            z.iter_mut().for_each(|v| *v *= self.scale);
        }
        z.iter().zip(&self.head).map(|(x, y)| x * y).sum::<f64>() as f32
    }

    /// Action 0 goes down the chain, action 1 up, both stop at its ends.
    fn truth(&self, row: usize, word: &[u32]) -> f32 {
        let end = word
            .iter()
            .fold(self.labels[row] as usize, |class, &action| match action {
                0 => class.saturating_sub(1),
                _ => (class + 1).min(self.classes - 1),
            });
        self.output[end]
    }

    /// Measures the certificate with constants multiplied by `slack`; without it, none is declared.
    fn certificate(&self, slack: Option<f64>) -> Result<Certificate, AuditError> {
        let words: Vec<Vec<u32>> = (0..=DEPTH).flat_map(|k| [vec![0; k], vec![1; k]]).collect();
        let tables: Vec<(Vec<f32>, Vec<f32>)> = words
            .iter()
            .map(|word| {
                (0..self.rows)
                    .map(|r| (self.predicted(r, word), self.truth(r, word)))
                    .unzip()
            })
            .collect();
        let rollouts: Vec<WordRollout<'_>> = words
            .iter()
            .zip(&tables)
            .map(|(word, (predicted, truth))| WordRollout {
                actions: word.clone(),
                lipschitz: slack.map(|slack| slack * self.lipschitz(word)),
                predicted,
                truth,
            })
            .collect();
        let embeddings = Embeddings::new(&self.latents, self.rows, self.width)?;
        Certificate::measure(
            &embeddings,
            &Classes::new(&self.labels, self.classes)?,
            &rollouts,
            1,
        )
    }
}

proptest! {
    #[test]
    fn with_true_constants_no_bound_is_ever_broken(seed: u64) {
        let model = Model::random(seed);
        let found = model.certificate(Some(1.0)).unwrap();
        prop_assert_eq!(found.pairs.len(), model.classes * (model.classes - 1) / 2);
        prop_assert_eq!(found.soundness.unwrap().violations, 0);
        for pair in &found.pairs {
            if let (Some(bound), Some(actual)) = (pair.bound, pair.smallest_distance) {
                prop_assert!(bound <= actual + 1e-4, "{pair:?}");
            }
            // A bound within the rounding of predictions, in units of latents, certifies nothing.
            let rounding = pair.word.as_ref().map_or(0.0, |word| {
                let values = (0..model.rows).map(|row| f64::from(model.truth(row, word).abs()));
                1e-5 * values.fold(0.0, f64::max) / model.lipschitz(word)
            });
            prop_assert_eq!(pair.certified, pair.bound.is_some_and(|bound| bound > rounding));
            // Fewer rows have smaller worst errors, and a median is no worse than the worst.
            if let (Some(even), Some(all)) = (pair.even_rows_bound, pair.bound) {
                prop_assert!(even >= all - 1e-12);
            }
            if let (Some(median), Some(worst)) = (pair.median_bound, pair.bound) {
                prop_assert!(median >= worst - 1e-12);
            }
        }
    }

    /// The scale of the bounds drops out, however wrong it would be to take it as 1.
    #[test]
    fn without_constants_the_signs_stay_and_the_sizes_go(seed: u64) {
        let model = Model::random(seed);
        let (with, without) =
            (model.certificate(Some(1.0)).unwrap(), model.certificate(None).unwrap());
        prop_assert!(with.declared && !without.declared);
        prop_assert_eq!(with.certified, without.certified);
        prop_assert!(without.soundness.is_none() && without.split.is_none());
        prop_assert_eq!(with.pairs.len(), without.pairs.len());
        for (with, without) in with.pairs.iter().zip(&without.pairs) {
            prop_assert_eq!(with.certified, without.certified);
            prop_assert_eq!(with.smallest_distance, without.smallest_distance);
            prop_assert_eq!(with.word.is_some(), without.word.is_some());
            let sizes = [without.bound, without.median_bound, without.even_rows_bound];
            prop_assert_eq!(sizes, [None; 3]);
        }
    }

    #[test]
    fn the_reported_bound_is_the_best_of_a_plain_loop(seed: u64) {
        let model = Model::random(seed);
        let found = model.certificate(Some(1.0)).unwrap();
        prop_assert_eq!(found.pairs.len(), model.classes * (model.classes - 1) / 2);
        for pair in &found.pairs {
            let members = |class: u32| -> Vec<usize> {
                (0..model.rows).filter(|&row| model.labels[row] == class).collect()
            };
            let (of_a, of_b) = (members(pair.a), members(pair.b));
            let mut best: Option<f64> = None;
            for word in (0..=DEPTH).flat_map(|k| [vec![0u32; k], vec![1; k]]) {
                let error = |r: usize| f64::from(model.predicted(r, &word)) - f64::from(model.truth(r, &word));
                let worst =
                    |rows: &[usize]| rows.iter().map(|&row| error(row).abs()).reduce(f64::max);
                let value =
                    |rows: &[usize]| rows.first().map(|&row| f64::from(model.truth(row, &word)));
                if let (Some(x), Some(y), Some(p), Some(q)) =
                    (worst(&of_a), worst(&of_b), value(&of_a), value(&of_b))
                {
                    let bound = ((p - q).abs() - x - y) / model.lipschitz(&word);
                    best = Some(best.map_or(bound, |b: f64| b.max(bound)));
                }
            }
            match (best, pair.bound) {
                (Some(slow), Some(fast)) => prop_assert!((slow - fast).abs() < 1e-9),
                (slow, fast) => prop_assert_eq!(slow, fast),
            }
        }
    }
}

/// Two classes at 0 and 1 on a line, one output each, a perfect head.
fn two_points(lipschitz: Option<f64>) -> Certificate {
    let latents = [0.0, 1.0, 0.0, 1.0];
    let word = WordRollout {
        actions: vec![],
        lipschitz,
        predicted: &[0.0, 1.0, 0.0, 1.0],
        truth: &[0.0, 1.0, 0.0, 1.0],
    };
    let embeddings = Embeddings::new(&latents, 4, 1).unwrap();
    let classes = Classes::new(&[0, 1, 0, 1], 2).unwrap();
    Certificate::measure(&embeddings, &classes, &[word], 1).unwrap()
}

#[test]
fn zero_losses_give_the_theorem() {
    let found = two_points(Some(1.0));
    assert_eq!(
        (found.certified, found.soundness.unwrap().violations),
        (1, 0)
    );
    assert_eq!(found.pairs[0].bound, Some(1.0));
    assert_eq!(found.pairs[0].smallest_distance, Some(1.0));
}

#[test]
fn a_constant_that_is_too_small_is_found_out() {
    assert_eq!(two_points(Some(0.5)).soundness.unwrap().violations, 4);
    assert_eq!(
        two_points(Some(0.5)).soundness.unwrap().worst_excess,
        Some(1.0)
    );
}

#[test]
fn one_word_without_a_constant_leaves_only_signs() {
    let (near, far) = ([0.0, 1.0], [0.0, 9.0]);
    let word = |lipschitz, values| WordRollout {
        actions: vec![],
        lipschitz,
        predicted: values,
        truth: values,
    };
    let embeddings = Embeddings::new(&[0.0, 1e-3], 2, 1).unwrap();
    let classes = Classes::new(&[0, 1], 2).unwrap();
    let words = [word(Some(1000.0), &near), word(None, &far)];
    let found = Certificate::measure(&embeddings, &classes, &words, 1).unwrap();
    assert_eq!((found.declared, found.certified), (false, 1));
    assert_eq!((found.pairs[0].bound, found.soundness), (None, None));
}

#[test]
fn rows_of_one_class_that_disagree_count_with_their_closest_values() {
    let word = WordRollout {
        actions: vec![0],
        lipschitz: Some(2.0),
        predicted: &[0.0, 3.0, 4.0],
        truth: &[0.0, 3.0, 4.0],
    };
    let embeddings = Embeddings::new(&[0.0, 3.0, 4.0], 3, 1).unwrap();
    let classes = Classes::new(&[0, 0, 1], 2).unwrap();
    let found = Certificate::measure(&embeddings, &classes, &[word], 1).unwrap();
    assert_eq!(found.pairs[0].bound, Some(0.5));
    assert_eq!(found.pairs[0].word, Some(vec![0]));
}

#[test]
fn the_odd_rows_can_refute_what_the_even_rows_promise() {
    // Even rows are predicted perfectly; odd rows of class 1 lie on class 0 and are mispredicted.
    let word = WordRollout {
        actions: vec![],
        lipschitz: Some(1.0),
        predicted: &[0.0, 0.0, 1.0, 0.0],
        truth: &[0.0, 0.0, 1.0, 1.0],
    };
    let embeddings = Embeddings::new(&[0.0, 0.0, 1.0, 0.0], 4, 1).unwrap();
    let classes = Classes::new(&[0, 0, 1, 1], 2).unwrap();
    let found = Certificate::measure(&embeddings, &classes, &[word], 1).unwrap();
    assert_eq!(found.soundness.unwrap().violations, 0);
    let split = found.split.unwrap();
    assert_eq!((found.certified, split.certified), (0, 1));
    assert_eq!((split.pairs, split.closer_than_bound), (1, 1));
}

#[test]
fn a_constant_of_zero_is_refused_by_name() {
    let word = WordRollout {
        actions: vec![1, 0],
        lipschitz: Some(0.0),
        predicted: &[0.0],
        truth: &[0.0],
    };
    let embeddings = Embeddings::new(&[0.0], 1, 1).unwrap();
    let classes = Classes::new(&[0], 1).unwrap();
    let error = Certificate::measure(&embeddings, &classes, &[word], 1).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("Lipschitz constant of word [1, 0]"),
        "{error}"
    );
}
