//! Errors of settings, which name the word or text at fault and what would do.

/// Error of a text or word that does not make settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// A word that is not of the form `key=value`.
    #[error(
        "`{word}` is not of the form key=value, such as max_steps=10, or key.path=value, such as \
         optimizer.updates=600"
    )]
    NotASetting {
        /// The word.
        word: String,
    },
    /// There is no such key.
    #[error("{origin}: there is no key `{key}`{}", suggestion(.nearest.as_deref(), .known))]
    UnknownKey {
        /// The text or word.
        origin: String,
        /// Full path of the key.
        key: String,
        /// Nearest known key, if one is near enough.
        nearest: Option<String>,
        /// All known keys.
        known: Vec<String>,
    },
    /// A key has another name now.
    #[error(
        "{origin}: `{key}` is called `{name}` now (a run of an earlier version must be trained again)"
    )]
    RenamedKey {
        /// The text or word.
        origin: String,
        /// Full path of the key as it was.
        key: String,
        /// Full path of the key as it is.
        name: &'static str,
    },
    /// The text is not TOML, or a value has the wrong type.
    #[error("{origin}: {problem}")]
    Malformed {
        /// The text or word.
        origin: String,
        /// Description and place of the error.
        problem: String,
    },
}

impl SettingError {
    pub(crate) fn malformed(origin: &str, error: &toml::de::Error) -> Self {
        Self::Malformed {
            origin: origin.to_owned(),
            problem: in_plain_words(error.to_string().trim_end()),
        }
    }
}

/// Largest number of keys that are listed.
const LISTED: usize = 20;

fn suggestion(nearest: Option<&str>, known: &[String]) -> String {
    match nearest {
        Some(key) => format!("; did you mean `{key}`?"),
        None if known.len() <= LISTED => format!("; the keys are {}", known.join(", ")),
        None => String::new(),
    }
}

/// Replaces Rust types in a parser error by plain words.
fn in_plain_words(problem: &str) -> String {
    [
        ("expected u64", "expected a whole number, 0 or more"),
        ("expected u32", "expected a whole number, 0 or more"),
        ("expected u8", "expected a whole number from 0 to 255"),
        ("expected usize", "expected a whole number, 0 or more"),
        ("expected f64", "expected a number"),
        ("expected f32", "expected a number"),
        ("expected a boolean", "expected true or false"),
        ("expected a sequence", "expected a list such as [1, 2]"),
        ("unknown variant", "there is no choice"),
        ("unknown field", "there is no key"),
        ("\nin `", " in `"),
    ]
    .iter()
    .fold(problem.to_owned(), |text, (jargon, plain)| {
        text.replace(jargon, plain)
    })
}
