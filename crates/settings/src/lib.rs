//! Settings as TOML tables: texts laid over one another, `key.path=value` words of a command line,
//! and the nearest known key to a wrong one.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use tellapart_settings::{Settings, Keys};
//!
//! #[derive(Default, Serialize, Deserialize)]
//! #[serde(default)]
//! struct Options { steps: u32, shapes: Vec<String> }
//!
//! let keys = Keys::of([&Options { steps: 1, shapes: vec!["a".to_owned()] }]);
//! let mut settings = Settings::<Options>::new(&keys);
//! settings.word("shapes=line,circle")?;
//! assert_eq!(settings.finish()?.shapes, ["line", "circle"]);
//!
//! let error = Settings::<Options>::new(&keys).word("step=3").unwrap_err();
//! assert!(error.to_string().contains("did you mean `steps`?"));
//! # Ok::<(), tellapart_settings::SettingError>(())
//! ```

mod error;
mod keys;
mod values;

use std::marker::PhantomData;

use serde::{Serialize, de::DeserializeOwned};
use toml::{Table, Value};

pub use error::SettingError;
pub use keys::{Choice, Keys};
pub use values::{differences, words_of};

/// Settings that become a `T`, under construction. Types are checked after each layer and word, so
/// that an error names the one that caused it.
#[derive(Debug, Clone)]
pub struct Settings<'a, T> {
    keys: &'a Keys,
    table: Table,
    made: PhantomData<T>,
}

impl<'a, T: DeserializeOwned> Settings<'a, T> {
    /// Begins with nothing but the default of every choice among tables.
    pub fn new(keys: &'a Keys) -> Self {
        let mut table = Table::new();
        for choice in &keys.choices {
            let path = format!("{}{}", choice.prefix(), choice.tag);
            values::insert(&mut table, &path, Value::String(choice.default.to_owned()));
        }
        Self {
            keys,
            table,
            made: PhantomData,
        }
    }

    /// Begins with all values of `base`. Later layers and words change some of them.
    pub fn over(keys: &'a Keys, base: &T) -> Self
    where
        T: Serialize,
    {
        Self {
            keys,
            table: Table::try_from(base).unwrap_or_default(),
            made: PhantomData,
        }
    }

    /// Lays a TOML text over what there is. `origin` names it in errors.
    ///
    /// # Errors
    /// Text that is not TOML, an unknown key, or a value of the wrong type.
    pub fn layer(&mut self, text: &str, origin: &str) -> Result<(), SettingError> {
        let layer = text
            .parse()
            .map_err(|error: toml::de::Error| SettingError::malformed(origin, &error))?;
        self.lay(layer, origin)
    }

    /// Applies one word of a command line, `key.path=value`. Values are TOML, or the bare words
    /// that a shell leaves; a list may be given with commas alone.
    ///
    /// # Errors
    /// A word of another form, an unknown key, or a value of the wrong type.
    pub fn word(&mut self, word: &str) -> Result<(), SettingError> {
        let (key, text) = word
            .split_once('=')
            .ok_or_else(|| SettingError::NotASetting {
                word: word.to_owned(),
            })?;
        let (key, mut one) = (key.trim(), Table::new());
        let like = self.keys.known.get(key);
        values::insert(&mut one, key, values::parse(text.trim(), like));
        self.lay(one, word)
    }

    /// Returns the finished settings.
    ///
    /// # Errors
    /// A value of the wrong type.
    pub fn finish(self) -> Result<T, SettingError> {
        typed(self.table, "settings")
    }

    fn lay(&mut self, mut layer: Table, origin: &str) -> Result<(), SettingError> {
        let is_word = |choice: &Choice| choice.unfold(&mut layer);
        let words: Vec<bool> = self.keys.choices.iter().map(is_word).collect();
        self.keys.check(&layer, origin)?;
        for (choice, is_word) in self.keys.choices.iter().zip(words) {
            choice.make(&mut self.table, &layer, is_word);
        }
        values::merge(&mut self.table, layer);
        typed::<T>(self.table.clone(), origin).map(drop)
    }
}

fn typed<T: DeserializeOwned>(table: Table, origin: &str) -> Result<T, SettingError> {
    table
        .try_into()
        .map_err(|error| SettingError::malformed(origin, &error))
}

#[cfg(test)]
mod tests;
