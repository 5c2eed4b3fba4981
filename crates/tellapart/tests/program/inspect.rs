use serde_json::json;
use tellapart::files::{ArchiveWriter, Array, Values, write_npy};
use tellapart::system::{generate, write};

use crate::run::{Folder, assert_snapshot};

fn archive(folder: &Folder, name: &str, arrays: &[(&str, Vec<usize>, Values)]) {
    let mut archive = ArchiveWriter::create(folder.path(name)).unwrap();
    for (name, shape, values) in arrays {
        archive
            .add(
                name,
                &Array {
                    shape: shape.clone(),
                    values: values.clone(),
                },
            )
            .unwrap();
    }
    archive.finish().unwrap();
}

/// A whole file of one tensor `z` of shape `[2, 3]`.
fn safetensors() -> Vec<u8> {
    let header =
        br#"{"__metadata__":{"by":"me"},"z":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &[0; 24]].concat()
}

#[test]
fn trajectories_are_described() {
    let folder = Folder::new();
    folder.fine("-q collect counting --episodes 50 --out a.npz");
    let text = folder.fine("inspect a.npz");
    // The size of the file may change with the compressor.
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with("a.npz: trajectories (.npz, "), "{first}");
    assert_snapshot("inspect-trajectories", rest);
    let document = folder.json("inspect a.npz --json");
    assert_eq!(document["schema"], "tellapart.inspect/1");
    assert_eq!(document["format"], "trajectories");
    assert_eq!(document["episodes"]["count"], 50);
    assert_eq!(document["arrays"][0]["name"], "observations");
    assert_eq!(document["problem"], json!(null));
}

#[test]
fn what_breaks_the_rules_is_described_and_then_refused() {
    let folder = Folder::new();
    let arrays = [
        (
            "observations",
            vec![3, 2],
            Values::F32(vec![0.0, 0.5, f32::NAN, 1.0, 2.0, 3.0]),
        ),
        ("actions", vec![2], Values::I64(vec![0, 1])),
        ("terminals", vec![3], Values::Bool(vec![false, false, true])),
    ];
    archive(&folder, "bad.npz", &arrays);
    let ran = folder.run("inspect bad.npz");
    assert_eq!(ran.code, Some(2));
    assert!(ran.out.contains("0 to 3; 1 NaN or infinite"), "{ran:?}");
    assert!(
        ran.err
            .contains("bad.npz: not valid as trajectories: array `"),
        "{ran:?}"
    );
    let json = folder.run("inspect bad.npz --json");
    assert_eq!(json.code, Some(2));
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(document["problem"].is_string() && document["episodes"].is_null());

    archive(
        &folder,
        "half.npz",
        &[("next", vec![2, 1], Values::U8(vec![0, 1]))],
    );
    let ran = folder.run("inspect half.npz");
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.contains("finite system") && ran.err.contains("`output`"),
        "{ran:?}"
    );
}

#[test]
fn systems_embeddings_and_arrays_are_told_apart() {
    let folder = Folder::new();
    let machine = generate::counter(9).unwrap();
    write::npz(&machine, folder.path("system.npz")).unwrap();
    write::aut(&machine, folder.path("system.aut")).unwrap();
    let floats = Array {
        shape: vec![2, 3],
        values: Values::F32(vec![0.5; 6]),
    };
    write_npy(folder.path("z.npy"), &floats).unwrap();
    let ids = Array {
        shape: vec![3],
        values: Values::I64(vec![-1, 0, 1 << 40]),
    };
    write_npy(folder.path("ids.npy"), &ids).unwrap();
    archive(
        &folder,
        "z.npz",
        &[
            ("z", vec![2, 3], floats.values.clone()),
            ("ids", vec![3], ids.values.clone()),
        ],
    );
    folder.write("z.safetensors", safetensors());
    for (name, format, container) in [
        ("system.npz", "system", "npz"),
        ("system.aut", "system", "aut"),
        ("z.npy", "embeddings", "npy"),
        ("z.npz", "embeddings", "npz"),
        ("z.safetensors", "embeddings", "safetensors"),
        ("ids.npy", "arrays", "npy"),
    ] {
        let document = folder.json(&format!("inspect {name} --json"));
        assert_eq!(document["format"], format, "{name}");
        assert_eq!(document["container"], container, "{name}");
    }
    let files = ["system.npz", "z.npz", "z.safetensors", "ids.npy"];
    let texts = files.map(|name| {
        let text = folder.fine(&format!("inspect {name}"));
        let (first, rest) = text.split_once('\n').unwrap();
        // Without the size.
        format!("{})\n{rest}", first.rsplit_once(',').unwrap().0)
    });
    assert_snapshot("inspect-others", &texts.join("\n"));
}

#[test]
fn damaged_files_are_named() {
    let folder = Folder::new();
    folder.fine("-q collect counting --episodes 3 --out whole.npz");
    let whole = std::fs::read(folder.path("whole.npz")).unwrap();
    folder.write("cut.npz", &whole[..whole.len() / 2]);
    folder.write("empty.npz", "");
    folder.write("empty", "");
    folder.write("notes.txt", "some words");
    folder.write("words.npy", "some words");
    let tensors = safetensors();
    folder.write("cut.safetensors", &tensors[..tensors.len() - 1]);
    folder.write("header.safetensors", &tensors[..20]);
    let claims = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
    folder.write("claims.safetensors", claims);
    for (name, part) in [
        ("missing.npz", "no such file"),
        (".", "no Minari dataset"),
        ("cut.npz", "truncated"),
        ("empty.npz", "empty"),
        ("empty", "not a format that is known"),
        ("notes.txt", "not a format that is known"),
        ("words.npy", "NumPy"),
        ("cut.safetensors", "cut off"),
        ("header.safetensors", "ends within its header"),
        ("claims.safetensors", "beyond the format's limit"),
    ] {
        let message = folder.error(2, &format!("inspect {name}"));
        assert!(
            message.starts_with(&format!("error: {name}: ")),
            "{message}"
        );
        assert!(message.contains(part), "{message}");
    }
}
