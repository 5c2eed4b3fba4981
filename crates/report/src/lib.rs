//! Figures and self-contained HTML pages from plain records.
//!
//! - [`render_html`] turns a [`Page`], which compares runs, into one HTML file without scripts.
//! - [`render_audit_html`] turns an [`AuditPage`] into one HTML file. Its script chooses which pair
//!   is shown.
//! - [`figures`] draws single figures as SVG or PNG files.
//!
//! The pages need no network and no fonts. They follow the reader's light or dark preference and
//! print in light.
//!
//! This crate knows the records of the audit and its own. It never sees a model, a trainer or a
//! file. Every text that comes in is escaped, and a number that does not exist is an en dash.

mod audit_page;
mod certificates;
mod color;
mod comparison;
mod elements;
mod error;
pub mod figures;
mod page;
mod svg;
mod table;
mod text;
mod words;

pub use audit_page::{AuditPage, Observed, Picture, PointColors, ShownRow, render_audit_html};
pub use error::ReportError;
pub use figures::{Chart, Point, Reconstructions, Scale, Scatter, Series};
pub use page::{ClassNames, Fact, Metric, Page, RunPage, render_html};
pub use table::{Cell, Table};
