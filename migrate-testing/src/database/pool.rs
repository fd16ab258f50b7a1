//! What the tests of a process share: the server, and idle sessions on it, one of which each database
//! takes. A session that failed is not reused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_postgres::Client;

use super::session::{Session, config, connect, values};
use super::template::key;
use crate::error::TestError;
use crate::server::Server;

/// The server of this process, and what is known of it.
pub(super) struct Pool {
    pub(super) server: Server,
    /// The role of the maintenance sessions.
    pub(super) role: String,
    /// The OID of the maintenance database as 8 hexadecimal digits, which are in the names of all databases
    /// made here: sessions in two databases do not see each other's advisory locks.
    pub(super) place: String,
    /// The strategy of `CREATE DATABASE`; empty for the server's default.
    pub(super) strategy: &'static str,
    /// Idle sessions, which hold no locks. A new session for each clone took 3 ms more, and a copy by
    /// `WAL_LOG`, which is faster the second time in a session, 10 ms more.
    idle: Mutex<Vec<Session>>,
    /// Whether a session was in a database that was created here. A throwaway server needs no check.
    is_checked: AtomicBool,
}

/// The one of this process, once a test has used it.
static POOL: Mutex<Option<Arc<Pool>>> = Mutex::new(None);

impl Pool {
    /// The one of this process, which uses its server until the process ends.
    pub(super) fn of_process() -> Result<Arc<Pool>, TestError> {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = &*pool {
            return Ok(Arc::clone(pool));
        }
        Ok(Arc::clone(pool.insert(Arc::new(Pool::on(Server::shared()?)?))))
    }

    /// A throwaway server that has nothing of the sets of `used`, a throwaway one too; it is the one of this process from
    /// now on.
    pub(super) fn instead_of(used: &Arc<Pool>) -> Result<Arc<Pool>, TestError> {
        let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = pool.as_ref().filter(|pool| !Arc::ptr_eq(pool, used)) {
            return Ok(Arc::clone(other));
        }
        Ok(Arc::clone(pool.insert(Arc::new(Pool::on(Server::start()?)?))))
    }

    fn on(server: Server) -> Result<Pool, TestError> {
        let session = Session::open(server.url())?;
        let ask = "SELECT current_user; SELECT pg_catalog.current_setting('server_version_num'); \
                   SELECT pg_catalog.lpad(pg_catalog.to_hex(oid::pg_catalog.int8), 8, '0') \
                   FROM pg_catalog.pg_database \
                   WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()";
        let asked = session.run(async |client| values(client, "query the role", ask).await);
        let (session, answers) = session.close_on_error(asked)?;
        let mut answers = answers.into_iter();
        let mut next = || answers.next().unwrap_or_default();
        let (role, version, place) = (next(), next(), next());
        let strategy = strategy(&server, &version);
        let is_checked = AtomicBool::new(server.is_throwaway());
        Ok(Pool { server, role, place, strategy, idle: Mutex::new(vec![session]), is_checked })
    }

    /// A session that holds the lock which shows that `name` is in use.
    pub(super) fn session(&self, name: &str) -> Result<Session, TestError> {
        let set_up = set_up(name);
        let begin = async |client: &Client| values(client, "set up a session", &set_up).await;
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let is_new = idle.is_none();
            let session = idle.map_or_else(|| Session::open(self.server.url()), Ok)?;
            match session.run(begin) {
                Ok(_) => return Ok(session),
                Err(error) => {
                    session.close();
                    // An idle one may have been terminated in the meantime.
                    if is_new {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Checks once whether a session that asks for the new database `name` is in it.
    pub(super) async fn check(&self, name: &str) -> Result<(), TestError> {
        if !self.is_checked.load(Ordering::Relaxed) {
            connect(&config(&self.server.url_for(name))?).await?;
            self.is_checked.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Releases all locks of a session, and makes it idle.
    pub(super) fn put_back(&self, session: Session) {
        let sql = "SELECT pg_catalog.pg_advisory_unlock_all()";
        match session.run(async |client| values(client, "unlock a database", sql).await) {
            Ok(_) => self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session),
            Err(_) => session.close(),
        }
    }
}

impl Server {
    /// Makes this the server of every [`TestDatabase`](crate::TestDatabase) and check that this process
    /// makes from now on, instead of `DATABASE_URL`. A throwaway one ends with the process.
    ///
    /// ```no_run
    /// # use migrate_testing::{Server, TestDatabase};
    /// Server::start()?.for_tests()?;
    /// let database = TestDatabase::empty()?; // on that server
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TestError::Database`] if it does not answer, [`TestError::OtherDatabase`] and [`TestError::Pooler`]
    /// if it cannot be the server of tests, [`TestError::Runtime`].
    pub fn for_tests(self) -> Result<(), TestError> {
        let chosen = Arc::new(Pool::on(self)?);
        *POOL.lock().unwrap_or_else(PoisonError::into_inner) = Some(chosen);
        Ok(())
    }
}

/// The fastest way to copy a database. `FILE_COPY` needs a checkpoint before and after it, which costs
/// little on a server without fsync; elsewhere the default, which logs each page (PostgreSQL 15 and
/// newer), is faster. CONTRIBUTING.md names the command that measures it.
fn strategy(server: &Server, version: &str) -> &'static str {
    let has_choice = version.parse().is_ok_and(|version: u32| version >= 150_000);
    if server.is_shared() && has_choice { " STRATEGY FILE_COPY" } else { "" }
}

/// The statement that takes the lock which shows that `name` is in use, and removes the role's time
/// limits, which could cancel `CREATE DATABASE`.
fn set_up(name: &str) -> String {
    let timeouts =
        ["statement_timeout", "lock_timeout", "transaction_timeout", "idle_session_timeout"];
    // Not every version has all of them.
    let unlimited = timeouts.map(|name| {
        format!(
            "CASE WHEN pg_catalog.current_setting('{name}', true) \
             OPERATOR(pg_catalog.<>) '0' \
             THEN pg_catalog.set_config('{name}', '0', false) END"
        )
    });
    format!("SELECT pg_catalog.pg_advisory_lock({}), {}", key(name), unlimited.join(", "))
}
