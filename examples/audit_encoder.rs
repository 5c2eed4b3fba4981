//! Audits an encoder: which observations did it merge that a recording tells apart, and why?
#![allow(clippy::print_stdout, reason = "an example prints")]

use tellapart::{AuditOptions, LatentsSource, audit_recording};
use tellapart::{audit::Embeddings, collect::Recorder, counting, data::ActionRule};

pub(crate) fn main() -> Result<(), Box<dyn std::error::Error>> {
    // 100 episodes of a world that shows 0 to 8 objects; the reward is 1 at exactly four.
    let world = counting::Options::default().validate()?;
    let recording = Recorder::new(world, 100, 1).record(|_| {})?;
    let counts = recording.state_ids.as_deref().unwrap_or_default();

    // Latents of a made-up encoder: one direction for each count, but 2 and 3 share theirs.
    let seen = |count: u32| if count == 3 { 2 } else { count };
    let one_hot = |&count: &u32| (0..9).map(move |axis| f32::from(u8::from(axis == seen(count))));
    let latents: Vec<f32> = counts.iter().flat_map(one_hot).collect();
    let embeddings = Embeddings::new(&latents, recording.rows(), 9)?;

    // Negative actions remove an object, the others add one.
    let mut options = AuditOptions::default();
    options.evidence.action_rule = Some(ActionRule::sign());
    let latents = LatentsSource::Embeddings(embeddings);
    let found = audit_recording(&recording, latents, &options, &())?;

    println!("{:?}: {}", found.verdict, found.reason);
    let pair = found.pairs.first().ok_or("nothing was merged")?;
    let witness = pair.witness.iter().flatten();
    let word: Vec<&str> = witness
        .map(|&action| &*found.actions[action as usize])
        .collect();
    let (a, b) = (counts[pair.i], counts[pair.j]);
    println!(
        "{a} and {b} objects look alike; p differs after: {}",
        word.join(" ")
    );
    assert_eq!((a.min(b), a.max(b)), (2, 3));
    Ok(())
}
