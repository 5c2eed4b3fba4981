//! Plain tables, such as one row for each seed.

use maud::{Markup, html};

use crate::elements::{self, column_heads, scrolling};
use crate::text::{MISSING, number, percent};

/// Table whose rows differ in one thing, such as the seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Sentence that says what a row is.
    pub caption: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// Rows, with a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// Cell of a [`Table`]. A value that does not exist is an en dash.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// Name.
    Text(String),
    /// Whole number.
    Count(Option<u64>),
    /// Measured number.
    Number(Option<f64>),
    /// Share in `[0, 1]`, shown as a percentage.
    Share(Option<f64>),
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Count(count) => count.map_or(MISSING.to_owned(), |count| count.to_string()),
            Self::Number(value) => number(*value),
            Self::Share(share) => percent(*share),
        }
    }
}

/// Returns a section that consists of one table.
pub(crate) fn section(id: &str, title: &str, table: &Table) -> Markup {
    let rows = html! {
        table.measures.seeds {
            caption { (table.caption) }
            thead { tr { (column_heads(&table.columns)) } }
            tbody {
                @for row in &table.rows {
                    tr {
                        @for (column, cell) in row.iter().enumerate() {
                            @if column == 0 { th scope="row" { (cell.shown()) } }
                            @else { td { (cell.shown()) } }
                        }
                    }
                }
            }
        }
    };
    elements::section(id, title, scrolling(title, rows))
}
