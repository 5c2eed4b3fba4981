//! Describes the tensors of a `.safetensors` file.

use std::path::Path;

use safetensors::{SafeTensorError, SafeTensors};
use tellapart_files::FileBytes;

use super::{ArrayRecord, InspectError};

/// Describes the tensors of a file, by name. Values are not looked at.
///
/// The file is mapped where that is safe; elsewhere it is read as a whole.
pub(super) fn tensors(path: &Path) -> Result<Vec<ArrayRecord>, InspectError> {
    let bytes = FileBytes::open(path)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| InspectError::Safetensors {
        path: path.to_owned(),
        problem: in_plain_words(&error),
    })?;
    let mut records: Vec<ArrayRecord> = tensors
        .iter()
        .map(|(name, tensor)| {
            let dtype = format!("{:?}", tensor.dtype());
            ArrayRecord::unread(name.to_owned(), dtype, tensor.shape().to_vec())
        })
        .collect();
    records.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(records)
}

/// What is wrong, and what to do where that is known.
fn in_plain_words(error: &SafeTensorError) -> String {
    match error {
        SafeTensorError::HeaderTooSmall | SafeTensorError::InvalidHeaderLength => {
            "it ends within its header; write it again".to_owned()
        }
        SafeTensorError::HeaderTooLarge => "its header is beyond the format's limit".to_owned(),
        SafeTensorError::MetadataIncompleteBuffer => {
            "its tensors do not fill the file: it was cut off, or something follows; write it again"
                .to_owned()
        }
        other => other.to_string(),
    }
}
