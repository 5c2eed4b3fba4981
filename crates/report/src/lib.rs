//! Figures and self-contained pages from plain records.
//!
//! [`render_html`] turns a [`Page`] into one HTML file that needs nothing else: no network, no
//! fonts, no scripts. It follows the reader's light or dark preference and prints in light. The
//! same figures are to be had one by one, as SVG or PNG files, from [`figures`].
//!
//! [`render_audit_html`] does the same for an [`AuditPage`], with a script that chooses which pair is
//! shown.
//!
//! This crate knows the records of the audit and its own; it never sees a model, a trainer or a
//! file. Every text that comes in is escaped, and a number that does not exist is an en dash.

mod audit_page;
mod certificates;
mod colour;
mod comparison;
mod error;
pub mod figures;
mod page;
mod svg;
mod table;
mod text;
mod words;

pub use audit_page::{AuditPage, Observed, Picture, PointColours, ShownRow, render_audit_html};
pub use error::ReportError;
pub use figures::{Chart, Point, Reconstructions, Scale, Scatter, Series};
pub use page::{ClassNames, Fact, Metric, Page, RunPage, render_html};
pub use table::{Cell, Table};
