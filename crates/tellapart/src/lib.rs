//! Finds which observations an encoder merged that it must keep apart, with a witness and a cause.
//!
//! In a deterministic world, an auxiliary function `p` (a reward, say) and the transitions decide
//! together which observations a representation must tell apart: the classes of the **largest
//! bisimulation** (Yu et al. 2025, "Why and How Auxiliary Tasks Improve JEPA Representations",
//! arXiv 2509.12249). This library computes it, for worlds and for recordings. It audits the
//! embeddings of any encoder against it, and trains P-JEPAs.
//!
//! ```
//! use tellapart::audit::{Embeddings, recorded::Verdict};
//! use tellapart::data::{Actions, Frames, Trajectories, TrajectoryParts};
//! use tellapart::files::Values;
//! use tellapart::{AuditOptions, LatentsSource, audit_recording};
//!
//! // One walk to the right, through cells 0, 1 and 2. Only cell 2 is rewarded.
//! let recording = Trajectories::new(TrajectoryParts {
//!     observations: Frames::F32 { shape: vec![1], values: vec![0.0, 1.0, 2.0] },
//!     actions: Actions::Discrete { count: 2, ids: vec![1, 1, 0] },
//!     rewards: Some(Values::F32(vec![0.0, 0.0, 1.0])),
//!     world_is_deterministic: Some(true),
//!     terminals: vec![false, false, true],
//!     timeouts: vec![false; 3],
//!     ..TrajectoryParts::default()
//! })?;
//! // An encoder that gives cells 0 and 1 the same latent, a single number.
//! let latents = LatentsSource::Embeddings(Embeddings::new(&[0.0, 0.0, 1.0], 3, 1)?);
//!
//! let found = audit_recording(&recording, latents, &AuditOptions::default(), &())?;
//! assert_eq!(found.verdict, Verdict::Unhealthy);
//! // The witness: after one step to the right, cell 1 is rewarded and cell 0 is not.
//! let pair = &found.pairs[0];
//! assert_eq!((pair.i, pair.j, pair.witness.as_deref()), (0, 1, Some(&[1][..])));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What must be told apart in a world that is known needs no recording:
//!
//! ```
//! use tellapart::{BatchEnvironment, Counting, StateId, counting, largest_bisimulation, witness};
//!
//! // A world that shows 0 to 8 objects, of which only four at once are rewarded.
//! let world = Counting::new(counting::Options::default().validate()?, 0, 1);
//! let truth = world.ground_truth()?;
//! assert_eq!(truth.outputs(), 2);
//!
//! // The reward has two values, yet no two counts may be merged: there are nine classes.
//! assert_eq!(largest_bisimulation(&truth).blocks(), 9);
//!
//! // Neither 0 nor 8 is rewarded. Four removals tell them apart, because 8 becomes 4.
//! let word = witness(&truth, StateId::new(0), StateId::new(8)).ok_or("bisimilar")?;
//! let names: Vec<_> = word.iter().filter_map(|&action| truth.action_name(action)).collect();
//! assert_eq!(names, ["remove"; 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The packages of the workspace are modules here. What is used most is also at the top:
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`system`] | finite systems: [`MooreMachine`], readers, writers, generators |
//! | [`bisim`] | [`largest_bisimulation`], [`quotient`], [`witness`], evidence of recordings |
//! | [`env`](mod@env) | worlds stepped in batches, such as [`Counting`] |
//! | [`data`] | [`Trajectories`], replay, batches, splits by episode |
//! | [`audit`] | embeddings against what must be told apart; in one call: [`audit_recording()`] |
//! | [`progress`] | how far long work is, and the wish to stop it |
//! | [`report`] | figures and self-contained pages |
//! | [`files`] | NumPy files, atomic writes |
//! | [`collect`] | records a world into trajectories |
//! | [`embedding_file`] | embeddings from NumPy files or safetensors |
//! | [`inspect`] | says what is in a file |
//! | [`settings`] | options of a world from `key=value` |
//! | [`program`] | the command line, for those who embed it |
//! | `model` | P-JEPAs: encoders, predictors, auxiliary heads, objectives |
//! | `train` | configuration, the training loop, checkpoints, run directories |
//! | `experiment` | runs measured against the truth; the paper's experiment |
//!
//! The last three need the feature `train`, which is on by default and brings Burn. Without it the
//! library and the program build in a fraction of the time.
//!
//! Nothing here prints or keeps global state, but for [`program`]. Random choices follow from the
//! seeds that are given. The program `tellapart` is a thin shell around this library. A tutorial,
//! the theory and a glossary are in the folder `docs` of the repository, and short programs in
//! `examples`.

mod audit_page;
mod audit_recording;
pub mod collect;
pub mod embedding_file;
#[cfg(feature = "train")]
pub mod experiment;
pub mod inspect;
pub mod program;
pub mod settings;

// The program is written as any other user of the library would write it.
extern crate self as tellapart;

pub use tellapart_audit as audit;
pub use tellapart_bisim as bisim;
pub use tellapart_data as data;
pub use tellapart_env as env;
pub use tellapart_files as files;
#[cfg(feature = "train")]
pub use tellapart_model as model;
pub use tellapart_progress as progress;
pub use tellapart_report as report;
pub use tellapart_system as system;
#[cfg(feature = "train")]
pub use tellapart_train as train;

pub use audit_page::{AuditPageError, AuditPageOptions};
pub use audit_recording::{
    AuditOptions, AuditRecordingError, AuditableRecording, AuditedModel, LatentsSource,
    audit_recording,
};
pub use tellapart_bisim::{
    Partition, SplittingTree, largest_bisimulation, quotient, verify_coarsest, witness,
};
pub use tellapart_data::{Trajectories, TrajectoryParts};
pub use tellapart_env::{
    BatchEnvironment, Counting, Environments, Grid, Policy, RepeatedRandom, Rollout, Torus,
    ValidWorld, World, WorldOptions, WorldRules, counting, grid, torus,
};
pub use tellapart_system::{
    ActionId, BlockId, MooreMachine, MooreMachineBuilder, OutputId, StateId,
};

/// The Rust blocks of README are doctests, too.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
