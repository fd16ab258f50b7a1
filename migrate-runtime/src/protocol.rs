//! Sends messages of several statements and says which statement an outcome belongs to.
//! Parts with their SQL go in; how far the server came, and the error that stopped it, come out.
//! It knows neither ledger nor plan on purpose: what a part means is `execute`'s business.

use std::future::{Future, poll_fn};
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use migrate_set::location::byte_of_character;
use tokio_postgres::error::{DbError, ErrorPosition};
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow};

use crate::boxed::{Boxed, boxed};

/// The SQLSTATE that the guard raises when another replica holds the lock.
pub(crate) const BUSY: &str = "MG001";
/// The SQLSTATE that the guard raises when the ledger is not what the plan was made for.
pub(crate) const MOVED: &str = "MG002";
/// The SQLSTATE that the guard raises when the run's lock, a row of the ledger, was taken over.
pub(crate) const LOST: &str = "MG003";
/// The SQLSTATE that the guard raises when the session reads strings otherwise than the build.
pub(crate) const ESCAPES: &str = "MG005";
/// The SQLSTATE that the guard raises when the run's deadline has passed.
pub(crate) const DEADLINE: &str = "MG004";

/// The SQLSTATE that is raised when a service's own code has ended the transaction it was given.
pub(crate) const ENDED: &str = "MG006";

/// Whether a SQLSTATE says that others were in the way: `lock_not_available`, `deadlock_detected`,
/// `serialization_failure`.
pub(crate) fn is_others_doing(sqlstate: &str) -> bool {
    matches!(sqlstate, "55P03" | "40P01" | "40001")
}

/// One message: parts, each one statement that the server answers with one `CommandComplete`.
#[derive(Debug)]
pub(crate) struct Message<P> {
    text: String,
    parts: Vec<(P, Range<usize>)>,
}

impl<P: Copy> Message<P> {
    pub(crate) fn new() -> Self {
        Message { text: String::new(), parts: Vec::new() }
    }

    /// Makes room for so many bytes: a message that grows by doubling takes up to twice its length.
    pub(crate) fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes);
    }

    /// Adds one statement, without its `;`.
    pub(crate) fn push(&mut self, part: P, sql: &str) {
        let start = self.text.len();
        self.text.push_str(sql);
        self.parts.push((part, start..self.text.len()));
        // The line feed ends a line comment that the statement may end with.
        self.text.push_str("\n;\n");
    }

    /// Adds a comment, which is no part.
    pub(crate) fn comment(&mut self, comment: &str) {
        self.text.push_str("/* ");
        self.text.push_str(comment);
        self.text.push_str(" */ ");
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The part that failed, and the byte within its statement that the server points at.
    ///
    /// The position wins over the count: a syntax error is found before the first statement runs.
    fn blame(&self, completed: usize, error: &Error) -> Option<(P, Option<usize>)> {
        let position = match error.as_db_error().and_then(DbError::position) {
            Some(ErrorPosition::Original(character)) => Some(*character as usize),
            _ => None,
        };
        if let Some(character) = position {
            let byte = byte_of_character(&self.text, character.saturating_sub(1));
            // Statements do not overlap and are in order; what lies between belongs to the first.
            let found = self.parts.iter().rev().find(|(_, range)| range.start <= byte);
            if let Some((part, range)) = found {
                return Some((*part, Some(byte.min(range.end) - range.start)));
            }
        }
        self.parts.get(completed).map(|(part, _)| (*part, None))
    }
}

/// How a message ended.
#[derive(Debug)]
pub(crate) struct Outcome<P> {
    /// How many of its parts completed.
    pub(crate) completed: usize,
    /// What stopped it.
    pub(crate) failure: Option<Failure<P>>,
}

/// What stopped a message.
#[derive(Debug)]
pub(crate) struct Failure<P> {
    /// The part that failed; `None` where the connection broke before or behind all of them.
    pub(crate) part: Option<P>,
    /// The byte within the part's statement that the server points at.
    pub(crate) offset: Option<usize>,
    /// The error itself.
    pub(crate) error: Error,
}

/// What is told of every completed part, with the last row it returned.
pub(crate) type OnPart<'o, P> = &'o mut (dyn FnMut(P, Option<SimpleQueryRow>) + Send);

/// Sends `message` and calls `on` for every completed part, with the last row it returned.
///
/// # Cancel safety
/// Dropped midway it leaves the message running to its end or its first error, and queues a
/// `ROLLBACK` behind it, so that the connection is outside a transaction for whoever uses it next.
pub(crate) async fn send<P: Copy + Sync>(
    client: &Client,
    message: &Message<P>,
    on: OnPart<'_, P>,
) -> Outcome<P> {
    let mut rollback = OnDrop::new(client, vec!["ROLLBACK".to_owned()]);
    let mut completed = 0;
    let mut row = None;
    let result = exchange(client, &message.text, &mut || {}, &mut |item| match item {
        SimpleQueryMessage::Row(found) => row = Some(found),
        SimpleQueryMessage::CommandComplete(_) => {
            if let Some((part, _)) = message.parts.get(completed) {
                on(*part, row.take());
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

/// Sends one statement, or several of no interest by themselves; the last row they returned.
///
/// # Errors
/// That of the server or of the connection.
pub async fn query(client: &Client, sql: &str) -> Result<Option<SimpleQueryRow>, Error> {
    let mut last = None;
    rows(client, sql, |row| last = Some(row)).await?;
    Ok(last)
}

/// Sends one statement and calls `on` for every row.
///
/// # Errors
/// That of the server or of the connection.
pub async fn rows(
    client: &Client,
    sql: &str,
    on: impl FnMut(SimpleQueryRow) + Send,
) -> Result<(), Error> {
    rows_while(client, sql, || {}, on).await
}

/// The same, with something to do while the server works.
pub(crate) async fn rows_while(
    client: &Client,
    sql: &str,
    mut work: impl FnMut() + Send,
    mut on: impl FnMut(SimpleQueryRow) + Send,
) -> Result<(), Error> {
    exchange(client, sql, &mut work, &mut |item| {
        if let SimpleQueryMessage::Row(row) = item {
            on(row);
        }
    })
    .await
}

/// Sends `text`, calls `work`, and calls `on` for everything that comes back.
fn exchange<'x>(
    client: &'x Client,
    text: &'x str,
    work: &'x mut (dyn FnMut() + Send),
    on: &'x mut (dyn FnMut(SimpleQueryMessage) + Send),
) -> Boxed<'x, Result<(), Error>> {
    use futures_core::Stream as _;
    boxed(async move {
        let mut stream = pin!(client.simple_query_raw(text).await?);
        // Where one thread does it all, the connection sends now.
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

/// Messages that are queued on the connection when a future is dropped before its end.
pub(crate) struct OnDrop<'c> {
    client: &'c Client,
    messages: Vec<String>,
}

impl<'c> OnDrop<'c> {
    pub(crate) fn new(client: &'c Client, messages: Vec<String>) -> Self {
        OnDrop { client, messages }
    }

    /// Other messages are needed from now on.
    pub(crate) fn arm(&mut self, messages: Vec<String>) {
        self.messages = messages;
    }

    /// None is needed any more.
    pub(crate) fn disarm(&mut self) {
        self.messages.clear();
    }
}

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        for sql in &self.messages {
            // The first poll hands the message to the connection's task; its answer is of no
            // interest.
            let mut send = pin!(self.client.batch_execute(sql));
            let mut context = Context::from_waker(Waker::noop());
            let _: Poll<Result<(), Error>> = send.as_mut().poll(&mut context);
        }
    }
}
