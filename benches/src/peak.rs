//! The most memory the process held.

use tellapart_train::memory;

/// Forgets the peak, as far as the system does that; the peak now, in MiB.
pub(crate) fn reset() -> u64 {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    memory::peak_mib().unwrap_or(0)
}
