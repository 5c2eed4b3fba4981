//! Handles Ctrl-C: the first one asks for a checkpoint and an orderly end, the second one ends at
//! once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Installs the handler and returns the flag that Ctrl-C sets.
pub(super) fn on_interrupt() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    })
    .map_err(Failure::failed)?;
    Ok(stop)
}
