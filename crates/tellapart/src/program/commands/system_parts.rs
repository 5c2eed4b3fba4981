//! Files beside that of a system: which to read, and which were read.

use std::path::Path;

use clap::Args;
use tellapart::inspect::PartRecord;
use tellapart::system::read::RewardChoice;

/// Option of the commands that read a system.
#[derive(Args)]
pub(super) struct Rewards {
    /// Rewards beside a .tra: all, none, or names with commas
    #[arg(long, value_name = "WHICH", default_value = "all")]
    pub(super) rewards: RewardChoice,
}

/// Says which files were read beside that of the system, what the columns of its outputs' values
/// are, and which files and arrays were not read; a line for each.
pub(super) fn described(
    parts: &[PartRecord],
    columns: &[String],
    unread_arrays: &[String],
) -> Vec<String> {
    let read = parts.iter().filter(|part| part.read);
    let read = read.map(|part| format!("{} ({})", name(&part.path), content(part)));
    let left = parts.iter().filter_map(|part| {
        let why = part.why?;
        Some(format!("{} ({why})", name(&part.path)))
    });
    let arrays = unread_arrays.iter().map(|name| format!("array `{name}`"));
    let columns = columns.iter().filter(|_| columns.len() > 1);
    let lines = [
        ("read with it", read.collect::<Vec<_>>()),
        ("values of outputs", columns.cloned().collect()),
        ("not read", left.chain(arrays).collect()),
    ];
    let lines = lines.into_iter().filter(|(_, items)| !items.is_empty());
    let line = |(what, items): (_, Vec<String>)| format!("{what}: {}", items.join(", "));
    lines.map(line).collect()
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn content(part: &PartRecord) -> String {
    let what = match part.holds {
        "labels" => "labels",
        "state-rewards" => "rewards of states",
        "transition-rewards" => "rewards of transitions",
        _ => "other data",
    };
    match &part.structure {
        Some(structure) => format!("{what}, {structure:?}"),
        None => what.to_owned(),
    }
}
