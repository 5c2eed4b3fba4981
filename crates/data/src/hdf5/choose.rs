//! Which dataset holds the observations.

use super::file::{File, at, join};
use crate::error::DataError;

/// Returns the path of the observations: the chosen one, or the single one.
///
/// `all` are paths that may be chosen, and `usual` those among which a single one needs no choice.
/// A choice may leave out the leading `observations/`. Paths are below `group` of the file, whose
/// shapes are told where a choice is missing.
pub(super) fn choose(
    file: &File,
    group: &str,
    all: &[String],
    usual: &[String],
    choice: Option<&str>,
) -> Result<String, DataError> {
    if all.is_empty() {
        return Err(at(
            &join(group, "observations"),
            "it is not there, and is needed",
        ));
    }
    let Some(choice) = choice else {
        return match usual {
            [single] => Ok(single.clone()),
            [] => Err(must_choose(file, group, all, None)),
            several => Err(must_choose(file, group, several, None)),
        };
    };
    let wanted = choice.trim_matches('/');
    let inside = join("observations", wanted);
    let chosen = [wanted, &inside]
        .into_iter()
        .find_map(|path| all.iter().find(|name| *name == path));
    chosen
        .cloned()
        .ok_or_else(|| must_choose(file, group, all, Some(choice)))
}

fn must_choose(file: &File, group: &str, paths: &[String], wanted: Option<&str>) -> DataError {
    let describe = |path: &String| match file.node(&join(group, path)) {
        Ok(node) => node.describe().replacen(&node.path, path, 1),
        Err(_) => format!("`{path}`"),
    };
    DataError::ChooseObservations {
        wanted: wanted.map(str::to_owned),
        members: paths.iter().map(describe).collect(),
    }
}
