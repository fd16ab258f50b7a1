//! Serves until Ctrl-C or SIGTERM, then finishes the requests that are being answered.
//! A second signal ends it at once, and a request that takes too long is not waited for.

use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::failure::Failure;

/// How long requests can take after a signal.
const GRACE: Duration = Duration::from_secs(5);

/// The signals that end the service.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Replaces the system's default, which is to end the process at once.
    ///
    /// # Errors
    /// The system's error.
    pub(crate) fn listen() -> io::Result<Self> {
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Signals { interrupt, terminate: signal(SignalKind::terminate())? })
    }

    /// Returns at the next signal.
    ///
    /// # Cancel safety
    /// No signal is lost.
    pub(crate) async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Serves on this port of 127.0.0.1 and prints the address; 0 is any free port.
///
/// # Errors
/// [`Failure::Listen`] if the port is not available, [`Failure::Serve`] if serving ends by itself.
pub(crate) async fn until_signal(
    routes: Router,
    port: u16,
    mut signals: Signals,
) -> Result<(), Failure> {
    let refused = |source| Failure::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    writeln!(io::stdout(), "listening on http://{address}").map_err(Failure::Output)?;

    let (stop, stopped) = oneshot::channel();
    let serving = axum::serve(listener, routes).with_graceful_shutdown(async {
        // A dropped sender stops it too: no other sender is left.
        let _ = stopped.await;
    });
    let ending = async {
        signals.received().await;
        let _ = stop.send(());
        tokio::select! {
            () = signals.received() => {}
            () = sleep(GRACE) => {}
        }
    };
    tokio::select! {
        ended = serving => ended.map_err(Failure::Serve),
        () = ending => Ok(()),
    }
}
