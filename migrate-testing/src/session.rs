//! A connection to the maintenance database, for blocking and asynchronous tests. Its work runs to the
//! end on its own thread, because a caller's thread may already run a runtime. In between it holds its
//! locks, and nothing of it runs.

use std::io;
use std::panic;
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

use super::trouble::TestError;

fn runtime() -> Result<Runtime, TestError> {
    Builder::new_current_thread().enable_all().build().map_err(runtime_error)
}

fn runtime_error(source: io::Error) -> TestError {
    TestError::Runtime { source }
}

/// Runs `work` on another thread: a runtime can be neither run nor dropped on a thread that runs one.
fn elsewhere<T: Send>(work: impl FnOnce() -> Result<T, TestError> + Send) -> Result<T, TestError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work).map_err(runtime_error)?;
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

/// A client whose connection runs only during [`Session::run`].
pub(super) struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    pub(super) fn open(url: &str) -> Result<Session, TestError> {
        elsewhere(|| {
            let runtime = runtime()?;
            let client = runtime.block_on(connect(&config(url)?))?.0;
            Ok(Session { runtime, client })
        })
    }

    /// Runs `work` to its end.
    pub(super) fn run<T: Send>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, TestError> + Send,
    ) -> Result<T, TestError> {
        elsewhere(|| self.runtime.block_on(work(&self.client)))
    }

    /// Ends the connection.
    pub(super) fn close(self) {
        // If no thread can be started, the connection ends with the process.
        let _ = elsewhere(move || {
            drop(self);
            Ok(())
        });
    }
}

pub(super) fn config(url: &str) -> Result<Config, TestError> {
    url.parse().map_err(|source| TestError::Database { doing: "read the address".into(), source })
}

/// A client, and the task of its connection.
pub(super) async fn connect(config: &Config) -> Result<(Client, JoinHandle<()>), TestError> {
    let connected = config.connect(NoTls).await;
    let (client, connection) = connected.map_err(|source| {
        let database = config.get_dbname().unwrap_or("the server");
        TestError::Database { doing: format!("connect to `{database}`"), source }
    })?;
    let connection = tokio::spawn(async {
        // The client's next call reports its error.
        let _ = connection.await;
    });
    Ok((client, connection))
}
