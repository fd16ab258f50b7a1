//! Sends messages and counts them; rolls back if a future is dropped before its end.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};

use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow};

use super::message::{Message, Part};
use super::pooler;
use crate::boxed::{Boxed, boxed};

/// How a message ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many of its parts completed.
    pub(crate) completed: usize,
    /// What stopped it.
    pub(crate) failure: Option<Failure>,
}

/// What stopped a message.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The part that failed; `None` if the connection broke before or after all of them.
    pub(crate) part: Option<Part>,
    /// The byte within the part's statement that the server points at.
    pub(crate) offset: Option<usize>,
    /// The error itself.
    pub(crate) error: Error,
}

/// Called for every completed part, with the last row that it returned.
pub(crate) type OnPart<'o> = &'o mut (dyn FnMut(Part, Option<SimpleQueryRow>) + Send);

/// A run's connection, and how many messages were sent over it.
#[derive(Debug)]
pub(crate) struct Wire<'c> {
    pub(crate) client: &'c Client,
    /// An atomic, because a hook's future that borrows it has to be `Send`.
    sent: AtomicU32,
}

impl<'c> Wire<'c> {
    pub(crate) fn new(client: &'c Client) -> Self {
        Wire { client, sent: AtomicU32::new(0) }
    }

    /// How many messages were sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Sends `message` and calls `on` for every completed part.
    ///
    /// # Cancel safety
    /// If it is dropped, the server runs the message to its end or first error, and then the queued
    /// `ROLLBACK`, so that the connection is outside a transaction for its next user.
    pub(crate) async fn send(&self, message: &Message, on: OnPart<'_>) -> Outcome {
        self.count();
        let mut rollback = self.on_drop(vec!["ROLLBACK".to_owned()]);
        let mut completed = 0;
        let mut row = None;
        let result = exchange(self.client, message.text(), &mut || {}, &mut |item| match item {
            SimpleQueryMessage::Row(found) => row = Some(found),
            SimpleQueryMessage::CommandComplete(_) => {
                if let Some(part) = message.part(completed) {
                    on(part, row.take());
                }
                completed += 1;
            }
            _ => {}
        })
        .await;
        rollback.disarm();
        let failure = result.err().map(|error| {
            let blamed = message.blame(completed, &error);
            let (part, offset) = blamed.map_or((None, None), |(part, offset)| (Some(part), offset));
            Failure { part, offset, error }
        });
        Outcome { completed, failure }
    }

    /// Sends one statement; returns its last row.
    pub(crate) async fn last_row(&self, sql: &str) -> Result<Option<SimpleQueryRow>, Error> {
        self.count();
        query(self.client, sql).await
    }

    /// Sends statements, calls `work` while the server works, and `on` for every row.
    pub(crate) async fn rows(
        &self,
        sql: &str,
        mut work: impl FnMut() + Send,
        on: impl FnMut(SimpleQueryRow) + Send,
    ) -> Result<(), Error> {
        self.count();
        rows_while(self.client, sql, &mut work, on).await
    }

    /// Ends the transaction that a message left open when the server refused part of it.
    pub(crate) async fn end_transaction(&self, error: &Error, completed: usize) {
        if completed > 0 && error.as_db_error().is_some() {
            // If this fails too, the connection is broken and its transaction gone; the first error
            // is the one to report.
            let _ = self.last_row("ROLLBACK").await;
        }
    }

    /// Queues `messages` if the returned value is dropped before it is disarmed.
    pub(crate) fn on_drop(&self, messages: Vec<String>) -> OnDrop<'c> {
        OnDrop { client: self.client, messages }
    }

    /// The server process that was named at start-up, without a message.
    pub(crate) async fn process(&self) -> Option<i32> {
        pooler::process(self.client).await
    }
}

/// Sends one or more statements; returns the last row. It is not counted, because it is not part of a run,
/// or looks for the cause of an error.
///
/// # Errors
/// That of the server or of the connection.
pub async fn query(client: &Client, sql: &str) -> Result<Option<SimpleQueryRow>, Error> {
    let mut last = None;
    rows(client, sql, |row| last = Some(row)).await?;
    Ok(last)
}

/// Sends one statement and calls `on` for every row. It is not counted either.
///
/// # Errors
/// That of the server or of the connection.
pub async fn rows(
    client: &Client,
    sql: &str,
    on: impl FnMut(SimpleQueryRow) + Send,
) -> Result<(), Error> {
    rows_while(client, sql, &mut || {}, on).await
}

async fn rows_while(
    client: &Client,
    sql: &str,
    work: &mut (dyn FnMut() + Send),
    mut on: impl FnMut(SimpleQueryRow) + Send,
) -> Result<(), Error> {
    exchange(client, sql, work, &mut |item| {
        if let SimpleQueryMessage::Row(row) = item {
            on(row);
        }
    })
    .await
}

/// Sends `text`, calls `work`, and calls `on` for every answer.
fn exchange<'x>(
    client: &'x Client,
    text: &'x str,
    work: &'x mut (dyn FnMut() + Send),
    on: &'x mut (dyn FnMut(SimpleQueryMessage) + Send),
) -> Boxed<'x, Result<(), Error>> {
    use futures_core::Stream as _;
    boxed(async move {
        let mut stream = pin!(client.simple_query_raw(text).await?);
        // On a single thread, the connection sends now.
        let mut yielded = false;
        poll_fn(|context| {
            if std::mem::replace(&mut yielded, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        work();
        while let Some(item) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            on(item?);
        }
        Ok(())
    })
}

/// Messages that are queued on the connection if a future is dropped before its end.
pub(crate) struct OnDrop<'c> {
    client: &'c Client,
    messages: Vec<String>,
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
        for sql in &self.messages {
            // The first poll passes the message to the connection's task; its answer is ignored.
            let mut send = pin!(self.client.batch_execute(sql));
            let mut context = Context::from_waker(Waker::noop());
            let _: Poll<Result<(), Error>> = send.as_mut().poll(&mut context);
        }
    }
}
