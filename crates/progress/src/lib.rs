//! How far long work is, and whether it should stop.
//!
//! Libraries report to a [`Progress`] of the caller and ask it whether to go on. They print nothing
//! and catch no signals themselves.
//!
//! ```
//! use tellapart_progress::{Progress, Stopped};
//!
//! fn sum(numbers: &[u64], progress: &dyn Progress) -> Result<u64, Stopped> {
//!     let mut total = 0;
//!     for (done, part) in numbers.chunks(1 << 16).enumerate() {
//!         progress.check()?;
//!         progress.progress("summing", done as f64 * (1 << 16) as f64 / numbers.len() as f64);
//!         total += part.iter().sum::<u64>();
//!     }
//!     Ok(total)
//! }
//!
//! assert_eq!(sum(&[1, 2, 3], &()), Ok(6));
//! ```

/// Receiver of progress, and source of the wish to stop.
///
/// Both methods may be called from any thread, many times a second, and have to return at once.
pub trait Progress: Sync {
    /// Called when `fraction` (0 to 1) of the named stage is done. Stages follow one another.
    fn progress(&self, stage: &str, fraction: f64) {
        let _ = (stage, fraction);
    }

    /// Whether the work should end soon. Once true, it stays true.
    fn stopped(&self) -> bool {
        false
    }

    /// Returns an error if the work should end.
    ///
    /// # Errors
    /// [`Stopped`] if [`stopped`](Self::stopped) is true.
    fn check(&self) -> Result<(), Stopped> {
        if self.stopped() { Err(Stopped) } else { Ok(()) }
    }
}

/// Ignores progress and never stops.
impl Progress for () {}

/// Error of work that ended early because its [`Progress`] asked for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("stopped before the end, as was asked")]
pub struct Stopped;
