//! Minari: episodes as groups, spaces of parts, images.

use tellapart_data::Frames;
use tellapart_files::Dtype;

use crate::*;

#[test]
fn minari_boxes_are_read_from_the_folder_or_the_file() {
    let recording = read("minari_box", None);
    check(&recording, 2, by_turns);
    let states = states(2);
    assert_eq!(recording.observations, vectors(&states));
    assert_eq!(recording.actions, discrete(&actions(2)));
    assert_eq!(
        recording.extra["infos/state"].values,
        states
            .iter()
            .map(|&state| state as i64)
            .collect::<Vec<_>>()
            .into()
    );
    assert_eq!(
        recording.extra["infos/deep/twice"].values,
        states
            .iter()
            .map(|&state| 2 * state as i8)
            .collect::<Vec<_>>()
            .into()
    );
    let [left_out] = recording.left_out() else {
        panic!("{:?}", recording.left_out());
    };
    assert_eq!(left_out.name, "infos/name");
    assert_eq!(left_out.reason, "in episode_0, it holds text");
    assert_eq!(
        recording.read_as(),
        [
            ("terminations".to_owned(), "terminals"),
            ("truncations".to_owned(), "timeouts")
        ]
    );
    for same in ["minari_box/data", "minari_box/data/main_data.hdf5"] {
        // Not equal as a whole: NaN differs from itself.
        assert_eq!(read(same, None).observations, recording.observations);
    }
}

#[test]
fn minari_discrete_observations_and_box_actions_are_read() {
    let recording = read("minari_discrete.hdf5", None);
    check(&recording, 2, by_turns);
    assert_eq!(recording.observations, counts(&states(2)));
    assert_eq!(recording.actions, pairs(&actions(2)));
}

#[test]
fn minari_members_of_dicts_and_tuples_are_chosen_by_path() {
    for (name, count, position) in [
        ("minari_dict.hdf5", "inner/count", "position"),
        ("minari_tuple.hdf5", "_index_0", "_index_1"),
    ] {
        let whole = format!("/observations/{count}");
        for choice in [count, &whole] {
            let recording = read(name, Some(choice));
            check(&recording, 2, by_turns);
            assert_eq!(recording.observations, counts(&states(2)));
            let other = format!("observations/{position}");
            assert_eq!(recording.extra[&other].shape, [recording.rows(), 2]);
            let chosen = (format!("observations/{count}"), "observations");
            assert!(recording.read_as().contains(&chosen));
        }
        assert_eq!(read(name, Some(position)).observations, vectors(&states(2)));
        let message = error(name, None);
        for part in [
            name,
            &format!("`observations/{count}` (int64 [])"),
            &format!("`observations/{position}` (float32 [2])"),
            "--observations PATH",
        ] {
            assert!(message.contains(part), "{part:?} in {message}");
        }
        let message = error(name, Some("nothing"));
        assert!(message.contains("no observations `nothing`"), "{message}");
        assert!(message.contains(count), "{message}");
    }
}

#[test]
fn minari_images_are_decoded() {
    let recording = read("minari_images.hdf5", None);
    check(&recording, 2, by_turns);
    let Frames::U8 { shape, values } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    assert_eq!(shape, &[32, 40, 3]);
    let states = states(2);
    assert_eq!(values.len(), states.len() * 32 * 40 * 3);
    for (at, &found) in values.iter().enumerate() {
        let (row, y, channel) = (at / 3840, at / 120 % 32, at % 3);
        // Colors run into each other where the halves meet.
        if (14..18).contains(&y) {
            continue;
        }
        let half = usize::from(y >= 16);
        let expected = if half == channel { 60 * states[row] } else { 0 };
        // JPEG is lossy, by a few levels on plain areas.
        let error = (i64::from(found) - expected as i64).abs();
        assert!(error <= 4, "value {at}: {found}, not {expected}");
    }
}

#[test]
fn minari_episodes_are_in_the_order_of_their_numbers() {
    let recording = read("minari_many.hdf5", None);
    check(&recording, 12, |_| [true, false]);
    assert_eq!(recording.observations, counts(&states(12)));
    assert_eq!(recording.actions, discrete(&actions(12)));
}

#[test]
fn minari_gray_images_and_episodes_without_steps_are_read() {
    let recording = read("minari_gray.hdf5", None);
    let Frames::U8 { shape, values } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    assert_eq!(shape, &[32, 48, 1]);
    for (at, &found) in values.iter().enumerate() {
        let expected = [16_u8, 200, 200, 16][at / (32 * 48)];
        assert!(
            found.abs_diff(expected) <= 2,
            "value {at}: {found}, not {expected}"
        );
    }
    assert_eq!(recording.actions, discrete(&[1, 0, 0, 0]));
    assert_eq!(recording.terminals, [false, false, true, false]);
    assert_eq!(recording.timeouts, [false, false, false, true]);
    let [left_out] = recording.left_out() else {
        panic!("{:?}", recording.left_out());
    };
    let reason = "in episode_1, it is not there";
    assert_eq!(
        (&*left_out.name, &*left_out.reason),
        ("infos/count", reason)
    );
}

#[test]
fn half_floats_are_read_as_they_are() {
    let recording = read("minari_half.hdf5", None);
    let Frames::Other { shape, values } = &recording.observations else {
        panic!("{:?}", recording.observations.dtype());
    };
    assert!(shape.is_empty());
    assert_eq!(values.dtype(), Dtype::F16);
    assert_eq!(values.clone().into_f64(), [0.0, 0.25, 0.5, 0.75]);
}
