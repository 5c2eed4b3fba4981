//! Map of the gridworld: the cells where the agent can be, where actions lead, and what it sees.

use std::collections::HashMap;

use tellapart_system::{ActionId, StateId};

use super::Options;
use crate::{EnvError, moves::moved};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MapCell {
    Wall,
    Floor,
    Goal,
}

/// Grid whose states are the cells that are not walls, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    width: i16,
    height: i16,
    cells: Vec<MapCell>,
    /// State of every cell; `None` for a wall.
    states: Vec<Option<StateId>>,
    /// Position `[x, y]` of every state.
    positions: Vec<[i16; 2]>,
    /// Number of the view in every state, by first occurrence.
    views: Vec<u32>,
}

impl Map {
    /// Reads the layout, and finds which cells look alike in the view.
    pub(super) fn new(options: &Options) -> Result<Self, EnvError> {
        let rows = &options.layout;
        let sides = 1..=MOST_CELLS;
        if !sides.contains(&rows.len()) {
            let value = format!("of {} rows", rows.len());
            return Err(bad_layout(value, format!("1 to {MOST_CELLS} rows")));
        }
        let width = rows[0].chars().count();
        let mut cells = Vec::new();
        for (y, row) in rows.iter().enumerate() {
            let found = row.chars().count();
            if found != width || !sides.contains(&found) {
                let value = format!("{row:?} in row {y}, which has {found} cells");
                let expected = format!("rows of one length, of 1 to {MOST_CELLS} cells");
                return Err(bad_layout(value, expected));
            }
            for (x, letter) in row.chars().enumerate() {
                cells.push(match letter {
                    '#' => MapCell::Wall,
                    '.' => MapCell::Floor,
                    'G' => MapCell::Goal,
                    _ => {
                        let value = format!("{row:?} in row {y}, with {letter:?} in column {x}");
                        let expected = "only . (floor), # (wall) and G (goal)".to_owned();
                        return Err(bad_layout(value, expected));
                    }
                });
            }
        }
        if !cells.contains(&MapCell::Goal) {
            let value = rows.join(",");
            return Err(bad_layout(value, "at least one goal, G".to_owned()));
        }
        let mut map = Self {
            width: width as i16,
            height: rows.len() as i16,
            states: vec![None; cells.len()],
            cells,
            positions: Vec::new(),
            views: Vec::new(),
        };
        for y in 0..map.height {
            for x in 0..map.width {
                if map.cell([x, y]) != MapCell::Wall {
                    let index = map.index([x, y]);
                    map.states[index] = Some(StateId::from_index(map.positions.len()));
                    map.positions.push([x, y]);
                }
            }
        }
        map.views = map.numbered_views(options);
        Ok(map)
    }

    /// Returns the number of states, at least 1.
    pub(super) fn num_states(&self) -> usize {
        self.positions.len()
    }

    pub(super) fn position(&self, state: StateId) -> [i16; 2] {
        self.positions[state.index()]
    }

    /// Returns the number of the view in a state. States with equal numbers look alike up to
    /// nuisance.
    pub(super) fn view(&self, state: StateId) -> u32 {
        self.views[state.index()]
    }

    pub(super) fn is_goal(&self, state: StateId) -> bool {
        self.cell(self.position(state)) == MapCell::Goal
    }

    /// Returns the state that an action leads to. Walls are not entered.
    pub(super) fn successor(&self, state: StateId, action: ActionId) -> StateId {
        let next = moved(self.position(state), action);
        if self.cell(next) == MapCell::Wall {
            return state;
        }
        self.states[self.index(next)].unwrap_or(state)
    }

    /// Returns the cells that the agent sees, row by row.
    pub(super) fn view_cells(
        &self,
        options: &Options,
        state: StateId,
    ) -> impl Iterator<Item = MapCell> {
        let (radius, goal_visible) = (options.view_radius as i16, options.goal_visible);
        let [x, y] = self.position(state);
        let row = move |y| (x - radius..=x + radius).map(move |x| [x, y]);
        let seen = (y - radius..=y + radius).flat_map(row);
        seen.map(move |at| match self.cell(at) {
            MapCell::Goal if !goal_visible => MapCell::Floor,
            cell => cell,
        })
    }

    /// Returns the cell at `[x, y]`; outside the grid, a wall.
    fn cell(&self, at: [i16; 2]) -> MapCell {
        if (0..self.width).contains(&at[0]) && (0..self.height).contains(&at[1]) {
            self.cells[self.index(at)]
        } else {
            MapCell::Wall
        }
    }

    fn index(&self, [x, y]: [i16; 2]) -> usize {
        y as usize * self.width as usize + x as usize
    }

    fn numbered_views(&self, options: &Options) -> Vec<u32> {
        let mut numbers: HashMap<Vec<MapCell>, u32> = HashMap::new();
        (0..self.num_states())
            .map(StateId::from_index)
            .map(|state| {
                let next = numbers.len() as u32;
                let view = self.view_cells(options, state).collect();
                *numbers.entry(view).or_insert(next)
            })
            .collect()
    }
}

/// Largest number of cells each way.
const MOST_CELLS: usize = 64;

fn bad_layout(value: String, expected: String) -> EnvError {
    EnvError::BadOption {
        name: "layout",
        value,
        expected,
    }
}
