//! Handles Ctrl-C. A second one always ends the program at once.

use std::sync::Arc;
#[cfg(feature = "train")]
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crate::program::failure::Failure;
use crate::program::terminal::Terminal;

/// Time in which work may end by itself before it is ended: the rest of a second is for leaving.
const GRACE: Duration = Duration::from_millis(800);

/// Installs the handler of commands that keep checkpoints, and returns the flag that Ctrl-C sets:
/// the wish for a checkpoint and an orderly end.
#[cfg(feature = "train")]
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

/// Installs the handler of commands that keep nothing: they end within a second.
///
/// Long computations ask the progress bar whether to stop. Reading, compressing and writing a file
/// do not, nor do the decompositions of a linear algebra library. If one of these takes longer than
/// the grace, the program is ended in the middle of it. Files are replaced whole, so that does no
/// harm to any.
pub(super) fn within_a_second(terminal: &Terminal) -> Result<(), Failure> {
    let interruption = Arc::clone(terminal.interruption());
    ctrlc::set_handler(move || {
        if interruption.ask() {
            std::process::exit(130);
        }
        let interruption = Arc::clone(&interruption);
        // The handler has to return, or a second Ctrl-C would wait.
        thread::spawn(move || {
            thread::sleep(GRACE);
            interruption.end();
        });
    })
    .map_err(Failure::failed)
}
