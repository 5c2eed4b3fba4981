//! `tellapart collect ENV --episodes N --out FILE.npz`.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use tellapart::World;
use tellapart::collect::Recorder;
use tellapart::settings::{world_options, world_words};

use super::{Overwrite, counted};
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Record episodes of a built-in environment under its random policy
#[derive(Args)]
#[command(
    after_help = "The file has a row for each observation: observations, actions, rewards, \
    terminals, timeouts,\nand the hidden truth: state_ids, positions, and of counting also shape_ids, \
    colors; of the\nothers tint_ids, and of gridworld view_ids (equal where the views are alike).\n\nExamples:\n  \
    tellapart collect counting --episodes 1000 --out counting.npz actions=one-hot-3 max_steps=10\n  \
    tellapart collect counting --episodes 126 --out held.npz max_steps=15 end_at_target=false\n  \
    tellapart collect gridworld --episodes 1000 --out grid.npz view_radius=2 layout=..#..,....G\n  \
    tellapart collect torus --episodes 1000 --out torus.npz p=column"
)]
pub(crate) struct Arguments {
    /// Environment: counting, gridworld, torus
    #[arg(value_name = "ENV")]
    world: String,
    /// Number of episodes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    episodes: u32,
    /// File to write
    #[arg(long, value_name = "FILE.npz")]
    out: PathBuf,
    /// Seed of the random choices
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
    /// Number of steps that each action lasts [default: 5 in counting, 1 in the others]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Options of the environment, such as actions=one-hot-3, value=dense, max_steps=10
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let Arguments { out, seed, .. } = arguments;
    if out.extension().is_none_or(|extension| extension != "npz") {
        return Err(Failure::bad_input(format!(
            "{}: trajectories are written as .npz; name a file that ends in .npz",
            out.display()
        )));
    }
    let world: World = arguments.world.parse().map_err(Failure::bad_input)?;
    let options = world_options(world, &arguments.settings)?;
    arguments.overwrite.check(out)?;
    terminal.detail(format_args!(
        "seed {seed}; {}",
        world_words(&options).join(" ")
    ));
    let episodes = arguments.episodes as usize;
    let mut recording = Recorder::new(options, episodes, *seed);
    if let Some(repeat_steps) = arguments.repeat {
        recording.repeat_steps = repeat_steps;
    }
    let progress = terminal.progress(episodes, "episodes");
    let start = Instant::now();
    let trajectories = recording.record(|complete| progress.set(complete))?;
    let recorded = start.elapsed();
    progress.busy_with("compressing and writing");
    trajectories.write_npz(out)?;
    drop(progress);

    terminal.detail(format_args!(
        "recorded in {:.2} s, compressed and written in {:.2} s",
        recorded.as_secs_f64(),
        (start.elapsed() - recorded).as_secs_f64()
    ));
    terminal.note(format_args!(
        "{}: {}, {}",
        out.display(),
        counted(episodes, "episode", "episodes"),
        counted(trajectories.rows(), "observation", "observations"),
    ));
    Ok(())
}
