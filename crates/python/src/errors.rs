//! Errors of the library as Python exceptions.

use std::fmt::Display;

use pyo3::PyErr;
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;

create_exception!(
    tellapart,
    DataError,
    PyValueError,
    "Data, files or options that cannot be used. The message says what, where, and what to do."
);
create_exception!(
    tellapart,
    StochasticTransition,
    DataError,
    "A transition with several outcomes, where only deterministic systems are supported."
);

/// Makes an exception of an error of the library.
pub(crate) fn data_error(error: impl Display) -> PyErr {
    DataError::new_err(error.to_string())
}
