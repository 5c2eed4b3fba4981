//! The wish to stop, as long loops ask for it.

use std::convert::Infallible;

use tellapart_progress::{Progress, Stopped};

/// Number of items that a loop handles between two questions: some milliseconds of work.
pub(crate) const BETWEEN_CHECKS: usize = 1 << 16;

/// Answer to whether work should go on.
///
/// Loops are written once for all kinds. Work that nobody can stop has an error without values, so
/// its result needs no handling, and asking costs nothing.
pub(crate) trait Stop: Sync {
    /// Error of work that ended early.
    type Error: Send;

    fn check(&self) -> Result<(), Self::Error>;
}

/// Never stops.
pub(crate) struct Never;

impl Stop for Never {
    type Error = Infallible;

    #[inline]
    fn check(&self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl Stop for &dyn Progress {
    type Error = Stopped;

    fn check(&self) -> Result<(), Stopped> {
        Progress::check(*self)
    }
}

/// Returns the result of work with [`Never`].
pub(crate) fn always<T>(result: Result<T, Infallible>) -> T {
    match result {
        Ok(value) => value,
        Err(never) => match never {},
    }
}
