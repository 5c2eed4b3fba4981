//! Errors of systems and of the files that hold them.

use std::path::PathBuf;

use tellapart_files::FileError;

use crate::NotTransitive;

/// Reason why a system was refused. Every message names the state, action, array or line at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// A system without states.
    #[error("the system has no states; it needs at least one")]
    NoStates,
    /// A system without actions.
    #[error("the system has no actions; it needs at least one")]
    NoActions,
    /// More states than can be numbered: ids have 32 bits, and one is reserved.
    #[error("{states} states are too many: at most 4294967294 are supported")]
    TooManyStates {
        /// Requested number of states.
        states: u64,
    },
    /// A table of successors with more entries than allowed.
    #[error(
        "a table of {states} states x {actions} actions has more than the {limit} entries allowed; \
         merge rare actions or split the system"
    )]
    TableTooLarge {
        /// Number of rows of the table.
        states: u64,
        /// Number of columns of the table.
        actions: u64,
        /// Largest allowed number of entries.
        limit: u64,
    },
    /// A flat table that does not have one entry per state and action.
    #[error(
        "the table of successors has {entries} entries, but {states} outputs x {actions} actions \
         need {states} x {actions}"
    )]
    TableShape {
        /// Number of entries found.
        entries: usize,
        /// Number of states, which is that of the outputs.
        states: usize,
        /// Stated number of actions.
        actions: usize,
    },
    /// A state id beyond the last state.
    #[error("state {state} does not exist: the states are 0 to {}", states - 1)]
    StateOutOfRange {
        /// The id.
        state: u64,
        /// Number of states.
        states: usize,
    },
    /// An action id beyond the last action.
    #[error("action {action} does not exist: the actions are 0 to {}", actions - 1)]
    ActionOutOfRange {
        /// The id.
        action: u64,
        /// Number of actions.
        actions: usize,
    },
    /// A transition to a state that does not exist.
    #[error(
        "state {state} under action {action} leads to {target}, which is no state: the states are \
         0 to {}", states - 1
    )]
    TargetOutOfRange {
        /// State that the transition leaves.
        state: usize,
        /// Action of the transition.
        action: usize,
        /// Claimed target.
        target: i128,
        /// Number of states.
        states: usize,
    },
    /// A missing transition, where the transition function must be total.
    #[error(
        "state {state} has no transition under action {action}; every action must lead somewhere"
    )]
    MissingTransition {
        /// State without the transition.
        state: usize,
        /// Action without the transition.
        action: usize,
    },
    /// Two different targets for one state and action.
    #[error(
        "state {state} leads to both {first} and {second} under action {action}; the system must be \
         deterministic"
    )]
    ConflictingTransition {
        /// State that both transitions leave.
        state: usize,
        /// Action of both transitions.
        action: usize,
        /// Target declared first.
        first: usize,
        /// Target declared later.
        second: usize,
    },
    /// A state without output.
    #[error("state {state} has no output; every state needs one")]
    MissingOutput {
        /// The state.
        state: usize,
    },
    /// Two different outputs for one state.
    #[error("state {state} was given two different outputs")]
    ConflictingOutput {
        /// The state.
        state: usize,
    },
    /// Output ids and output values in one system, which cannot be mixed.
    #[error("state {state} was given an output id, others output values; use one of the two")]
    MixedOutputs {
        /// State whose output is of the other kind.
        state: usize,
    },
    /// Output ids with a gap.
    #[error(
        "output {missing} is given to no state though output {used} is; number outputs 0, 1, 2, ..."
    )]
    OutputGap {
        /// Smallest missing id.
        missing: usize,
        /// A larger id that is used.
        used: usize,
    },
    /// NaN as an output. NaN equals nothing, itself included, so it cannot be one.
    #[error(
        "the output of state {state} is NaN in column {column}, and NaN equals no output; replace it"
    )]
    NanOutput {
        /// State with that output (row of the array).
        state: usize,
        /// Column of the output vector.
        column: usize,
    },
    /// A tolerance that is not a distance.
    #[error("the tolerance is {found}, but a finite number of at least 0 is expected")]
    Tolerance {
        /// The tolerance.
        found: f64,
    },
    /// A tolerance for outputs that are not numeric.
    #[error(
        "a tolerance needs outputs that are numbers and nothing else, but these are labels, sets of \
         enabled actions, integers beyond 2^53, or just told apart; leave the tolerance out"
    )]
    NoValues,
    /// A tolerance for an output that is infinitely far from all others.
    #[error(
        "the output of state {state} is infinite in column {column}, and no distance to it is finite; \
         replace it, or leave the tolerance out"
    )]
    InfiniteOutput {
        /// First state with that output.
        state: usize,
        /// Column of the output vector.
        column: usize,
    },
    /// A tolerance that is not an equivalence on the outputs of the system.
    #[error(transparent)]
    NotTransitive(Box<NotTransitive>),
    /// Output vectors of different widths.
    #[error("the output of state {state} has {found} values, the first output has {expected}")]
    OutputWidth {
        /// The state.
        state: usize,
        /// Width of the first output.
        expected: usize,
        /// Width of this output.
        found: usize,
    },
    /// Two output ids with one value.
    #[error("outputs {first} and {second} have the same value; equal outputs must have equal ids")]
    DuplicateOutputValue {
        /// The smaller id.
        first: usize,
        /// The larger id.
        second: usize,
    },
    /// A wrong number of values for outputs or of names for actions.
    #[error("{what}: expected {expected}, found {found}")]
    Count {
        /// Description of the counted items.
        what: &'static str,
        /// Expected number.
        expected: usize,
        /// Number found.
        found: usize,
    },
    /// Two actions with the same name.
    #[error("actions {first} and {second} are both named {name:?}; names must differ")]
    DuplicateActionName {
        /// The name.
        name: String,
        /// Action named first.
        first: usize,
        /// Action named later.
        second: usize,
    },
    /// A name that the format cannot hold.
    #[error(
        "{name:?} cannot be written as an Aldebaran label: it holds {problem}; rename the action"
    )]
    Label {
        /// The name.
        name: String,
        /// Problem of the name, in words.
        problem: &'static str,
    },
    /// An array of the right name with the wrong content.
    #[error("array {array:?}: {problem}")]
    Array {
        /// Name of the array.
        array: &'static str,
        /// Problem and expected content, in words.
        problem: String,
    },
    /// An invalid system in a file.
    #[error("{}: {source}", path.display())]
    In {
        /// Path of the file.
        path: PathBuf,
        /// The error in the system.
        source: Box<SystemError>,
    },
    /// A line of a text file that cannot be parsed.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Text {
        /// Path of the file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Column in bytes, counted from 1.
        column: usize,
        /// Problem and expected text, in words.
        problem: String,
    },
    /// Two targets for one state and label in a text file.
    #[error(
        "{}:{line}: state {state} leads to both {first_target} (line {first_line}) and \
         {second_target} under {label:?}; only deterministic systems are supported: give the two \
         transitions different labels or remove one", path.display()
    )]
    Nondeterministic {
        /// Path of the file.
        path: PathBuf,
        /// State that both transitions leave.
        state: u32,
        /// Label of both transitions.
        label: String,
        /// Target given first.
        first_target: u32,
        /// Target given later.
        second_target: u32,
        /// Line of the first transition, counted from 1.
        first_line: u64,
        /// Line of the second transition.
        line: u64,
    },
    /// A file beside that of a system that contradicts it, or holds outputs that are not read.
    #[error("{}: {problem}", path.display())]
    Beside {
        /// Path of the file.
        path: PathBuf,
        /// Problem, and what to do.
        problem: String,
    },
    /// Rewards that are asked for by a name that no file has.
    #[error(
        "{}: no rewards beside it are called {name:?}; {}", path.display(),
        listed_rewards(present)
    )]
    NoSuchRewards {
        /// Path of the transitions.
        path: PathBuf,
        /// Name asked for.
        name: String,
        /// Files of rewards that are there, with the names of their structures.
        present: Vec<String>,
    },
    /// Rewards asked for beside a file that has none.
    #[error("{}: rewards can be chosen beside a .tra only", path.display())]
    NoRewardsBeside {
        /// Path of the file.
        path: PathBuf,
    },
    /// Values of outputs that take too much memory.
    #[error(
        "{outputs} outputs of {columns} rewards each are more than the {limit} values allowed; leave \
         some files of rewards out"
    )]
    TooManyValues {
        /// Number of distinct outputs.
        outputs: usize,
        /// Number of columns.
        columns: usize,
        /// Most values allowed.
        limit: u64,
    },
    /// A `.tsys` file that is damaged, of another version, or not a system.
    #[error("{}: {problem}", path.display())]
    Binary {
        /// Path of the file.
        path: PathBuf,
        /// Problem, in words that begin with a verb.
        problem: String,
    },
    /// A file whose format neither its extension nor its first bytes tell.
    #[error(
        "{}: not a system file that is known; expected .npz (arrays `next` and `output`), .aut \
         (Aldebaran, beginning with `des`), .tra (PRISM), .boa.txt or .tsys", path.display()
    )]
    UnknownFormat {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file to be written whose name does not tell a format.
    #[error(
        "{}: systems are written as .npz, .aut, .tra, .boa.txt, .tsys or .dot; name a file that ends in \
         one of them", path.display()
    )]
    UnknownExtension {
        /// Path of the file.
        path: PathBuf,
    },
    /// A file of a format that is known, but not read.
    #[error("{}: {what}", path.display())]
    NotRead {
        /// Path of the file.
        path: PathBuf,
        /// Name of the format, and what to do.
        what: &'static str,
    },
    /// A drawing to be read; drawings are only written.
    #[error("{}: a drawing cannot be read as a system; keep the system as .tsys", path.display())]
    Drawing {
        /// Path of the file.
        path: PathBuf,
    },
    /// A drawing that would be too large to read.
    #[error(
        "a drawing of {states} states is more than anybody can read; at most {limit} are drawn"
    )]
    TooLargeToDraw {
        /// Number of states.
        states: usize,
        /// Largest number of states that is drawn.
        limit: usize,
    },
    /// A system that is larger than its format can hold.
    #[error(
        "{states} states and {actions} actions are more than {format} can hold, which is {limits}"
    )]
    TooLargeFor {
        /// Extension of the format.
        format: &'static str,
        /// Number of states.
        states: usize,
        /// Number of actions.
        actions: usize,
        /// Limits of the format, in words.
        limits: &'static str,
    },
    /// A file that cannot be read or written, or a damaged archive.
    #[error(transparent)]
    File(#[from] FileError),
}

fn listed_rewards(present: &[String]) -> String {
    match present {
        [] => "there are none".to_owned(),
        present => format!("there are {}", present.join(", ")),
    }
}
