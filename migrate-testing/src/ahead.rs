//! A clone that is made before a test asks for it, while the test before it runs.
//! A template goes in; the clone comes out that was begun when a test last asked for one, or nothing.
//! It begins none on a server that it did not start, where the last one of a process would stay.
//!
//! A copy of 200 tables takes 15 ms, and 18 with a connection to it, a seventh of applying them: nearly
//! all of that the system spends on 630 files. A test whose clone was begun behind the one before waits
//! 0.1 ms, and 3 with a connection. Spares that processes share, for tests with a process each, would
//! need an owner and a claim each, and a process that ends begins none in time.

use std::collections::BTreeMap;
use std::ptr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::database::TestDatabase;
use super::ground::Ground;
use super::template::{Copied, Image};

/// How many spares a process has at most, whatever number of templates: each is some ten MB in memory.
const SPARES: usize = 8;

/// The thread that makes a spare clone, and what comes of it.
type Maker = JoinHandle<Option<TestDatabase>>;

/// The templates that tests of this process have asked for, with one spare each at most. What the end
/// of the process leaves of them goes as what killed tests leave, or with the server.
static MAKERS: Mutex<BTreeMap<String, Option<Maker>>> = Mutex::new(BTreeMap::new());

fn makers() -> MutexGuard<'static, BTreeMap<String, Option<Maker>>> {
    MAKERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The spare clone of this template, once it is finished; `None` where none was begun, it failed, or it
/// is on the server that the process used before.
pub(super) fn take(ground: &Ground, image: &Image) -> Option<TestDatabase> {
    let maker = makers().get_mut(image.name())?.take()?;
    let spare = maker.join().ok().flatten();
    spare.filter(|spare| ptr::eq(spare.server(), &raw const ground.server))
}

/// Begins the next clone, but not for the first test that asks: where each test has a process of its
/// own there is no second one.
pub(super) fn begin(ground: &Arc<Ground>, image: &Image) {
    let mut makers = makers();
    let is_full = makers.values().flatten().count() >= SPARES;
    let Some(maker) = makers.get_mut(image.name()) else {
        makers.insert(image.name().to_owned(), None);
        return;
    };
    if maker.is_none() && !is_full && ground.server.is_shared() {
        let (ground, image) = (Arc::clone(ground), image.clone());
        // Without a thread the next test makes its own, and tells what is wrong.
        *maker = thread::Builder::new().spawn(move || make(&ground, &image)).ok();
    }
}

fn make(ground: &Arc<Ground>, image: &Image) -> Option<TestDatabase> {
    let mut copied = Copied::Missing;
    let made = TestDatabase::made(ground, async |client, name| {
        copied = image.copy_to(client, name).await?;
        // Nobody uses the template by having a spare of it.
        image.unlock(client, "_shared").await
    });
    made.ok().filter(|_| copied == Copied::Yes)
}
