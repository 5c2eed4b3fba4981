//! `audit`: faults planted in embeddings of the counting world are found, and nothing else is.

use serde_json::{Value, json};
use tellapart::data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart::files::{Array, Values, f16, write_npy};
use tellapart::{ActionId, StateId, World, settings};

use crate::run::Folder;

const WORLD: &str = "actions=one-hot-2";

/// A recording, and the counts that its rows show.
fn recorded(folder: &Folder) -> Vec<u32> {
    folder.fine(&format!(
        "-q collect counting --episodes 400 --seed 3 --out walks.npz {WORLD}"
    ));
    let walks = Trajectories::read_npz(folder.path("walks.npz")).unwrap();
    walks.state_ids.clone().unwrap()
}

fn write(folder: &Folder, name: &str, shape: Vec<usize>, values: Vec<f32>) {
    let values = Values::F32(values);
    write_npy(folder.path(name), &Array { shape, values }).unwrap();
}

/// Each count at a corner of its own, with a little noise; `merged` counts share the first one's.
fn write_latents(folder: &Folder, name: &str, counts: &[u32], merged: &[u32]) {
    let noise = |row: usize, axis: usize| ((row * 37 + axis * 101) % 97) as f32 / 97.0 - 0.5;
    let mut values = Vec::new();
    for (row, count) in counts.iter().enumerate() {
        let corner = if merged.contains(count) {
            merged[0]
        } else {
            *count
        };
        for axis in 0..9 {
            values.push(f32::from(u8::from(axis == corner as usize)) + 0.05 * noise(row, axis));
        }
    }
    write(folder, name, vec![counts.len(), 9], values);
}

fn audited(folder: &Folder, latents: &str, code: i32) -> Value {
    let ran = folder.run(&format!(
        "audit --data walks.npz --embeddings {latents} --truth --json"
    ));
    assert_eq!(ran.code, Some(code), "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn planted_merges_are_found_with_words_that_show_them() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    for merged in [&[2, 6][..], &[0, 8], &[4, 5], &[1, 3, 7]] {
        write_latents(&folder, "z.npy", &counts, merged);
        let found = audited(&folder, "z.npy", 3);
        assert_eq!(found["schema"], "tellapart.audit/3");
        assert_eq!(found["verdict"], "unhealthy", "{merged:?}");
        let mut expected = Vec::new();
        for (index, a) in merged.iter().enumerate() {
            expected.extend(merged[index + 1..].iter().map(|b| vec![*a, *b]));
        }
        let states: Vec<Vec<u32>> =
            serde_json::from_value(found["healthy"]["truth"]["merged_states"].clone()).unwrap();
        assert_eq!(states, expected);

        let options = settings::world_options(World::Counting, [WORLD]).unwrap();
        let truth = options.ground_truth().unwrap();
        let pairs = found["pairs"].as_array().unwrap();
        let mut replayed = 0;
        for pair in pairs.iter().filter(|pair| pair["cause"] == "encoder") {
            let word: Vec<u32> = serde_json::from_value(pair["witness"].clone()).unwrap();
            let word: Vec<ActionId> = word.into_iter().map(ActionId::new).collect();
            let end = |side: &str| {
                let row = pair[side].as_u64().unwrap() as usize;
                truth.output(truth.run(StateId::new(counts[row]), &word))
            };
            assert_ne!(end("i"), end("j"), "{pair}");
            replayed += 1;
        }
        assert!(replayed > 0);
    }
}

#[test]
fn where_nothing_is_merged_there_is_no_alarm() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    write_latents(&folder, "z.npy", &counts, &[]);
    assert_eq!(audited(&folder, "z.npy", 0)["verdict"], "healthy");
    let said = folder.fine("audit --data walks.npz --embeddings z.npy");
    assert!(said.starts_with("healthy: "), "{said}");
    let story = folder.fine("audit --data walks.npz --embeddings z.npy --explain 0 1");
    assert!(story.contains("row 0 (episode 0, step 0)"), "{story}");
    let words = "audit --data walks.npz --embeddings z.npy --out page.html";
    folder.fine(words);
    let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
    assert!(page.contains("z.npy against walks.npz"));
    assert!(folder.error(2, words).contains("--force"));
}

#[test]
fn everything_in_one_place_is_everything_merged() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    write(
        &folder,
        "z.npy",
        vec![counts.len(), 2],
        vec![0.5; 2 * counts.len()],
    );
    assert_eq!(audited(&folder, "z.npy", 3)["verdict"], "unhealthy");
}

#[test]
fn latents_that_cannot_be_audited_are_refused_by_place() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    let rows = counts.len();
    let mut values = vec![0.25; 2 * rows];
    values[7] = f32::NAN;
    write(&folder, "nan.npy", vec![rows, 2], values);
    write(
        &folder,
        "short.npy",
        vec![rows - 1, 2],
        vec![0.0; 2 * rows - 2],
    );
    write(&folder, "flat.npy", vec![rows], vec![0.0; rows]);
    write_latents(&folder, "fine.npy", &counts, &[]);
    folder.write("text.csv", "1,2\n");
    for (words, expected) in [
        ("--embeddings nan.npy", "row 3"),
        ("--embeddings short.npy", &(rows - 1).to_string()[..]),
        ("--embeddings flat.npy", "reshape(-1, 1)"),
        ("--embeddings text.csv", ".safetensors"),
        ("--embeddings nowhere.npy", "nowhere.npy"),
        ("--embeddings fine.npy --p nothing", "nothing"),
        ("--embeddings fine.npy --action-rule zigzag", "zigzag"),
        ("", "--embeddings"),
    ] {
        let said = folder.error(2, &format!("audit --data walks.npz {words}"));
        assert!(said.contains(expected), "{words}: {said}");
    }
}

/// The same latents in float64, far from the origin, and as tokens whose mean they are.
#[test]
fn latents_of_other_types_and_shapes_give_the_same_verdict() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    let rows = counts.len();
    write_latents(&folder, "z.npy", &counts, &[2, 6]);
    let z = tellapart::files::read_npy(folder.path("z.npy")).unwrap();
    let z = z.values.into_f64();
    let expected = audited(&folder, "z.npy", 3);
    let write = |name: &str, shape: &[usize], values: Values| {
        let shape = shape.to_vec();
        write_npy(folder.path(name), &Array { shape, values }).unwrap();
    };
    let far = z.iter().map(|value| 1e6 + 1e-3 * value).collect();
    write("far.npy", &[rows, 9], Values::F64(far));
    let half = z.iter().map(|&value| f16::from_f64(value)).collect();
    write("half.npy", &[rows, 9], Values::F16(half));
    let tokens = z.chunks(9).flat_map(|latent| {
        let moved = |by: f64| latent.iter().map(move |value| value + by);
        moved(-1.0).chain(moved(1.0)).collect::<Vec<_>>()
    });
    write("tokens.npy", &[rows, 2, 9], Values::F64(tokens.collect()));
    for latents in ["far.npy", "half.npy", "tokens.npy --pool mean"] {
        let found = audited(&folder, latents, 3);
        for field in ["verdict", "latent_width"] {
            assert_eq!(found[field], expected[field], "{latents}");
        }
        let truth = |found: &Value| found["healthy"]["truth"]["merged_states"].clone();
        assert_eq!(truth(&found), truth(&expected), "{latents}");
        assert_eq!(
            warned(&found, "the mean of the 2 tokens"),
            latents.contains("pool")
        );
    }
    let said = folder.error(2, "audit --data walks.npz --embeddings tokens.npy");
    assert!(said.contains("--pool flatten"), "{said}");
    let said = folder.error(2, "audit --data walks.npz --embeddings z.npy --pool mean");
    assert!(said.contains("leave out --pool"), "{said}");
    let said = folder.error(2, "audit --data walks.npz --embeddings z.npy --pool median");
    assert!(said.contains("mean, flatten or first"), "{said}");
}

/// A generator that is the same everywhere.
fn uniform(state: &mut u64) -> f32 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1);
    (*state >> 40) as f32 / (1 << 24) as f32
}

fn warned(found: &Value, part: &str) -> bool {
    let warnings = found["warnings"].as_array().unwrap();
    let mut texts = warnings.iter().filter_map(Value::as_str);
    texts.any(|text| text.contains(part))
}

/// Latents that say nothing lie at random beside what must be apart: unhealthy, though no two are
/// near.
#[test]
fn random_latents_are_unhealthy_and_said_to_be_random() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    for seed in 1..4 {
        let mut state = seed;
        let values = (0..8 * counts.len()).map(|_| uniform(&mut state)).collect();
        write(&folder, "z.npy", vec![counts.len(), 8], values);
        let found = audited(&folder, "z.npy", 3);
        assert_eq!(found["verdict"], "unhealthy", "seed {seed}");
        assert!(warned(&found, "say nothing about what follows"), "{found}");
    }
}

/// The rows of good embeddings in another order are as good as random, and equal observations that
/// have different latents give it away.
#[test]
fn embeddings_in_another_order_are_unhealthy_and_the_order_is_named() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    let mut state = 9;
    let mut keys: Vec<(f32, u32)> = counts.iter().map(|&c| (uniform(&mut state), c)).collect();
    keys.sort_by(|a, b| a.0.total_cmp(&b.0));
    let shuffled: Vec<u32> = keys.into_iter().map(|(_, count)| count).collect();
    write_latents(&folder, "z.npy", &shuffled, &[]);
    let found = audited(&folder, "z.npy", 3);
    assert_eq!(found["verdict"], "unhealthy");
    assert!(
        warned(&found, "not in the order of the recording"),
        "{found}"
    );
    // By one row, as where the first observation was left out: neighbors in time are mistaken.
    let mut late = counts.clone();
    late.rotate_left(1);
    write_latents(&folder, "late.npy", &late, &[]);
    assert_eq!(audited(&folder, "late.npy", 3)["verdict"], "unhealthy");
}

/// A latent written twice is an alarm where the recording tells the two rows apart, and only there.
#[test]
fn a_duplicated_row_is_an_outlier_only_where_the_rows_must_be_apart() {
    let folder = Folder::new();
    let counts = recorded(&folder);
    let walks = Trajectories::read_npz(folder.path("walks.npz")).unwrap();
    let rewards = walks.rewards.clone().unwrap();
    let rewarded = (0..counts.len())
        .find(|&row| rewards.number(row) == 1.0)
        .unwrap();
    let alike = (rewarded + 1..counts.len()).find(|&row| rewards.number(row) == 1.0);
    let other = (rewarded + 1..counts.len()).find(|&row| rewards.number(row) == 0.0);
    for (copied, outliers) in [(alike, 0), (other, 1)] {
        let copied = copied.unwrap();
        write_latents(&folder, "z.npy", &counts, &[]);
        let tellapart::files::Array { values, .. } =
            tellapart::files::read_npy(folder.path("z.npy")).unwrap();
        let mut values = values.into_f32().unwrap();
        values.copy_within(9 * rewarded..9 * rewarded + 9, 9 * copied);
        write(&folder, "z.npy", vec![counts.len(), 9], values);
        let found = audited(&folder, "z.npy", 0);
        assert_eq!(found["counts"]["outlier_rows"], outliers);
        let strict = "audit --data walks.npz --embeddings z.npy --outliers 0 -q";
        assert_eq!(folder.run(strict).code, Some(3 * outliers));
        if outliers == 1 {
            assert_eq!(found["pairs"][0]["cause"], "outlier");
            let explained = folder.fine(&format!(
                "audit --data walks.npz --embeddings z.npy --explain {rewarded} {copied}"
            ));
            let named = format!("row {copied} is an outlier");
            assert!(explained.contains(&named), "{explained}");
            assert_eq!(found["pairs"][0]["outlier"], copied);
            assert_eq!(found["outliers"], serde_json::json!([copied]));
            let said = folder.fine("audit --data walks.npz --embeddings z.npy");
            assert!(said.contains(&format!("outlier {copied}")), "{said}");
            assert!(said.contains("rows that is an outlier"), "{said}");
            assert!(
                said.contains(&format!("outliers: {copied} (look at")),
                "{said}"
            );
            let worst = &found["pairs"][0];
            assert_eq!([&worst["i"], &worst["j"]], [rewarded, copied]);
            assert_eq!(worst["required_lipschitz_is_infinite"], true);
            assert_eq!(worst["witness"], serde_json::json!([]));
        }
    }
}

/// Rows of one view look the same: what is merged there is the observation's fault. Views that the
/// embeddings merge beyond that are the encoder's.
#[test]
fn the_gridworld_tells_the_faults_of_observation_and_encoder_apart() {
    let folder = Folder::new();
    folder.fine("-q collect gridworld --episodes 400 --seed 3 --out walks.npz tints=1");
    let walks = Trajectories::read_npz(folder.path("walks.npz")).unwrap();
    let views = walks.column("view_ids").unwrap().values;
    let one_hot = |merged: Option<[f32; 2]>| {
        let mut values = vec![0.0; 27 * views.len()];
        for (row, &view) in views.iter().enumerate() {
            let place = match merged {
                Some([a, b]) if view == b => a,
                _ => view,
            };
            values[27 * row + place as usize] = 1.0;
        }
        values
    };
    write(&folder, "views.npy", vec![views.len(), 27], one_hot(None));
    let found = audited(&folder, "views.npy", 0);
    assert_eq!(found["verdict"], "healthy");
    let counts = &found["counts"];
    assert_eq!(counts["encoder"], 0);
    assert!(counts["observation"].as_u64().unwrap() > 0, "{counts}");
    let view_of = |pair: &Value, side: &str| views[pair[side].as_u64().unwrap() as usize];
    for pair in found["pairs"].as_array().unwrap() {
        assert_eq!(view_of(pair, "i"), view_of(pair, "j"), "{pair}");
    }

    let goal = (0..views.len()).find(|&row| walks.rewards.as_ref().unwrap().number(row) == 1.0);
    let goal = views[goal.unwrap()];
    let other = if goal == 0.0 { 1.0 } else { 0.0 };
    write(
        &folder,
        "merged.npy",
        vec![views.len(), 27],
        one_hot(Some([other, goal])),
    );
    let found = audited(&folder, "merged.npy", 3);
    let mut faults = [0, 0];
    for pair in found["pairs"].as_array().unwrap() {
        let [a, b] = ["i", "j"].map(|side| view_of(pair, side));
        match pair["cause"].as_str().unwrap() {
            "encoder" => {
                faults[0] += 1;
                assert!([[goal, other], [other, goal]].contains(&[a, b]), "{pair}");
            }
            "observation" => {
                faults[1] += 1;
                assert_eq!(a, b, "{pair}");
            }
            _ => {}
        }
    }
    assert!(faults[0] > 0 && faults[1] > 0, "{faults:?}");
}

/// A tiny run: its own latents, and the certificate.
#[test]
fn a_run_is_audited_with_its_certificate_and_on_recordings_that_fit_only() {
    let folder = Folder::new();
    let small = "image_side=16 radius=1 min_distance=3 max_count=2 target=1";
    folder.fine(&format!(
        "-q collect counting --episodes 60 --seed 5 --out walks.npz {small} end_at_target=false"
    ));
    folder.write("run.toml", "name = \"mine\"\n");
    let keys: String = small
        .split(' ')
        .map(|key| format!(" environment.{key}"))
        .collect();
    let tiny = format!(
        "{keys} data.window=16 model.latent=4 model.hidden=8 optimizer.updates=6 optimizer.warmup=2 \
         evaluation.every=3 evaluation.validation_per_state=4 evaluation.held_out_per_state=8 \
         evaluation.horizon_steps=3 decoder.updates=0"
    );
    folder.fine(&format!("-q train run.toml {tiny} --out bounded"));
    let plain = "model.predictor=plain model.head=plain";
    folder.fine(&format!("-q train run.toml {tiny} {plain} --out plain"));
    let random = "target.kind=random target.width=3";
    folder.fine(&format!("-q train run.toml {tiny} {random} --out random"));
    let audited = |run: &str| -> Value {
        let words = format!("audit --data walks.npz --run {run} --action-rule sign --json");
        let ran = folder.run(&words);
        assert!([Some(0), Some(3)].contains(&ran.code), "{ran:?}");
        serde_json::from_str(&ran.out).unwrap()
    };
    let found = audited("bounded");
    let certificate = &found["certificate"];
    assert_eq!(certificate["lipschitz"], 0.25);
    assert_eq!(certificate["violations"], 0);
    assert!(
        certificate["random_pairs"].as_u64().unwrap() > 100,
        "{certificate}"
    );
    for pair in certificate["closest"].as_array().unwrap() {
        let bound = &pair["bound"];
        let number = |name: &str| bound[name].as_f64().unwrap();
        assert!(
            number("certified_distance") <= number("actual_distance") + 1e-6,
            "{pair}"
        );
    }
    assert!(
        found["closest"]["bound"]["margin"].is_number(),
        "{}",
        found["closest"]
    );
    let certificate = &audited("plain")["certificate"];
    assert!(certificate["lipschitz"].is_null());
    assert!(certificate["closest"][0]["bound"]["certified_distance"].is_null());
    let found = audited("random");
    assert!(found["certificate"].is_null());
    assert!(warned(&found, "No certificate"), "{found}");

    let story =
        folder.fine("audit --data walks.npz --run bounded --action-rule sign --explain 0 1");
    assert!(story.contains("row 0"), "{story}");
    folder.fine("-q embed bounded --data walks.npz --out z.npy");
    let ran = folder.run("audit --data walks.npz --embeddings z.npy --action-rule sign --json");
    let of_file: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(of_file["counts"], audited("bounded")["counts"]);
    let again = folder.error(2, "embed bounded --data walks.npz --out z.npy");
    assert!(again.contains("--force"), "{again}");
    let text = folder.error(2, "embed bounded --data walks.npz --out z.txt");
    assert!(text.contains(".npy"), "{text}");
    folder.run("audit --data walks.npz --run bounded --action-rule sign --out page.html");
    let page = std::fs::read_to_string(folder.path("page.html")).unwrap();
    assert!(page.contains("What is provably apart"));

    folder.fine("-q collect counting --episodes 9 --out large.npz");
    folder.fine(&format!(
        "-q collect counting --episodes 9 --out ids.npz {small} actions=one-hot-2"
    ));
    std::fs::create_dir(folder.path("unfinished")).unwrap();
    std::fs::copy(
        folder.path("bounded/config.toml"),
        folder.path("unfinished/config.toml"),
    )
    .unwrap();
    for (words, expected) in [
        ("--data walks.npz --run nowhere", "not a run directory"),
        ("--data walks.npz --run unfinished", "not finished"),
        ("--data walks.npz --run bounded", "`sign`"),
        (
            "--data large.npz --run bounded --action-rule sign",
            "[64, 64, 3]",
        ),
        ("--data ids.npz --run bounded", "2 ids"),
        (
            "--data walks.npz --run bounded --embeddings z.npy",
            "--embeddings",
        ),
    ] {
        let said = folder.error(2, &format!("audit {words}"));
        assert!(said.contains(expected), "{words}: {said}");
    }
}

/// A recording whose rewards depend on the action: a run predicts those of steps, and certifies.
#[test]
fn a_run_on_rewards_of_steps_is_certified() {
    let folder = Folder::new();
    const ROWS: usize = 400;
    let ends: Vec<bool> = (0..ROWS).map(|row| row % 20 == 19).collect();
    let action = |row: usize| (row * row * 31 + row * 17 + 5) / 7 % 2;
    let mut cells = vec![0_usize];
    for row in 1..ROWS {
        let moved = (cells[row - 1] + 1 + action(row - 1)) % 5;
        cells.push(if ends[row - 1] { 0 } else { moved });
    }
    let reward = |row: usize| match ends[row] {
        true => f32::NAN,
        false => f32::from(u8::from(cells[row + 1] == 0)) - 0.5 * action(row) as f32,
    };
    let seen = |&cell: &usize| (0..5).map(move |other| f32::from(u8::from(other == cell)));
    let recording = Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![5],
            values: cells.iter().flat_map(seen).collect(),
        },
        actions: Actions::Discrete {
            count: 2,
            ids: (0..ROWS).map(|row| action(row) as u32).collect(),
        },
        rewards: Some(Values::F32((0..ROWS).map(reward).collect())),
        terminals: vec![false; ROWS],
        timeouts: ends,
        ..TrajectoryParts::default()
    });
    recording
        .unwrap()
        .write_npz(folder.path("steps.npz"))
        .unwrap();
    folder.write("run.toml", "name = \"mine\"\n");
    folder.fine(
        "-q train run.toml data.source=steps.npz data.p_of=step model.encoder=mlp \
         model.encoder.hidden=[16] data.window=16 data.windows=4 model.latent=8 optimizer.updates=400 \
         optimizer.warmup=20 evaluation.every=200 decoder.updates=0 --out run",
    );
    let found = folder.run("audit --data steps.npz --run run --json");
    let found: Value = serde_json::from_str(&found.out).unwrap();
    // What the run was trained on is what is audited, without another word.
    assert_eq!(found["p_of"], "step");
    let certificate = &found["certificate"];
    assert_eq!(
        (&certificate["violations"], &certificate["lipschitz"]),
        (&json!(0), &json!(0.25))
    );
    assert!(
        certificate["random_pairs"].as_u64().unwrap() > 100,
        "{certificate}"
    );
    let certified = certificate["random_certified"].as_u64().unwrap();
    assert!(certified > 0, "{certificate}");
    let found = folder.run("audit --data steps.npz --run run --p-of observation --json");
    let found: Value = serde_json::from_str(&found.out).unwrap();
    assert!(warned(
        &found,
        "does not foresee rewards of the observation, but rewards of the step"
    ));
}
