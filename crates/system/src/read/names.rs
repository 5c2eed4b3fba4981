//! Names of actions, numbered by first occurrence.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Finds the number of a name quickest if names come round in the same order again and again.
#[derive(Default)]
pub(super) struct Names {
    ids: HashMap<Vec<u8>, u32, RandomState>,
    names: Vec<Vec<u8>>,
    /// For each name, which one came after it the last time.
    after: Vec<u32>,
    latest: u32,
}

impl Names {
    /// The number of a name that is known.
    #[inline]
    pub(super) fn get(&mut self, name: &[u8]) -> Option<u32> {
        let guess = *self.after.get(self.latest as usize)?;
        if self.names[guess as usize] == name {
            self.latest = guess;
            return Some(guess);
        }
        let id = *self.ids.get(name)?;
        self.after[self.latest as usize] = id;
        self.latest = id;
        Some(id)
    }

    /// Numbers a name that is not known yet. There are fewer than lines, which 32 bits count.
    pub(super) fn insert(&mut self, name: &[u8]) -> u32 {
        let id = self.names.len() as u32;
        self.ids.insert(name.to_vec(), id);
        self.names.push(name.to_vec());
        self.after.push(0);
        if let Some(after) = self.after.get_mut(self.latest as usize) {
            *after = id;
        }
        self.latest = id;
        id
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// All names by number; they must have been valid UTF-8.
    pub(super) fn into_strings(self) -> Vec<String> {
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        self.names.into_iter().map(text).collect()
    }
}
