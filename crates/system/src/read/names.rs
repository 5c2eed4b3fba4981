//! Numbers the names of actions by first occurrence.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Numbers of names. Lookup is fastest if names recur in the same order again and again.
#[derive(Default)]
pub(super) struct Names {
    ids: HashMap<Vec<u8>, u32, RandomState>,
    names: Vec<Vec<u8>>,
    /// Latest spelling of each name, with the text around it.
    spellings: Vec<Vec<u8>>,
    /// Name that followed each name the last time.
    after: Vec<u32>,
    latest: u32,
}

pub(super) struct Guess {
    pub(super) id: u32,
    /// Length in bytes of the name and the text around it.
    pub(super) length: usize,
}

impl Names {
    /// Returns the name that is likely to come next, if the text continues with its latest
    /// spelling.
    #[inline]
    pub(super) fn guess(&self, text: &[u8]) -> Option<Guess> {
        let id = *self.after.get(self.latest as usize)?;
        let spelling = &self.spellings[id as usize];
        let is_right = !spelling.is_empty() && text.starts_with(spelling);
        let length = spelling.len();
        is_right.then_some(Guess { id, length })
    }

    /// Notes that a guess was right.
    #[inline]
    pub(super) fn took(&mut self, guess: &Guess) {
        self.latest = guess.id;
    }

    /// Notes how a name was spelled, with the text around it.
    pub(super) fn spell(&mut self, id: u32, spelling: &[u8]) {
        let known = &mut self.spellings[id as usize];
        if known != spelling {
            known.clear();
            known.extend_from_slice(spelling);
        }
    }

    /// Returns the number of a known name, trying the one that followed the latest name before.
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

    /// Returns the number of a known name, regardless of the order of names.
    pub(super) fn find(&self, name: &[u8]) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// Numbers a new name. There are fewer names than lines, which 32 bits count.
    pub(super) fn insert(&mut self, name: &[u8]) -> u32 {
        let id = self.names.len() as u32;
        self.ids.insert(name.to_vec(), id);
        self.names.push(name.to_vec());
        self.spellings.push(Vec::new());
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

    /// Returns all names by number; they must be valid UTF-8.
    pub(super) fn into_strings(self) -> Vec<String> {
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        self.names.into_iter().map(text).collect()
    }
}
