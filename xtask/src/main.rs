//! `cargo xtask validate [--all-features]` checks everything that must hold before a change is
//! shared.
//!
//! All checks run, even after one has failed; the last lines name those that failed.

// A repository tool: it prints reports to stdout and failures to stderr.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod configuration;
mod documents;
mod floors;
mod gpu;
mod kills;
mod lengths;
mod packages;

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

const USAGE: &str = "usage: cargo xtask validate [--all-features]
       cargo xtask docs
       cargo xtask gpu
       cargo xtask kills [train] [convert] [seed=N] [kills=N]

  validate         format, floors, documents, clippy, rustdoc and tests; long files are listed
  --all-features   also check that the GPU feature of the program compiles
  docs             write docs/configuration.md from the configuration types
  gpu              train a few updates on CPU and GPU (software Vulkan will do), and compare them
  kills            kill training and convert at random moments, and check what is left";

/// Name of a check, and the function that runs it in the root of the repository.
type Check = (&'static str, Run);
type Run = Box<dyn Fn(&Path) -> Result<(), String>>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    // The folder of this package lies directly in the root of the workspace.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or(PathBuf::new(), PathBuf::from);
    let all_features = match words[..] {
        ["validate"] => false,
        ["validate", "--all-features"] => true,
        ["docs"] => return finish(configuration::write(&root)),
        ["gpu"] => return finish(gpu::run(&root)),
        ["kills", ..] => return finish(kills::run(&root, &words[1..])),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let failed: Vec<&str> = checks(all_features)
        .iter()
        .filter_map(|(name, check)| {
            println!("\n== {name} ==");
            let problem = check(&root).err()?;
            eprintln!("{name}: {problem}");
            Some(*name)
        })
        .collect();
    if failed.is_empty() {
        println!("\nAll checks passed.");
        ExitCode::SUCCESS
    } else {
        eprintln!("\nFailed: {}", failed.join("; "));
        ExitCode::FAILURE
    }
}

fn finish(result: Result<(), String>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the checks, cheap ones first.
fn checks(all_features: bool) -> Vec<Check> {
    let mut checks: Vec<Check> = vec![
        ("format", cargo(&["fmt", "--all", "--", "--check"])),
        ("floors", Box::new(floors::check)),
        (
            "lengths of files, width of comments",
            Box::new(lengths::check),
        ),
        ("documents", Box::new(documents::check)),
        (
            "clippy",
            cargo(&[
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ]),
        ),
        (
            "clippy of a program without training",
            cargo(&[
                "clippy",
                "-p",
                "tellapart",
                "--no-default-features",
                "--",
                "-D",
                "warnings",
            ]),
        ),
        ("documentation", cargo(&["doc", "--workspace", "--no-deps"])),
        ("tests", cargo(&["test", "--workspace"])),
        (
            "kernels that leave out parts",
            cargo(&[
                "test",
                "-p",
                "tellapart-kernels",
                "--features",
                "ablation",
                "--test",
                "ablation",
            ]),
        ),
        (
            "benchmark ablation",
            cargo(&["check", "-p", "tellapart-benches", "--features", "ablation"]),
        ),
        ("configuration page", Box::new(configuration::check)),
    ];
    if all_features {
        checks.push((
            "feature wgpu",
            cargo(&["check", "-p", "tellapart", "--features", "wgpu"]),
        ));
    }
    checks
}

fn cargo(arguments: &'static [&'static str]) -> Run {
    Box::new(move |root| {
        let line = format!("cargo {}", arguments.join(" "));
        let status = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(arguments)
            .current_dir(root)
            // Only rustdoc reads this; clippy's warnings are denied by its own argument.
            .env("RUSTDOCFLAGS", "-D warnings")
            .status()
            .map_err(|error| format!("`{line}` could not be started: {error}"))?;
        if status.success() {
            Ok(())
        } else {
            Err(format!("`{line}` failed ({status})"))
        }
    })
}
