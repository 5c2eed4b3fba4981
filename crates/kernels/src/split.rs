//! Work divided among threads without changing what is computed.

use std::ops::Range;

/// Cuts `0..items` into `parts` contiguous ranges of nearly equal length, some empty if there are
/// fewer items than parts.
pub(crate) fn ranges(items: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = parts.max(1);
    (0..parts).map(move |part| part * items / parts..(part + 1) * items / parts)
}

/// Calls `work(range, chunk)` for ranges that cover `0..items`, on up to `threads` threads; `chunk`
/// is the part of `out` of the items in `range`, `out.len() / items` elements for each item.
pub(crate) fn over_items(
    items: usize,
    threads: usize,
    out: &mut [f32],
    work: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    if items == 0 {
        return;
    }
    let item_len = out.len() / items;
    let threads = threads.clamp(1, items);
    let mut rest = out;
    let mut jobs = Vec::with_capacity(threads);
    for range in ranges(items, threads) {
        let (chunk, tail) = rest.split_at_mut(range.len() * item_len);
        rest = tail;
        jobs.push((range, chunk));
    }
    over_jobs(jobs, threads, |(range, chunk)| work(range, chunk));
}

/// Does every job once, on up to `threads` threads, of which the calling one is the last.
pub(crate) fn over_jobs<J: Send>(jobs: Vec<J>, threads: usize, work: impl Fn(J) + Sync) {
    over_jobs_with(jobs, threads, || (), |(), job| work(job));
}

/// The same, each thread with a workspace of its own.
pub(crate) fn over_jobs_with<J: Send, W>(
    mut jobs: Vec<J>,
    threads: usize,
    workspace: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, J) + Sync,
) {
    let threads = threads.clamp(1, jobs.len().max(1));
    let share_of = |share: Vec<J>| {
        let mut own = workspace();
        share.into_iter().for_each(|job| work(&mut own, job));
    };
    let share_of = &share_of;
    std::thread::scope(|scope| {
        for thread in (1..threads).rev() {
            let share = jobs.split_off(jobs.len() * thread / (thread + 1));
            scope.spawn(move || share_of(share));
        }
        share_of(jobs);
    });
}
