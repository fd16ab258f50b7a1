//! The way to the server of a client: a second connection that cancels what its session does.

use std::future::pending;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client};

use super::peer::{Peer, Stream};
use super::target::Target;
use crate::boxed::{Boxed, boxed};
use crate::migrator::Interrupt;

/// The server that a client is connected to.
pub struct Way {
    token: CancelToken,
    target: Target,
    peer: Peer,
}

impl Way {
    pub(super) fn new(client: &Client, target: Target, peer: Peer) -> Way {
        Way { token: client.cancel_token(), target, peer }
    }
}

impl Interrupt for Way {
    /// Never ends.
    fn requested(&self) -> Boxed<'_, ()> {
        boxed(pending())
    }

    fn cancel(&self) -> Boxed<'_, ()> {
        boxed(async {
            // Without a request, the run still has the pause to end.
            let (Ok(stream), Ok(mut tls)) = (self.peer.connect().await, self.target.connector())
            else {
                return;
            };
            let Ok(tls) =
                <_ as MakeTlsConnect<UntilClosed>>::make_tls_connect(&mut tls, &self.peer.host);
            let _ = self.token.cancel_query_raw(UntilClosed(stream), tls).await;
        })
    }

    fn connect(&self) -> Boxed<'_, Option<Client>> {
        boxed(async {
            self.target.reach_within(None, &|_| {}).await.ok().map(|(client, _, _)| client)
        })
    }
}

/// A stream that the other side closes: the driver closes that of a cancel request at once, and PgBouncer 1.18
/// mishandles a request whose sender is gone.
struct UntilClosed(Box<dyn Stream>);

impl AsyncRead for UntilClosed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for UntilClosed {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    /// Reads to the end instead.
    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut bytes = [0; 64];
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.0).poll_read(context, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {}
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return Poll::Pending,
            }
        }
    }
}
