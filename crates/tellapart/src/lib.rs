//! What an encoder must keep apart, what it merges, and whose fault that is.
//!
//! In a deterministic world, an auxiliary function `p` (a reward, say) and the way the world moves
//! decide together which observations a representation must tell apart: the classes of the **largest
//! bisimulation** (Yu et al. 2025, "Why and How Auxiliary Tasks Improve JEPA Representations", arXiv
//! 2509.12249). Here is what computes them, worlds and recordings to learn from, and the audit of any
//! encoder's embeddings against them.
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
//! // Neither 0 nor 8 is rewarded; to remove four objects tells them apart: 8 becomes 4.
//! let word = witness(&truth, StateId::new(0), StateId::new(8)).ok_or("bisimilar")?;
//! let names: Vec<_> = word.iter().filter_map(|&action| truth.action_name(action)).collect();
//! assert_eq!(names, ["remove"; 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The rooms of the house are modules here; what is used most is also at the top:
//!
//! | module | what it is for |
//! | --- | --- |
//! | [`system`] | finite systems: [`MooreMachine`], readers, writers, generators |
//! | [`bisim`] | [`largest_bisimulation`], [`quotient`], [`witness`] |
//! | [`env`](mod@env) | worlds stepped in batches, such as [`Counting`] |
//! | [`data`] | [`Trajectories`], replay, batches, splits by episode |
//! | [`audit`] | embeddings against what must be told apart |
//! | [`report`] | figures and self-contained pages |
//! | [`files`] | NumPy files, atomic writes |
//! | [`collect`] | records a world into trajectories |
//! | [`embedding_file`] | embeddings made anywhere, from NumPy files or safetensors |
//! | [`inspect`] | says what is in a file |
//! | [`model`] | P-JEPAs: encoders, latent dynamics, auxiliary heads |
//! | [`train`](mod@train) | configuration, the training loop, checkpoints, run directories |
//! | [`experiment`] | runs measured against the truth; the paper's experiment |
//! | [`settings`] | options of a world from `key=value` |
//!
//! Nothing here prints or keeps global state; random choices follow from the seeds that are given.
//! The program `tellapart` is a thin shell around this library.

pub mod collect;
pub mod embedding_file;
pub mod experiment;
pub mod inspect;
pub mod settings;

pub use tellapart_audit as audit;
pub use tellapart_bisim as bisim;
pub use tellapart_data as data;
pub use tellapart_env as env;
pub use tellapart_files as files;
pub use tellapart_model as model;
pub use tellapart_report as report;
pub use tellapart_system as system;
pub use tellapart_train as train;

pub use tellapart_bisim::{
    Partition, SplittingTree, largest_bisimulation, quotient, verify_coarsest, witness,
};
pub use tellapart_data::{Trajectories, TrajectoryParts};
pub use tellapart_env::{
    BatchEnvironment, Counting, Grid, RepeatedRandom, World, WorldOptions, counting, grid,
};
pub use tellapart_system::{
    ActionId, BlockId, MooreMachine, MooreMachineBuilder, OutputId, StateId,
};
