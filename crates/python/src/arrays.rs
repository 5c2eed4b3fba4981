//! Arrays of NumPy, of any type that the library knows.

use half::f16;
use numpy::{Element, PyArray1, PyArrayDyn, PyArrayMethods as _, PyUntypedArrayMethods as _};
use pyo3::prelude::*;
use tellapart::files::{Array, Values};

use crate::errors::data_error;

/// Copies an array; it must be contiguous and of the machine's byte order, as
/// `np.ascontiguousarray` makes it.
pub(crate) fn array(name: &str, object: &Bound<'_, PyAny>) -> PyResult<Array> {
    macro_rules! first_of {
        ($($type:ty => $variant:ident),*) => {
            $(if let Some((shape, values)) = copied::<$type>(object)? {
                return Ok(Array { shape, values: Values::$variant(values) });
            })*
        };
    }
    first_of!(
        f32 => F32, f64 => F64, u8 => U8, bool => Bool, i64 => I64, i32 => I32, u32 => U32,
        u64 => U64, i16 => I16, u16 => U16, i8 => I8, f16 => F16
    );
    let found = object.getattr("dtype").map(|dtype| dtype.to_string());
    let found = found.unwrap_or_else(|_| object.get_type().to_string());
    Err(data_error(format!(
        "{name}: an array of numbers or bools is expected, not of {found}"
    )))
}

/// Copies the shape and the values of an array of this type; `None` for another one.
fn copied<T: Element + Clone>(object: &Bound<'_, PyAny>) -> PyResult<Option<(Vec<usize>, Vec<T>)>> {
    let Ok(array) = object.cast::<PyArrayDyn<T>>() else {
        return Ok(None);
    };
    let values = array.try_readonly()?;
    let slice = values
        .as_slice()
        .map_err(|error| data_error(format!("{error}: use np.ascontiguousarray")))?;
    Ok(Some((array.shape().to_vec(), slice.to_vec())))
}

/// Copies values into an array of this shape.
pub(crate) fn to_numpy<'py>(
    py: Python<'py>,
    values: &Values,
    shape: Vec<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    match values {
        Values::Bool(values) => shaped(py, values, shape),
        Values::U8(values) => shaped(py, values, shape),
        Values::I8(values) => shaped(py, values, shape),
        Values::U16(values) => shaped(py, values, shape),
        Values::I16(values) => shaped(py, values, shape),
        Values::U32(values) => shaped(py, values, shape),
        Values::I32(values) => shaped(py, values, shape),
        Values::U64(values) => shaped(py, values, shape),
        Values::I64(values) => shaped(py, values, shape),
        Values::F16(values) => shaped(py, values, shape),
        Values::F32(values) => shaped(py, values, shape),
        Values::F64(values) => shaped(py, values, shape),
    }
}

/// Copies values into an array of this shape.
pub(crate) fn shaped<'py, T: Element + Clone>(
    py: Python<'py>,
    values: &[T],
    shape: Vec<usize>,
) -> PyResult<Bound<'py, PyAny>> {
    Ok(PyArray1::from_slice(py, values).reshape(shape)?.into_any())
}
