//! Maps the choices and actions of a PRISM file to columns of the table.

use crate::read::names::Names;

/// Columns of the table, in the order of their first occurrence.
#[derive(Default)]
pub(super) struct PrismActions {
    pub(super) columns: u32,
    names: Names,
    column_of_name: Vec<u32>,
    /// Column of each choice without an action; `u32::MAX` where none was seen.
    column_of_choice: Vec<u32>,
}

impl PrismActions {
    /// Guesses the next action: returns its column and the length of its ending, if `text` begins
    /// with the ending of an earlier line. `text` follows the state that the transition reaches; in
    /// a line with a choice the probability may be missing.
    #[inline]
    pub(super) fn guess(
        &mut self,
        choice: u32,
        has_choices: bool,
        text: &[u8],
    ) -> Option<(u32, usize)> {
        if text.starts_with(b" 1\n") {
            return Some((self.get(choice, b"")?, 3));
        }
        if has_choices && text.starts_with(b"\n") {
            return Some((self.get(choice, b"")?, 1));
        }
        let name = self.names.guess(text)?;
        self.names.took(&name);
        Some((*self.column_of_name.get(name.id as usize)?, name.length))
    }

    /// Notes the ending of a line with this action, after the state that the transition reaches.
    pub(super) fn spell(&mut self, action: &[u8], ending: &[u8]) {
        if let Some(name) = self.names.find(action) {
            self.names.spell(name, &[ending, b"\n"].concat());
        }
    }

    fn get(&mut self, choice: u32, action: &[u8]) -> Option<u32> {
        if action.is_empty() {
            let column = self.column_of_choice.get(choice as usize).copied();
            return column.filter(|&column| column != u32::MAX);
        }
        let name = self.names.get(action)?;
        self.column_of_name.get(name as usize).copied()
    }

    pub(super) fn number(&mut self, choice: u32, action: &[u8]) -> u32 {
        if let Some(column) = self.get(choice, action) {
            return column;
        }
        let column = self.columns;
        self.columns += 1;
        if action.is_empty() {
            let choice = choice as usize;
            if choice >= self.column_of_choice.len() {
                self.column_of_choice.resize(choice + 1, u32::MAX);
            }
            self.column_of_choice[choice] = column;
        } else {
            self.names.insert(action);
            self.column_of_name.push(column);
        }
        column
    }

    /// Returns the final order of the columns: choices without an action by number, then actions by
    /// occurrence.
    pub(super) fn order(&self) -> Vec<usize> {
        self.choices()
            .map(|(_, column)| column)
            .chain(self.column_of_name.iter().copied())
            .map(|column| column as usize)
            .collect()
    }

    fn choices(&self) -> impl Iterator<Item = (usize, u32)> {
        let seen = self.column_of_choice.iter().copied().enumerate();
        seen.filter(|&(_, column)| column != u32::MAX)
    }

    /// Returns the name of the action of a column, or as an error the number of its choice.
    pub(super) fn name(self, column: u32) -> Result<String, usize> {
        if let Some((choice, _)) = self.choices().find(|&(_, found)| found == column) {
            return Err(choice);
        }
        let name = self
            .column_of_name
            .iter()
            .position(|&found| found == column);
        let mut names = self.names.into_strings();
        Ok(names.swap_remove(name.unwrap_or_default()))
    }

    pub(super) fn into_names(self) -> Option<Vec<String>> {
        if self.column_of_name.is_empty() {
            return None;
        }
        let choices: Vec<String> = self
            .choices()
            .map(|(choice, _)| choice.to_string())
            .collect();
        Some([choices, self.names.into_strings()].concat())
    }
}
