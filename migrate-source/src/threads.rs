//! Spreads work over all cores, because a build waits for it and runs it unoptimised.

use std::num::NonZero;
use std::thread::{self, Builder, Scope, ScopedJoinHandle};

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
    let mut shares: Vec<(&'t [T], Option<Vec<R>>)> =
        items.chunks(size).map(|share| (share, None)).collect();
    let works = shares.iter_mut().map(|(share, results)| {
        let all = &all;
        Box::new(move || *results = Some(all(share))) as Work<'_>
    });
    run(None, works.collect());
    let results = |(share, results): (_, Option<_>)| results.unwrap_or_else(|| all(share));
    shares.into_iter().flat_map(results).collect()
}

/// What a thread does. It is always this type, because the code of a thread is compiled again for each.
pub(crate) type Work<'t> = Box<dyn FnOnce() + Send + 't>;

/// Does these works at once, each in a thread with so much stack. One is not done, or only in part, if its thread
/// cannot be started, or panics.
pub(crate) fn run(stack: Option<usize>, works: Vec<Work<'_>>) {
    thread::scope(|scope| {
        let threads: Vec<_> = works.into_iter().map(|work| start(scope, stack, work)).collect();
        // Joined here, a thread that panicked is no panic of the scope.
        threads.into_iter().flatten().for_each(|thread| drop(thread.join()));
    });
}

fn start<'s>(
    scope: &'s Scope<'s, '_>,
    stack: Option<usize>,
    work: Work<'s>,
) -> Option<ScopedJoinHandle<'s, ()>> {
    let thread = Builder::new().name("migrate-build".to_owned());
    let thread = match stack {
        Some(stack) => thread.stack_size(stack),
        None => thread,
    };
    thread.spawn_scoped(scope, work).ok()
}

/// How many threads can run at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}
