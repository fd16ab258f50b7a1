//! Ends a run at Ctrl-C or SIGTERM.

use std::future::{pending, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use migrate_runtime::internal::{Boxed, Interrupt, Peer, Stream, Target};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{CancelToken, Client};

/// The signals, and the server that the run's client is connected to.
pub(crate) struct Signals {
    pub(crate) token: CancelToken,
    pub(crate) target: Target,
    pub(crate) peer: Peer,
}

impl Interrupt for Signals {
    /// Ends at Ctrl-C or SIGTERM; never, if no signal handler can be installed.
    fn requested(&self) -> Boxed<'_, ()> {
        Box::pin(async {
            let (mut pressed, mut asked) = (pin!(tokio::signal::ctrl_c()), pin!(terminated()));
            let ended = poll_fn(|context| match pressed.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(result),
                Poll::Pending => asked.as_mut().poll(context).map(Ok),
            });
            if ended.await.is_err() {
                pending::<()>().await;
            }
        })
    }

    fn cancel(&self) -> Boxed<'_, ()> {
        Box::pin(async {
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
        Box::pin(async {
            self.target.connect_within(None, &|_| {}).await.ok().map(|(client, _, _)| client)
        })
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut asked) => {
            asked.recv().await;
        }
        Err(_) => pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    pending().await
}

/// A stream that the other side closes: the driver closes that of a cancel request at once, and PgBouncer 1.18
/// drops a request whose sender is gone.
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
