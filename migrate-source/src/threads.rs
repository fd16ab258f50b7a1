//! Spreads work over all cores, because a build waits for it and runs it unoptimised.

use std::num::NonZero;
use std::thread::{self, Builder};

/// The results of `work` for each of `items`, in order. Each thread gets at least `least` items;
/// this thread does the work of threads that cannot be started.
pub(crate) fn map<'t, T: Sync, R: Send>(
    items: &'t [T],
    least: usize,
    work: impl Fn(&'t T) -> R + Sync,
) -> Vec<R> {
    let all = |share: &'t [T]| share.iter().map(&work).collect::<Vec<R>>();
    if items.len() <= least {
        return all(items);
    }
    let size = items.len().div_ceil(cores()).max(least);
    let all = &all;
    thread::scope(|scope| {
        let start = |share| (share, thread().spawn_scoped(scope, move || all(share)).ok());
        let threads: Vec<_> = items.chunks(size).map(start).collect();
        let threads = threads.into_iter();
        let result = |(share, thread): (_, Option<thread::ScopedJoinHandle<'_, _>>)| {
            thread.and_then(|thread| thread.join().ok()).unwrap_or_else(|| all(share))
        };
        threads.flat_map(result).collect()
    })
}

/// A thread that is not started yet.
pub(crate) fn thread() -> Builder {
    Builder::new().name("migrate-build".to_owned())
}

/// How many threads can run at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
