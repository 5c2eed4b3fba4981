//! Reading of configurations, from files and from `key.path=value` on the command line.

use std::path::{Path, PathBuf};

use tellapart_files::FileError;
use toml::{Table, Value};

use super::{Config, ValidConfig};

/// Error of reading or checking a configuration.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is not text.
    #[error(
        "{path}: not a text file; a configuration is TOML, such as configs/joint-reward.toml (a recording \
         is trained on with data.source=FILE)",
        path = path.display()
    )]
    NotText {
        /// Path of the file.
        path: PathBuf,
    },
    /// The text is not TOML, or a value has the wrong type.
    #[error("{origin}: {problem}")]
    Malformed {
        /// The file, or the word on the command line.
        origin: String,
        /// Description and place of the error.
        problem: String,
    },
    /// There is no such key.
    #[error("{origin}: there is no key `{key}`{}", suggestion(.nearest))]
    UnknownKey {
        /// The file, or the word on the command line.
        origin: String,
        /// Full path of the key.
        key: String,
        /// Nearest known key.
        nearest: Option<String>,
    },
    /// A key has another name now.
    #[error(
        "{origin}: `{key}` is called `{name}` since version 0.2 (a run of an earlier version must be \
         trained again)"
    )]
    RenamedKey {
        /// The file, or the word on the command line.
        origin: String,
        /// Full path of the key as it was.
        key: String,
        /// Full path of the key as it is.
        name: &'static str,
    },
    /// A word on the command line is not `key.path=value`.
    #[error("`{word}` is not of the form key.path=value (for example optimizer.updates=600)")]
    NotAnOverride {
        /// The word.
        word: String,
    },
    /// A value that no run can have.
    #[error("`{key}` is {value}; expected {expected}")]
    Impossible {
        /// Full path of the key.
        key: &'static str,
        /// The value.
        value: String,
        /// Description of possible values.
        expected: String,
    },
    /// The networks cannot be built, or the device is not available.
    #[error(transparent)]
    Model(#[from] tellapart_model::ModelError),
    /// An option of the environment has an impossible value.
    #[error("[environment]: {problem}")]
    Environment {
        /// The option, its value, and the possible values.
        problem: String,
    },
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|key| format!("; did you mean `{key}`?"))
        .unwrap_or_default()
}

/// Reads a file, applies `overrides` (`key.path=value`) in order, and checks the result.
///
/// # Errors
/// An unreadable or malformed file, an unknown key (with the nearest known one), a value of the
/// wrong type, or one that no run can have.
pub fn read(path: &Path, overrides: &[String]) -> Result<ValidConfig, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::InvalidData => ConfigError::NotText {
            path: path.to_path_buf(),
        },
        _ => FileError::from_io(path, source).into(),
    })?;
    parse(
        &[ConfigLayer {
            text: &text,
            origin: &path.display().to_string(),
        }],
        overrides,
    )
}

/// Text of a configuration file, or of a layer that changes some keys of another.
#[derive(Debug, Clone, Copy)]
pub struct ConfigLayer<'a> {
    /// TOML text.
    pub text: &'a str,
    /// Name of the layer in errors.
    pub origin: &'a str,
}

/// Reads a configuration from texts, each laid over the one before it. Then applies `overrides` in
/// order, and checks the result.
///
/// # Errors
/// Like [`read`], except that no file is read.
pub fn parse(layers: &[ConfigLayer<'_>], overrides: &[String]) -> Result<ValidConfig, ConfigError> {
    let malformed = |origin: &str, error: toml::de::Error| ConfigError::Malformed {
        origin: origin.to_string(),
        problem: in_plain_words(error.to_string().trim_end()),
    };
    let known = known_keys();
    let mut table = Table::new();
    // Types are checked after each step, so that an error names the layer or word that caused it.
    for ConfigLayer { text, origin } in layers {
        let layer: Table = text.parse().map_err(|error| malformed(origin, error))?;
        check_keys(&layer, &known, origin)?;
        merge(&mut table, layer);
        table
            .clone()
            .try_into::<Config>()
            .map_err(|error| malformed(origin, error))?;
    }
    for word in overrides {
        let (key, value) = word
            .split_once('=')
            .ok_or_else(|| ConfigError::NotAnOverride { word: word.clone() })?;
        let mut one = Table::new();
        insert(&mut one, key.trim(), parse_value(value.trim()));
        check_keys(&one, &known, word)?;
        merge(&mut table, one);
        table
            .clone()
            .try_into::<Config>()
            .map_err(|error| malformed(word, error))?;
    }
    let config: Config = table
        .try_into()
        .map_err(|error| malformed("configuration", error))?;
    config.validate()
}

/// Replaces Rust types in a parser error by plain words.
fn in_plain_words(problem: &str) -> String {
    [
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected f32", "expected a number"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list such as [1, 2]"),
        ("unknown variant", "there is no choice"),
        ("\nin `", " in `"),
    ]
    .iter()
    .fold(problem.to_owned(), |text, (jargon, plain)| {
        text.replace(jargon, plain)
    })
}

/// Parses a value as TOML, or else takes it as a bare word, as a shell leaves it
/// (`model.encoder=patch`).
fn parse_value(text: &str) -> Value {
    format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(text.to_string()))
}

/// Describes up to three keys in which two configurations differ, with both values:
/// `key: before, not now`.
pub(crate) fn differences(before: &Config, now: &Config) -> String {
    let flat = |config: &Config| {
        let mut leaves = Vec::new();
        if let Ok(table) = Table::try_from(config) {
            collect_leaves("", &table, &mut leaves);
        }
        leaves
    };
    let (before, now) = (flat(before), flat(now));
    let mut differing = Vec::new();
    for (key, value) in &before {
        let other = now.iter().find(|(other, _)| other == key);
        if let Some((_, other)) = other.filter(|(_, other)| other != value) {
            differing.push(format!("{key}: {value}, not {other}"));
        }
    }
    const SHOWN: usize = 3;
    let more = differing.len().saturating_sub(SHOWN);
    differing.truncate(SHOWN);
    if more > 0 {
        differing.push(format!("and {more} more"));
    }
    differing.join("; ")
}

fn collect_leaves(prefix: &str, table: &Table, leaves: &mut Vec<(String, String)>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => collect_leaves(&format!("{prefix}{name}."), inner, leaves),
            value => leaves.push((format!("{prefix}{name}"), value.to_string())),
        }
    }
}

fn insert(table: &mut Table, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            table.insert(path.to_string(), value);
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

fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(more)) => merge(inner, more),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Returns all keys, dotted, from a configuration that has every key.
fn known_keys() -> Vec<String> {
    let mut full = Config::default();
    full.environment.start_count = Some(0);
    let mut keys = Vec::new();
    if let Ok(table) = Table::try_from(full) {
        collect_keys(&table, "", &mut keys);
    }
    keys
}

fn collect_keys(table: &Table, prefix: &str, keys: &mut Vec<String>) {
    for (key, value) in table {
        let path = join(prefix, key);
        if let Value::Table(inner) = value {
            collect_keys(inner, &path, keys);
        }
        keys.push(path);
    }
}

/// Keys of version 0.1 and their present names. The nearest known key would be another one.
const RENAMED: [(&str, &str); 5] = [
    ("data.copies", "data.num_envs"),
    ("model.dynamics", "model.predictor"),
    ("model.dynamics_layers", "model.predictor_layers"),
    ("model.cnn.normalise", "model.cnn.normalize"),
    ("optimizer.dynamics_rate", "optimizer.predictor_rate"),
];

fn check_keys(table: &Table, known: &[String], origin: &str) -> Result<(), ConfigError> {
    let mut present = Vec::new();
    collect_keys(table, "", &mut present);
    match present.into_iter().find(|key| !known.contains(key)) {
        None => Ok(()),
        Some(key) => {
            let origin = origin.to_string();
            if let Some((_, name)) = RENAMED.iter().find(|(old, _)| *old == key) {
                return Err(ConfigError::RenamedKey { origin, key, name });
            }
            let nearest = nearest(&key, known);
            Err(ConfigError::UnknownKey {
                origin,
                key,
                nearest,
            })
        }
    }
}

/// Returns the known key most like this one, by whole path or by last word. `None` if none is
/// alike.
fn nearest(key: &str, known: &[String]) -> Option<String> {
    let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_string();
    known
        .iter()
        .map(|candidate| {
            let whole = strsim::jaro_winkler(key, candidate);
            let word = strsim::jaro_winkler(&last(key), &last(candidate)) * 0.95;
            (whole.max(word), candidate)
        })
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate.clone())
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() {
        key.to_string()
    } else {
        format!("{prefix}.{key}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str, overrides: &[&str]) -> Result<ValidConfig, ConfigError> {
        let overrides: Vec<String> = overrides.iter().map(|word| word.to_string()).collect();
        parse(
            &[ConfigLayer {
                text,
                origin: "run.toml",
            }],
            &overrides,
        )
    }

    fn error(text: &str, overrides: &[&str]) -> String {
        read_text(text, overrides).unwrap_err().to_string()
    }

    #[test]
    fn a_later_layer_changes_only_the_keys_it_has() {
        let one = ConfigLayer {
            text: "seed = 4\n[optimizer]\nupdates = 5\nwarmup = 2",
            origin: "a",
        };
        let two = ConfigLayer {
            text: "[optimizer]\nupdates = 6",
            origin: "b",
        };
        let config = parse(&[one, two], &[]).unwrap();
        assert_eq!(
            (
                config.seed,
                config.optimizer.updates,
                config.optimizer.warmup
            ),
            (4, 6, 2)
        );
    }

    #[test]
    fn defaults_are_a_valid_run_and_survive_being_written_down() {
        let config = read_text("", &[]).unwrap();
        let text = toml::to_string(&*config).unwrap();
        assert_eq!(read_text(&text, &[]).unwrap(), config);
    }

    #[test]
    fn overrides_win_and_bare_words_are_strings() {
        let words = [
            "optimizer.updates=7",
            "model.encoder=patch",
            "environment.max_steps = 9",
        ];
        let config = read_text("[optimizer]\nupdates = 5", &words).unwrap();
        assert_eq!(config.optimizer.updates, 7);
        assert_eq!(
            config.model.encoder,
            tellapart_model::encoder::EncoderKind::Patch
        );
        assert_eq!(config.environment.max_steps, 9);
    }

    #[test]
    fn unknown_keys_name_the_nearest_known_one() {
        let text = error("[optimizer]\nlearning_rat = 1.0", &[]);
        assert!(text.contains("`optimizer.learning_rat`"), "{text}");
        assert!(
            text.contains("did you mean `optimizer.learning_rate`"),
            "{text}"
        );
        let text = error("", &["optimiser.updates=3"]);
        assert!(text.contains("`optimizer.updates`"), "{text}");
        let text = error("", &["updates=3"]);
        assert!(text.contains("`optimizer.updates`"), "{text}");
    }

    #[test]
    fn renamed_keys_name_the_present_one() {
        let known = known_keys();
        for (old, name) in RENAMED {
            assert!(known.iter().any(|key| key == name), "{name}");
            assert!(!known.iter().any(|key| key == old), "{old}");
            let text = error("", &[&format!("{old}=1")]);
            assert!(text.contains(&format!("is called `{name}`")), "{text}");
        }
    }

    #[test]
    fn impossible_values_say_what_would_do() {
        assert_eq!(
            error("", &["optimizer.updates=0"]),
            "`optimizer.updates` is 0; expected at least 1"
        );
        assert!(error("", &["optimizer.updates=many"]).contains("optimizer.updates=many"));
        assert!(error("", &["loss.latent_noise=nan"]).contains("loss.latent_noise"));
        assert!(error("", &["nonsense"]).contains("key.path=value"));
        assert!(error("[model", &[]).contains("run.toml"));
        assert!(error("", &["environment.target=99"]).contains("target"));
    }
}
