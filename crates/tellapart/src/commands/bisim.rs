//! `tellapart bisim SYSTEM`.

mod text;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use tellapart::bisim::{
    Violation, largest_bisimulation_with, quotient_with, verify_coarsest_with, witness_with,
};
use tellapart::progress::Stopped;
use tellapart::{ActionId, MooreMachine, Partition, StateId, World, settings, system};

use super::Overwrite;
use super::system_file::SystemFile;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Compute the largest bisimulation of a finite system: which states must be kept apart
#[derive(Args)]
#[command(after_help = "Examples:
  tellapart bisim counting --witness 0 8
  tellapart bisim counting value=dense actions=one-hot-3
  tellapart bisim gridworld --witness 0 21
  tellapart bisim torus p=column
  tellapart bisim system.aut --quotient smaller.aut
  tellapart bisim system.npz --tolerance 0.01 --verify
  tellapart bisim model.tra --quotient smaller.dot")]
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
    let machine = grouped_system(arguments)?;
    let read = start.elapsed();
    let pair = arguments
        .witness
        .as_deref()
        .map(|pair| states(&machine, pair))
        .transpose()?;
    bar.busy_with("computing the classes");
    let compared = pair
        .map(|[a, b]| {
            let word = witness_with(&machine, a, b, &bar)?;
            Ok::<_, Stopped>(Compared { a, b, word })
        })
        .transpose()?;
    let classes = largest_bisimulation_with(&machine, &bar)?;
    let computed = start.elapsed() - read;
    if arguments.verify {
        bar.busy_with("verifying");
        let verified = verify_coarsest_with(&machine, &classes, &bar);
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
            let smaller = quotient_with(&machine, &classes, &bar)
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
    print(arguments, &machine, &classes, compared.as_ref(), terminal)?;
    if let Some((file, smaller)) = &quotient {
        file.report("the quotient was written", smaller, terminal);
    }
    Ok(())
}

fn print(
    arguments: &Arguments,
    machine: &MooreMachine,
    classes: &Partition,
    compared: Option<&Compared>,
    terminal: &mut Terminal,
) -> Result<(), Failure> {
    if arguments.json {
        return terminal.json(&document(machine, classes, compared, arguments));
    }
    let out = terminal.out();
    text::print_summary(&arguments.system, machine, classes, out)?;
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
fn grouped_system(arguments: &Arguments) -> Result<MooreMachine, Failure> {
    let machine = system_of(&arguments.system, &arguments.settings)?;
    let Some(tolerance) = arguments.tolerance else {
        return Ok(machine);
    };
    let grouped = machine.with_tolerance(tolerance);
    let named = |error| format!("--tolerance: {}: {error}", arguments.system);
    grouped.map_err(|error| Failure::bad_input(named(error)))
}

/// Two states, and a shortest word that tells them apart, if there is one.
struct Compared {
    a: StateId,
    b: StateId,
    word: Option<Vec<ActionId>>,
}

/// Returns the system of a built-in world by its name, or else of a file (`./counting` is always a
/// file).
fn system_of(name: &str, words: &[String]) -> Result<MooreMachine, Failure> {
    match name.parse::<World>() {
        Ok(world) => {
            let options = settings::world_options(world, words)?;
            options.ground_truth().map_err(Failure::failed)
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
        _ if words.is_empty() => Ok(system::read::any(name)?),
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
    machine: &'a MooreMachine,
    classes: &Partition,
    compared: Option<&Compared>,
    arguments: &Arguments,
) -> BisimDocument<'a> {
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
        class_of: arguments.classes.then(class_of),
        bisimilar: compared.map(|compared| compared.word.is_none()),
        witness,
    }
}
