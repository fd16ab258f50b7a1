//! Sends the data of one `COPY ... FROM stdin`, inside the transaction that a message began.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_sink::Sink as _;
use migrate_set::sql::probe::probe;
use tokio_postgres::{Client, CopyInSink, Error};

use super::exchange::Wire;
use super::failure::Failure;
use super::message::{Message, Part};
use crate::boxed::{Boxed, boxed};

/// One `COPY`, which cannot be a part of a message: the server would read the rest as data.
#[derive(Debug)]
pub(crate) struct Copy<'d> {
    /// The statement that it is.
    pub(crate) part: Part,
    /// The statement as sent.
    pub(crate) sql: String,
    /// The data, without its end.
    pub(crate) data: &'d str,
    /// What sends it.
    pub(crate) send: &'static SendData,
}

/// The functions [`send`] and [`probe`], which only a set with data needs: the first links much of the driver that
/// nothing else does.
#[derive(Debug)]
pub(crate) struct SendData {
    send: for<'c> fn(&'c Client, &'c str, &'c str) -> Boxed<'c, Result<(), Error>>,
    pub(crate) probe: fn(&str) -> Option<String>,
}

pub(crate) static SEND_DATA: SendData =
    SendData { send: |client, sql, data| boxed(send(client, sql, data)), probe };

impl Wire<'_> {
    /// Sends `copy` with its data.
    ///
    /// # Cancel safety
    /// If it is dropped, the server is sent the end of a failed `COPY`.
    pub(crate) async fn copy(&self, copy: &Copy<'_>) -> Result<(), Failure> {
        self.count();
        self.is_out.store(true, Ordering::Relaxed);
        let sent = (copy.send.send)(self.client, &copy.sql, copy.data).await;
        self.is_out.store(false, Ordering::Relaxed);
        sent.map_err(|error| {
            let mut message = Message::new();
            message.push(copy.part, &copy.sql);
            let whole = message.whole();
            Failure::new(&message, &whole, 0, error)
        })
    }
}

/// How much of the data is copied at once.
const CHUNK: usize = 1 << 16;

async fn send(client: &Client, sql: &str, data: &str) -> Result<(), Error> {
    let sink: CopyInSink<Bytes> = client.copy_in(sql).await?;
    let mut sink = pin!(sink);
    for chunk in data.as_bytes().chunks(CHUNK) {
        let ready = poll_fn(|context| sink.as_mut().poll_ready(context)).await;
        // The server reads no more after an error, which `finish` returns.
        if ready.and_then(|()| sink.as_mut().start_send(Bytes::copy_from_slice(chunk))).is_err() {
            break;
        }
    }
    sink.finish().await.map(drop)
}
