//! Spreads work over all cores, because a build waits for it and runs it unoptimised.

use std::num::NonZero;
use std::thread::{self, Builder};

/// The default stack size of the standard library.
const STACK: usize = 2 << 20;

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
    let shares = shares(items, least, STACK, all).into_iter();
    shares.flat_map(|(share, done)| done.unwrap_or_else(|| all(share))).collect()
}

/// Does `work` for each share of at least `least` `items`, each in a thread with `stack` bytes of
/// stack. The result is `None` if the thread could not be started or panicked.
pub(crate) fn shares<'t, T: Sync, R: Send>(
    items: &'t [T],
    least: usize,
    stack: usize,
    work: impl Fn(&'t [T]) -> R + Sync,
) -> Vec<(&'t [T], Option<R>)> {
    let machine = thread::available_parallelism().map_or(1, NonZero::get);
    let size = items.len().div_ceil(machine).max(least);
    let work = &work;
    thread::scope(|scope| {
        let start = |share: &'t [T]| {
            let thread = Builder::new().name("migrate-build".to_owned()).stack_size(stack);
            (share, thread.spawn_scoped(scope, move || work(share)).ok())
        };
        let threads: Vec<_> = items.chunks(size).map(start).collect();
        let result = |(share, thread): (&'t [T], Option<thread::ScopedJoinHandle<'_, R>>)| {
            (share, thread.and_then(|thread| thread.join().ok()))
        };
        threads.into_iter().map(result).collect()
    })
}
