//! Keeps the code of a run in this crate: the code of an `async fn` is generated where its future is
//! awaited, so without boxes the service compiles all of a run, each time that it is built. That takes
//! 9 s of a release build on two cores; with boxes it takes half, once, in this crate.
//!
//! A future that several places await is boxed where it is made: otherwise each part of this crate that
//! awaits it has a copy of its code.

use std::future::Future;
use std::pin::Pin;

/// A future behind a pointer.
pub type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// Puts `future` behind a pointer.
pub(crate) fn boxed<'f, T>(future: impl Future<Output = T> + Send + 'f) -> Boxed<'f, T> {
    Box::pin(future)
}
