//! Checks the names of actions, which end up in tables, sentences and pages.

use std::collections::BTreeMap;

use crate::columns::Actions;
use crate::error::DataError;
use crate::names::ACTION_NAMES;

/// Longest name in characters. Names stand side by side in a word of actions.
const MAX_CHARACTERS: usize = 100;

/// Checks that there is one printable name for each action.
pub(crate) fn check(names: &[String], actions: &Actions) -> Result<(), DataError> {
    if let Actions::Discrete { count, .. } = actions
        && names.len() != *count
    {
        return Err(DataError::ActionNames {
            found: names.len(),
            actions: *count,
        });
    }
    let mut first_rows = BTreeMap::new();
    for (row, name) in names.iter().enumerate() {
        let wrong = |found: String, expected: &str| {
            Err(DataError::Value {
                array: ACTION_NAMES.to_owned(),
                row,
                found,
                expected: expected.to_owned(),
            })
        };
        if name.trim() != name || name.is_empty() {
            let expected = "a name without blanks at either end, and not an empty one";
            return wrong(format!("{name:?}"), expected);
        }
        if name.chars().count() > MAX_CHARACTERS {
            let expected = "a name of at most 100 characters";
            return wrong(format!("{} characters", name.chars().count()), expected);
        }
        if name.chars().any(is_unseen) {
            return wrong(format!("{name:?}"), "a name without control characters");
        }
        if let Some(first) = first_rows.insert(name, row) {
            return wrong(
                format!("{name:?} again, the name of action {first}"),
                "a name of its own for each action",
            );
        }
    }
    Ok(())
}

/// Whether a character acts on a terminal or on the text around it, or takes no space.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(character, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{ad}')
}
