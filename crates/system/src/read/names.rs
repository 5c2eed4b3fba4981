//! Names of actions, numbered by first occurrence.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Finds the number of a name quickest if names come round in the same order again and again.
#[derive(Default)]
pub(super) struct Names {
    ids: HashMap<Vec<u8>, u32, RandomState>,
    names: Vec<Vec<u8>>,
    /// How each name was written the last time, with what surrounds it.
    spellings: Vec<Vec<u8>>,
    /// For each name, which one came after it the last time.
    after: Vec<u32>,
    latest: u32,
}

pub(super) struct Guess {
    pub(super) id: u32,
    /// Of the name and what surrounds it, in bytes.
    pub(super) length: usize,
}

impl Names {
    /// The name that is likely to come next, if the text goes on as it was written the last time.
    #[inline]
    pub(super) fn guess(&self, text: &[u8]) -> Option<Guess> {
        let id = *self.after.get(self.latest as usize)?;
        let spelling = &self.spellings[id as usize];
        let is_right = !spelling.is_empty() && text.starts_with(spelling);
        let length = spelling.len();
        is_right.then_some(Guess { id, length })
    }

    /// Says that a guess was right.
    #[inline]
    pub(super) fn took(&mut self, guess: &Guess) {
        self.latest = guess.id;
    }

    /// Says how a name was written, with what surrounds it.
    pub(super) fn spell(&mut self, id: u32, spelling: &[u8]) {
        let known = &mut self.spellings[id as usize];
        if known != spelling {
            known.clear();
            known.extend_from_slice(spelling);
        }
    }

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

    /// As [`Names::get`], without regard to the order in which names come.
    pub(super) fn find(&self, name: &[u8]) -> Option<u32> {
        self.ids.get(name).copied()
    }

    /// Numbers a name that is not known yet. There are fewer than lines, which 32 bits count.
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

    /// All names by number; they must have been valid UTF-8.
    pub(super) fn into_strings(self) -> Vec<String> {
        let text = |name: Vec<u8>| String::from_utf8_lossy(&name).into_owned();
        self.names.into_iter().map(text).collect()
    }
}
