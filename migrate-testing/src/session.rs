//! A connection to the maintenance database that blocking and asynchronous tests can use alike.
//! Takes an address; runs asynchronous work to its end on a thread of its own, where no runtime of a
//! caller is in the way. Between two pieces of work nothing of it runs, and what it locks stays locked.

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

/// A runtime may be neither run nor dropped on a thread that runs another.
fn elsewhere<T: Send>(work: impl FnOnce() -> Result<T, TestError> + Send) -> Result<T, TestError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().spawn_scoped(scope, work).map_err(runtime_error)?;
        thread.join().unwrap_or_else(|payload| panic::resume_unwind(payload))
    })
}

/// A client whose connection moves only while there is work.
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
        // A thread that cannot be started leaves it to the end of the process.
        let _ = elsewhere(move || {
            drop(self);
            Ok(())
        });
    }
}

pub(super) fn config(url: &str) -> Result<Config, TestError> {
    url.parse().map_err(|source| TestError::Database { doing: "read the address".into(), source })
}

/// A client, and what ends when its connection has ended.
pub(super) async fn connect(config: &Config) -> Result<(Client, JoinHandle<()>), TestError> {
    let connected = config.connect(NoTls).await;
    let (client, connection) = connected.map_err(|source| {
        let database = config.get_dbname().unwrap_or("the server");
        TestError::Database { doing: format!("connect to `{database}`"), source }
    })?;
    let connection = tokio::spawn(async {
        // The client tells of whatever breaks it.
        let _ = connection.await;
    });
    Ok((client, connection))
}
