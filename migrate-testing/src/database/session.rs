//! A connection to the maintenance database, for blocking and asynchronous tests. Its work runs to the
//! end on its own thread, because a caller's thread may already run a runtime. In between it holds its
//! locks, and nothing of it runs.

use std::io;
use std::panic;
use std::thread;
use std::time::{Duration, Instant};

use migrate_runtime::internal::{process, rows};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Config, NoTls};

use crate::error::TestError;

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
pub(crate) struct Session {
    runtime: Runtime,
    client: Client,
}

impl Session {
    pub(crate) fn open(url: &str) -> Result<Session, TestError> {
        elsewhere(|| {
            let runtime = runtime()?;
            let client = runtime.block_on(connect(&config(url)?))?.0;
            Ok(Session { runtime, client })
        })
    }

    /// Runs `work` to its end.
    pub(crate) fn run<T: Send>(
        &self,
        work: impl AsyncFnOnce(&Client) -> Result<T, TestError> + Send,
    ) -> Result<T, TestError> {
        elsewhere(|| self.runtime.block_on(work(&self.client)))
    }

    /// The session and the result, or the error after the connection is closed.
    pub(super) fn close_on_error<T>(
        self,
        result: Result<T, TestError>,
    ) -> Result<(Session, T), TestError> {
        match result {
            Ok(value) => Ok((self, value)),
            Err(error) => {
                self.close();
                Err(error)
            }
        }
    }

    /// Ends the connection.
    pub(crate) fn close(self) {
        // If no thread can be started, the connection ends with the process.
        let _ = elsewhere(move || {
            drop(self);
            Ok(())
        });
    }
}

pub(crate) fn config(url: &str) -> Result<Config, TestError> {
    url.parse().map_err(TestError::refused("read the address"))
}

/// A client, and the task of its connection. It is in the database that `config` names, and has a session
/// of its own.
pub(crate) async fn connect(config: &Config) -> Result<(Client, JoinHandle<()>), TestError> {
    let doing = format!("connect to `{}`", config.get_dbname().unwrap_or("the server"));
    let connected = config.connect(NoTls).await;
    let (client, connection) = connected.map_err(TestError::refused(doing))?;
    let connection = tokio::spawn(async {
        // The client's next call reports its error.
        let _ = connection.await;
    });
    check_place(&client, config.get_dbname()).await?;
    Ok((client, connection))
}

/// Refuses a server that gives every name the same database, which may be the caller's own, and a pooler.
async fn check_place(client: &Client, asked: Option<&str>) -> Result<(), TestError> {
    let sql = "SELECT pg_catalog.current_database(), pg_catalog.pg_backend_pid()";
    let (mut given, mut backend) = (String::new(), None);
    let asking = rows(client, sql, |row| {
        let column = |number: usize| row.try_get(number).ok().flatten();
        column(0).unwrap_or_default().clone_into(&mut given);
        backend = column(1).and_then(|pid| pid.parse::<i32>().ok());
    });
    asking.await.map_err(TestError::refused("query the name of the database"))?;
    if let Some(asked) = asked.filter(|asked| *asked != given) {
        return Err(TestError::OtherDatabase { asked: asked.to_owned(), given });
    }
    match process(client).await {
        Some(process) if Some(process) != backend => Err(TestError::Pooler),
        _ => Ok(()),
    }
}

const POLL: Duration = Duration::from_millis(1);

/// Sends a statement until it returns no rows, for at most `limit`.
pub(super) async fn until_empty(
    client: &Client,
    doing: &str,
    sql: &str,
    limit: Duration,
) -> Result<(), TestError> {
    let deadline = Instant::now() + limit;
    while !values(client, doing, sql).await?.is_empty() && Instant::now() < deadline {
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Sends statements and returns the first column of every row, with an empty text for a null.
pub(crate) async fn values(
    client: &Client,
    doing: &str,
    sql: &str,
) -> Result<Vec<String>, TestError> {
    let mut values = Vec::new();
    let sent = rows(client, sql, |row| {
        values.push(row.try_get(0).ok().flatten().unwrap_or_default().to_owned());
    });
    sent.await.map_err(TestError::refused(doing))?;
    Ok(values)
}
