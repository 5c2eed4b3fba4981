//! Lists the data of a machine that a format has no place for.

use crate::write::{boa, prism};
use crate::{Format, MooreMachine, StateId};

/// Lists the data of this machine that a file of this format does not hold, each worded to follow
/// "without". Empty if the machine that is read back has all data of this one. States, successors
/// and which states have equal outputs are always kept.
#[must_use]
pub fn lost(machine: &MooreMachine, format: Format) -> Vec<String> {
    let meaning = machine.meaning();
    let has_names = !machine.action_names().is_empty();
    let are_names = |names: &[String]| names.iter().all(|name| prism::is_identifier(name));
    let names = |what: &str| (has_names, format!("the names of actions ({what})"));
    let enabled = |what: &str| {
        (
            meaning.enabled.is_some(),
            format!("which actions were enabled ({what})"),
        )
    };
    let values = |what: &str| {
        (
            meaning.values.is_some(),
            format!("the values of outputs ({what})"),
        )
    };
    let labels = |what: &str| {
        (
            meaning.labels.is_some(),
            format!("the labels of states ({what})"),
        )
    };
    let initial = (
        machine.initial() != StateId::new(0),
        "the initial state".to_owned(),
    );
    let numbers = "outputs are written as numbers";
    let loops = "missing transitions are written as self-loops";

    let found = match format {
        Format::Tsys => vec![],
        Format::Npz => vec![
            names("the format has none"),
            if meaning.is_only_values() {
                (false, String::new())
            } else {
                values(numbers)
            },
            enabled(loops),
            labels(numbers),
            initial,
        ],
        Format::Aut if meaning.is_only_enabled() => vec![],
        Format::Aut => vec![
            values("outputs are written as self-loops labeled output=ID"),
            labels("outputs are written as self-loops labeled output=ID"),
        ],
        Format::Prism => {
            let tells_all = prism::tells_all(machine);
            let mut found = vec![];
            if !are_names(machine.action_names()) {
                found.push(names("not all are identifiers of PRISM"));
            }
            if !tells_all {
                found.push(values(
                    "they are too long vectors; outputs are written as labels output_ID",
                ));
                found.push(labels("outputs are written as labels output_ID"));
            } else if meaning
                .labels
                .as_ref()
                .is_some_and(|labels| !are_names(&labels.names))
            {
                found.push(labels(
                    "not all are identifiers of PRISM; they are written as label_ID",
                ));
            }
            found
        }
        Format::Boa => vec![
            names("the format has none"),
            if boa::tags(machine).is_some() {
                (false, String::new())
            } else {
                values(numbers)
            },
            enabled(loops),
            labels(numbers),
            initial,
        ],
        Format::Dot => vec![(true, "a way back (a drawing is not read)".to_owned())],
    };
    let tolerance = meaning.tolerance.map(|tolerance| {
        format!("that outputs are equal within {tolerance} (the first stands for all)")
    });
    let tolerance = tolerance.map(|what| (true, what));
    let found = found.into_iter().chain(tolerance);
    let found = found.into_iter().filter(|&(is_lost, _)| is_lost);
    found.map(|(_, what)| what).collect()
}
