//! Peak memory of the process.

use tellapart_train::memory;

/// Resets the peak where the system supports it, and returns the peak after that, in MiB.
pub(crate) fn reset() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    memory::peak_mib().unwrap_or(0)
}
