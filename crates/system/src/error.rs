//! What can be wrong with a system or with the file it comes from.

use std::path::PathBuf;

use tellapart_files::FileError;

use crate::NotTransitive;

/// Why a system was refused. Every message names the state, action, array or line at fault.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SystemError {
    /// No states at all.
    #[error("the system has no states; it needs at least one")]
    NoStates,
    /// No actions at all.
    #[error("the system has no actions; it needs at least one")]
    NoActions,
    /// States are numbered by 32 bits, and one number is kept back.
    #[error("{states} states are too many: at most 4294967294 are supported")]
    TooManyStates {
        /// How many were asked for.
        states: u64,
    },
    /// The table of successors would be larger than allowed.
    #[error(
        "a table of {states} states x {actions} actions has more than the {limit} entries allowed; \
         merge rare actions or split the system"
    )]
    TableTooLarge {
        /// Rows of the table.
        states: u64,
        /// Columns of the table.
        actions: u64,
        /// The largest number of entries allowed.
        limit: u64,
    },
    /// The flat table does not have one entry per state and action.
    #[error(
        "the table of successors has {entries} entries, but {states} outputs x {actions} actions \
         need {states} x {actions}"
    )]
    TableShape {
        /// Entries found.
        entries: usize,
        /// States, as counted by the outputs.
        states: usize,
        /// Actions stated.
        actions: usize,
    },
    /// A state id beyond the last state.
    #[error("state {state} does not exist: the states are 0 to {}", states - 1)]
    StateOutOfRange {
        /// The id.
        state: u64,
        /// How many states there are.
        states: usize,
    },
    /// An action id beyond the last action.
    #[error("action {action} does not exist: the actions are 0 to {}", actions - 1)]
    ActionOutOfRange {
        /// The id.
        action: u64,
        /// How many actions there are.
        actions: usize,
    },
    /// A transition to a state that does not exist.
    #[error(
        "state {state} under action {action} leads to {target}, which is no state: the states are \
         0 to {}", states - 1
    )]
    TargetOutOfRange {
        /// Where the transition starts.
        state: usize,
        /// Under which action.
        action: usize,
        /// Where it claims to lead.
        target: i128,
        /// How many states there are.
        states: usize,
    },
    /// A transition was never given, but the transition function must be total.
    #[error(
        "state {state} has no transition under action {action}; every action must lead somewhere"
    )]
    MissingTransition {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
    },
    /// Two different targets for one state and action.
    #[error(
        "state {state} leads to both {first} and {second} under action {action}; the system must be \
         deterministic"
    )]
    ConflictingTransition {
        /// The state.
        state: usize,
        /// The action.
        action: usize,
        /// The target given first.
        first: usize,
        /// The target given later.
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
    /// Output ids and output values cannot be mixed in one system.
    #[error("state {state} was given an output id, others output values; use one of the two")]
    MixedOutputs {
        /// The state whose output is of the other kind.
        state: usize,
    },
    /// Output ids must be numbered without gaps.
    #[error(
        "output {missing} is given to no state though output {used} is; number outputs 0, 1, 2, ..."
    )]
    OutputGap {
        /// The id that is absent.
        missing: usize,
        /// A larger id that is present.
        used: usize,
    },
    /// NaN equals nothing, itself included, so it cannot be an output.
    #[error(
        "the output of state {state} is NaN in column {column}, and NaN equals no output; replace it"
    )]
    NanOutput {
        /// The state (the row of the array).
        state: usize,
        /// The column of the output vector.
        column: usize,
    },
    /// A tolerance that is no distance.
    #[error("the tolerance is {found}, but a finite number of at least 0 is expected")]
    Tolerance {
        /// What was given.
        found: f64,
    },
    /// A tolerance where outputs are no numbers.
    #[error(
        "a tolerance needs outputs that are numbers and nothing else, but these are labels, sets of \
         enabled actions, integers beyond 2^53, or just told apart; leave the tolerance out"
    )]
    NoValues,
    /// A tolerance where an output is infinitely far from all others.
    #[error(
        "the output of state {state} is infinite in column {column}, and no distance to it is finite; \
         replace it, or leave the tolerance out"
    )]
    InfiniteOutput {
        /// The first state with that output.
        state: usize,
        /// The column of the output vector.
        column: usize,
    },
    /// A tolerance that is no equivalence on the outputs that there are.
    #[error(transparent)]
    NotTransitive(Box<NotTransitive>),
    /// Output vectors of different widths.
    #[error("the output of state {state} has {found} values, the first output has {expected}")]
    OutputWidth {
        /// The state.
        state: usize,
        /// Width of the first output.
        expected: usize,
        /// Width of this one.
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
    /// Values for outputs, or names for actions, in the wrong number.
    #[error("{what}: expected {expected}, found {found}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// How many were needed.
        expected: usize,
        /// How many there were.
        found: usize,
    },
    /// Two actions with one name.
    #[error("actions {first} and {second} are both named {name:?}; names must differ")]
    DuplicateActionName {
        /// The name.
        name: String,
        /// The action named first.
        first: usize,
        /// The action named later.
        second: usize,
    },
    /// A name that the format cannot hold.
    #[error(
        "{name:?} cannot be written as an Aldebaran label: it holds {problem}; rename the action"
    )]
    Label {
        /// The name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// An array of the right name with the wrong content.
    #[error("{}: array {array:?}: {problem}", path.display())]
    Array {
        /// The file.
        path: PathBuf,
        /// The array.
        array: &'static str,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// The system in a file is not valid.
    #[error("{}: {source}", path.display())]
    In {
        /// The file.
        path: PathBuf,
        /// What is wrong with the system.
        source: Box<SystemError>,
    },
    /// A line of a text file that cannot be understood.
    #[error("{}:{line}:{column}: {problem}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: u64,
        /// Column in bytes, counted from 1.
        column: usize,
        /// What is wrong, and what was expected.
        problem: String,
    },
    /// A text file with two targets for one state and label.
    #[error(
        "{}:{line}: state {state} leads to both {first_target} (line {first_line}) and \
         {second_target} under {label:?}; only deterministic systems are supported: give the two \
         transitions different labels or remove one", path.display()
    )]
    Nondeterministic {
        /// The file.
        path: PathBuf,
        /// The state.
        state: u32,
        /// The label.
        label: String,
        /// The target given first.
        first_target: u32,
        /// The target given later.
        second_target: u32,
        /// Line of the first transition, counted from 1.
        first_line: u64,
        /// Line of the second one.
        line: u64,
    },
    /// A `.tsys` file that is damaged, of another version, or not a system.
    #[error("{}: {problem}", path.display())]
    Binary {
        /// The file.
        path: PathBuf,
        /// What is wrong, beginning with a verb.
        problem: String,
    },
    /// Neither the extension nor the first bytes tell what the file is.
    #[error(
        "{}: not a system file that is known; expected .npz (arrays `next` and `output`), .aut \
         (Aldebaran, beginning with `des`), .tra (PRISM), .boa.txt or .tsys", path.display()
    )]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The name of a file to be written does not tell a format.
    #[error(
        "{}: systems are written as .npz, .aut, .tra, .boa.txt, .tsys or .dot; name a file that ends in \
         one of them", path.display()
    )]
    UnknownExtension {
        /// The file.
        path: PathBuf,
    },
    /// A drawing is written, never read.
    #[error("{}: a drawing cannot be read as a system; keep the system as .tsys", path.display())]
    Drawing {
        /// The file.
        path: PathBuf,
    },
    /// A drawing that would be too large to be read by anybody.
    #[error(
        "a drawing of {states} states is more than anybody can read; at most {limit} are drawn"
    )]
    TooLargeToDraw {
        /// How many there are.
        states: usize,
        /// How many are drawn.
        limit: usize,
    },
    /// More than a format can hold.
    #[error(
        "{states} states and {actions} actions are more than {format} can hold, which is {limits}"
    )]
    TooLargeFor {
        /// The end of the format's names.
        format: &'static str,
        /// How many states there are.
        states: usize,
        /// How many actions there are.
        actions: usize,
        /// How many there may be.
        limits: &'static str,
    },
    /// The file cannot be read or written, or an archive is damaged.
    #[error(transparent)]
    File(#[from] FileError),
}
