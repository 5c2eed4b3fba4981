//! Values of p: exact in every type, unknown where they are NaN, of observations or steps.

#![allow(clippy::unwrap_used, reason = "a panic fails the test, as it should")]

use tellapart_data::{Actions, Auxiliary, BelongsTo, Frames, Trajectories, TrajectoryParts};
use tellapart_files::{Array, Values};

const X: u32 = Auxiliary::UNKNOWN;

/// Two episodes of three and two rows.
fn recording(rewards: Values) -> Trajectories {
    Trajectories::new(TrajectoryParts {
        observations: Frames::Other {
            shape: Vec::new(),
            values: Values::I64(vec![0, 1, 2, 0, 1]),
        },
        actions: Actions::Discrete {
            count: 2,
            ids: vec![0, 1, 0, 1, 0],
        },
        rewards: Some(rewards),
        terminals: vec![false, false, true, false, true],
        timeouts: vec![false; 5],
        ..TrajectoryParts::default()
    })
    .unwrap()
}

fn read(rewards: Values, of: BelongsTo) -> Auxiliary {
    recording(rewards).auxiliary("rewards", of).unwrap()
}

#[test]
fn values_belong_to_the_row_the_next_row_or_the_step() {
    let rewards = || Values::F32(vec![5.0, 6.0, 7.0, 6.0, f32::INFINITY]);
    let of = |of| read(rewards(), of).ids().to_vec();
    assert_eq!(of(BelongsTo::Arrival), [X, 0, 1, X, 1]);
    assert_eq!(of(BelongsTo::Step), [0, 1, X, 1, X]);
    // The infinity in the last row is read only as the value of its observation.
    let error = recording(rewards()).auxiliary("rewards", BelongsTo::Observation);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("array `rewards`, row 4: inf"), "{error}");
    assert_eq!(read(rewards(), BelongsTo::Step).row(1), [6.0]);
    assert!(read(rewards(), BelongsTo::Step).row(2).is_empty());
}

#[test]
fn nan_is_not_known_and_equal_to_nothing() {
    let nan = f64::NAN;
    let found = read(
        Values::F64(vec![nan, 1.0, nan, 1.0, 2.0]),
        BelongsTo::Observation,
    );
    assert_eq!(found.ids(), [X, 0, X, 0, 1]);
    assert_eq!((found.unknown(), found.table()), (2, &[1.0, 2.0][..]));
    // One element that is not known makes the value unknown.
    let mut parts = recording(Values::U8(vec![0; 5])).into_parts();
    parts.aux = Some(Array {
        shape: vec![5, 2],
        values: Values::F64(vec![0.0, 1.0, 0.0, nan, 0.0, 1.0, -0.0, 1.0, 0.5, 1.0]),
    });
    let found = Trajectories::new(parts).unwrap();
    let found = found.auxiliary("aux", BelongsTo::Observation).unwrap();
    assert_eq!(found.ids(), [0, X, 0, 0, 1]);
}

#[test]
fn no_type_is_rounded_before_it_is_compared() {
    let large = 1_i64 << 24;
    let whole = read(
        Values::I64(vec![large, large + 1, large, large, large + 1]),
        BelongsTo::Observation,
    );
    assert_eq!(whole.ids(), [0, 1, 0, 0, 1]);
    assert_eq!(whole.table(), [large as f64, (large + 1) as f64]);
    assert!(!whole.is_rounded());

    // Nanoseconds since 1970 are beyond the whole numbers of f64; their differences are kept.
    let now = 1_700_000_000_000_000_000_u64;
    let times = read(
        Values::U64(vec![now, now + 1, now, now + 3, now]),
        BelongsTo::Observation,
    );
    assert_eq!(times.ids(), [0, 1, 0, 2, 0]);
    assert!(times.is_rounded());
    assert_eq!([times.distance(0, 1), times.distance(2, 1)], [1.0, 2.0]);

    let far = |state: u32| 3_948_996.0 + 0.1 * f64::from(state);
    let places = Values::F64([0, 1, 0, 2, 1].map(far).to_vec());
    let places = read(places, BelongsTo::Observation);
    assert_eq!(places.ids(), [0, 1, 0, 2, 1]);
    // Training computes in f32, where they are one and the same.
    for (values, rounded) in [(places, 2), (times, 1)] {
        let error = values.targets("rewards").unwrap_err().to_string();
        let text = format!("3 different values are only {rounded} in float32");
        assert!(error.contains(&text), "{error}");
    }
}

#[test]
fn values_that_differ_have_a_distance_whatever_their_size() {
    let of = |width: usize, values: Values| {
        let mut parts = recording(Values::U8(vec![0; 5])).into_parts();
        parts.aux = Some(Array {
            shape: vec![5, width],
            values,
        });
        let found = Trajectories::new(parts).unwrap();
        found.auxiliary("aux", BelongsTo::Observation).unwrap()
    };
    // An id next to a time: one origin for both would lose it.
    let now = 1_700_000_000_000_000_000;
    let timed = of(2, Values::I64(vec![now, 0, now, 1, now, 4, now, 0, now, 1]));
    assert_eq!([timed.distance(0, 1), timed.distance(1, 2)], [1.0, 3.0]);
    // A spread beyond 2^53.
    let wide = of(1, Values::I64(vec![0, 1 << 60, (1 << 60) + 1, 0, 1]));
    assert_eq!([wide.distance(1, 2), wide.distance(0, 3)], [1.0, 1.0]);
    let extremes = of(1, Values::U64(vec![0, u64::MAX, u64::MAX - 1, 0, 0]));
    assert_eq!(extremes.distance(1, 2), 1.0);
    // Squares of these are zero and infinite.
    let tiny = of(
        2,
        Values::F64(vec![0.0, 0.0, 3e-170, 4e-170, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
    );
    assert!((tiny.distance(0, 1) / 5e-170 - 1.0).abs() < 1e-9);
    let huge = of(1, Values::F64(vec![-1e308, 1e308, 1e200, 0.0, 0.0]));
    assert_eq!(
        [huge.distance(0, 1), huge.distance(2, 3)],
        [f64::MAX, 1e200]
    );
    let error = huge.targets("aux").unwrap_err().to_string();
    assert!(
        error.contains("array `aux`, row 0: -1e308, but training computes in float32"),
        "{error}"
    );
}

#[test]
fn observations_that_training_would_round_are_refused() {
    let mut parts = recording(Values::U8(vec![0; 5])).into_parts();
    let spec = |parts: &TrajectoryParts| {
        let found = Trajectories::new(parts.clone()).unwrap();
        let different = found.observations.distinct().first_rows.len();
        (
            different,
            found.observation_spec().map_err(|error| error.to_string()),
        )
    };
    assert_eq!(spec(&parts).1.unwrap().to_string(), "float32 [1]");
    parts.observations = Frames::Other {
        shape: vec![1],
        values: Values::I64([0, 1, 2, 0, 1].map(|at| (1 << 24) + at).to_vec()),
    };
    let (different, error) = spec(&parts);
    assert_eq!(different, 3);
    let error = error.unwrap_err();
    assert!(
        error.contains("`observations`: 3 different values are only 2"),
        "{error}"
    );
}

#[test]
fn numbers_beyond_float32_are_refused_by_those_who_compute_in_it() {
    let mut parts = recording(Values::U8(vec![0; 5])).into_parts();
    parts.observations = Frames::Other {
        shape: vec![1],
        values: Values::F64(vec![0.0, 1.0, 1e39, 0.0, 1.0]),
    };
    let actions = Values::F64(vec![0.0, -1e39, 1e39, 0.0, 0.0]);
    parts.actions = Actions::Vectors {
        width: 1,
        values: actions,
    };
    let found = Trajectories::new(parts).unwrap();
    let errors = [
        ("observations", 2, found.observation_spec().map(|_| ())),
        ("actions", 1, found.check_actions_in_f32()),
    ];
    for (array, row, result) in errors {
        let error = result.unwrap_err().to_string();
        let text = format!("array `{array}`, row {row}:");
        assert!(
            error.contains(&text) && error.contains("float32"),
            "{error}"
        );
    }
}

#[test]
fn images_with_the_channels_first_are_named_as_such() {
    let of = |shape: [usize; 3]| {
        let values = vec![0; 5 * shape.iter().product::<usize>()];
        let mut parts = recording(Values::U8(vec![0; 5])).into_parts();
        parts.observations = Frames::U8 {
            shape: shape.to_vec(),
            values,
        };
        let found = Trajectories::new(parts).unwrap().observation_spec();
        found.map_err(|error| error.to_string())
    };
    assert!(
        of([3, 24, 24])
            .unwrap_err()
            .contains("x.transpose(0, 2, 3, 1)")
    );
    assert!(
        of([16, 24, 24])
            .unwrap_err()
            .contains("more channels than pixels")
    );
    for good in [[24, 24, 3], [24, 24, 12], [3, 3, 3], [24, 24, 1]] {
        assert!(of(good).is_ok(), "{good:?}");
    }
}
