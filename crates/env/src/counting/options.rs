//! Options of the counting world and their validation.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::{ActionSpace, EnvError, Ways, error::require};

/// Options of the counting world. The defaults are the paper's setting.
///
/// Unknown keys are errors, and missing keys take their defaults. [`Options::validate`] checks the
/// values and returns the form that a world is built from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Largest number of objects, at least 1. The smallest is 0.
    pub max_count: u8,
    /// Count that the value rewards, at most `max_count`.
    pub target: u8,
    /// Auxiliary function p of the current observation.
    pub value: Value,
    /// Form of the actions: `continuous-2` or `one-hot-2` (remove, add), `continuous-3` or
    /// `one-hot-3` (remove, no-op, add).
    pub actions: ActionSpace,
    /// Count that every episode begins with, at most `max_count`. If absent, it is drawn uniformly
    /// from 0 to `max_count`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_count: Option<u8>,
    /// Number of steps (actions) after which an episode is cut off, at least 1. An episode shows at
    /// most one observation more.
    pub max_steps: u32,
    /// Whether a step that leads to `target` ends the episode. Beginning at `target` does not end
    /// it.
    pub end_at_target: bool,
    /// Shapes, one of which each episode draws uniformly: `circle`, `square`, `triangle`, `line`.
    /// At least one, none twice.
    pub shapes: Vec<Shape>,
    /// Smallest value of each color channel, at most `color_max`. Channels are drawn uniformly,
    /// once per episode.
    pub color_min: u8,
    /// Largest value of each color channel, inclusive.
    pub color_max: u8,
    /// Height and width of the image in pixels, from `2 * radius + 1` to 1024.
    pub image_side: u32,
    /// Radius of an object in pixels, at most 127. An object fills a box of `2 * radius + 1`
    /// pixels, and its center stays `radius` pixels away from every edge.
    pub radius: u32,
    /// Smallest distance between two centers in pixels, as long as `placement_tries` suffice.
    pub min_distance: u32,
    /// Number of positions tried for each object, at least 1. If all are too near to earlier
    /// objects, the last one stays.
    pub placement_tries: u32,
}

/// Auxiliary function of the current count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// 1 if the count equals `target`, otherwise 0.
    Sparse,
    /// `1 - |count - target| / max_count`, plus 1 if the count equals `target`.
    Dense,
}

impl Default for Options {
    /// Returns the paper's setting: counts from 0 to 8 with target 4, a sparse value, two
    /// continuous actions, episodes of at most 4 steps, and images of 64 pixels.
    fn default() -> Self {
        Self {
            max_count: 8,
            target: 4,
            value: Value::Sparse,
            actions: ActionSpace::Continuous { ways: Ways::Two },
            start_count: None,
            max_steps: 4,
            end_at_target: true,
            shapes: Shape::ALL.to_vec(),
            color_min: 30,
            color_max: 225,
            image_side: 64,
            radius: 3,
            min_distance: 7,
            placement_tries: 50,
        }
    }
}

/// Checked [`Options`] of a counting world, read through `Deref`. Only [`Options::validate`] makes
/// them.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidOptions(Options);

impl Deref for ValidOptions {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.0
    }
}

impl ValidOptions {
    /// Returns the options with episodes that only end after `max_steps` steps.
    #[must_use]
    pub fn endless(mut self, max_steps: u32) -> Self {
        self.0.end_at_target = false;
        self.0.max_steps = max_steps.max(1);
        self
    }
}

impl Options {
    /// Returns options of which none is absent, so that they list all keys.
    pub(crate) fn every() -> Self {
        Self {
            start_count: Some(0),
            ..Self::default()
        }
    }

    /// The action spaces of two actions (remove, add) and of three (remove, no-op, add).
    pub const ACTIONS: [ActionSpace; 4] = [
        ActionSpace::Continuous { ways: Ways::Two },
        ActionSpace::Continuous { ways: Ways::Three },
        ActionSpace::one_hot(2),
        ActionSpace::one_hot(3),
    ];

    /// Checks every option.
    ///
    /// # Errors
    /// [`EnvError::BadOption`] names the first option that does not fit, and what would.
    pub fn validate(self) -> Result<ValidOptions, EnvError> {
        let most = self.max_count;
        require("max_count", most, most >= 1, "at least 1")?;
        require(
            "target",
            self.target,
            self.target <= most,
            format!("at most max_count = {most}"),
        )?;
        let expected = format!(
            "one of {}",
            Self::ACTIONS.map(|space| space.to_string()).join(", ")
        );
        let is_ours = Self::ACTIONS.contains(&self.actions);
        require("actions", self.actions, is_ours, expected)?;
        if let Some(start) = self.start_count {
            let expected = format!("at most max_count = {most}, or absent for a random one");
            require("start_count", start, start <= most, expected)?;
        }
        require(
            "max_steps",
            self.max_steps,
            self.max_steps >= 1,
            "at least 1",
        )?;
        let shapes_differ =
            (1..self.shapes.len()).all(|i| !self.shapes[..i].contains(&self.shapes[i]));
        let shapes = format!("{:?}", self.shapes);
        require(
            "shapes",
            &shapes,
            !self.shapes.is_empty(),
            "at least one shape",
        )?;
        require("shapes", &shapes, shapes_differ, "no shape twice")?;
        let expected = format!("at most color_max = {}", self.color_max);
        require(
            "color_min",
            self.color_min,
            self.color_min <= self.color_max,
            expected,
        )?;
        require(
            "radius",
            self.radius,
            self.radius <= 127,
            "at most 127 pixels",
        )?;
        let box_side = 2 * self.radius + 1;
        let expected = format!("{box_side} (2 * radius + 1) to 1024 pixels");
        let fits = (box_side..=1024).contains(&self.image_side);
        require("image_side", self.image_side, fits, expected)?;
        let tries = self.placement_tries;
        require("placement_tries", tries, tries >= 1, "at least 1")?;
        Ok(ValidOptions(self))
    }

    /// Returns p of an observation that shows `count` objects.
    pub fn value_of(&self, count: u8) -> f32 {
        let at_target = f32::from(u8::from(count == self.target));
        match self.value {
            Value::Sparse => at_target,
            Value::Dense => {
                let distance = f32::from(count.abs_diff(self.target));
                1.0 - distance / f32::from(self.max_count) + at_target
            }
        }
    }
}
