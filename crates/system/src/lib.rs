//! Finite systems: deterministic decision processes with an auxiliary output, as Moore machines.
//!
//! A [`MooreMachine`] has `n` states, `A` actions, a total transition function and one output per
//! state. The largest bisimulation is computed on it: its states are observations (or hidden
//! states), its output is the auxiliary function `p`.
//!
//! * [`MooreMachineBuilder`] builds a machine one transition at a time and names bad input;
//!   [`MooreMachine::from_table`] takes whole tables.
//! * A [`PartialMachine`] is a Moore machine in which transitions may be missing.
//! * [`read`] and [`mod@write`] know NumPy tables, Aldebaran, PRISM's explicit files, the text of
//!   Boa, and a binary format of tellapart ([`Format`]).
//! * [`generate`] makes seeded systems for tests, benchmarks and trials.
//!
//! Ids are `u32` newtypes ([`StateId`], [`ActionId`], [`OutputId`], [`BlockId`]): they cannot be
//! mixed up, and a table of ten million states and two actions takes 120 MB.
//!
//! ```
//! use tellapart_system::{ActionId, MooreMachineBuilder, StateId};
//!
//! // Two states; action 0 stays, action 1 swaps; only state 1 is rewarded.
//! let mut builder = MooreMachineBuilder::new(2, 2)?;
//! for state in [0, 1] {
//!     builder.transition(StateId::new(state), ActionId::new(0), StateId::new(state))?;
//!     builder.transition(StateId::new(state), ActionId::new(1), StateId::new(1 - state))?;
//!     builder.output_value(StateId::new(state), &[f64::from(state)])?;
//! }
//! let machine = builder.build()?;
//! let end = machine.run(StateId::new(0), &[ActionId::new(1)]);
//! assert_eq!(machine.output_value(machine.output(end)), Some(&[1.0][..]));
//! # Ok::<(), tellapart_system::SystemError>(())
//! ```

mod beside;
mod builder;
mod error;
mod exact;
mod format;
pub mod generate;
mod id;
mod machine;
mod meaning;
mod outputs;
mod partial;
pub mod read;
mod table;
mod tolerance;
mod tsys;
pub mod write;

pub use beside::RewardKind;
pub use builder::MooreMachineBuilder;
pub use error::SystemError;
pub use format::Format;
pub use id::{ActionId, BlockId, OutputId, StateId};
pub use machine::MooreMachine;
pub use partial::PartialMachine;
pub use tolerance::NotTransitive;
