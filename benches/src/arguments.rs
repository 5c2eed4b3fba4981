//! Parses the options of a benchmark, `--name number` pairs.

use std::collections::BTreeMap;

/// Options of the command line. The benchmark that knows an option takes it out, once.
pub(crate) struct Arguments(BTreeMap<String, usize>);

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut given = BTreeMap::new();
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or(format!("expected --NAME N, found {word:?}"))?;
            let number = words.next().ok_or(format!("--{name} needs a number"))?;
            let number = number
                .parse()
                .map_err(|_| format!("--{name} {number:?}: not a number"))?;
            given.insert(name.to_owned(), number);
        }
        Ok(Self(given))
    }

    /// Takes an option whose value must be at least 1.
    pub(crate) fn take(&mut self, name: &str, default: usize) -> Result<usize, String> {
        match self.0.remove(name) {
            Some(0) => Err(format!("--{name} must be at least 1")),
            given => Ok(given.unwrap_or(default)),
        }
    }

    /// Takes an option that is on (1) or off (0).
    pub(crate) fn switch(&mut self, name: &str, default: bool) -> Result<bool, String> {
        match self.0.remove(name) {
            None => Ok(default),
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            Some(_) => Err(format!("--{name} must be 0 or 1")),
        }
    }

    /// Fails if an option is left. Call it after taking every known option.
    pub(crate) fn finish(self) -> Result<(), String> {
        match self.0.keys().next() {
            Some(unknown) => Err(format!("there is no option --{unknown}")),
            None => Ok(()),
        }
    }
}
