//! Values: parsed from words, written as words, merged and compared.

use serde::Serialize;
use toml::{Table, Value};

use crate::keys::collect;

/// Number of differences that are listed.
const SHOWN: usize = 3;

/// Returns the words that make these settings again, one for each key, as one would type them in a
/// shell.
#[must_use]
pub fn words_of(settings: &impl Serialize) -> Vec<String> {
    leaves(settings)
        .iter()
        .map(|(key, value)| format!("{key}={}", bare(value)))
        .collect()
}

/// Describes up to three keys in which two settings differ, with both values:
/// `key: before, not now`.
#[must_use]
pub fn differences<T: Serialize>(before: &T, now: &T) -> String {
    let (before, now) = (leaves(before), leaves(now));
    let mut differing = Vec::new();
    for (key, value) in &before {
        match now.iter().find(|(other, _)| other == key) {
            Some((_, other)) if other == value => {}
            Some((_, other)) => differing.push(format!("{key}: {value}, not {other}")),
            None => differing.push(format!("{key}: {value}, not absent")),
        }
    }
    for (key, value) in &now {
        if !before.iter().any(|(other, _)| other == key) {
            differing.push(format!("{key}: absent, not {value}"));
        }
    }
    let more = differing.len().saturating_sub(SHOWN);
    differing.truncate(SHOWN);
    if more > 0 {
        differing.push(format!("and {more} more"));
    }
    differing.join("; ")
}

fn leaves(settings: &impl Serialize) -> Vec<(String, Value)> {
    let mut leaves = Vec::new();
    collect(
        "",
        &Table::try_from(settings).unwrap_or_default(),
        &mut |key, value| {
            if !value.is_table() {
                leaves.push((key, value.clone()));
            }
        },
    );
    leaves
}

/// Formats a value as one would type it in a shell.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(bare).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Parses text as TOML if possible, else takes it as a string; makes a list where the example
/// `like` is one.
pub(crate) fn parse(text: &str, like: Option<&Value>) -> Value {
    let toml = || {
        format!("value = {text}")
            .parse::<Table>()
            .ok()?
            .remove("value")
    };
    match (toml(), like) {
        (Some(Value::String(words)), Some(Value::Array(_))) => list(&words),
        (Some(value), Some(Value::Array(_))) if !value.is_array() => Value::Array(vec![value]),
        (Some(value), _) => value,
        (None, Some(Value::Array(_))) => list(text),
        // Of another choice, the key may hold a list.
        (None, Some(Value::Integer(_))) if text.contains(',') => list(text),
        (None, _) => Value::String(text.to_owned()),
    }
}

fn list(text: &str) -> Value {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    let items = inner.split(',').map(str::trim);
    let items = items.filter(|item| !item.is_empty());
    Value::Array(items.map(|item| parse(item, None)).collect())
}

/// Puts a value at a dotted path.
pub(crate) fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_owned(), value);
        }
        Some((head, rest)) => {
            let entry = table
                .entry(head)
                .or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = entry {
                insert(inner, rest, value);
            }
        }
    }
}

/// Lays `from` over `into`, table by table.
pub(crate) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(more)) => merge(inner, more),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}
