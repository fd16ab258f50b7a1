//! Distinguishes a connection to the server from one to a pooler, without a message.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::Client;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::tls::{ChannelBinding, TlsConnect, TlsStream};

/// The process that was named at start-up; `None` if the driver does not show it. If `pg_backend_pid()`
/// differs, the connection goes through a pooler.
///
/// A server names its process for cancel requests; a pooler, which serves many clients with few
/// sessions, has to invent a number (PgBouncer: random bytes). The driver shows the number only in such
/// a request, so this writes one to memory.
pub async fn process(client: &Client) -> Option<i32> {
    let written = Written::default();
    let token = client.cancel_token();
    token.cancel_query_raw(written.clone(), PassThrough).await.ok()?;
    written.process()
}

/// Whether it ended the session, and is not the server's own word for that: a pooler's, which then does not
/// know what became of the message. The server ends a session in `ProcessInterrupts`; PgBouncer names no
/// routine, and Pgpool-II one of its own.
pub(crate) fn ends_unknown(db: &DbError) -> bool {
    db.parsed_severity() != Some(Severity::Error)
        && db.routine() != Some("ProcessInterrupts")
        && !was_never_sent(db)
}

/// Whether PgBouncer ended the session before it had a server connection for the message, of which nothing ran.
pub(crate) fn was_never_sent(db: &DbError) -> bool {
    // protocol_violation, with its own words
    db.code().code() == "08P01" && db.message() == "query_wait_timeout"
}

/// A stream that keeps what is written to it, and accepts every request.
#[derive(Debug, Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// The process in a cancel request: length, code, process and key, four bytes each (manual, "Message
    /// Formats", `CancelRequest`), perhaps after a request for encryption.
    fn process(&self) -> Option<i32> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let request = bytes.last_chunk::<16>()?;
        let [_, _, _, _, _, _, _, _, a, b, c, d, ..] = *request;
        Some(i32::from_be_bytes([a, b, c, d]))
    }
}

impl AsyncRead for Written {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // Accepts a request for encryption, which is then not used.
        buffer.put_slice(b"S");
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Written {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl TlsStream for Written {
    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::none()
    }
}

/// No encryption, because nothing leaves this process.
struct PassThrough;

impl TlsConnect<Written> for PassThrough {
    type Stream = Written;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Written>>;

    fn connect(self, stream: Written) -> Self::Future {
        std::future::ready(Ok(stream))
    }
}
