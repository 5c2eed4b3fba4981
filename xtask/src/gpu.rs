//! The same few updates on the CPU and on the GPU: they must agree, and take so long.
//!
//! The GPU is whatever Vulkan, Metal or DirectX device the system offers; on a machine without one,
//! a software Vulkan serves (on Debian the package `mesa-vulkan-drivers`).

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

/// Number of updates that are compared. Training magnifies rounding: at some later update a latent
/// falls on the other side of a kink, and the two go their own ways.
const UPDATES: usize = 10;
/// Largest difference of a loss, relative to its size plus one.
const TOLERANCE: f64 = 1e-5;
/// Columns of `metrics.csv` that are compared.
const LOSSES: [&str; 2] = ["loss_dynamics", "loss_auxiliary"];

/// Builds the program with its GPU devices, trains on both, compares and times.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let built = Command::new("cargo")
        .args([
            "build",
            "--release",
            "-p",
            "tellapart",
            "--features",
            "wgpu",
        ])
        .current_dir(root)
        .status();
    match built {
        Ok(status) if status.success() => {}
        other => return Err(format!("the program could not be built: {other:?}")),
    }
    let [cpu, gpu] = [train(root, "cpu")?, train(root, "wgpu")?];
    let mut largest: f64 = 0.0;
    for (row, (ours, theirs)) in cpu.losses.iter().zip(&gpu.losses).enumerate() {
        for ((a, b), name) in ours.iter().zip(theirs).zip(LOSSES) {
            let off = (a - b).abs() / (1.0 + a.abs());
            if off.is_nan() || off > TOLERANCE {
                return Err(format!("update {}, {name}: cpu {a}, wgpu {b}", row + 1));
            }
            largest = largest.max(off);
        }
    }
    if cpu.losses.len() != UPDATES || gpu.losses.len() != UPDATES {
        return Err(format!(
            "{UPDATES} updates were asked for, cpu did {}, wgpu {}",
            cpu.losses.len(),
            gpu.losses.len()
        ));
    }
    println!("losses of {UPDATES} updates differ by at most {largest:.1e}");
    for (name, run) in [("cpu", &cpu), ("wgpu", &gpu)] {
        println!(
            "{name:<5} {:>8.2} updates a second ({:.1} s the whole run)",
            UPDATES as f64 / run.training_seconds,
            run.seconds
        );
    }
    Ok(())
}

/// Losses and times of a run.
struct Trained {
    losses: Vec<Vec<f64>>,
    /// Time of the updates and validations.
    training_seconds: f64,
    /// Time of the whole program.
    seconds: f64,
}

fn train(root: &Path, device: &str) -> Result<Trained, String> {
    let folder = target(root).join("gpu").join(device);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| error.to_string())?;
    }
    let start = Instant::now();
    let status = Command::new(target(root).join("release/tellapart"))
        .args(["train", "configs/joint-reward.toml", "decoder.updates=0"])
        .args(["evaluation.log_every=1", "evaluation.every=1000"])
        .args([
            "evaluation.validation_per_state=2",
            "evaluation.held_out_per_state=2",
        ])
        .args(["loss.dynamics.ramp_start=0", "loss.dynamics.ramp_end=0"])
        .arg(format!("optimizer.updates={UPDATES}"))
        .args(["--quiet", "--device", device, "--out"])
        .arg(&folder)
        .current_dir(root)
        .status();
    match status {
        Ok(status) if status.success() => {}
        other => return Err(format!("the run on {device} failed: {other:?}")),
    }
    let seconds = start.elapsed().as_secs_f64();
    let read = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let metrics = read("metrics.csv")?;
    let state = read("checkpoints/latest/state.json")?;
    let wall = state.lines().find_map(|line| {
        let value = line.trim().strip_prefix("\"wall_seconds\":")?;
        value.trim().trim_end_matches(',').parse().ok()
    });
    Ok(Trained {
        losses: losses(&metrics)?,
        training_seconds: wall.ok_or("state.json has no wall_seconds")?,
        seconds,
    })
}

/// Returns the losses of every row.
fn losses(metrics: &str) -> Result<Vec<Vec<f64>>, String> {
    let mut lines = metrics.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let columns: Option<Vec<usize>> = LOSSES
        .iter()
        .map(|name| header.iter().position(|column| column == name))
        .collect();
    let columns = columns.ok_or("metrics.csv has no such losses")?;
    lines
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let cell = |&column: &usize| cells.get(column)?.parse().ok();
            let row: Option<Vec<f64>> = columns.iter().map(cell).collect();
            row.ok_or_else(|| format!("metrics.csv: {line}"))
        })
        .collect()
}

/// Returns the folder that cargo builds into.
pub(crate) fn target(root: &Path) -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    root.join(named.unwrap_or_else(|| "target".into()))
}
