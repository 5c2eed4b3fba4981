//! `tellapart bisim SYSTEM`.

mod text;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tellapart::bisim::{
    Violation, largest_bisimulation_with, quotient_with, verify_coarsest_with, witness_with,
};
use tellapart::inspect::PartRecord;
use tellapart::progress::Stopped;
use tellapart::system::read::{self, FoundSystem, RewardChoice};
use tellapart::{ActionId, MooreMachine, Partition, StateId, World, settings};

use super::system_file::SystemFile;
use super::{Overwrite, system_parts};
use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Compute the largest bisimulation of a finite system: which states must be kept apart
#[derive(Args)]
#[command(after_help = "Examples:
  tellapart bisim counting --witness 0 8
  tellapart bisim counting value=dense actions=one-hot-3
  tellapart bisim gridworld --witness 0 21
  tellapart bisim torus p=column
  tellapart bisim system.aut --quotient smaller.aut
  tellapart bisim system.npz --tolerance 0.01 --verify
  tellapart bisim model.tra --quotient smaller.dot
  tellapart bisim model.tra --rewards none")]
pub(crate) struct Arguments {
    /// File in any format of convert, or a built-in environment: counting, gridworld, torus
    #[arg(value_name = "SYSTEM")]
    system: String,
    /// Options of a built-in environment, such as value=dense
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Also find a shortest word of actions that tells state A from state B
    #[arg(long, num_args = 2, value_names = ["A", "B"])]
    witness: Option<Vec<usize>>,
    #[command(flatten)]
    rewards: system_parts::Rewards,
    /// Outputs at most X apart count as equal; refused where that is no equivalence on them
    #[arg(long, value_name = "X")]
    tolerance: Option<f64>,
    /// Also check the result by methods that share nothing with those that found it
    #[arg(long)]
    verify: bool,
    /// Also write the system with one state for each class (in any format of convert)
    #[arg(long, value_name = "OUT")]
    quotient: Option<PathBuf>,
    /// Also list the states of every class
    #[arg(long)]
    classes: bool,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    overwrite: Overwrite,
}

pub(super) fn run(arguments: &Arguments, terminal: &mut Terminal) -> Result<(), Failure> {
    let quotient_file = arguments
        .quotient
        .as_deref()
        .map(|path| SystemFile::new(path, &arguments.overwrite))
        .transpose()?;
    let bar = terminal.progress(1, "");
    bar.busy_with("reading");
    let start = Instant::now();
    let found = grouped_system(arguments)?;
    let machine = &found.machine;
    let read = start.elapsed();
    let pair = arguments
        .witness
        .as_deref()
        .map(|pair| states(machine, pair))
        .transpose()?;
    bar.busy_with("computing the classes");
    let compared = pair
        .map(|[a, b]| {
            let word = witness_with(machine, a, b, &bar)?;
            Ok::<_, Stopped>(Compared { a, b, word })
        })
        .transpose()?;
    let classes = largest_bisimulation_with(machine, &bar)?;
    let computed = start.elapsed() - read;
    if arguments.verify {
        bar.busy_with("verifying");
        let verified = verify_coarsest_with(machine, &classes, &bar);
        verified.map_err(|violation| {
            failure(violation, |violation| {
                format!("the result is wrong, please report this with the system: {violation}")
            })
        })?;
    }
    let verified = start.elapsed() - read - computed;
    // The file comes first: if writing fails, no printed result claims that it was written.
    let quotient = quotient_file
        .as_ref()
        .map(|file| {
            bar.busy_with("writing the quotient");
            let smaller = quotient_with(machine, &classes, &bar)
                .map_err(|violation| failure(violation, |violation| violation.to_string()))?;
            file.write(&smaller)?;
            Ok::<_, Failure>((file, smaller))
        })
        .transpose()?;
    drop(bar);
    let [read, computed, verified] = [read, computed, verified].map(|time| time.as_secs_f64());
    terminal.detail(format_args!(
        "read in {read:.3} s, computed in {computed:.3} s"
    ));
    if arguments.verify {
        terminal.detail(format_args!("verified in {verified:.3} s"));
    }
    print(arguments, &found, &classes, compared.as_ref(), terminal)?;
    if let Some((file, smaller)) = &quotient {
        file.report("the quotient was written", smaller, terminal);
    }
    Ok(())
}

fn print(
    arguments: &Arguments,
    found: &FoundSystem,
    classes: &Partition,
    compared: Option<&Compared>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if arguments.json {
        return terminal.json(&document(found, classes, compared, arguments));
    }
    let machine = &found.machine;
    let out = terminal.out();
    text::print_system(&arguments.system, machine, out)?;
    let parts: Vec<PartRecord> = found.parts.iter().map(PartRecord::of).collect();
    for line in system_parts::described(&parts, &found.columns, &found.unread_arrays) {
        writeln!(out, "{line}")?;
    }
    text::print_summary(machine, classes, out)?;
    if arguments.verify {
        text::print_verified(out)?;
    }
    if let Some(compared) = compared {
        text::print_compared(machine, compared, out)?;
    }
    if arguments.classes {
        text::print_classes(classes, out)?;
    }
    Ok(())
}

fn failure(violation: Violation, words: impl FnOnce(&Violation) -> String) -> Failure {
    match violation {
        Violation::Stopped(stopped) => stopped.into(),
        violation => Failure::failed(words(&violation)),
    }
}

/// Returns the system, with outputs as equal as the user wants.
fn grouped_system(arguments: &Arguments) -> Result<FoundSystem, Failure> {
    let rewards = &arguments.rewards.rewards;
    let found = system_of(&arguments.system, &arguments.settings, rewards)?;
    let Some(tolerance) = arguments.tolerance else {
        return Ok(found);
    };
    let grouped = found.machine.with_tolerance(tolerance);
    let named = |error| format!("--tolerance: {}: {error}", arguments.system);
    let machine = grouped.map_err(|error| Failure::bad_input(named(error)))?;
    Ok(FoundSystem { machine, ..found })
}

/// Two states, and a shortest word that tells them apart, if there is one.
struct Compared {
    a: StateId,
    b: StateId,
    word: Option<Vec<ActionId>>,
}

/// Returns the system of a built-in world by its name, or else of a file (`./counting` is always a
/// file).
fn system_of(name: &str, words: &[String], rewards: &RewardChoice) -> Result<FoundSystem, Failure> {
    match name.parse::<World>() {
        Ok(_) if *rewards != RewardChoice::All => Err(Failure::bad_input(format!(
            "--rewards: {name} is a built-in environment; rewards can be chosen beside a .tra only"
        ))),
        Ok(world) => {
            let options = settings::world_options(world, words)?;
            let machine = options.ground_truth().map_err(Failure::failed)?;
            Ok(FoundSystem::from(machine))
        }
        // A name without an extension is more likely a world than a file.
        _ if words.is_empty()
            && Path::new(name).extension().is_none()
            && !Path::new(name).exists() =>
        {
            Err(Failure::bad_input(format!(
                "{name}: there is no such file, and the built-in worlds are {}",
                World::names()
            )))
        }
        _ if words.is_empty() => Ok(read::any_with(name, rewards)?),
        _ => Err(Failure::bad_input(format!(
            "{}: only a built-in environment ({}) has options, but {name} is a file",
            words.join(" "),
            World::names()
        ))),
    }
}

fn states(machine: &MooreMachine, pair: &[usize]) -> Result<[StateId; 2], Failure> {
    let state = |index: usize| {
        let found = machine.state(index);
        found.map_err(|error| Failure::bad_input(format!("--witness: {error}")))
    };
    match *pair {
        [a, b] => Ok([state(a)?, state(b)?]),
        _ => Err(Failure::bad_input("--witness: expected two states")),
    }
}

/// JSON document of `bisim --json`.
#[derive(Serialize)]
struct BisimDocument<'a> {
    schema: &'static str,
    states: usize,
    actions: usize,
    outputs: usize,
    classes: usize,
    /// Tolerance of outputs; absent where outputs are equal exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    tolerance: Option<f64>,
    /// Whether the result was verified; absent without `--verify`.
    #[serde(skip_serializing_if = "Option::is_none")]
    verified: Option<bool>,
    action_names: Vec<Option<&'a str>>,
    /// Files beside that of the system; absent where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    files: Vec<PartRecord>,
    /// Names of the columns of the outputs' values; absent where no file names them.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    columns: &'a [String],
    /// Arrays that were not read; absent where there are none.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    unread_arrays: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    class_of: Option<Vec<u32>>,
    /// Whether the compared states are bisimilar; absent without `--witness`.
    #[serde(skip_serializing_if = "Option::is_none")]
    bisimilar: Option<bool>,
    witness: Option<WitnessRecord>,
}

#[derive(Serialize)]
struct WitnessRecord {
    a: u32,
    b: u32,
    word: Vec<u32>,
    /// States that the word leads to from `a` and from `b`; their outputs differ.
    leads_to: [u32; 2],
}

fn document<'a>(
    found: &'a FoundSystem,
    classes: &Partition,
    compared: Option<&Compared>,
    arguments: &Arguments,
) -> BisimDocument<'a> {
    let machine = &found.machine;
    let witness = compared.and_then(|Compared { a, b, word }| {
        let word = word.as_ref()?;
        Some(WitnessRecord {
            a: a.get(),
            b: b.get(),
            word: word.iter().map(|action| action.get()).collect(),
            leads_to: [*a, *b].map(|state| machine.run(state, word).get()),
        })
    });
    let class_of = || classes.as_slice().iter().map(|class| class.get()).collect();
    BisimDocument {
        schema: "tellapart.bisim/1",
        states: machine.states(),
        actions: machine.actions(),
        outputs: machine.outputs(),
        classes: classes.blocks(),
        tolerance: machine.output_tolerance(),
        verified: arguments.verify.then_some(true),
        action_names: machine
            .action_ids()
            .map(|action| machine.action_name(action))
            .collect(),
        files: found.parts.iter().map(PartRecord::of).collect(),
        columns: &found.columns,
        unread_arrays: &found.unread_arrays,
        class_of: arguments.classes.then(class_of),
        bisimilar: compared.map(|compared| compared.word.is_none()),
        witness,
    }
}
