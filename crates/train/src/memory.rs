//! Memory use of the process.

/// Returns the peak memory of this process in MiB, as the kernel accounts for it. `None` on systems
/// other than Linux, which do not report it.
pub fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1024)
}
