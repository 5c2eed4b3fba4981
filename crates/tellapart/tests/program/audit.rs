//! `audit`: faults planted in embeddings of the counting world are found, and nothing else is.

use serde_json::Value;
use tellapart::data::Trajectories;
use tellapart::files::{Array, Values, write_npy};
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
        assert_eq!(found["schema"], "tellapart.audit/1");
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
