//! Compares the cost of rendering a frame with that of writing its bytes.

use std::{hint::black_box, time::Duration};

use tellapart_env::{Action, BatchEnvironment, Counting, Outcome, RepeatedRandom, counting};

use crate::{
    arguments::Arguments,
    timing::{Times, side_by_side},
};

/// Measures steps of the counting world under its random policy, against a memset and a copy of the
/// same bytes. Options: `--num-envs`, `--repeats`, `--millis` (of one repeat).
pub(crate) fn run(mut arguments: Arguments) -> Result<(), String> {
    let num_envs = arguments.take("num-envs", 128)?;
    let repeats = arguments.take("repeats", 15)?;
    let millis = arguments.take("millis", 50)?;
    arguments.finish()?;

    let options = counting::Options::default()
        .validate()
        .map_err(|error| error.to_string())?;
    let mut world = Counting::new(options, 0, num_envs);
    let mut frames = vec![0; num_envs * world.frame_bytes()];
    let mut outcomes = vec![Outcome::default(); num_envs];
    // Actions are drawn beforehand, so that the policy is not measured.
    let mut policy = RepeatedRandom::new(world.action_space(), 0, num_envs);
    let words: Vec<Vec<Action>> = (0..500).map(|_| policy.next_actions().to_vec()).collect();
    let mut steps = words.iter().cycle();

    let mut zeroed = vec![1_u8; frames.len()];
    let (source, mut copied) = (vec![7_u8; frames.len()], vec![0_u8; frames.len()]);
    world
        .reset(&mut frames, &mut outcomes)
        .map_err(|error| error.to_string())?;
    let mut failed = None;
    let [step, memset, copy] = side_by_side(
        repeats,
        Duration::from_millis(millis as u64),
        [
            &mut || {
                if let Some(actions) = steps.next() {
                    failed = world.step(actions, &mut frames, &mut outcomes).err();
                }
                black_box(&mut frames);
            },
            &mut || black_box(&mut zeroed).fill(0),
            &mut || black_box(&mut copied).copy_from_slice(black_box(&source)),
        ],
    );
    if let Some(error) = failed {
        return Err(error.to_string());
    }

    let bytes = world.frame_bytes();
    println!(
        "{num_envs} environments, frames of {bytes} bytes ({:.1} MiB a batch), one thread; \
         median of {repeats} repeats [lower, upper quartile]",
        (num_envs * bytes) as f64 / f64::from(1 << 20),
    );
    for (name, times) in [
        ("step (move and draw)", &step),
        ("memset of the bytes", &memset),
        ("copy of the bytes", &copy),
    ] {
        println!("{name:<22} {}", line(times, num_envs, bytes));
    }
    let ratio = |other: &Times| step.median().as_secs_f64() / other.median().as_secs_f64();
    println!(
        "a step costs {:.2} memsets or {:.2} copies",
        ratio(&memset),
        ratio(&copy)
    );
    Ok(())
}

fn line(times: &Times, num_envs: usize, bytes: usize) -> String {
    let per_frame = |time: Duration| time.as_secs_f64() / num_envs as f64;
    let rate = |share: f64| 1e-6 / per_frame(times.quantile(share));
    let median = per_frame(times.median());
    format!(
        "{:7.3} M frames/s [{:.3}, {:.3}]  {:7.0} ns/frame  {:6.1} GB/s",
        1e-6 / median,
        rate(0.75),
        rate(0.25),
        median * 1e9,
        bytes as f64 / median * 1e-9,
    )
}
