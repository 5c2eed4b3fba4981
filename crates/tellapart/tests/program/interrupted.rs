//! Ctrl-C in commands that keep no checkpoint. Linux tells when a process is ready for it.

#![cfg(target_os = "linux")]

use std::process::{Child, Output, Stdio};

use tellapart::data::{Actions, Frames, Trajectories, TrajectoryParts};
use tellapart::files::{Array, Values, write_npy};

use crate::run::Folder;

/// Starts a command, interrupts it once it handles Ctrl-C, and returns what came out.
fn interrupted(folder: &Folder, words: &str) -> Output {
    let mut command = folder.command(words);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let child = child.unwrap();
    while !handles_interrupts(&child) {
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    let mut kill = std::process::Command::new("kill");
    assert!(kill.args(["-INT", &pid]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

/// Whether a process has a handler for SIGINT, the second of the signals.
fn handles_interrupts(child: &Child) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
    let caught = caught.unwrap();
    u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
}

/// A recording and latents that take minutes to audit.
fn write_much(folder: &Folder) {
    const ROWS: usize = 100_000;
    const WIDTH: usize = 39;
    let mixed = |n: usize| (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
    let recording = Trajectories::new(TrajectoryParts {
        observations: Frames::F32 {
            shape: vec![1],
            values: (0..ROWS).map(|row| row as f32).collect(),
        },
        actions: Actions::Discrete {
            count: 2,
            ids: (0..ROWS).map(|row| (mixed(row) % 2) as u32).collect(),
        },
        rewards: Some(Values::F32(
            (0..ROWS).map(|row| (mixed(row) % 3) as f32).collect(),
        )),
        terminals: vec![false; ROWS],
        timeouts: (0..ROWS).map(|row| row % 100 == 99).collect(),
        world_is_deterministic: Some(true),
        ..TrajectoryParts::default()
    });
    recording
        .unwrap()
        .write_npz(folder.path("much.npz"))
        .unwrap();
    let latents = (0..ROWS * WIDTH).map(|at| mixed(at) as f32).collect();
    let latents = Array {
        shape: vec![ROWS, WIDTH],
        values: Values::F32(latents),
    };
    write_npy(folder.path("z.npy"), &latents).unwrap();
}

#[test]
fn ctrl_c_ends_a_long_command_and_leaves_no_file() {
    let folder = Folder::new();
    write_much(&folder);
    let before = folder.names();
    for words in [
        "audit --data much.npz --embeddings z.npy --out page.html",
        "collect gridworld --episodes 5000000 view_radius=0 --out more.npz",
    ] {
        let output = interrupted(&folder, words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert_eq!(said, "error: stopped by Ctrl-C\n", "{words}");
        assert!(output.stdout.is_empty(), "{words}");
        assert_eq!(folder.names(), before, "{words}");
    }
}
