//! Queues messages on a connection if a future is dropped before its end.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};

use tokio_postgres::{Client, Error};

/// Messages that are queued on the connection if a future is dropped before its end.
#[derive(Debug)]
pub(crate) struct OnDrop<'c> {
    pub(super) client: &'c Client,
    /// Whether nothing more is queued on the connection.
    pub(super) is_abandoned: Arc<AtomicBool>,
    pub(super) messages: Vec<String>,
}

impl OnDrop<'_> {
    /// Replaces the messages.
    pub(crate) fn arm(&mut self, messages: Vec<String>) {
        self.messages = messages;
    }

    /// Removes the messages.
    pub(crate) fn disarm(&mut self) {
        self.messages.clear();
    }
}

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        if self.is_abandoned.load(Ordering::Relaxed) {
            return;
        }
        for sql in &self.messages {
            // The first poll passes the message to the connection's task; its answer is ignored.
            let mut send = pin!(self.client.batch_execute(sql));
            let mut context = Context::from_waker(Waker::noop());
            let _: Poll<Result<(), Error>> = send.as_mut().poll(&mut context);
        }
    }
}
