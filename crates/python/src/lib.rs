//! The native module `tellapart._tellapart`. It is private: `python/tellapart` wraps it, with
//! documentation and types. Whatever fails has the sentence of the library.

mod arrays;
mod errors;
mod recording;
mod report;
mod system;
mod work;
mod worlds;

/// What the Python package is made of.
#[pyo3::pymodule]
mod _tellapart {
    use std::ffi::OsString;

    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::errors::{DataError, StochasticTransition};
    #[pymodule_export]
    use crate::recording::{Evidence, Recording};
    #[pymodule_export]
    use crate::report::AuditReport;
    #[pymodule_export]
    use crate::system::{Bisimulation, System};
    #[pymodule_export]
    use crate::worlds::Worlds;

    /// Runs the program with these arguments, the first of which is its name.
    #[pyfunction]
    fn run_program(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
        py.detach(|| tellapart::program::run(arguments))
    }

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
