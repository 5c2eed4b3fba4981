//! Tests of batches: rows are joined only where the recording joined them.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic fails the test, as it should"
)]

use std::ops::Range;

use proptest::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use tellapart_data::{
    Actions, Batch, Columns, DataError, Frames, ObservationSpec, ObservationValues, ReplayBuffer,
    ReplayOptions, Step, Trajectories, TrajectoryParts, split_by_episode, uniform_window,
};
use tellapart_files::Values;

/// Replay buffer of identifiable rows: each frame holds its stream and its time.
struct Recorder {
    options: ReplayOptions,
    ends: Vec<Vec<bool>>,
    buffer: ReplayBuffer,
}

impl Recorder {
    fn record(options: ReplayOptions, ends: Vec<Vec<bool>>) -> Self {
        let mut buffer = ReplayBuffer::new(options).unwrap();
        for (time, ends) in ends.iter().enumerate() {
            let streams = 0..options.streams;
            let frames: Vec<u8> = streams
                .clone()
                .flat_map(|s| [s as u8, time as u8])
                .collect();
            let actions: Vec<f32> = streams
                .clone()
                .map(|s| (s * 1000 + time + 1) as f32)
                .collect();
            let ids: Vec<u32> = streams.clone().map(|s| (s * 1000 + time) as u32).collect();
            let targets: Vec<f32> = streams.flat_map(|s| [s as f32, time as f32]).collect();
            let step = Step {
                observations: ObservationValues::Images(&frames),
                actions: &actions,
                action_ids: &ids,
                targets: &targets,
                ends,
            };
            buffer.push(step).unwrap();
        }
        Self {
            options,
            ends,
            buffer,
        }
    }

    /// Checks, window by window, that every row is as pushed and joined only to its successor.
    fn check(&self, batch: &Batch, window: usize) -> Result<(), TestCaseError> {
        let kept = self.ends.len().min(self.buffer.capacity_per_stream());
        let oldest = self.ends.len() - kept;
        prop_assert_eq!(bytes(batch).len(), batch.rows * 2);
        prop_assert_eq!(batch.continues.len(), batch.rows);
        for row in 0..batch.rows {
            let (stream, time) = (
                bytes(batch)[row * 2] as usize,
                bytes(batch)[row * 2 + 1] as usize,
            );
            prop_assert!(stream < self.options.streams && time >= oldest && time < self.ends.len());
            let end = self.ends[time][stream];
            let action = if end {
                0.0
            } else {
                (stream * 1000 + time + 1) as f32
            };
            prop_assert_eq!(batch.actions[row], action);
            prop_assert_eq!(batch.action_ids[row] as usize, stream * 1000 + time);
            prop_assert_eq!(
                &batch.targets[row * 2..row * 2 + 2],
                [stream as f32, time as f32]
            );
            let last = (row + 1) % window == 0;
            prop_assert_eq!(batch.continues[row], !end && !last);
            if !last {
                prop_assert_eq!(bytes(batch)[row * 2 + 2] as usize, stream);
                prop_assert_eq!(bytes(batch)[row * 2 + 3] as usize, time + 1);
            }
        }
        Ok(())
    }
}

fn options(streams: usize, rows_per_stream: usize) -> ReplayOptions {
    let mut options = ReplayOptions {
        observation: ObservationSpec::Image([1, 2, 1]),
        streams,
        action_width: 1,
        target_width: 2,
        max_bytes: 0,
    };
    options.max_bytes = options.row_bytes().unwrap() * streams * rows_per_stream + streams - 1;
    options
}

proptest! {
    #[test]
    fn replayed_windows_are_stretches_of_one_stream(
        streams in 1_usize..4,
        capacity in 2_usize..9,
        steps in 1_usize..30,
        window in 1_usize..9,
        seed in any::<u64>(),
        flags in prop::collection::vec(prop::bool::weighted(0.2), 90),
    ) {
        let ends = flags.chunks(3).take(steps).map(|ends| ends[..streams].to_vec()).collect();
        let recorder = Recorder::record(options(streams, capacity), ends);
        let buffer = &recorder.buffer;
        prop_assert_eq!(buffer.capacity_per_stream(), capacity);
        let kept = buffer.rows_per_stream();
        prop_assert_eq!(kept, steps.min(capacity));

        let mut drained = buffer.clone();
        prop_assert_eq!(drained.drain().unwrap(), buffer.latest(kept).unwrap());
        prop_assert!(drained.rows_per_stream() == 0 && drained.drain().is_err());
        for row in 0..=capacity {
            let (frames, mark) = (vec![0; 2 * streams], vec![row as f32; 2 * streams]);
            drained.push(Step {
                observations: ObservationValues::Images(&frames),
                actions: &mark[..streams],
                action_ids: &vec![0; streams],
                targets: &mark,
                ends: &vec![false; streams],
            }).unwrap();
        }
        let oldest = drained.drain().unwrap().targets[0];
        prop_assert_eq!(oldest, 1.0, "the first of one row too many is dropped");

        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (latest, uniform) = (buffer.latest(window), buffer.uniform(5, window, &mut rng));
        if window > kept {
            let short = |batch| matches!(batch, Err(DataError::NotEnoughRows { .. }));
            prop_assert!(short(latest) && short(uniform));
        } else {
            let (latest, uniform) = (latest.unwrap(), uniform.unwrap());
            prop_assert_eq!((latest.rows, uniform.rows), (streams * window, 5 * window));
            recorder.check(&latest, window)?;
            recorder.check(&uniform, window)?;
            for stream in 0..streams {
                let newest = (stream + 1) * window - 1;
                prop_assert_eq!(usize::from(bytes(&latest)[newest * 2 + 1]), steps - 1);
            }
        }
    }
}

#[test]
fn uniform_windows_reach_every_place_and_repeat_with_the_seed() {
    let recorder = Recorder::record(options(3, 7), vec![vec![false; 3]; 18]);
    let draw = |seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        recorder.buffer.uniform(600, 4, &mut rng).unwrap()
    };
    let batch = draw(1);
    let mut counts = [[0; 18]; 3];
    for start in (0..batch.rows).step_by(4) {
        counts[bytes(&batch)[start * 2] as usize][bytes(&batch)[start * 2 + 1] as usize] += 1;
    }
    for stream in counts {
        for (time, &count) in stream.iter().enumerate() {
            // Rows 11..18 are kept, so windows of 4 start at 11..=14: 12 places, 50 draws each.
            let possible = (11..=14).contains(&time);
            assert_eq!(count > 20, possible, "{count} at {time}");
        }
    }
    assert_eq!(batch, draw(1));
    assert_ne!(batch, draw(2));
}

#[test]
fn replay_stays_within_its_bytes_and_says_when_it_cannot() {
    let wanted = ReplayOptions {
        observation: ObservationSpec::Image([64, 64, 3]),
        streams: 16,
        action_width: 3,
        target_width: 1,
        max_bytes: 10 << 20,
    };
    let buffer = ReplayBuffer::new(wanted).unwrap();
    let held = buffer.capacity_per_stream() * wanted.streams * wanted.row_bytes().unwrap();
    assert!(held <= wanted.max_bytes && held > wanted.max_bytes * 9 / 10);
    for (bad, part) in [
        (
            ReplayOptions {
                streams: 0,
                ..wanted
            },
            "`streams` is 0",
        ),
        (
            ReplayOptions {
                observation: ObservationSpec::Image([64, 0, 3]),
                ..wanted
            },
            "`observation` is 0",
        ),
        (
            ReplayOptions {
                max_bytes: 1000,
                ..wanted
            },
            "two rows of each of 16 streams",
        ),
        (
            ReplayOptions {
                action_width: usize::MAX,
                ..wanted
            },
            "larger than any memory",
        ),
        (
            ReplayOptions {
                max_bytes: usize::MAX / 2,
                ..wanted
            },
            "the system refuses",
        ),
    ] {
        let message = ReplayBuffer::new(bad).unwrap_err().to_string();
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_step_of_the_wrong_size_is_refused_whole() {
    let mut buffer = ReplayBuffer::new(options(2, 4)).unwrap();
    let step = Step {
        observations: ObservationValues::Images(&[0; 4]),
        actions: &[0.0; 2],
        action_ids: &[0; 2],
        targets: &[0.0; 4],
        ends: &[false],
    };
    let message = buffer.push(step).unwrap_err().to_string();
    assert!(message.contains("1 values of `ends`, but 2"), "{message}");
    assert_eq!(buffer.rows_per_stream(), 0);
    assert!(buffer.latest(1).is_err() && buffer.latest(0).is_err());
}

fn bytes(batch: &Batch) -> &[u8] {
    match &batch.observations {
        Frames::U8 { values, .. } => values,
        Frames::F32 { .. } | Frames::Other { .. } => panic!("frames are bytes"),
    }
}

#[test]
fn a_replay_buffer_of_vectors_gives_back_the_newest_rows() {
    let options = ReplayOptions {
        observation: ObservationSpec::Vector(2),
        streams: 1,
        action_width: 1,
        target_width: 1,
        max_bytes: 0,
    };
    let max_bytes = 3 * options.row_bytes().unwrap();
    let mut replay = ReplayBuffer::new(ReplayOptions {
        max_bytes,
        ..options
    })
    .unwrap();
    let push = |replay: &mut ReplayBuffer, observations: ObservationValues<'_>| {
        replay.push(Step {
            observations,
            actions: &[1.0],
            action_ids: &[0],
            targets: &[0.0],
            ends: &[false],
        })
    };
    for time in 0..5_u8 {
        let row = [f32::from(time), -f32::from(time)];
        push(&mut replay, ObservationValues::Vectors(&row)).unwrap();
    }
    // Bytes are no vectors, whatever their number.
    let error = push(&mut replay, ObservationValues::Images(&[0, 0])).unwrap_err();
    assert!(error.to_string().contains("observations"), "{error}");
    let newest = Frames::F32 {
        shape: vec![2],
        values: vec![2.0, -2.0, 3.0, -3.0, 4.0, -4.0],
    };
    assert_eq!(replay.latest(3).unwrap().observations, newest);
    assert_eq!(replay.drain().unwrap().observations, newest);
}

#[test]
fn a_batch_of_vectors_holds_their_rows() {
    let values: Vec<f32> = (0..12u8).map(f32::from).collect();
    let recorded = Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![3],
            values,
        },
        actions: Actions::Discrete {
            count: 2,
            ids: vec![0, 1, 0, 1],
        },
        rewards: Some(Values::F32(vec![0.0; 4])),
        terminals: vec![false; 4],
        timeouts: vec![false; 4],
        ..TrajectoryParts::default()
    });
    let recorded = recorded.unwrap();
    let targets = recorded.column("rewards").unwrap();
    let batch = recorded.batch(&[2..4, 0..1], &targets).unwrap();
    let expected = Frames::F32 {
        shape: vec![3],
        values: vec![6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 0.0, 1.0, 2.0],
    };
    assert_eq!(batch.observations, expected);
    assert_eq!(batch.continues, [true, false, false]);
}

/// Makes a recording whose frames hold their row, with episodes that end at `ends`.
fn recording(ends: Vec<bool>) -> Trajectories {
    let rows = ends.len();
    Trajectories::new(TrajectoryParts {
        observations: Frames::U8 {
            shape: vec![1, 1],
            values: (0..rows).map(|r| r as u8).collect(),
        },
        actions: Actions::Discrete {
            count: 2,
            ids: (0..rows).map(|r| r as u32 % 2).collect(),
        },
        rewards: Some(Values::F32((0..rows).map(|r| r as f32).collect())),
        timeouts: vec![false; rows],
        terminals: ends,
        ..TrajectoryParts::default()
    })
    .unwrap()
}

proptest! {
    #[test]
    fn batches_of_a_recording_hold_its_rows(
        ends in prop::collection::vec(prop::bool::weighted(0.3), 1..40),
        rows in 0_usize..40,
        seed in any::<u64>(),
    ) {
        let recording = recording(ends.clone());
        let (train, _) = split_by_episode(&recording, 0.3, seed).unwrap();
        let available: usize = train.iter().map(Range::len).sum();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let windows = uniform_window(&train, rows, &mut rng);
        if rows > available {
            prop_assert!(windows.is_err());
            return Ok(());
        }
        let windows = windows.unwrap();
        let flat: Vec<usize> = windows.iter().cloned().flatten().collect();
        let all: Vec<usize> = train.iter().cloned().flatten().collect();
        prop_assert_eq!(flat.len(), rows);
        prop_assert!(rows == 0 || all.windows(rows).any(|stretch| stretch == flat));

        let batch = recording.batch(&windows, &recording.column("rewards").unwrap()).unwrap();
        prop_assert_eq!((batch.rows, batch.observations.shape()), (rows, recording.observations.shape()));
        for (at, &row) in flat.iter().enumerate() {
            prop_assert_eq!((bytes(&batch)[at] as usize, batch.targets[at] as usize), (row, row));
            let ended = ends[row] || row + 1 == ends.len();
            let joined = !ended && flat.get(at + 1) == Some(&(row + 1));
            prop_assert_eq!(batch.continues[at], joined);
            let id = batch.action_ids[at] as usize;
            prop_assert_eq!(batch.actions[at * 2 + id] == 1.0, !ended);
            prop_assert_eq!(batch.actions[at * 2 + 1 - id], 0.0);
        }
        prop_assert_eq!(batch.transitions().count(), batch.continues.iter().filter(|c| **c).count());
    }

    #[test]
    fn splits_share_out_whole_episodes(
        ends in prop::collection::vec(prop::bool::weighted(0.3), 1..60),
        fraction in 0.0..=1.0_f64,
        seed in any::<u64>(),
    ) {
        let recording = recording(ends);
        let split = || split_by_episode(&recording, fraction, seed).unwrap();
        let (train, held_out) = split();
        prop_assert_eq!(&split(), &(train.clone(), held_out.clone()));
        let mut together = [train.clone(), held_out.clone()].concat();
        together.sort_by_key(|episode| episode.start);
        let episodes: Vec<_> = recording.episodes().collect();
        prop_assert_eq!(&together, &episodes);
        prop_assert!(train.is_sorted_by_key(|e| e.start) && held_out.is_sorted_by_key(|e| e.start));
        let wanted = episodes.len() as f64 * fraction;
        prop_assert!((held_out.len() as f64 - wanted).abs() <= 1.0);
        if episodes.len() > 1 && fraction > 0.0 && fraction < 1.0 {
            prop_assert!(!train.is_empty() && !held_out.is_empty());
        }
    }
}

/// The split is pinned: the same seed must give the same split in every version and on every
/// machine.
#[test]
fn a_split_does_not_change() {
    let (_, held_out) = split_by_episode(&recording(vec![true; 20]), 0.25, 7).unwrap();
    let held_out: Vec<_> = held_out.iter().map(|episode| episode.start).collect();
    assert_eq!(held_out, [3, 8, 9, 13, 14]);
}

#[test]
fn requests_that_cannot_be_met_are_errors() {
    let recording = recording(vec![false; 4]);
    for fraction in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert!(
            split_by_episode(&recording, fraction, 0).is_err(),
            "{fraction}"
        );
    }
    let targets = recording.column("rewards").unwrap();
    for (start, end) in [(0, 5), (5, 6), (3, 2)] {
        let error = recording
            .batch(&[Range { start, end }], &targets)
            .unwrap_err();
        assert!(
            matches!(error, DataError::NoSuchRows { rows: 4, .. }),
            "{error}"
        );
    }
    let short = Columns {
        width: 1,
        values: vec![0.0; 3],
    };
    assert!(matches!(
        recording.batch(&[], &short),
        Err(DataError::RowCount { .. })
    ));
    let vectors = Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![3],
            values: vec![0.0; 12],
        },
        ..recording.clone().into_parts()
    });
    let message = vectors.unwrap().frame_shape().unwrap_err().to_string();
    assert!(
        message.contains("float32 [3], and images are uint8"),
        "{message}"
    );
}
