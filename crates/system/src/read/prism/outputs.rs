//! Makes a machine of a table, labels and rewards.

use super::labels::StateLabels;
use super::numbers::Numbers;
use super::rewards::Rewards;
use super::transitions::PrismTable;
use crate::meaning::{Labels, OutputMeaning, Sets, Vectors};
use crate::outputs::DistinctRows;
use crate::{MooreMachine, StateId, SystemError};

/// Rewards of a model: structures with their names, and the numbers that their ids mean.
pub(super) struct Structures {
    pub(super) named: Vec<(String, Rewards)>,
    pub(super) numbers: Numbers,
}

/// Number for each state: a reward, or the reward of an action.
struct Column {
    name: String,
    /// Place in the rows of outputs.
    place: usize,
    /// Action that is rewarded; `None` for rewards of states.
    action: Option<u32>,
}

/// Places of the enabled actions and the labels in the rows of outputs; structures follow.
const ENABLED: usize = 0;
const LABELS: usize = 1;

/// Makes the machine, and returns the names of the columns of its output values.
pub(super) fn machine(
    table: PrismTable,
    labels: Option<StateLabels>,
    structures: Structures,
    max_values: u64,
) -> Result<(MooreMachine, Vec<String>), SystemError> {
    let PrismTable {
        completed, actions, ..
    } = table;
    let width = completed.next.len() / completed.enabled.len();
    let is_total = match &completed.sets.bounds[..] {
        [0, only] => *only == width,
        _ => false,
    };
    // `init` and `deadlock` alone say nothing about outputs.
    let (initial, labels) = match labels {
        Some(labels) if labels.names.is_empty() => (labels.initial, None),
        Some(labels) => (labels.initial, Some(labels)),
        None => (None, None),
    };

    let mut distinct = DistinctRows::new(LABELS + 1 + structures.named.len());
    let mut row = vec![0; distinct.width()];
    let mut output = completed.enabled;
    for (state, id) in output.iter_mut().enumerate() {
        row[ENABLED] = u64::from(id.get());
        row[LABELS] = u64::from(labels.as_ref().map_or(0, |labels| labels.set_of[state]));
        for (entry, (_, rewards)) in row[LABELS + 1..].iter_mut().zip(&structures.named) {
            *entry = match rewards {
                Rewards::States(rewards) => u64::from(rewards[state]),
                Rewards::Transitions { set_of, .. } => u64::from(set_of[state]),
            };
        }
        *id = distinct.id(&row);
    }
    let rows = Rows {
        width: distinct.width(),
        rows: distinct.into_rows(),
    };

    let names = Names {
        actions: actions.as_deref(),
    };
    let columns = columns(&structures, &names);
    let values = (rows.count() as u64).saturating_mul(columns.len() as u64);
    if values > max_values {
        return Err(SystemError::TooManyValues {
            outputs: rows.count(),
            columns: columns.len(),
            limit: max_values,
        });
    }
    let mut sets = labels
        .as_ref()
        .map(|labels| rows.select(LABELS, &labels.sets));
    let mut label_names = labels.map_or(Vec::new(), |labels| labels.names);
    let (exact, columns): (Vec<Column>, Vec<Column>) = columns
        .into_iter()
        .partition(|column| structures.collide(column, &rows));
    if !exact.is_empty() {
        let known = sets.take().unwrap_or_else(|| rows.nothing());
        sets = Some(structures.as_labels(&exact, &rows, known, &mut label_names));
    }
    let meaning = OutputMeaning {
        values: (!columns.is_empty()).then(|| Vectors {
            width: columns.len(),
            values: structures.values(&columns, &rows),
        }),
        enabled: (!is_total).then(|| rows.select(ENABLED, &completed.sets)),
        labels: sets.map(|sets| Labels {
            names: label_names,
            sets,
        }),
        tolerance: None,
    };
    let machine = MooreMachine::from_table(width, completed.next, output)?.with_meaning(meaning);
    let machine = match actions {
        Some(names) => machine.with_action_names(names)?,
        None => machine,
    };
    let machine = machine.with_initial(initial.unwrap_or(StateId::new(0)))?;
    Ok((
        machine,
        columns.into_iter().map(|column| column.name).collect(),
    ))
}

/// What each output stands for.
struct Rows {
    width: usize,
    rows: Vec<u64>,
}

impl Rows {
    fn count(&self) -> usize {
        self.rows.len() / self.width
    }

    fn iter(&self, place: usize) -> impl Iterator<Item = usize> {
        let rows = self.rows.chunks_exact(self.width);
        rows.map(move |row| row[place] as usize)
    }

    /// Returns the set of each output whose number is at this place.
    fn select<T: Clone>(&self, place: usize, sets: &Sets<T>) -> Sets<T> {
        let mut selected = Sets::new();
        for number in self.iter(place) {
            let set = sets.get(number).unwrap_or_default();
            selected.push(set.iter().cloned());
        }
        selected
    }

    /// Returns an empty set for each output.
    fn nothing(&self) -> Sets<u32> {
        let mut sets = Sets::new();
        (0..self.count()).for_each(|_| sets.push([]));
        sets
    }
}

struct Names<'a> {
    actions: Option<&'a [String]>,
}

impl Names<'_> {
    fn action(&self, action: u32) -> String {
        let name = self.actions.and_then(|names| names.get(action as usize));
        name.map_or_else(|| action.to_string(), String::clone)
    }
}

/// Lists the columns of all structures: one for rewards of states, and one for each action that is
/// rewarded somewhere.
fn columns(structures: &Structures, names: &Names<'_>) -> Vec<Column> {
    let mut columns = Vec::new();
    for (index, (name, rewards)) in structures.named.iter().enumerate() {
        let place = LABELS + 1 + index;
        match rewards {
            Rewards::States(_) => columns.push(Column {
                name: name.clone(),
                place,
                action: None,
            }),
            Rewards::Transitions { sets, .. } => {
                let rewarded = sets.members.iter().map(|&[action, _]| action);
                let mut rewarded: Vec<u32> = rewarded.collect();
                rewarded.sort_unstable();
                rewarded.dedup();
                columns.extend(rewarded.into_iter().map(|action| Column {
                    name: format!("{name}({})", names.action(action)),
                    place,
                    action: Some(action),
                }));
            }
        }
    }
    columns
}

impl Structures {
    /// Returns the number of each output in this column.
    fn ids<'a>(&'a self, column: &'a Column, rows: &'a Rows) -> impl Iterator<Item = u32> + 'a {
        let (_, rewards) = &self.named[column.place - LABELS - 1];
        rows.iter(column.place).map(move |entry| match rewards {
            Rewards::States(_) => entry as u32,
            Rewards::Transitions { sets, .. } => {
                let set = sets.get(entry).unwrap_or_default();
                let found = set.binary_search_by_key(&column.action, |&[action, _]| Some(action));
                found.map_or(0, |found| set[found][1])
            }
        })
    }

    /// Whether the column has two different numbers that are the same `f64`.
    fn collide(&self, column: &Column, rows: &Rows) -> bool {
        self.numbers.collide(self.ids(column, rows))
    }

    /// Returns the values of the columns, one output after the other.
    fn values(&self, columns: &[Column], rows: &Rows) -> Vec<f64> {
        let mut values = vec![0.0; columns.len() * rows.count()];
        for (index, column) in columns.iter().enumerate() {
            for (output, id) in self.ids(column, rows).enumerate() {
                values[output * columns.len() + index] = self.numbers.value(id);
            }
        }
        values
    }

    /// Adds a label such as `time=1/3` for each number but 0 of these columns, so that outputs
    /// which no `f64` tells apart have different labels.
    fn as_labels(
        &self,
        columns: &[Column],
        rows: &Rows,
        known: Sets<u32>,
        names: &mut Vec<String>,
    ) -> Sets<u32> {
        let mut added = vec![Vec::new(); rows.count()];
        for column in columns {
            let mut label_of = std::collections::HashMap::new();
            for (output, id) in self.ids(column, rows).enumerate() {
                if id != 0 {
                    let label = *label_of.entry(id).or_insert_with(|| {
                        names.push(format!("{}={}", column.name, self.numbers.text(id)));
                        names.len() as u32 - 1
                    });
                    added[output].push(label);
                }
            }
        }
        let mut sets = Sets::new();
        for (output, mut added) in added.into_iter().enumerate() {
            // Later columns have higher numbers, and labels of the file lower ones.
            added.sort_unstable();
            let known = known.get(output).unwrap_or_default();
            sets.push(known.iter().copied().chain(added));
        }
        sets
    }
}
