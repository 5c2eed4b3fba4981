//! Fuzzes the reader of embeddings in safetensors: any bytes are latents of the shape that they
//! claim, or an error.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use tellapart::embedding_file::{EmbeddingError, EmbeddingFile, Pool};

fuzz_target!(|bytes: &[u8]| {
    let read = |array: Option<&str>, pool| {
        EmbeddingFile::from_safetensors_bytes(Path::new("fuzz.safetensors"), bytes, array, pool)
    };
    let names = match read(None, None) {
        Err(EmbeddingError::Choose { present, .. }) => present.into_iter().map(Some).collect(),
        Err(EmbeddingError::Safetensors { .. }) => return,
        _ => vec![None],
    };
    for name in names.iter().take(8) {
        for pool in [
            None,
            Some(Pool::Mean),
            Some(Pool::Flatten),
            Some(Pool::First),
        ] {
            let Ok(file) = read(name.as_deref(), pool) else {
                continue;
            };
            assert_eq!(file.note().is_some(), pool.is_some());
            if let Ok(embeddings) = file.embeddings() {
                assert_eq!(embeddings.rows(), file.rows());
                assert_eq!(embeddings.values().len(), file.rows() * file.width());
                let _ = embeddings.distance(0, file.rows() - 1);
            }
        }
    }
});
