//! Numbers the rewards of a model by their exact values.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::exact::{Exact, NoNumber};

/// Distinct rewards: equal ids are equal numbers. 0 is the number 0.
pub(super) struct Numbers {
    by_text: HashMap<Vec<u8>, u32, RandomState>,
    by_value: HashMap<Exact, u32, RandomState>,
    /// Nearest `f64` of each, and its text.
    known: Vec<(f64, String)>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            by_text: HashMap::default(),
            by_value: HashMap::from_iter([(Exact::ZERO, 0)]),
            known: vec![(0.0, "0".to_owned())],
        }
    }
}

impl Numbers {
    /// Returns the id of the number that a word says. There are fewer numbers than lines, which 32
    /// bits count.
    pub(super) fn id(&mut self, word: &[u8]) -> Result<u32, NoNumber> {
        if let Some(&id) = self.by_text.get(word) {
            return Ok(id);
        }
        let (exact, value) = Exact::parse(word)?;
        let next = self.known.len() as u32;
        let id = *self.by_value.entry(exact).or_insert(next);
        if id == next {
            let text = String::from_utf8_lossy(word).into_owned();
            self.known.push((value, text));
        }
        self.by_text.insert(word.to_vec(), id);
        Ok(id)
    }

    pub(super) fn value(&self, id: u32) -> f64 {
        self.known[id as usize].0
    }

    pub(super) fn text(&self, id: u32) -> &str {
        &self.known[id as usize].1
    }

    /// Whether two of these numbers differ, and yet are the same `f64`.
    pub(super) fn collide(&self, ids: impl Iterator<Item = u32>) -> bool {
        let mut seen = HashMap::with_hasher(RandomState::default());
        // The value 0.0 is the only zero here: `Exact` knows no -0.
        let mut ids = ids.map(|id| (self.value(id).to_bits(), id));
        ids.any(|(bits, id)| *seen.entry(bits).or_insert(id) != id)
    }
}
