//! Every constant of the counting world, and the check that they make one.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::Shape;
use crate::{ActionSpace, EnvError, Ways, error::require};

/// Every constant of the counting world; the defaults are the paper's setting.
///
/// Unknown keys are rejected when read, missing ones take their default.
/// [`validate`](Self::validate) turns them into the checked form that a world is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The greatest number of objects, at least 1; the least is 0. Default: 8.
    pub max_count: u8,
    /// The count that the value rewards, at most `max_count`. Default: 4.
    pub target: u8,
    /// The auxiliary function `p` of the current observation. Default: sparse.
    pub value: Value,
    /// The form of the actions, one of [`Options::ACTIONS`]. Default: `continuous-2`.
    pub actions: ActionSpace,
    /// The count every episode begins with, at most `max_count`; if absent, uniform in
    /// `0..=max_count`. Default: absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_count: Option<u8>,
    /// After how many steps (actions) an episode is cut off, at least 1: it shows at most one
    /// observation more than that. Default: 4.
    pub max_steps: u32,
    /// Whether a step that leads to `target` ends the episode. Beginning at the target does not.
    /// Default: true.
    pub end_at_target: bool,
    /// The shapes an episode chooses from, uniformly; at least one, none twice. Default: all four.
    pub shapes: Vec<Shape>,
    /// The least value of each colour channel, which is drawn uniformly. Default: 30.
    pub color_min: u8,
    /// The greatest value of each colour channel, inclusive. Default: 225.
    pub color_max: u8,
    /// Height and width of the image in pixels, from `2 * radius + 1` to 1024. Default: 64.
    pub image_side: u32,
    /// Objects fill a box of `2 * radius + 1` pixels; centres keep `radius` pixels from every edge.
    /// At most 127. Default: 3.
    pub radius: u32,
    /// The least distance in pixels between two centres. Default: 7.
    pub min_distance: u32,
    /// How many positions are tried for an object, at least 1; if all are too near to an earlier
    /// object, the last one stays. Default: 50.
    pub placement_tries: u32,
}

/// The auxiliary function of the current count `k`, for the target `n`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Value {
    /// 1 if `k = n`, otherwise 0.
    Sparse,
    /// `1 - |k - n| / max_count`, and 1 more if `k = n`.
    Dense,
}

impl Default for Options {
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

/// [`Options`] that make a world. Reads like them; can only be had from [`Options::validate`].
#[derive(Debug, Clone, PartialEq)]
pub struct ValidOptions(Options);

impl Deref for ValidOptions {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.0
    }
}

impl Options {
    /// The spaces of two actions (remove, add) and of three (remove, no-op, add).
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

    /// `p` of an observation that shows `count` objects.
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
