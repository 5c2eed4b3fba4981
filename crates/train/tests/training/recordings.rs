//! Training on recorded vectors: observations of five numbers, actions of two.

use std::collections::BTreeMap;
use std::f32::consts::TAU;
use std::path::Path;

use tellapart_data::{Actions, BelongsTo, Frames, Trajectories, TrajectoryParts};
use tellapart_files::Values;
use tellapart_model::{ObservationBatch, ObservationSpec, device};
use tellapart_train::recording_evaluator::RecordingEvaluator;
use tellapart_train::{Trained, ValidConfig, train};

use crate::common::{assert_resumes, tiny, values};

const ROWS: usize = 160;
const EPISODE: usize = 20;
/// Positions on the ring, and along each axis of the field.
const RING: usize = 7;
const FIELD: usize = 3;

/// Returns something without order, from 0 to 99.
fn scrambled(row: usize) -> usize {
    (row * row * 31 + row * 17 + 5) / 7 % 100
}

/// Walks from position 0 of every episode; `next` leads from a position by the action of a row.
fn walk(next: impl Fn(usize, usize) -> usize) -> Vec<usize> {
    let mut position = 0;
    let each = (0..ROWS).map(|row| {
        let here = if row % EPISODE == 0 { 0 } else { position };
        position = next(here, row);
        here
    });
    each.collect()
}

/// Returns a recording of five numbers a row, rewarded at position 0.
fn recording(
    positions: &[usize],
    observe: impl Fn(usize) -> [f32; 5],
    actions: Actions,
) -> Trajectories {
    let parts = TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![5],
            values: positions.iter().flat_map(|&at| observe(at)).collect(),
        },
        actions,
        rewards: Some(Values::F32(
            positions
                .iter()
                .map(|&at| f32::from(u8::from(at == 0)))
                .collect(),
        )),
        terminals: vec![false; ROWS],
        timeouts: (0..ROWS).map(|row| row % EPISODE == EPISODE - 1).collect(),
        ..TrajectoryParts::default()
    };
    Trajectories::new(parts).unwrap()
}

/// Ring of positions with three actions: back, stay, on.
fn ring() -> (Trajectories, Vec<usize>) {
    let action = |row| scrambled(row) % 3;
    let positions = walk(|at, row| (at + RING + action(row) - 1) % RING);
    let observe = |at: usize| {
        let angle = TAU * at as f32 / RING as f32;
        let (sine, cosine) = angle.sin_cos();
        [sine, cosine, 2.0 * sine * cosine, (at % 2) as f32, 1.0]
    };
    let actions = Actions::Discrete {
        count: 3,
        ids: (0..ROWS).map(|row| action(row) as u32).collect(),
    };
    (recording(&positions, observe, actions), positions)
}

/// Field whose edges meet, with actions of two numbers. Their signs alone matter.
fn field() -> (Trajectories, Vec<usize>) {
    let action = |row: usize| {
        let sized = |number: usize| (number % 10) as f32 / 10.0 - 0.45;
        [sized(scrambled(row)), sized(scrambled(row) / 10)]
    };
    let step = |at: usize, by: f32| (at + if by < 0.0 { FIELD - 1 } else { 1 }) % FIELD;
    let positions = walk(|at, row| {
        let [x, y] = action(row);
        step(at / FIELD, y) * FIELD + step(at % FIELD, x)
    });
    let observe = |at: usize| {
        let angle = |at: usize| (TAU * at as f32 / FIELD as f32).sin_cos();
        let ((a, b), (c, d)) = (angle(at % FIELD), angle(at / FIELD));
        [a, b, c, d, 0.5]
    };
    let actions = Actions::Vectors {
        width: 2,
        values: Values::F32((0..ROWS).flat_map(action).collect()),
    };
    (recording(&positions, observe, actions), positions)
}

fn config_of(recording: &Trajectories, folder: &Path, words: &[&str]) -> ValidConfig {
    let path = folder.join("data.npz");
    recording.write_npz(&path).unwrap();
    let source = format!("data.source={}", path.display());
    let words = [
        &[&*source, "model.encoder=mlp", "model.encoder.hidden=[16]"],
        words,
    ]
    .concat();
    tiny(&words)
}

fn assert_embeds(trained: &Trained, config: &ValidConfig, recording: &Trajectories, at: &[usize]) {
    let evaluator =
        RecordingEvaluator::new(&trained.model, &trained.interface, config, recording).unwrap();
    let latents = evaluator.embed(&()).unwrap();
    let Frames::F32 { values, .. } = &recording.observations else {
        unreachable!("another kind of observation");
    };
    let cpu = device::by_name("cpu").unwrap();
    let batch = ObservationBatch::vectors(values.clone(), 5, &cpu);
    let expected = trained.model.encoder.forward(&batch).into_data();
    let expected: Vec<f32> = expected.iter::<f32>().collect();
    assert_eq!(latents.len(), expected.len());
    let off = latents.iter().zip(&expected).map(|(a, b)| (a - b).abs());
    assert!(off.fold(0.0, f32::max) < 1e-5);
    // One latent for each position, and another one for each other position.
    let mut of_position: BTreeMap<usize, &[f32]> = BTreeMap::new();
    for (latent, &position) in latents.chunks(config.model.latent).zip(at) {
        let first = *of_position.entry(position).or_insert(latent);
        assert!(first.iter().zip(latent).all(|(a, b)| (a - b).abs() < 1e-5));
    }
    let all: Vec<_> = of_position.values().collect();
    assert!((1..all.len()).all(|i| !all[..i].contains(&all[i])));
}

#[test]
fn vectors_train_embed_and_resume() {
    let (recording, positions) = ring();
    let folder = tempfile::tempdir().unwrap();
    for words in [&[][..], &["model.predictor=plain", "model.head=plain"]] {
        let config = config_of(&recording, folder.path(), words);
        let runs = tempfile::tempdir().unwrap();
        let trained = assert_resumes(&config, runs.path(), &format!("{words:?}"));
        assert_eq!(trained.interface.observation, ObservationSpec::Vector(5));
        assert_eq!(trained.interface.actions, 3);
        let last = trained.records.last().unwrap();
        assert!(last.get("validation_loss_dynamics").is_some());
        assert_embeds(&trained, &config, &recording, &positions);
    }
}

#[test]
fn vectors_are_no_pixels_and_no_images() {
    let (recording, _) = ring();
    let folder = tempfile::tempdir().unwrap();
    let error = |words: &[&str]| {
        let config = config_of(&recording, folder.path(), words);
        train(&config, None, &mut ()).unwrap_err().to_string()
    };
    let found = error(&["target.kind=random"]);
    assert!(found.contains("not u8 images"), "{found}");
    let path = folder.path().join("data.npz");
    let config = tiny(&[&format!("data.source={}", path.display())]);
    let found = train(&config, None, &mut ()).unwrap_err().to_string();
    assert!(
        found.contains("`model.encoder` is cnn; expected `mlp`"),
        "{found}"
    );
}

#[test]
fn action_vectors_need_a_rule_if_each_action_has_a_network() {
    let (recording, positions) = field();
    let folder = tempfile::tempdir().unwrap();
    let config = config_of(&recording, folder.path(), &[]);
    let error = train(&config, None, &mut ()).unwrap_err().to_string();
    assert!(error.contains("data.action_rule"), "{error}");

    // A plain predictor takes vectors as they are.
    let config = config_of(&recording, folder.path(), &["model.predictor=plain"]);
    let trained = train(&config, None, &mut ()).unwrap();
    assert_eq!(
        (trained.interface.actions, trained.interface.action_width),
        (1, 2)
    );
    assert_embeds(&trained, &config, &recording, &positions);

    let config = config_of(&recording, folder.path(), &["data.action_rule=sign"]);
    let runs = tempfile::tempdir().unwrap();
    let trained = assert_resumes(&config, runs.path(), "sign");
    assert_eq!(
        (trained.interface.actions, trained.interface.action_width),
        (4, 2)
    );
    let networks = &values(&trained)["dynamics.networks.weight"];
    let layers = config.model.predictor_layers;
    assert_eq!(networks.shape, [4 * layers, 4, 4]);
    assert_embeds(&trained, &config, &recording, &positions);
    assert_rolls_out_by_sign(&trained, &config, &recording);

    // Ids are not vectors, though both are two numbers wide.
    let mut parts = recording.into_parts();
    parts.actions = Actions::Discrete {
        count: 2,
        ids: (0..ROWS as u32).map(|row| row % 2).collect(),
    };
    let ids = Trajectories::new(parts).unwrap();
    let other = RecordingEvaluator::new(&trained.model, &trained.interface, &config, &ids);
    let error = other.unwrap_err().to_string();
    assert!(error.contains("trained on vectors of 2 numbers"), "{error}");
}

/// From one latent, actions of equal signs lead to one prediction, and others to others.
fn assert_rolls_out_by_sign(trained: &Trained, config: &ValidConfig, recording: &Trajectories) {
    let evaluator =
        RecordingEvaluator::new(&trained.model, &trained.interface, config, recording).unwrap();
    let latents = evaluator.embed(&()).unwrap();
    let Actions::Vectors { values, .. } = &recording.actions else {
        unreachable!("another kind of action");
    };
    // The last action of an episode means nothing.
    let rows: Vec<[usize; 1]> = (0..ROWS)
        .filter(|row| row % EPISODE != EPISODE - 1)
        .map(|row| [row])
        .collect();
    let rollouts: Vec<(usize, &[usize])> = rows.iter().map(|row| (0, &row[..])).collect();
    let predicted = evaluator.roll_out(&latents, &rollouts, &()).unwrap();
    let mut of_signs: BTreeMap<[bool; 2], f32> = BTreeMap::new();
    for ([row], &prediction) in rows.iter().zip(&predicted) {
        let signs = [
            values.number(2 * row) < 0.0,
            values.number(2 * row + 1) < 0.0,
        ];
        let first = *of_signs.entry(signs).or_insert(prediction);
        assert!(
            (first - prediction).abs() < 1e-5,
            "row {row}: {first}, {prediction}"
        );
    }
    let all: Vec<f32> = of_signs.into_values().collect();
    assert_eq!(all.len(), 4);
    assert!(
        (1..4).all(|i| all[..i].iter().all(|other| (other - all[i]).abs() > 1e-5)),
        "{all:?}"
    );
}

/// Rewards that depend on the action: arriving at position 0 pays 1, and an action costs its
/// number.
fn rewarded_steps() -> Trajectories {
    let (recording, positions) = ring();
    let mut parts = recording.into_parts();
    let Actions::Discrete { ids, .. } = &parts.actions else {
        unreachable!("ids");
    };
    let reward = |row: usize| match row % EPISODE == EPISODE - 1 {
        true => f32::NAN,
        false => f32::from(u8::from(positions[row + 1] == 0)) - 0.5 * ids[row] as f32,
    };
    parts.rewards = Some(Values::F32((0..ROWS).map(reward).collect()));
    Trajectories::new(parts).unwrap()
}

#[test]
fn rewards_of_steps_have_a_head_for_each_action() {
    let recording = rewarded_steps();
    let folder = tempfile::tempdir().unwrap();
    for kind in ["reward", "array"] {
        let kind = format!("target.kind={kind}");
        for words in [
            &[][..],
            &["model.predictor=plain", "model.head=plain"],
            &["model.predictor=plain", "model.head=two-hot"],
        ] {
            let array = ["data.p_of=step", &kind, "target.array=rewards"];
            let array = if kind.ends_with("reward") {
                &array[..2]
            } else {
                &array
            };
            let config = config_of(&recording, folder.path(), &[array, words].concat());
            let runs = tempfile::tempdir().unwrap();
            let trained = assert_resumes(&config, runs.path(), &format!("{kind}, {words:?}"));
            assert!(trained.interface.p_of_step);
            let found =
                RecordingEvaluator::new(&trained.model, &trained.interface, &config, &recording);
            let evaluator = found.unwrap();
            assert_eq!(evaluator.predicted_of(), BelongsTo::Step);
            let latents = evaluator.embed(&()).unwrap();
            // The step from row 1, once from its own latent and once after the step before.
            let rollouts: [(usize, &[usize]); 2] = [(1, &[1]), (0, &[0, 1])];
            let [alone, after] = evaluator.roll_out(&latents, &rollouts, &()).unwrap()[..] else {
                unreachable!("one number each");
            };
            assert!(alone.is_finite() && after.is_finite() && alone != after);
        }
    }
}

#[test]
fn the_head_of_steps_learns_what_no_head_of_observations_can() {
    let recording = rewarded_steps();
    let folder = tempfile::tempdir().unwrap();
    let loss = |of: &str| {
        let words = [
            &format!("data.p_of={of}"),
            "model.predictor=plain",
            "model.head=plain",
            "model.latent=8",
            "optimizer.updates=300",
        ];
        let config = config_of(&recording, folder.path(), &words);
        let trained = train(&config, None, &mut ()).unwrap();
        let last = trained.records.last().unwrap();
        last.get("loss_auxiliary").unwrap()
    };
    let [step, observation] = ["step", "observation"].map(loss);
    assert!(step < 0.25 * observation, "{step} {observation}");
}

#[test]
fn steps_of_action_vectors_need_a_rule() {
    let (recording, _) = field();
    let folder = tempfile::tempdir().unwrap();
    let words = ["data.p_of=step", "model.predictor=plain"];
    let config = config_of(&recording, folder.path(), &words);
    let error = train(&config, None, &mut ()).unwrap_err().to_string();
    assert!(
        error.contains("`rewards` belongs to steps") && error.contains("data.action_rule"),
        "{error}"
    );
    let config = config_of(
        &recording,
        folder.path(),
        &[&words[..], &["data.action_rule=sign"]].concat(),
    );
    assert_eq!(
        train(&config, None, &mut ())
            .unwrap()
            .interface
            .head_outputs(),
        4
    );
}
