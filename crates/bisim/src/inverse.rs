//! Inverse transitions.

use crate::stop::{BETWEEN_CHECKS, Stop};

/// A transition into some state, seen from its target.
#[derive(Clone, Copy, Default)]
pub(crate) struct Incoming {
    pub(crate) source: u32,
    /// Place in the row of the source.
    pub(crate) place: u32,
}

/// The transitions into every state, as one flat table.
///
/// Every transition has exactly one entry. Missing transitions take neither room nor time.
pub(crate) struct Inverse {
    /// `incoming[bounds[target]..bounds[target + 1]]` lead to `target`.
    bounds: Vec<usize>,
    incoming: Vec<Incoming>,
    width: usize,
}

impl Inverse {
    /// Sorts the transitions by target (counting sort); `targets(source)` is the row of a source.
    pub(crate) fn new<I: Iterator<Item = u32>, S: Stop>(
        states: usize,
        targets: impl Fn(u32) -> I,
        stop: &S,
    ) -> Result<Self, S::Error> {
        let mut bounds = vec![0; states + 1];
        let starts = (0..states).step_by(BETWEEN_CHECKS);
        let chunk = |start: usize| start as u32..(start + BETWEEN_CHECKS).min(states) as u32;
        for start in starts.clone() {
            stop.check()?;
            for source in chunk(start) {
                for target in targets(source) {
                    bounds[target as usize] += 1;
                }
            }
        }
        // Each bound becomes the END of its group; filling backwards then turns it into the start.
        let mut total = 0;
        for bound in &mut bounds {
            total += *bound;
            *bound = total;
        }
        let mut incoming = vec![Incoming::default(); total];
        let mut width = 0;
        for start in starts.rev() {
            stop.check()?;
            for source in chunk(start).rev() {
                for (place, target) in (0..).zip(targets(source)) {
                    let at = &mut bounds[target as usize];
                    *at -= 1;
                    incoming[*at] = Incoming { source, place };
                    width = width.max(place as usize + 1);
                }
            }
        }
        Ok(Self {
            bounds,
            incoming,
            width,
        })
    }

    /// Returns the largest place plus one.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Returns the transitions into `target`.
    #[inline]
    pub(crate) fn incoming(&self, target: u32) -> &[Incoming] {
        let target = target as usize;
        &self.incoming[self.bounds[target]..self.bounds[target + 1]]
    }
}
