//! Parses the options of a world from `key=value` words of a command line.

use serde::{Serialize, de::DeserializeOwned};
use tellapart_env::{EnvError, World, WorldOptions, counting, grid};
use toml::{Table, Value};

/// Error of words that do not make options.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// A word that is not of the form `key=value`.
    #[error("`{word}` is not of the form key=value (for example max_steps=10)")]
    NotASetting {
        /// The word.
        word: String,
    },
    /// A key that is not an option.
    #[error("there is no option `{key}`{}; the options are {}", suggestion(.nearest), .known.join(", "))]
    UnknownKey {
        /// Given key.
        key: String,
        /// Most similar known key, if one is similar enough.
        nearest: Option<String>,
        /// All known keys.
        known: Vec<String>,
    },
    /// A value of the wrong type.
    #[error("`{word}`: {problem}")]
    WrongType {
        /// The word.
        word: String,
        /// Problem of the value, in words.
        problem: String,
    },
    /// Values that no world can have.
    #[error(transparent)]
    Impossible(#[from] EnvError),
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|key| format!(" (did you mean `{key}`?)"))
        .unwrap_or_default()
}

/// Returns the default options of a world, changed by `words` in their order.
///
/// Values are TOML, or the bare words that a shell leaves; a list may be given with commas alone.
///
/// ```
/// use tellapart::{World, WorldOptions, settings::world_options};
///
/// let words = ["actions=one-hot-3", "max_steps=10", "shapes=circle,line"];
/// let WorldOptions::Counting(options) = world_options(World::Counting, words)? else { panic!() };
/// assert_eq!((options.max_steps, options.shapes.len()), (10, 2));
///
/// let error = world_options(World::Grid, ["max_step=10"]).unwrap_err();
/// assert!(error.to_string().contains("did you mean `max_steps`?"));
/// # Ok::<(), tellapart::settings::SettingError>(())
/// ```
///
/// # Errors
/// A [`SettingError`] that names the word, and the valid ones.
pub fn world_options<W: AsRef<str>>(
    world: World,
    words: impl IntoIterator<Item = W>,
) -> Result<WorldOptions, SettingError> {
    Ok(match world {
        World::Counting => changed(&every_counting_option(), words)?.validate()?.into(),
        World::Grid => changed(&grid::Options::default(), words)?
            .validate()?
            .into(),
    })
}

/// Returns the words that make these options again, one for each option that is not absent.
#[must_use]
pub fn world_words(options: &WorldOptions) -> Vec<String> {
    let table = match options {
        WorldOptions::Counting(options) => Table::try_from(&**options),
        WorldOptions::Grid(options) => Table::try_from(&**options),
    };
    let words = table.unwrap_or_default();
    words
        .iter()
        .map(|(key, value)| format!("{key}={}", bare(value)))
        .collect()
}

/// Returns the default options, changed by `words`. `every` is a value in which no option is
/// absent, so that it lists all keys.
fn changed<O: Serialize + DeserializeOwned + Default, W: AsRef<str>>(
    every: &O,
    words: impl IntoIterator<Item = W>,
) -> Result<O, SettingError> {
    let known = Table::try_from(every).unwrap_or_default();
    let (mut given, mut options) = (Table::new(), O::default());
    for word in words {
        let word = word.as_ref();
        let not_a_setting = || SettingError::NotASetting {
            word: word.to_owned(),
        };
        let (key, text) = word.split_once('=').ok_or_else(not_a_setting)?;
        let key = key.trim();
        let like = known.get(key).ok_or_else(|| unknown(key, &known))?;
        given.insert(key.to_owned(), value(text.trim(), like));
        // Deserialized after every word, so that an error is blamed on the right one.
        options = O::deserialize(given.clone()).map_err(|error| SettingError::WrongType {
            word: word.to_owned(),
            problem: error.message().trim_end().to_owned(),
        })?;
    }
    Ok(options)
}

/// Returns options of the counting world, none of them absent.
fn every_counting_option() -> counting::Options {
    counting::Options {
        start_count: Some(0),
        ..counting::Options::default()
    }
}

/// Formats a value as one would type it in a shell.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(bare).collect::<Vec<_>>().join(","),
        Value::Integer(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Boolean(yes) => yes.to_string(),
        // The options have neither dates nor tables.
        Value::Datetime(_) | Value::Table(_) => String::new(),
    }
}

/// Parses text as TOML if possible, else takes it as a string; makes a list where the option is
/// one.
fn value(text: &str, like: &Value) -> Value {
    let toml = || {
        format!("value = {text}")
            .parse::<Table>()
            .ok()?
            .remove("value")
    };
    match (toml(), like) {
        (Some(Value::String(words)), Value::Array(_)) => list(&words),
        (Some(value), _) => value,
        (None, Value::Array(_)) => list(text),
        (None, _) => Value::String(text.to_owned()),
    }
}

fn list(text: &str) -> Value {
    let inner = text.trim_start_matches('[').trim_end_matches(']');
    let items = inner
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty());
    Value::Array(items.map(|item| Value::String(item.to_owned())).collect())
}

fn unknown(key: &str, known: &Table) -> SettingError {
    let likeness = |name: &String| strsim::jaro_winkler(key, name);
    let nearest = known
        .keys()
        .filter(|name| likeness(name) > 0.75)
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)))
        .cloned();
    SettingError::UnknownKey {
        key: key.to_owned(),
        nearest,
        known: known.keys().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counting_options(words: &[&str]) -> Result<counting::Options, SettingError> {
        changed(&every_counting_option(), words)
    }

    fn error(world: World, words: &[&str]) -> String {
        world_options(world, words).unwrap_err().to_string()
    }

    #[test]
    fn no_words_are_the_defaults() {
        let counting = counting::Options::default().validate().unwrap();
        let grid = grid::Options::default().validate().unwrap();
        for defaults in [WorldOptions::from(counting), grid.into()] {
            let made = world_options(defaults.world(), [""; 0]).unwrap();
            assert_eq!(made, defaults);
        }
    }

    #[test]
    fn options_as_words_make_the_same_options() {
        let counting = counting::Options {
            start_count: Some(2),
            value: counting::Value::Dense,
            shapes: vec![counting::Shape::Line, counting::Shape::Square],
            ..counting::Options::default()
        };
        let grid = grid::Options {
            layout: ["G.#", "..."].map(str::to_owned).to_vec(),
            stay: true,
            ..grid::Options::default()
        };
        for (options, keys, word) in [
            (
                counting.validate().unwrap().into(),
                14,
                "shapes=line,square",
            ),
            (grid.validate().unwrap().into(), 9, "layout=G.#,..."),
        ] {
            let words = world_words(&options);
            assert_eq!(words.len(), keys, "{words:?}");
            assert!(words.contains(&word.to_owned()), "{words:?}");
            assert_eq!(world_options(options.world(), words).unwrap(), options);
        }
    }

    #[test]
    fn lists_take_any_form_and_the_last_word_wins() {
        for shapes in [
            "shapes=line,circle",
            "shapes=[line, circle]",
            r#"shapes=["line","circle"]"#,
        ] {
            let options = counting_options(&[shapes]).unwrap();
            assert_eq!(options.shapes.len(), 2, "{shapes}");
        }
        assert_eq!(counting_options(&["shapes=line"]).unwrap().shapes.len(), 1);
        assert_eq!(
            counting_options(&["target=1", "target = 2"])
                .unwrap()
                .target,
            2
        );
    }

    #[test]
    fn errors_name_the_word_and_what_would_do() {
        assert!(error(World::Counting, &["max_steps"]).contains("key=value"));
        assert!(error(World::Counting, &["colour_min=3"]).contains("did you mean `color_min`?"));
        let nothing_like_it = error(World::Counting, &["zzz=3"]);
        assert!(
            !nothing_like_it.contains("did you mean"),
            "{nothing_like_it}"
        );
        assert!(nothing_like_it.contains("max_count"), "{nothing_like_it}");
        let wrong_type = error(World::Counting, &["max_steps=ten"]);
        assert!(wrong_type.starts_with("`max_steps=ten`: "), "{wrong_type}");
        assert!(wrong_type.contains("u32"), "{wrong_type}");
        assert!(error(World::Counting, &["max_count=300"]).contains("300"));
        assert!(error(World::Counting, &["value=denser"]).contains("dense"));
        assert!(error(World::Counting, &["actions=one-hot-4"]).contains("continuous-3"));
        assert!(error(World::Counting, &["target=9"]).contains("at most max_count = 8"));
        assert!(error(World::Grid, &["colour=3"]).contains("max_steps"));
        assert!(error(World::Grid, &["layout=..G,#x."]).contains("'x' in column 1"));
        assert!(error(World::Counting, &["shapes="]).contains("at least one shape"));
    }
}
