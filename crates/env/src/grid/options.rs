//! Options of the gridworld and their validation.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::map::Map;
use crate::{EnvError, error::require, tint::FLOORS};

/// Options of the gridworld.
///
/// Unknown keys are errors, and missing keys take their defaults. [`Options::validate`] checks the
/// values and returns the form that a world is built from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Rows of the grid from the top, all of one length, at most 64 cells each way: `.` is floor,
    /// `#` wall, `G` a goal, on which the agent can stand. At least one goal is needed; everything
    /// outside is wall. Default: [`Options::FOUR_ROOMS`].
    pub layout: Vec<String>,
    /// Number of cells that the agent sees in each direction, at most 64. The image shows
    /// `2 * view_radius + 1` cells each way, with the agent's cell in the middle. Default: 1.
    pub view_radius: u32,
    /// Height and width of a cell in pixels, at least 1; the image has at most 1024 pixels each
    /// way. Every encoder but `mlp` needs at least 16 each way. Default: 8, an image of 24 pixels.
    pub cell_side: u32,
    /// Whether goals are drawn. If not, they look like floor, and the image does not even show the
    /// value. Default: true.
    pub goal_visible: bool,
    /// Whether there is a fifth action, which stays in place. Default: false.
    pub stay: bool,
    /// Number of floor colors, from 1 to 8, one of which each episode draws uniformly. More than 1
    /// makes a nuisance that lasts for an episode. Default: 4.
    pub tints: u8,
    /// Largest amount, up to 127, by which each byte of the image is off in either direction. It is
    /// drawn uniformly at every step: a nuisance that lasts for a step. Default: 0.
    pub noise: u8,
    /// Number of steps (actions) after which an episode is cut off, at least 1. An episode shows at
    /// most one observation more. Default: 20.
    pub max_steps: u32,
    /// Whether a step that leads to a goal ends the episode. Beginning at a goal does not end it.
    /// Default: true.
    pub end_at_goal: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            layout: Self::FOUR_ROOMS.map(str::to_owned).to_vec(),
            view_radius: 1,
            cell_side: 8,
            goal_visible: true,
            stay: false,
            tints: 4,
            noise: 0,
            max_steps: 20,
            end_at_goal: true,
        }
    }
}

/// Checked [`Options`] of a gridworld, read through `Deref`. Only [`Options::validate`] makes them.
#[derive(Debug, Clone, PartialEq)]
pub struct ValidOptions {
    options: Options,
    pub(super) map: Map,
}

impl Deref for ValidOptions {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.options
    }
}

impl ValidOptions {
    /// Returns the options with episodes that only end after `max_steps` steps.
    #[must_use]
    pub fn endless(mut self, max_steps: u32) -> Self {
        self.options.end_at_goal = false;
        self.options.max_steps = max_steps.max(1);
        self
    }
}

impl Options {
    /// Returns options of which none is absent, so that they list all keys.
    pub(crate) fn every() -> Self {
        Self::default()
    }

    /// Four rooms joined by four doors, with the goal in the last corner (after Sutton, Precup and
    /// Singh, "Between MDPs and semi-MDPs", 1999). It has 40 cells, no two of them bisimilar. The
    /// default view cannot tell 22 of them from some other cell.
    pub const FOUR_ROOMS: [&str; 7] = [
        "...#...", //
        "...#...", ".......", "##.#.##", ".......", "...#...", "...#..G",
    ];

    /// Checks every option.
    ///
    /// # Errors
    /// [`EnvError::BadOption`] names the first option that does not fit, and what would.
    pub fn validate(self) -> Result<ValidOptions, EnvError> {
        let radius = self.view_radius;
        require("view_radius", radius, radius <= 64, "at most 64 cells")?;
        let most = 1024 / (2 * radius + 1);
        let expected = format!("1 to {most} pixels, so that the image has at most 1024 each way");
        let fits = (1..=most).contains(&self.cell_side);
        require("cell_side", self.cell_side, fits, expected)?;
        let tints = 1..=FLOORS.len() as u8;
        let expected = format!("1 to {}", tints.end());
        require("tints", self.tints, tints.contains(&self.tints), expected)?;
        require("noise", self.noise, self.noise <= 127, "at most 127")?;
        let steps = self.max_steps;
        require("max_steps", steps, steps >= 1, "at least 1")?;
        let map = Map::new(&self)?;
        Ok(ValidOptions { options: self, map })
    }

    /// Returns the height and width of the image in cells.
    pub(super) fn view_side(&self) -> usize {
        2 * self.view_radius as usize + 1
    }
}
