//! Makes the next test's clone in advance, while a test runs. It makes none on a server that it did
//! not start, where the last one of a process would remain.
//!
//! A copy of 200 tables takes 15 ms, and 18 with a connection to it, a seventh of applying them: nearly
//! all of it is the system's time for 630 files. A test whose clone was made in advance waits 0.1 ms,
//! and 3 with a connection. Spare clones shared by processes, for runners that start a process for each
//! test, would each need an owner and a claim, and a process that ends cannot make one in time.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::TestDatabase;
use super::pool::Pool;
use super::template::{Copied, Image};

/// The most spares of a process, for all templates together: each takes some 10 MB of memory.
const SPARES: usize = 8;

/// The thread that makes a spare clone, and its result.
type Maker = JoinHandle<Option<TestDatabase>>;

/// The templates that tests of this process have used, each with at most one spare. Spares that are
/// left when the process ends are removed like those of killed tests, or with the server.
static MAKERS: Mutex<BTreeMap<String, Option<Maker>>> = Mutex::new(BTreeMap::new());

fn makers() -> MutexGuard<'static, BTreeMap<String, Option<Maker>>> {
    MAKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Takes the spare clone of this template, and waits until it is finished; `None` if none was begun,
/// if it failed, or if it is on the server that the process used before.
pub(super) fn take(pool: &Pool, image: &Image) -> Option<TestDatabase> {
    let maker = makers().get_mut(image.name())?.take()?;
    let spare = maker.join().ok().flatten();
    spare.filter(|spare| ptr::eq(spare.server(), &raw const pool.server))
}

/// Begins the next clone, but not for the first test that uses a template: if each test runs in its
/// own process, no second one follows.
pub(super) fn begin(pool: &Arc<Pool>, image: &Image) {
    let mut makers = makers();
    let is_full = makers.values().flatten().count() >= SPARES;
    let Some(maker) = makers.get_mut(image.name()) else {
        makers.insert(image.name().to_owned(), None);
        return;
    };
    if maker.is_none() && !is_full && pool.server.is_shared() {
        let (pool, image) = (Arc::clone(pool), image.clone());
        // Without a thread the next test makes its own clone and reports the error.
        *maker = thread::Builder::new().spawn(move || make(&pool, &image)).ok();
    }
}

fn make(pool: &Arc<Pool>, image: &Image) -> Option<TestDatabase> {
    let mut copied = Copied::Missing;
    let made = TestDatabase::made(pool, async |client, name| {
        copied = image.copy_to(client, name).await?;
        // A spare does not count as a use of the template.
        image.unlock(client, "_shared").await
    });
    made.ok().filter(|_| copied == Copied::Yes)
}
