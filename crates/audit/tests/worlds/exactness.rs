//! Values are compared as they are stored, and equal distances are equal.

use std::f64::consts::TAU;

use tellapart_audit::recorded::Verdict;
use tellapart_audit::{Recorded, RecordedOptions};
use tellapart_data::{Frames, Trajectories};
use tellapart_files::{Array, Values};

use crate::*;

/// Map coordinates: different states, 0.1 apart near four million, are one number in float32.
#[test]
fn observations_are_compared_as_they_are_stored() {
    let chain = Chain::PLAIN;
    let (recording, cells) = chain.record(9, 100);
    let mut parts = recording.into_parts();
    let far = |&cell: &usize| 3_948_996.0 + 0.1 * cell as f64;
    parts.observations = Frames::Other {
        shape: vec![1],
        values: Values::F64(cells.iter().map(far).collect()),
    };
    let recording = Trajectories::new(parts).unwrap();
    let merged = merged(&cells);
    let found = audited(&recording, &merged, &RecordedOptions::default());
    assert_eq!(found.observations, CELLS);
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
    assert_eq!(found.counts.observation, 0);
}

/// Ids differ exactly as the states do; distances of a few of them were lost once.
#[test]
fn a_merge_is_found_whatever_the_size_and_type_of_p() {
    let chain = Chain::PLAIN;
    let (recording, cells) = chain.record(2, 100);
    let merged = merged(&cells);
    let time = 1_700_000_000_000_000_000;
    let each = |value: fn(i64) -> i64| cells.iter().map(|&cell| value(cell as i64)).collect();
    let scaled = |by: f64| cells.iter().map(|&cell| by * cell as f64).collect();
    let timed = cells.iter().flat_map(|&cell| [time, cell as i64]).collect();
    let values = [
        Values::I64(timed),
        Values::I64(each(|cell| if cell == 4 { 0 } else { (1 << 60) + cell })),
        Values::F64(scaled(1e-170)),
        Values::F64(scaled(1e200)),
        Values::F64(scaled(2e307)),
        Values::F64(scaled(5e-324)),
    ];
    for (at, values) in values.into_iter().enumerate() {
        let is_rounded = at < 2;
        let mut parts = recording.clone().into_parts();
        parts.aux = Some(Array {
            shape: vec![cells.len(), values.len() / cells.len()],
            values,
        });
        let recording = Trajectories::new(parts).unwrap();
        let options = RecordedOptions {
            value: "aux".to_owned(),
            ..RecordedOptions::default()
        };
        for (classes, verdict) in [(&cells, Verdict::Healthy), (&merged, Verdict::Unhealthy)] {
            let found = audited(&recording, classes, &options);
            assert_eq!(found.verdict, verdict, "{at}: {}", found.reason);
            assert!(found.p_unit > 0.0 && found.p_unit.is_finite(), "{at}");
            let says = found.warnings.iter().any(|note| note.contains("2^53"));
            assert_eq!(says, is_rounded, "{at}: {:?}", found.warnings);
        }
        if is_rounded {
            let options = RecordedOptions {
                tolerance: Some(0.5),
                ..options
            };
            let error = Recorded::new(&recording, &options, &()).unwrap_err();
            assert!(error.to_string().contains("2^53"), "{error}");
        }
    }
}

/// One-hot codes of observations are all equally far apart, so nothing is nearer than what agrees.
#[test]
fn equal_distances_mix_nothing() {
    let chain = Chain::PLAIN;
    let (recording, cells) = chain.record(6, 200);
    let (recording, shown) = colored(recording, &cells);
    let shown = |row: usize| shown[row];
    let audit = |code: &dyn Fn(usize) -> usize| {
        let width = 3 * CELLS;
        let mut latents = vec![0.0; cells.len() * width];
        for row in 0..cells.len() {
            latents[row * width + code(row)] = 1.0;
        }
        audited_latents(&recording, &latents, &RecordedOptions::default())
    };
    let found = audit(&shown);
    assert_eq!(found.verdict, Verdict::Healthy, "{}", found.reason);
    assert_eq!(found.neighborhoods.mixed, Some(0.0));
    // Cells 8 and 1 in one color.
    let found = audit(&|row| if shown(row) == 24 { 3 } else { shown(row) });
    assert_eq!(found.verdict, Verdict::Unhealthy, "{}", found.reason);
    for pair in found.pairs.iter().filter(|pair| pair.kind.is_some()) {
        let of_pair = [pair.i, pair.j].map(shown);
        assert!(
            of_pair == [3, 24] || of_pair == [24, 3],
            "{of_pair:?}: {}",
            found.reason
        );
    }
}

/// Where few rows stand for all of one latent, a merge of two classes must not pass for outliers.
#[test]
fn classes_that_lie_near_but_not_on_each_other_are_no_outliers() {
    let chain = Chain::PLAIN;
    let (recording, cells) = chain.record(12, 200);
    for gap in [1e-6, 1e-4, 1e-2] {
        let mut latents = vec![0.0; cells.len() * CELLS];
        for (row, &cell) in cells.iter().enumerate() {
            let code = if cell == 8 { 1 } else { cell };
            latents[row * CELLS + code] = if cell == 8 { 1.0 + gap } else { 1.0 };
        }
        let found = audited_latents(&recording, &latents, &RecordedOptions::default());
        assert_eq!(found.verdict, Verdict::Unhealthy, "{gap}: {}", found.reason);
    }
}

/// Rounding to float16 or bfloat16 makes some of many equal distances a little less.
#[test]
fn rounded_codes_are_as_far_apart_as_exact_ones() {
    let (recording, cells) = Chain::PLAIN.record(13, 30);
    let width = cells.len();
    let mut parts = recording.into_parts();
    // No observation recurs, and each row has a code of its own.
    parts.observations = Frames::F32 {
        shape: vec![1],
        values: (0..width).map(|row| row as f32).collect(),
    };
    parts.world_is_deterministic = Some(true);
    let recording = Trajectories::new(parts).unwrap();
    // A rotation of one-hot codes (a cosine transform): no entry is zero, all distances are equal.
    let entry = |place: usize, at: usize| {
        let turns = ((2 * place + 1) * at) as f64 / (4 * width) as f64;
        let scale = if at == 0 { 1.0 } else { 2.0 };
        ((scale / width as f64).sqrt() * (TAU * turns).cos()) as f32
    };
    for kept in [32, 19, 16] {
        let rounded = |value: f32| {
            let dropped = 32 - kept;
            f32::from_bits((value.to_bits() >> dropped) << dropped)
        };
        let latents: Vec<f32> = (0..width * width)
            .map(|place| rounded(entry(place / width, place % width)))
            .collect();
        let found = audited_latents(&recording, &latents, &RecordedOptions::default());
        assert_eq!(found.verdict, Verdict::Healthy, "{kept}: {}", found.reason);
        assert_eq!(found.neighborhoods.mixed, Some(0.0), "{kept}");
        assert!(found.neighborhoods.rows > width / 2, "{kept}");
    }
}
