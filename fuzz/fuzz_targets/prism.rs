//! Fuzzes the readers of explicit models of PRISM, Storm and MRMC. Any bytes are a system or an
//! error, and a system has a sound largest bisimulation.
//!
//! The first byte chooses which files there are and how they are named, which tells the form of
//! rewards. The others are transitions, labels and up to three files of rewards, separated by
//! zeros.
#![no_main]

use std::io::Cursor;
use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart_bisim::{largest_bisimulation, verify};
use tellapart_system::RewardKind;
use tellapart_system::read::{PrismInput, RewardInput, prism_from};

const REWARDS: [(&str, RewardKind); 4] = [
    ("fuzz.srew", RewardKind::States),
    ("fuzz.trew", RewardKind::Transitions),
    ("fuzz.state.rew", RewardKind::States),
    ("fuzz.trans.rew", RewardKind::Transitions),
];

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, bytes)) = bytes.split_first() else {
        return;
    };
    let mut files = bytes.splitn(5, |&byte| byte == 0).map(Cursor::new);
    let Some(transitions) = files.next() else {
        return;
    };
    let has_labels = choice & 1 == 1;
    let labels = has_labels.then(|| files.next()).flatten();
    let rewards = files.enumerate().map(|(index, reader)| {
        // Two bits for each file of rewards.
        let (path, kind) = REWARDS[usize::from(choice >> (1 + 2 * index) & 3)];
        let path = Path::new(path);
        RewardInput { reader, path, kind }
    });
    let input = PrismInput {
        transitions: (transitions, Path::new("fuzz.tra")),
        labels: labels.map(|labels| (labels, Path::new("fuzz.lab"))),
        rewards: rewards.take(3).collect(),
    };
    // A short header may legitimately claim many states, so the table is bounded, not the claim.
    if let Ok(machine) = prism_from(input, 1 << 16) {
        let classes = largest_bisimulation(&machine);
        verify(&machine, &classes).expect("the largest bisimulation is one");
    }
});
