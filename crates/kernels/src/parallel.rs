//! Division of work among the threads of the current rayon pool, which never changes the results.

use std::ops::Range;

use rayon::prelude::*;

use crate::memory::buffer::Buffer;

/// Operations (about a nanosecond for sixteen) that are worth waking another thread for.
const GRAIN: usize = 1 << 18;

/// Cuts `0..indices` into `parts` contiguous ranges of nearly equal length. Some are empty if there
/// are fewer indices than parts.
pub(crate) fn ranges(indices: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = parts.max(1);
    (0..parts).map(move |part| part * indices / parts..(part + 1) * indices / parts)
}

/// Calls `work(range, chunk)` for ranges that cover `0..indices`. `chunk` is the part of `out` that
/// belongs to `range`, `out.len() / indices` values for each index. `operations` is the total for
/// all indices.
pub(crate) fn over_ranges(
    indices: usize,
    operations: usize,
    out: &mut [f32],
    work: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    if indices == 0 {
        return;
    }
    let range_len = out.len() / indices;
    let parts = parts(indices, operations);
    let mut rest = out;
    let mut jobs = Vec::with_capacity(parts);
    for range in ranges(indices, parts) {
        let (chunk, tail) = rest.split_at_mut(range.len() * range_len);
        rest = tail;
        jobs.push((range, chunk));
    }
    over_jobs(jobs, |(range, chunk)| work(range, chunk));
}

/// Calls `work(range, apart, to)` for ranges that cover `0..columns`. Each range but the last
/// consists of whole groups of `group` columns.
///
/// `to` begins with the first column of the range, in a matrix whose rows are `apart` values apart.
/// It becomes that part of the rows of `out`. `operations` is the total for all columns.
pub(crate) fn over_columns(
    columns: usize,
    group: usize,
    operations: usize,
    out: &mut [f32],
    work: impl Fn(Range<usize>, usize, &mut [f32]) + Sync,
) {
    let groups = columns.div_ceil(group);
    let parts = parts(groups, operations);
    if parts < 2 {
        return work(0..columns, columns, out);
    }
    let rows = out.len() / columns;
    let range = |groups: Range<usize>| groups.start * group..columns.min(groups.end * group);
    let mut jobs: Vec<(Range<usize>, Buffer)> = ranges(groups, parts)
        .map(range)
        .map(|range| (range.clone(), Buffer::of_len(rows * range.len())))
        .collect();
    over_jobs(jobs.iter_mut().collect(), |(range, own)| {
        work(range.clone(), range.len(), own);
    });
    for (range, own) in &jobs {
        let rows = out.chunks_exact_mut(columns);
        for (to, from) in rows.zip(own.chunks_exact(range.len())) {
            to[range.clone()].copy_from_slice(from);
        }
    }
}

/// Returns the number of parts into which to cut `0..indices`.
fn parts(indices: usize, operations: usize) -> usize {
    threads().min(operations / GRAIN).clamp(1, indices.max(1))
}

/// Does every job once.
pub(crate) fn over_jobs<J: Send>(jobs: Vec<J>, work: impl Fn(J) + Sync) {
    over_jobs_with(jobs, || (), |(), job| work(job));
}

/// Does every job once; each thread has a workspace of its own.
pub(crate) fn over_jobs_with<J: Send, W>(
    mut jobs: Vec<J>,
    workspace: impl Fn() -> W + Sync,
    work: impl Fn(&mut W, J) + Sync,
) {
    let threads = threads().min(jobs.len());
    let share_of = |share: Vec<J>| {
        let mut own = workspace();
        share.into_iter().for_each(|job| work(&mut own, job));
    };
    if threads < 2 {
        return share_of(jobs);
    }
    let share_of = &share_of;
    rayon::scope(|scope| {
        for thread in (1..threads).rev() {
            let share = jobs.split_off(jobs.len() * thread / (thread + 1));
            scope.spawn(move |_| share_of(share));
        }
        share_of(jobs);
    });
}

/// Returns `make(index, thing)` for each of `things`, in their order.
pub(crate) fn made_of_each<T: Sync, R: Send>(
    things: &[T],
    make: impl Fn(usize, &T) -> R + Sync,
) -> Vec<R> {
    if threads() < 2 {
        let things = things.iter().enumerate();
        return things.map(|(index, thing)| make(index, thing)).collect();
    }
    let things = things.par_iter().enumerate();
    things.map(|(index, thing)| make(index, thing)).collect()
}

/// Number of threads to use. Miri checks the arithmetic on one: a pool would take most of its time.
fn threads() -> usize {
    if cfg!(miri) {
        1
    } else {
        rayon::current_num_threads()
    }
}
