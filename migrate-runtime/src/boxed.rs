//! Keeps the code of a run in this crate.
//! The code of an `async fn` is generated where its future is awaited, so without a box all of a run
//! is compiled into the service, and again whenever the service is: 9 s of a release build on two
//! cores, of which the boxes at the joints of a run leave half, here, once.

use std::future::Future;
use std::pin::Pin;

/// A future whose code is behind a pointer.
pub(crate) type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// Puts `future` behind a pointer.
pub(crate) fn boxed<'f, T>(future: impl Future<Output = T> + Send + 'f) -> Boxed<'f, T> {
    Box::pin(future)
}
