//! Sends messages and counts them; rolls back if a future is dropped before its end.

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage, SimpleQueryRow};

use super::failure::Failure;
use super::message::{BEGIN, Message, Part, Piece};
use super::on_drop::OnDrop;
use super::pooler;
use crate::boxed::{Boxed, boxed};

const ROLLBACK: &str = "ROLLBACK";

/// How a message ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many of its parts completed.
    pub(crate) completed: usize,
    /// What stopped it.
    pub(crate) failure: Option<Failure>,
}

/// The last row of an answer.
type Row = Result<Option<SimpleQueryRow>, Error>;

/// Called for every completed part, with the last row that it returned.
pub(crate) type OnPart<'o> = &'o mut (dyn FnMut(Part, Option<SimpleQueryRow>) + Send);

/// Called for every row.
type OnRow<'o> = &'o mut (dyn FnMut(SimpleQueryRow) + Send);

/// A run's connection, and how many messages were sent over it.
#[derive(Debug)]
pub(crate) struct Wire<'c> {
    pub(crate) client: &'c Client,
    /// An atomic, because a hook's future that borrows it has to be `Send`.
    sent: AtomicU32,
    /// Rolls back the transaction that [`Wire::open`] left open for the next message, if that is not sent.
    open: Mutex<Option<OnDrop<'c>>>,
    /// Whether a message of [`Wire::send`] has no answer yet.
    pub(super) is_out: AtomicBool,
    /// Whether reads are sent as what is written is.
    reads_as_writes: AtomicBool,
    /// Whether a message is sent in pieces.
    spreads: AtomicBool,
    /// Whether the first message was answered, or has failed.
    is_answered: AtomicBool,
    /// The server process that answered the first message.
    answered_by: AtomicI32,
    /// Whether nothing more is queued on the connection.
    is_abandoned: Arc<AtomicBool>,
}

impl<'c> Wire<'c> {
    pub(crate) fn new(client: &'c Client) -> Self {
        Wire {
            client,
            sent: AtomicU32::new(0),
            open: Mutex::new(None),
            is_out: AtomicBool::new(false),
            reads_as_writes: AtomicBool::new(false),
            spreads: AtomicBool::new(false),
            is_answered: AtomicBool::new(false),
            answered_by: AtomicI32::new(0),
            is_abandoned: Arc::default(),
        }
    }

    /// How many messages were sent.
    pub(crate) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Whether the server has not answered a message of [`Wire::send`] yet.
    pub(crate) fn is_out(&self) -> bool {
        self.is_out.load(Ordering::Relaxed)
    }

    /// Whether the first message, which reads the ledger, was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.is_answered.load(Ordering::Relaxed)
    }

    /// Queues nothing more: a pooler that holds back a message of a client that is gone sends it if another
    /// follows (PgBouncer 1.18).
    pub(crate) fn abandon(&self) {
        self.is_abandoned.store(true, Ordering::Relaxed);
    }

    /// The server process that answered a read.
    pub(crate) fn is_answered_by(&self, process: i32) {
        self.answered_by.store(process, Ordering::Relaxed);
    }

    /// Cancels what the server runs, if it accepts that without encryption, and no pooler is in between: the driver
    /// closes the connection at once, and PgBouncer 1.18 mishandles a request whose sender is gone.
    pub(crate) async fn cancel(&self) {
        if self.process().await != Some(self.answered_by.load(Ordering::Relaxed)) {
            return;
        }
        // The statement goes on if the request cannot be sent, so the caller waits for its end in any case.
        let _ = self.client.cancel_token().cancel_query(NoTls).await;
    }

    pub(super) fn count(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins a transaction that the next message continues; returns a row of each of its first statements.
    ///
    /// # Errors
    /// What stopped it; then there is no transaction.
    pub(crate) async fn open(&self, first: &[String]) -> Result<Vec<SimpleQueryRow>, Failure> {
        let mut message = Message::new();
        message.push(Part::Control, BEGIN);
        for sql in first {
            message.push(Part::Guard, sql);
        }
        let mut answers = Vec::new();
        // Armed before it is sent: a run that is dropped in between leaves no transaction.
        let mut rollback = self.on_drop(vec![ROLLBACK.to_owned()]);
        let outcome = self.send(message, &mut |_, row| answers.extend(row)).await;
        if let Some(failure) = outcome.failure {
            rollback.disarm();
            self.end_transaction(&failure.error, outcome.completed).await;
            return Err(failure);
        }
        *self.opened() = Some(rollback);
        Ok(answers)
    }

    /// Whether the next message continues a transaction.
    pub(crate) fn is_open(&self) -> bool {
        self.opened().is_some()
    }

    /// Adds the `BEGIN` of a transaction, unless it is the first of a message that continues one.
    pub(crate) fn begin(&self, message: &mut Message) {
        if !(message.is_empty() && self.is_open()) {
            message.push(Part::Control, BEGIN);
        }
    }

    /// Rolls back the transaction that the next message would continue, if there is one.
    pub(crate) fn close(&self) -> Boxed<'_, ()> {
        boxed(async move {
            if let Some(mut rollback) = self.take_open() {
                // If this fails, the connection is broken, and its transaction gone.
                let _ = self.last_row(ROLLBACK).await;
                rollback.disarm();
            }
        })
    }

    fn opened(&self) -> MutexGuard<'_, Option<OnDrop<'c>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_open(&self) -> Option<OnDrop<'c>> {
        self.opened().take()
    }

    /// Sends `message` and calls `on` for every completed part. A message that failed before its first part
    /// leaves no transaction, also if it continued one.
    ///
    /// # Cancel safety
    /// If it is dropped, the server runs the message to its end or first error, and then the queued
    /// `ROLLBACK`, so that the connection is outside a transaction for its next user.
    pub(crate) fn send<'w>(&'w self, message: Message, on: OnPart<'w>) -> Boxed<'w, Outcome> {
        boxed(self.send_parts(message, on))
    }

    async fn send_parts(&self, mut message: Message, on: OnPart<'_>) -> Outcome {
        let mut rollback = self.on_drop(vec![ROLLBACK.to_owned()]);
        let mut opened = self.take_open();
        if let Some(opened) = &mut opened {
            opened.disarm();
        }
        let (mut completed, mut failure) = (0, None);
        self.is_out.store(true, Ordering::Relaxed);
        let pieces = if self.spreads() { message.pieces() } else { vec![message.whole()] };
        for mut piece in pieces {
            let sent = self.send_piece(&mut piece, &message, &mut completed, on).await;
            if let Err(error) = sent {
                failure = Some(Failure::new(&message, &piece, completed, error));
                break;
            }
        }
        self.is_out.store(false, Ordering::Relaxed);
        rollback.disarm();
        if let (Some(failure), 0) = (&failure, completed) {
            self.end_transaction(&failure.error, usize::from(opened.is_some())).await;
        }
        Outcome { completed, failure }
    }

    async fn send_piece(
        &self,
        piece: &mut Piece,
        message: &Message,
        completed: &mut usize,
        on: OnPart<'_>,
    ) -> Result<(), Error> {
        self.count();
        let mut row = None;
        exchange(self.client, piece.hand_over(), &mut |item| match item {
            SimpleQueryMessage::Row(found) => row = Some(found),
            SimpleQueryMessage::CommandComplete(_) => {
                if let Some(part) = message.part(*completed) {
                    on(part, row.take());
                }
                *completed += 1;
            }
            _ => {}
        })
        .await
    }

    /// Sends one statement; returns its last row.
    pub(crate) fn last_row<'w>(&'w self, sql: &'w str) -> Boxed<'w, Row> {
        self.count();
        query(self.client, sql)
    }

    /// Sends statements, and calls `on` for every row.
    pub(crate) async fn rows(
        &self,
        sql: &str,
        mut on: impl FnMut(SimpleQueryRow) + Send,
    ) -> Result<(), Error> {
        self.read(sql, &mut on).await
    }

    fn read<'w>(&'w self, sql: &'w str, on: OnRow<'w>) -> Boxed<'w, Result<(), Error>> {
        boxed(async move {
            self.count();
            if !self.reads_as_writes.load(Ordering::Relaxed) {
                let result = rows(self.client, sql, on).await;
                self.is_answered.store(true, Ordering::Relaxed);
                return result;
            }
            let result = rows(self.client, &as_write(sql), on).await;
            if let Err(error) = &result {
                self.end_transaction(error, 1).await;
            }
            result
        })
    }

    /// From now on sends reads as what is written is: what lies in between may send a `SELECT` to another server,
    /// or answer it from a cache.
    pub(crate) fn read_as_writes(&self) {
        self.reads_as_writes.store(true, Ordering::Relaxed);
    }

    /// From now on sends a message in pieces, with each statement of a migration alone: Citus passes the text of a
    /// message on to other servers, and not the one statement.
    pub(crate) fn spread(&self) {
        self.spreads.store(true, Ordering::Relaxed);
    }

    /// Whether messages are sent in pieces.
    pub(crate) fn spreads(&self) -> bool {
        self.spreads.load(Ordering::Relaxed)
    }

    /// As [`Wire::last_row`], for what is asked where the guards run.
    pub(crate) fn last_row_as_write<'w>(&'w self, sql: &'w str) -> Boxed<'w, Row> {
        boxed(async move {
            let answer = self.last_row(&as_write(sql)).await;
            if let Err(error) = &answer {
                self.end_transaction(error, 1).await;
            }
            answer
        })
    }

    /// As [`Wire::last_row_as_write`]; `None` also after an error, for what a run only reports, or asks again.
    pub(crate) fn look<'w>(&'w self, sql: &'w str) -> Boxed<'w, Option<SimpleQueryRow>> {
        boxed(async move { self.last_row_as_write(sql).await.ok().flatten() })
    }

    /// Ends the transaction that a message left open when the server refused part of it.
    pub(crate) fn end_transaction(&self, error: &Error, completed: usize) -> Boxed<'_, ()> {
        let is_open = completed > 0 && error.as_db_error().is_some();
        boxed(async move {
            if is_open {
                // If this fails too, the connection is broken and its transaction gone; the first error
                // is the one to report.
                let _ = self.last_row(ROLLBACK).await;
            }
        })
    }

    /// Queues `messages` if the returned value is dropped before it is disarmed.
    pub(crate) fn on_drop(&self, messages: Vec<String>) -> OnDrop<'c> {
        OnDrop { client: self.client, is_abandoned: Arc::clone(&self.is_abandoned), messages }
    }

    /// The server process that was named at start-up, without a message.
    pub(crate) fn process(&self) -> Boxed<'_, Option<i32>> {
        boxed(pooler::process(self.client))
    }
}

/// The message of `sql` in a transaction, as a guard is.
fn as_write(sql: &str) -> String {
    format!("{BEGIN}; {sql}; COMMIT")
}

/// Sends one or more statements; returns the last row. It is not counted, because it is not part of a run,
/// or looks for the cause of an error.
///
/// # Errors
/// That of the server or of the connection.
#[inline(never)]
pub fn query<'q>(client: &'q Client, sql: &'q str) -> Boxed<'q, Row> {
    boxed(async move {
        let mut last = None;
        rows(client, sql, |row| last = Some(row)).await?;
        Ok(last)
    })
}

/// Sends one statement and calls `on` for every row. It is not counted either.
///
/// # Errors
/// That of the server or of the connection.
pub async fn rows(
    client: &Client,
    sql: &str,
    mut on: impl FnMut(SimpleQueryRow) + Send,
) -> Result<(), Error> {
    exchange(client, sql.into(), &mut |item| {
        if let SimpleQueryMessage::Row(row) = item {
            on(row);
        }
    })
    .await
}

/// Sends `text`, and calls `on` for every answer.
fn exchange<'x>(
    client: &'x Client,
    text: Cow<'x, str>,
    on: &'x mut (dyn FnMut(SimpleQueryMessage) + Send),
) -> Boxed<'x, Result<(), Error>> {
    use futures_core::Stream as _;
    boxed(async move {
        let mut stream = pin!(client.simple_query_raw(&text).await?);
        drop(text);
        while let Some(item) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
            on(item?);
        }
        Ok(())
    })
}
