//! Every constant of the gridworld, and the check that they make one.

use std::ops::Deref;

use serde::{Deserialize, Serialize};

use super::{map::Map, paint::FLOORS};
use crate::{ActionSpace, EnvError, error::require};

/// Every constant of the gridworld.
///
/// Unknown keys are rejected when read, missing ones take their default.
/// [`validate`](Self::validate) turns them into the checked form that a world is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The rows of the grid from the top, all of one length: `.` floor, `#` wall, `G` goal (the
    /// agent can stand on it; at least one). At most 64 cells each way; outside is wall. Default:
    /// [`FOUR_ROOMS`](Self::FOUR_ROOMS).
    pub layout: Vec<String>,
    /// How many cells the agent sees each way: the image shows `2 * view_radius + 1` cells each way,
    /// the agent's own in the middle. At most 64. Default: 1.
    pub view_radius: u32,
    /// Height and width of a cell in pixels, at least 1; the image is at most 1024 pixels each way.
    /// (The encoders of `tellapart-model` need at least 16.) Default: 8, which makes 24 of them.
    pub cell_side: u32,
    /// Whether a goal is drawn; otherwise it looks like floor, and not even the value can be told
    /// from the image. Default: true.
    pub goal_visible: bool,
    /// Whether there is a fifth action, to stay. Default: false.
    pub stay: bool,
    /// From how many colours of the floor each episode draws one, uniformly: a nuisance that lasts
    /// for an episode. From 1 (no nuisance) to 8. Default: 4.
    pub tints: u8,
    /// By how much each byte of the image may be off, either way: uniform, and drawn anew at every
    /// step, a nuisance that lasts for a step. At most 127. Default: 0.
    pub noise: u8,
    /// After how many steps (actions) an episode is cut off, at least 1: it shows at most one
    /// observation more than that. Default: 20.
    pub max_steps: u32,
    /// Whether a step that leads to a goal ends the episode. Beginning at one does not. Default:
    /// true.
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

/// [`Options`] that make a world. Reads like them; can only be had from [`Options::validate`].
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

impl Options {
    /// Four rooms joined by four doors (after Sutton, Precup and Singh, "Between MDPs and
    /// semi-MDPs", 1999) with the goal in the last corner: 40 cells, no two bisimilar, of which the
    /// default view cannot tell 22 from some other.
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

    /// Height and width of the image in cells.
    pub(super) fn view_side(&self) -> usize {
        2 * self.view_radius as usize + 1
    }

    pub(super) fn action_space(&self) -> ActionSpace {
        ActionSpace::one_hot(4 + u32::from(self.stay))
    }
}
