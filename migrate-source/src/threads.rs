//! Has work done in as many threads as the machine runs at once.
//! Items and what is to be done with them go in; what came of it comes out, in order.
//! A build waits for nothing else, and nothing optimises what it runs.

use std::num::NonZero;
use std::thread::{self, Builder};

/// What the standard library gives to a thread.
const STACK: usize = 2 << 20;

/// What comes of `work` for each of `items`, in order. Threads have `least` items or more, and what none
/// was granted for is done in this one.
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

/// Does `work` for each share of `items`, of `least` or more, in a thread with a stack of so many
/// bytes. `None` came of a share where no thread was granted, or where it panicked.
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
