//! A migrated database for one test, cloned from a template that is built once for the set, and
//! dropped when the test ends.

mod spare;
mod template;
mod leftovers;
mod pool;
pub(crate) mod session;

use std::env;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use migrate_runtime::set::Sets;
use tokio_postgres::{Client, Config};

use crate::error::TestError;
use crate::server::{Server, random};
use pool::Pool;
use session::{Session, config, connect, until_empty, values};
use template::Template;

/// A migrated database of one test, dropped with this value.
///
/// It is a clone of a template, which the first test with this set builds and all other tests with this
/// `DATABASE_URL` share, in any number of threads and processes. The template is identified by the digest of
/// its contents, so an edited migration makes a new one. Templates that were not used for a week are
/// dropped, and so are the databases of killed tests.
///
/// The server is that of `DATABASE_URL`, whose role needs CREATEDB, else the one of
/// [`Server::shared`]; [`Server::for_tests`] selects another. This crate only connects to the database
/// that `DATABASE_URL` names, for `CREATE DATABASE`: it creates and changes nothing in it.
///
/// ```no_run
/// use migrate_testing::TestDatabase;
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
///
/// // #[tokio::test]
/// async fn a_user_can_be_added() {
///     let database = TestDatabase::new(&MIGRATIONS).unwrap();
///     let client = database.connect().await.unwrap();
///     client.batch_execute("INSERT INTO users (name) VALUES ('anna')").await.unwrap();
/// }
/// # fn main() {}
/// ```
///
/// In a blocking test, or for a program under test, [`TestDatabase::url`] is its address.
///
/// The database of a test that fails is dropped too, unless `MIGRATE_KEEP` is set (to anything): then
/// it is kept for a day, or an hour on a throwaway server, and its address is printed to standard
/// error.
///
/// What is not stored in a database is not cloned with it: roles, `ALTER DATABASE ... SET`, and grants
/// on the database itself. If a migration creates a role that its throwaway server has already, because of
/// another set, the tests of this process use another throwaway server from then on.
pub struct TestDatabase {
    name: String,
    url: String,
    pool: Arc<Pool>,
    /// Holds the lock that shows that the test is running, and the template's lock unless this was
    /// made in advance; `None` once dropped.
    session: Option<Session>,
    keep: bool,
}

impl TestDatabase {
    /// A database in which these sets have run, in order: `&MIGRATIONS`, a [`Migrator`](migrate_runtime::Migrator) with its options,
    /// or an array of them.
    ///
    /// It blocks, which is allowed inside a runtime too: for some tens of milliseconds, or for the
    /// time of the migrations if it is the first one. On [`Server::shared`]'s throwaway server, from
    /// the third one of a process on, it is made in advance while the previous test runs.
    ///
    /// ```no_run
    /// # use migrate_testing::TestDatabase;
    /// # use migrate_runtime::{Migrations, Migrator, embed_migrations};
    /// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
    /// let plain = TestDatabase::new(&MIGRATIONS)?;
    /// let inside = TestDatabase::new(Migrator::new(&MIGRATIONS).schema("app").create_schema())?;
    /// # static LIBRARY: Migrations = embed_migrations!("migrations", module = "library");
    /// let both = TestDatabase::new([&LIBRARY, &MIGRATIONS])?;
    /// # Ok::<(), migrate_testing::TestError>(())
    /// ```
    ///
    /// # Errors
    /// [`TestError::Server`] without a server, [`TestError::Migrate`] if a migration fails or the set is not
    /// what its folder has now,
    /// [`TestError::OtherDatabase`] and [`TestError::Pooler`] if a session is not in the database that
    /// it asks for or shares it, [`TestError::Database`] if the server refuses something else,
    /// [`TestError::Waited`] if another process builds the template for too long,
    /// [`TestError::Runtime`].
    pub fn new<'s>(sets: impl Into<Sets<'s>>) -> Result<TestDatabase, TestError> {
        TestDatabase::with_fixture(sets, "")
    }

    /// As [`TestDatabase::new`], with `fixture` run once after the migrations, as part of the
    /// template. It is SQL of one or more statements, which run in one transaction.
    ///
    /// ```no_run
    /// # use migrate_testing::TestDatabase;
    /// # use migrate_runtime::{Migrations, embed_migrations};
    /// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
    /// let fixture = "INSERT INTO users (name) VALUES ('anna'), ('ben')";
    /// let database = TestDatabase::with_fixture(&MIGRATIONS, fixture)?;
    /// # Ok::<(), migrate_testing::TestError>(())
    /// ```
    ///
    /// # Errors
    /// As [`TestDatabase::new`].
    pub fn with_fixture<'s>(
        sets: impl Into<Sets<'s>>,
        fixture: &str,
    ) -> Result<TestDatabase, TestError> {
        let sets = sets.into();
        on_own_server(TestError::exists_on_server, |pool| {
            let template = Template::new(&sets, fixture, pool);
            let database = match spare::take(pool, template.image()) {
                Some(spare) => spare,
                None => TestDatabase::of_template(pool, &template)?,
            };
            spare::begin(pool, template.image());
            Ok(database)
        })
    }

    fn of_template(pool: &Arc<Pool>, template: &Template<'_>) -> Result<TestDatabase, TestError> {
        template.check_embeds()?;
        TestDatabase::made(pool, async |client, name| {
            template.clone_to(&pool.server, client, name).await
        })
    }

    /// An empty database, for tests of the migrations themselves.
    ///
    /// ```no_run
    /// # use migrate_testing::TestDatabase;
    /// # use migrate_runtime::{Migrator, Migrations, embed_migrations};
    /// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
    /// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
    /// let database = TestDatabase::empty()?;
    /// let mut client = database.connect().await?;
    /// Migrator::new(&MIGRATIONS).to("1").run(&mut client).await?;
    /// client.batch_execute("INSERT INTO users (name) VALUES ('anna')").await?; // as it was before 2
    /// Migrator::new(&MIGRATIONS).run(&mut client).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`TestDatabase::new`].
    pub fn empty() -> Result<TestDatabase, TestError> {
        TestDatabase::empty_on(&Pool::of_process()?)
    }

    fn empty_on(pool: &Arc<Pool>) -> Result<TestDatabase, TestError> {
        TestDatabase::made(pool, async |client, name| {
            // Not from template1, which may contain local additions.
            let sql = format!("CREATE DATABASE {name} TEMPLATE template0{}", pool.strategy);
            values(client, "create a database", &sql).await.map(drop)
        })
    }

    /// A database that `make` creates; its lock is taken before it exists.
    fn made(
        pool: &Arc<Pool>,
        make: impl AsyncFnOnce(&Client, &str) -> Result<(), TestError> + Send,
    ) -> Result<TestDatabase, TestError> {
        let name = format!("{}{}{:08x}", leftovers::PREFIX, pool.place, random() >> 32);
        let session = pool.session(&name)?;
        let begun = session.run(async |client| {
            make(client, &name).await?;
            if let Err(error) = pool.check(&name).await {
                // If this fails, the next process drops it.
                let _ = drop_with_sessions(client, &name).await;
                return Err(error);
            }
            if !COLLECTED.swap(true, Ordering::Relaxed) {
                // A failure does not fail the test; the next process tries again.
                let _ = leftovers::collect(client, &pool.place, &name).await;
            }
            Ok(())
        });
        let (session, ()) = session.close_on_error(begun)?;
        let (url, pool) = (pool.server.url_for(&name), Arc::clone(pool));
        Ok(TestDatabase { name, url, pool, session: Some(session), keep: false })
    }

    /// Its name, which needs no quotes.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address, for pools, other drivers and programs under test. Contains the password if
    /// `DATABASE_URL` does.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its address, parsed.
    ///
    /// ```no_run
    /// # use migrate_testing::{TestDatabase, TestError};
    /// # fn test(database: &TestDatabase) -> Result<(), TestError> {
    /// let mut config = database.config()?;
    /// config.application_name("a test");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TestError::Database`] if the driver cannot parse the address.
    pub fn config(&self) -> Result<Config, TestError> {
        config(&self.url)
    }

    /// A new client, whose connection runs as a task of the current runtime.
    ///
    /// # Errors
    /// [`TestError::Database`] if the server refuses it.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub async fn connect(&self) -> Result<Client, TestError> {
        Ok(connect(&self.config()?).await?.0)
    }

    /// The server that it is on.
    pub fn server(&self) -> &Server {
        &self.pool.server
    }

    /// Keeps it when this value is dropped, so that you can inspect it: for a day, or as long as a
    /// throwaway server runs, which is then an hour after its last user.
    ///
    /// ```no_run
    /// # use migrate_testing::TestDatabase;
    /// # fn test(mut database: TestDatabase) {
    /// database.keep();
    /// println!("psql '{}'", database.url());
    /// # }
    /// ```
    pub fn keep(&mut self) {
        self.keep = true;
    }

    fn is_wanted(&self) -> bool {
        let on_failure = env::var_os("MIGRATE_KEEP").is_some_and(|value| !value.is_empty());
        self.keep || (on_failure && thread::panicking())
    }
}

/// What `work` makes on the server of this process. If a throwaway one has what a set creates for all databases, such as a
/// role, `work` is repeated on a new one: another set of this or of another process, or an older text of this one,
/// created it.
fn on_own_server<T, E: From<TestError>>(
    is_taken: impl FnOnce(&E) -> bool,
    work: impl Fn(&Arc<Pool>) -> Result<T, E>,
) -> Result<T, E> {
    let pool = Pool::of_process()?;
    match work(&pool) {
        Err(error) if pool.server.is_throwaway() && is_taken(&error) => {
            work(&Pool::instead_of(&pool)?)
        }
        done => done,
    }
}

/// Does `work` with an empty database, perhaps twice, as [`on_own_server`].
pub(crate) fn with_empty<T, E: From<TestError>>(
    is_taken: impl FnOnce(&E) -> bool,
    work: impl Fn(&TestDatabase) -> Result<T, E>,
) -> Result<T, E> {
    on_own_server(is_taken, |pool| work(&TestDatabase::empty_on(pool)?))
}

/// How long to wait for the sessions in a database to end before it is dropped.
const SESSIONS_LIMIT: Duration = Duration::from_secs(1);

/// Whether this process has removed what killed tests left.
static COLLECTED: AtomicBool = AtomicBool::new(false);

impl fmt::Debug for TestDatabase {
    /// Leaves the address out: it may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Drop for TestDatabase {
    /// Drops the database and ends the sessions in it. If that fails, the next process does it.
    fn drop(&mut self) {
        let Some(session) = self.session.take() else { return };
        if self.is_wanted() {
            self.pool.server.linger();
            let kept = session.run(async |client| {
                values(client, "keep a database", &leftovers::keep(&self.name)).await
            });
            if kept.is_ok() {
                let is_throwaway = self.server().is_throwaway();
                let shown = if is_throwaway { &self.url } else { &self.name };
                eprintln!("kept the database of this test: {shown}");
            }
        } else {
            let _ = session.run(async |client| drop_with_sessions(client, &self.name).await);
        }
        self.pool.put_back(session);
    }
}

/// Drops a database and ends the sessions in it. `FORCE` alone checks ten times a second whether they
/// have ended, which made a test that had connected wait 110 ms at its end.
async fn drop_with_sessions(client: &Client, name: &str) -> Result<(), TestError> {
    let end = format!(
        "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a \
         WHERE a.datname OPERATOR(pg_catalog.=) '{name}' \
         AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'"
    );
    // If that is not allowed, the drop below fails, and the next process tries again.
    let _ = until_empty(client, "end the sessions of a test", &end, SESSIONS_LIMIT).await;
    let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    values(client, "drop a database", &sql).await.map(drop)
}
