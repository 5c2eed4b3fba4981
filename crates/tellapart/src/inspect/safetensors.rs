//! The header of a `.safetensors` file: eight bytes of length, then names, types and shapes in JSON.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;
use tellapart_files::FileError;

use super::{ArrayRecord, InspectError};

/// The format's own limit for the header.
const MAX_HEADER_BYTES: u64 = 100_000_000;

/// Not a tensor, but free text about the file.
const METADATA: &str = "__metadata__";

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The tensors of a file of `bytes` bytes, by name; values are not read.
pub(super) fn tensors(path: &Path, bytes: u64) -> Result<Vec<ArrayRecord>, InspectError> {
    let damaged = |problem| InspectError::Safetensors {
        path: path.to_owned(),
        problem,
    };
    let fail = |source| FileError::from_io(path, source);
    let truncated = || damaged("it ends within its header; write it again".to_owned());

    let mut file = File::open(path).map_err(fail)?;
    let mut length = [0; 8];
    file.read_exact(&mut length).map_err(|_| truncated())?;
    let length = u64::from_le_bytes(length);
    if length > MAX_HEADER_BYTES {
        return Err(damaged(format!(
            "a header of {length} bytes is beyond the format's limit"
        )));
    }
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).map_err(fail)?;
    if (header.len() as u64) < length {
        return Err(truncated());
    }
    let entries: BTreeMap<String, Value> = serde_json::from_slice(&header)
        .map_err(|error| damaged(format!("its header is not a JSON object: {error}")))?;
    let mut records = Vec::new();
    let mut end = 0;
    for (name, entry) in entries.into_iter().filter(|(name, _)| name != METADATA) {
        let tensor: Tensor = serde_json::from_value(entry)
            .map_err(|error| damaged(format!("tensor `{name}`: {error}")))?;
        end = end.max(tensor.data_offsets.1);
        records.push(ArrayRecord::unread(name, tensor.dtype, tensor.shape));
    }
    let expected = end.saturating_add(8 + length);
    if bytes < expected {
        let problem =
            format!("{expected} bytes are promised, but there are {bytes}; write it again");
        return Err(damaged(problem));
    }
    Ok(records)
}
