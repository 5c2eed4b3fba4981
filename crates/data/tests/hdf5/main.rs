//! Tests of recordings in HDF5: files of the libraries that define the formats, made by
//! `../files/make.py`, have the rows of the world that it plays.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic fails the test, as it should"
)]

mod d4rl;
mod minari;
mod refused;
mod swm;

use std::collections::BTreeMap;
use std::path::PathBuf;

use tellapart_data::{Actions, Auxiliary, BelongsTo, Frames, LeftOut, Trajectories};
use tellapart_files::Values;

fn file(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/files");
    folder.join(name)
}

fn read(name: &str, observations: Option<&str>) -> Trajectories {
    Trajectories::read(file(name), observations).unwrap()
}

fn error(name: &str, observations: Option<&str>) -> String {
    let read = Trajectories::read(file(name), observations);
    read.unwrap_err().to_string()
}

/// What `make.py` plays: states of each episode, one more than its actions.
fn play(episodes: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
    let play = |episode: usize| {
        let actions: Vec<usize> = (0..4 + episode).map(|t| (episode + t) % 2).collect();
        let mut states = vec![episode % 5];
        for action in &actions {
            states.push((states[states.len() - 1] + 1 + action) % 5);
        }
        (states, actions)
    };
    (0..episodes).map(play).collect()
}

/// State of every row.
fn states(episodes: usize) -> Vec<usize> {
    play(episodes)
        .into_iter()
        .flat_map(|(states, _)| states)
        .collect()
}

/// Action of every row; 0 in the last row of an episode.
fn actions(episodes: usize) -> Vec<usize> {
    let padded = |(_, mut actions): (Vec<usize>, Vec<usize>)| {
        actions.push(0);
        actions
    };
    play(episodes).into_iter().flat_map(padded).collect()
}

fn vectors(states: &[usize]) -> Frames {
    let vector = |&state: &usize| [state as f32, 10.0 * state as f32];
    Frames::F32 {
        shape: vec![2],
        values: states.iter().flat_map(vector).collect(),
    }
}

fn counts(states: &[usize]) -> Frames {
    Frames::Other {
        shape: vec![],
        values: states
            .iter()
            .map(|&state| state as i64)
            .collect::<Vec<_>>()
            .into(),
    }
}

fn discrete(ids: &[usize]) -> Actions {
    Actions::Discrete {
        count: 2,
        ids: ids.iter().map(|&id| id as u32).collect(),
    }
}

fn pairs(ids: &[usize]) -> Actions {
    let pair = |&id: &usize| [id as f32, -(id as f32)];
    Actions::Vectors {
        width: 2,
        values: ids.iter().flat_map(pair).collect::<Vec<_>>().into(),
    }
}

/// Checks rewards, ends and lengths of whole episodes against the world.
fn check(recording: &Trajectories, episodes: usize, ends: impl Fn(usize) -> [bool; 2]) {
    let played = play(episodes);
    let lengths: Vec<usize> = played.iter().map(|(states, _)| states.len()).collect();
    let found: Vec<usize> = recording.episodes().map(|rows| rows.len()).collect();
    assert_eq!(found, lengths);
    let Some(Values::F64(rewards)) = &recording.rewards else {
        panic!("{:?}", recording.rewards);
    };
    let mut row = 0;
    for (episode, (states, _)) in played.iter().enumerate() {
        for &arrived in &states[1..] {
            assert_eq!(rewards[row], f64::from(arrived == 2), "row {row}");
            assert!(
                !recording.terminals[row] && !recording.timeouts[row],
                "row {row}"
            );
            row += 1;
        }
        assert!(rewards[row].is_nan(), "row {row}");
        let found = [recording.terminals[row], recording.timeouts[row]];
        assert_eq!(found, ends(episode), "episode {episode}");
        row += 1;
    }
    assert_eq!(recording.rewards_of(), BelongsTo::Step);
    let step = recording.auxiliary("rewards", BelongsTo::Step).unwrap();
    assert_eq!(contradictions(recording, &step, step_of), 0);
    assert_eq!(step.unknown(), episodes);
    let arrival = recording.auxiliary("rewards", BelongsTo::Arrival).unwrap();
    assert_eq!(contradictions(recording, &arrival, |_, _, id| (id, 0)), 0);
    // One row off, the same values contradict each other: the check would find it.
    let off = recording
        .auxiliary("rewards", BelongsTo::Observation)
        .unwrap();
    assert!(contradictions(recording, &off, |_, _, id| (id, 0)) > 0);
}

/// Counts rows whose key has another value elsewhere.
fn contradictions(
    recording: &Trajectories,
    values: &Auxiliary,
    key: impl Fn(&Trajectories, usize, u32) -> (u32, u64),
) -> usize {
    let observations = recording.observations.distinct();
    let mut seen = BTreeMap::new();
    let rows = (0..recording.rows()).filter(|&row| values.ids()[row] != Auxiliary::UNKNOWN);
    rows.filter(|&row| {
        let key = key(recording, row, observations.ids[row]);
        let value = values.ids()[row];
        *seen.entry(key).or_insert(value) != value
    })
    .count()
}

fn step_of(recording: &Trajectories, row: usize, observation: u32) -> (u32, u64) {
    let action = match &recording.actions {
        Actions::Discrete { ids, .. } => f64::from(ids[row]),
        Actions::Vectors { width, values } => values.number(row * width),
    };
    (observation, action.to_bits())
}

fn by_turns(episode: usize) -> [bool; 2] {
    let even = episode.is_multiple_of(2);
    [even, !even]
}

fn floats(values: &[f64]) -> Option<Values> {
    Some(values.to_vec().into())
}

/// The rewards, with -1 for NaN, which equals nothing.
fn rewards(recording: &Trajectories) -> Option<Values> {
    let values = recording.rewards.clone()?.into_f64();
    let marked = values
        .iter()
        .map(|&value| if value.is_nan() { -1.0 } else { value });
    Some(marked.collect::<Vec<f64>>().into())
}

/// Names of the arrays that were left out, or the reasons.
fn left_out(recording: &Trajectories, of: impl Fn(&LeftOut) -> &str) -> Vec<&str> {
    recording.left_out().iter().map(of).collect()
}
