//! Options of the torus and their validation.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::Function;
use crate::{EnvError, error::require, tint::FLOORS};

/// Options of the torus.
///
/// Unknown keys are errors, and missing keys take their defaults. [`Options::validate`] checks the
/// values and returns the form that a world is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Number of positions along each axis, from 2 to 64. Default: 12.
    pub side: u32,
    /// Value of a position: `constant`, `x-even`, `chequer`, `column`, `diagonal`, `lattice`,
    /// `two-goals` or `goal`. Default: `goal`.
    pub p: Function,
    /// Height and width of the image in pixels, a multiple of `side`, at most 1024. Default: 24.
    pub image_side: u32,
    /// Number of background colors, from 1 to 8, one of which each episode draws uniformly. More
    /// than 1 makes a nuisance that lasts for an episode. Default: 4.
    pub tints: u8,
    /// Largest amount, up to 127, by which each byte of the image is off in either direction. It is
    /// drawn uniformly at every step: a nuisance that lasts for a step. Default: 0.
    pub noise: u8,
    /// Number of steps (actions) after which an episode is cut off, at least 1. Default: 20.
    pub max_steps: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            side: 12,
            p: Function::Goal,
            image_side: 24,
            tints: 4,
            noise: 0,
            max_steps: 20,
        }
    }
}

/// Checked [`Options`] of a torus, read through `Deref`. Only [`Options::validate`] makes them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidOptions(Options);

impl Deref for ValidOptions {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.0
    }
}

impl Options {
    /// Returns options of which none is absent, so that they list all keys.
    pub(crate) fn every() -> Self {
        Self::default()
    }

    /// Checks every option.
    ///
    /// # Errors
    /// [`EnvError::BadOption`] names the first option that does not fit, and what would.
    pub fn validate(self) -> Result<ValidOptions, EnvError> {
        let side = self.side;
        require("side", side, (2..=64).contains(&side), "2 to 64 positions")?;
        let image = self.image_side;
        let fits = image >= side && image <= 1024 && image.is_multiple_of(side);
        let expected = format!("a multiple of side = {side}, at most 1024 pixels");
        require("image_side", image, fits, expected)?;
        let tints = 1..=FLOORS.len() as u8;
        let expected = format!("1 to {}", tints.end());
        require("tints", self.tints, tints.contains(&self.tints), expected)?;
        require("noise", self.noise, self.noise <= 127, "at most 127")?;
        let steps = self.max_steps;
        require("max_steps", steps, steps >= 1, "at least 1")?;
        Ok(ValidOptions(self))
    }
}

impl ValidOptions {
    /// Returns the options with episodes that only end after `max_steps` steps.
    #[must_use]
    pub fn endless(mut self, max_steps: u32) -> Self {
        self.0.max_steps = max_steps.max(1);
        self
    }
}
