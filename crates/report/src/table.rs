use crate::page;
use crate::text::{MISSING, escape, number, percent};

/// Rows that differ in one thing, such as the seed, by the same few measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What a row is, in a sentence.
    pub caption: String,
    /// Names of the columns.
    pub columns: Vec<String>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// What stands in a table; what does not exist is an en dash.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Cell {
    /// A name.
    Text(String),
    /// How many.
    Count(Option<u64>),
    /// A measured number.
    Number(Option<f64>),
    /// A share in `[0, 1]`, shown as a percentage.
    Share(Option<f64>),
}

impl Cell {
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => escape(text),
            Self::Count(count) => count.map_or(MISSING.to_owned(), |count| count.to_string()),
            Self::Number(value) => number(*value),
            Self::Share(share) => percent(*share),
        }
    }
}

/// A section that is one table.
pub(crate) fn section(id: &str, title: &str, table: &Table) -> String {
    let head: String = table
        .columns
        .iter()
        .map(|name| format!("<th scope=\"col\">{}</th>", escape(name)))
        .collect();
    let rows: String = table
        .rows
        .iter()
        .map(|row| {
            let cells: String = row
                .iter()
                .enumerate()
                .map(|(column, cell)| match column {
                    0 => format!("<th scope=\"row\">{}</th>", cell.shown()),
                    _ => format!("<td>{}</td>", cell.shown()),
                })
                .collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    let body = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{title}\">\
         <table class=\"measures seeds\">\n<caption>{}</caption>\n<thead><tr>{head}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n",
        escape(&table.caption)
    );
    page::section(id, title, "", &body)
}
