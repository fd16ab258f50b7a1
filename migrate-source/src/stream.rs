//! Work on all cores whose results are used while it goes on, on large stacks.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use crate::threads::{Work, cores, run};

/// What `end` makes of the results of `work` for each of `items`. It takes them in order in a thread of its own,
/// while others, which take `share` items at once, do the work. All have `stack` bytes of stack. A result is the
/// default if its thread could not be started or panicked; `None` if that is so of the thread of `end`.
pub(crate) fn stream<T: Sync, R: Default + Send, E: Send>(
    items: &[T],
    share: usize,
    stack: usize,
    work: impl Fn(&T) -> R + Sync,
    end: impl FnOnce(&mut dyn Iterator<Item = R>) -> E + Send,
) -> Option<E> {
    let with_channel = |share| {
        let (sender, receiver) = sync_channel(1);
        ((share, sender), (share, receiver))
    };
    let (shares, results): (Vec<_>, Vec<_>) = items.chunks(share).map(with_channel).unzip();
    let count = shares.len().min(cores());
    // Only the workers own the senders: if there are no workers, the channels are closed.
    let shares = Arc::new(Mutex::new(shares.into_iter()));
    let mut ended = None;
    let slot = &mut ended;
    let worker = |_| {
        let (shares, work) = (Arc::clone(&shares), &work);
        Box::new(move || do_shares(&shares, work)) as Work<'_>
    };
    let mut works: Vec<Work<'_>> = (0..count).map(worker).collect();
    drop(shares);
    let done = |(share, receiver): (&[T], Receiver<Vec<R>>)| {
        let none = |_| share.iter().map(|_| R::default()).collect();
        receiver.recv().unwrap_or_else(none)
    };
    works.push(Box::new(move || *slot = Some(end(&mut results.into_iter().flat_map(done)))));
    run(Some(stack), works);
    ended
}

/// The shares of items that no thread has taken yet, each with where its results go.
type Shares<'t, T, R> = std::vec::IntoIter<(&'t [T], SyncSender<Vec<R>>)>;

/// Does the work of one share after another, until there is none.
fn do_shares<T, R>(shares: &Mutex<Shares<'_, T, R>>, work: impl Fn(&T) -> R) {
    let next = || shares.lock().ok()?.next();
    while let Some((share, results)) = next() {
        // Fails if the results are not needed.
        drop(results.send(share.iter().map(&work).collect()));
    }
}

/// The result of `work` on a stack of this size; `None` if it panics, or if its thread could not be started.
#[cfg(any(feature = "command-line", test))]
pub(crate) fn on_stack<R: Send>(stack: usize, work: impl FnOnce() -> R + Send) -> Option<R> {
    let mut result = None;
    let slot = &mut result;
    run(Some(stack), vec![Box::new(move || *slot = Some(work()))]);
    result
}

#[cfg(test)]
mod tests {
    use super::{on_stack, stream};

    /// The results for 100 numbers, of which some make the work panic.
    fn doubled(share: usize, panics: impl Fn(u32) -> bool + Sync) -> Vec<u32> {
        let numbers: Vec<u32> = (1..=100).collect();
        let work = |number: &u32| {
            assert!(!panics(*number), "this is part of a test");
            number * 2
        };
        stream(&numbers, share, 1 << 20, work, |results| results.collect()).unwrap()
    }

    #[test]
    fn results_come_in_order() {
        let expected: Vec<u32> = (1..=100).map(|number| number * 2).collect();
        for share in [1, 7, 99, 100, 101] {
            assert_eq!(doubled(share, |_| false), expected, "{share} at once");
        }
    }

    #[test]
    fn a_share_that_panics_has_default_results() {
        let results = doubled(10, |number| number == 15);
        assert_eq!(results[..10], [2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
        assert_eq!(results[10..20], [0; 10]);
        // Each thread panics, and nobody is left for the others.
        assert_eq!(doubled(1, |_| true), [0; 100]);
    }

    #[test]
    fn the_end_can_stop_early_or_panic() {
        let first = stream(&[1, 2, 3], 1, 1 << 20, |number| *number, |all| all.next());
        assert_eq!(first, Some(Some(1)));
        let none = stream(&[1], 1, 1 << 20, |number| *number, |_| -> u32 { panic!("a test") });
        assert_eq!(none, None);
        assert_eq!(on_stack(1 << 20, || -> u32 { panic!("a test") }), None);
        assert_eq!(stream(&[0_u32; 0], 1, 1 << 20, |one| *one, |all| all.count()), Some(0));
    }
}
