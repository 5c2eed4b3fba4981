//! Map of the gridworld: the cells where the agent can be, where actions lead, and what it sees.

use std::collections::HashMap;

use super::Options;
use crate::{Action, EnvError};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MapCell {
    Wall,
    Floor,
    Goal,
}

/// Effect of an action. The ground truth and the world share it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Up,
    Down,
    Left,
    Right,
    Stay,
}

impl Act {
    /// All actions in the order of their ids; the last one exists only by option.
    pub(super) const ALL: [Self; 5] = [Self::Up, Self::Down, Self::Left, Self::Right, Self::Stay];

    pub(super) fn of(options: &Options, action: Action) -> Option<Self> {
        let id = options.action_space().index_of(action)?;
        Self::ALL.get(id.index()).copied()
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
            Self::Stay => "stay",
        }
    }

    /// Returns the step along x and y.
    fn delta(self) -> [i16; 2] {
        match self {
            Self::Up => [0, -1],
            Self::Down => [0, 1],
            Self::Left => [-1, 0],
            Self::Right => [1, 0],
            Self::Stay => [0, 0],
        }
    }
}

/// Grid whose states are the cells that are not walls, row by row.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Map {
    width: i16,
    height: i16,
    cells: Vec<MapCell>,
    /// State of every cell; `None` for a wall.
    states: Vec<Option<u32>>,
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
                    map.states[index] = Some(map.positions.len() as u32);
                    map.positions.push([x, y]);
                }
            }
        }
        map.views = map.numbered_views(options);
        Ok(map)
    }

    /// Returns the number of states, at least 1.
    pub(super) fn states(&self) -> u32 {
        self.positions.len() as u32
    }

    pub(super) fn position(&self, state: u32) -> [i16; 2] {
        self.positions[state as usize]
    }

    /// Returns the number of the view in a state. States with equal numbers look alike up to
    /// nuisance.
    pub(super) fn view(&self, state: u32) -> u32 {
        self.views[state as usize]
    }

    pub(super) fn is_goal(&self, state: u32) -> bool {
        self.cell(self.position(state)) == MapCell::Goal
    }

    /// Returns the state that an action leads to. Walls are not entered.
    pub(super) fn successor(&self, state: u32, act: Act) -> u32 {
        let next = moved(self.position(state), act.delta());
        if self.cell(next) == MapCell::Wall {
            return state;
        }
        self.states[self.index(next)].unwrap_or(state)
    }

    /// Returns the cells that the agent sees, row by row.
    pub(super) fn view_cells(
        &self,
        options: &Options,
        state: u32,
    ) -> impl Iterator<Item = MapCell> {
        let radius = options.view_radius as i16;
        let (center, goal_visible) = (self.position(state), options.goal_visible);
        let offsets = (-radius..=radius).flat_map(move |y| (-radius..=radius).map(move |x| [x, y]));
        offsets.map(move |offset| match self.cell(moved(center, offset)) {
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
        (0..self.states())
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

fn moved([x, y]: [i16; 2], [dx, dy]: [i16; 2]) -> [i16; 2] {
    [x + dx, y + dy]
}

fn bad_layout(value: String, expected: String) -> EnvError {
    EnvError::BadOption {
        name: "layout",
        value,
        expected,
    }
}
