//! Known keys, keys that have another name now, and tables whose keys depend on a choice.

use std::collections::BTreeMap;

use serde::Serialize;
use toml::{Table, Value};

use crate::SettingError;

/// Keys that settings may have.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// Dotted path and an example value of every key.
    pub(crate) known: BTreeMap<String, Value>,
    pub(crate) choices: Vec<Choice>,
    renamed: Vec<(&'static str, &'static str)>,
}

/// Table whose keys depend on one of them, its tag. A layer that changes the tag begins that table
/// anew; a bare word in place of the table is the tag.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    /// Dotted path of the table; empty for the whole.
    pub table: &'static str,
    /// Key that says which of the tables it is.
    pub tag: &'static str,
    /// Tag if none is given.
    pub default: &'static str,
}

impl Keys {
    /// Returns the keys of all `examples` together. No key may be absent from all of them.
    pub fn of<'a, E: Serialize + 'a>(examples: impl IntoIterator<Item = &'a E>) -> Self {
        let mut keys = Self::default();
        for example in examples {
            if let Ok(table) = Table::try_from(example) {
                collect("", &table, &mut |key, value| {
                    keys.known.insert(key, value.clone());
                });
            }
        }
        keys
    }

    /// Adds tables whose keys depend on a choice.
    #[must_use]
    pub fn with_choices(mut self, choices: &[Choice]) -> Self {
        self.choices.extend(choices);
        self
    }

    /// Adds keys that had another name: pairs of the old path and the present one.
    #[must_use]
    pub fn with_renamed(mut self, renamed: &[(&'static str, &'static str)]) -> Self {
        self.renamed.extend(renamed);
        self
    }

    /// Returns the known key most like this one, by whole path or by last word. `None` if none is
    /// alike.
    pub fn nearest(&self, key: &str) -> Option<String> {
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        let candidates = self.known.keys().map(|candidate| {
            let whole = strsim::jaro_winkler(key, candidate);
            let word = strsim::jaro_winkler(&last(key), &last(candidate)) * 0.95;
            (whole.max(word), candidate)
        });
        candidates
            .filter(|(likeness, _)| *likeness > 0.75)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, candidate)| candidate.clone())
    }

    pub(crate) fn check(&self, layer: &Table, origin: &str) -> Result<(), SettingError> {
        let mut unknown = None;
        collect("", layer, &mut |key, _| {
            if unknown.is_none() && !self.known.contains_key(&key) {
                unknown = Some(key);
            }
        });
        let Some(key) = unknown else { return Ok(()) };
        let origin = origin.to_owned();
        let renamed = self.renamed.iter().find(|(old, _)| *old == key);
        Err(match renamed {
            Some((_, name)) => SettingError::RenamedKey { origin, key, name },
            None => SettingError::UnknownKey {
                nearest: self.nearest(&key),
                known: self.known.keys().cloned().collect(),
                origin,
                key,
            },
        })
    }
}

impl Choice {
    pub(crate) fn prefix(&self) -> String {
        match self.table {
            "" => String::new(),
            table => format!("{table}."),
        }
    }

    /// Replaces a bare word in place of the table by a table with that tag. Returns whether there
    /// was one.
    pub(crate) fn unfold(&self, layer: &mut Table) -> bool {
        let Some(place) = find(layer, self.table).filter(|place| place.is_str()) else {
            return false;
        };
        let word = std::mem::replace(place, Value::Table(Table::new()));
        if let Value::Table(table) = place {
            table.insert(self.tag.to_owned(), word);
        }
        true
    }

    /// Empties the table below if the layer chooses another tag, or any tag by a bare word.
    pub(crate) fn make(&self, below: &mut Table, layer: &Table, is_word: bool) {
        let chosen = find(&mut layer.clone(), self.table)
            .and_then(|table| table.as_table()?.get(self.tag).cloned());
        let (Some(chosen), Some(Value::Table(table))) = (chosen, find(below, self.table)) else {
            return;
        };
        if is_word || table.get(self.tag) != Some(&chosen) {
            table.clear();
        }
    }
}

/// Returns the value at a dotted path.
fn find<'t>(table: &'t mut Table, path: &str) -> Option<&'t mut Value> {
    match path.split_once('.') {
        None => table.get_mut(path),
        Some((head, rest)) => find(table.get_mut(head)?.as_table_mut()?, rest),
    }
}

/// Visits every key, tables included, by its dotted path.
pub(crate) fn collect(prefix: &str, table: &Table, visit: &mut impl FnMut(String, &Value)) {
    for (key, value) in table {
        let path = format!("{prefix}{key}");
        if let Value::Table(inner) = value {
            collect(&format!("{path}."), inner, visit);
        }
        visit(path, value);
    }
}
