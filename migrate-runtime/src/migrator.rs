//! The builder and its verbs: what a service calls.
//! A set and options go in; a verb reads the ledger, and `run` hands over to [`crate::execute`].
//! No SQL stands here on purpose.

use std::time::Duration;

use migrate_core::ledger::Entry;
use migrate_core::name::Kind;
use migrate_core::plan::{Plan, Policy, Tolerance, plan};
use migrate_core::rollback::{Target as Rollback, Undo, rollback};
use migrate_core::set::{Migration, Migrations};
use migrate_core::sql::placeholder::quoted_identifier;
use migrate_core::version::Version;
use tokio_postgres::Client;

use crate::error::Error;
use crate::execute::{self, Goal};
use crate::ledger::{Contents, DEFAULT_SCHEMA, DEFAULT_TABLE, Ledger, Reading};
use crate::privilege;
use crate::protocol;
use crate::report::{Report, State, Status, StatusRow};
use crate::stale::check_embed;

/// Compares a set with a database and applies what is missing.
///
/// ```no_run
/// use migrate_runtime::{Migrations, Migrator};
/// # async fn boot(
/// #     migrations: &Migrations,
/// #     mut client: tokio_postgres::Client,
/// # ) -> Result<(), migrate_runtime::Error> {
/// let report = Migrator::new(migrations).run(&mut client).await?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Migrator<'s> {
    pub(crate) set: &'s Migrations,
    pub(crate) schema: Option<String>,
    ledger_schema: Option<String>,
    table: String,
    create_schema: CreateSchema,
    pub(crate) policy: Policy,
    pub(crate) limit: Limit,
    pub(crate) lock: Lock,
    pub(crate) lock_timeout: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) wait_timeout: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) chunk_bytes: usize,
}

/// What keeps two runs apart ([`Migrator::lock`]).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// Advisory locks; a row of the ledger where this role can take none. A non-transactional
    /// migration, which needs a lock of the session, is refused behind a pooler.
    #[default]
    Detect,
    /// Advisory locks and nothing else, and the session is taken to be the client's own: for a
    /// pooler that keeps one session for each client.
    Advisory,
    /// A row of the ledger, which holds behind any pooler and without advisory locks. It is renewed
    /// with every message, and falls to others 30 seconds after its holder is gone.
    Row,
}

/// Which of the pending migrations a run applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    To(Version),
    Only(Version),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CreateSchema {
    No,
    IfMissing,
}

/// How long `run` waits for other replicas unless told otherwise.
const DEFAULT_WAIT: Duration = Duration::from_mins(10);

/// How long a statement of a migration waits for a lock unless told otherwise: whoever comes behind
/// it waits as long.
pub(crate) const DEFAULT_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a blocked migration is tried again unless told otherwise.
const DEFAULT_RETRIES: u32 = 10;

/// How much SQL goes into one message unless told otherwise, in bytes.
const DEFAULT_CHUNK: usize = 512 * 1024;

impl<'s> Migrator<'s> {
    /// A migrator of `set` with the safe default of every option.
    pub fn new(set: &'s Migrations) -> Self {
        Migrator {
            set,
            schema: None,
            ledger_schema: None,
            table: DEFAULT_TABLE.to_owned(),
            create_schema: CreateSchema::No,
            policy: Policy::default(),
            limit: Limit::None,
            lock: Lock::Detect,
            lock_timeout: None,
            retries: DEFAULT_RETRIES,
            wait_timeout: DEFAULT_WAIT,
            deadline: None,
            chunk_bytes: DEFAULT_CHUNK,
        }
    }

    /// The schema that `{{schema}}` and `{{tables.x}}` stand for, and where the ledger lives.
    ///
    /// Without one, `{{tables.users}}` is `"users"` and the ledger lives in `public`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Creates the schema with the ledger where it is missing.
    #[must_use]
    pub fn create_schema(mut self) -> Self {
        self.create_schema = CreateSchema::IfMissing;
        self
    }

    /// The ledger's schema, where it is not that of [`Migrator::schema`].
    #[must_use]
    pub fn ledger_schema(mut self, schema: impl Into<String>) -> Self {
        self.ledger_schema = Some(schema.into());
        self
    }

    /// The ledger's table name; `migration_ledger` unless told otherwise.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Applies pending migrations that sort before applied ones; otherwise they are drift.
    #[must_use]
    pub fn allow_out_of_order(mut self) -> Self {
        self.policy.out_of_order = Tolerance::Allow;
        self
    }

    /// Lets entries pass whose migration is missing from the set; otherwise they are drift.
    #[must_use]
    pub fn allow_missing(mut self) -> Self {
        self.policy.missing = Tolerance::Allow;
        self
    }

    /// Lets applied migrations pass whose meaning was edited; otherwise they are drift.
    #[must_use]
    pub fn allow_edited(mut self) -> Self {
        self.policy.edited = Tolerance::Allow;
        self
    }

    /// Takes entries newer than the set for drift; otherwise they are reported and let pass,
    /// because an old replica must survive a roll-back deploy.
    #[must_use]
    pub fn refuse_ahead(mut self) -> Self {
        self.policy.ahead = Tolerance::Refuse;
        self
    }

    /// Applies versioned migrations up to this version, itself included, and no repeatable ones.
    #[must_use]
    pub fn to(mut self, version: impl Into<String>) -> Self {
        self.limit = Limit::To(Version::new(version.into()));
        self
    }

    /// Applies this migration and no other. One that is pending before it is then out of order.
    #[must_use]
    pub fn only(mut self, version: impl Into<String>) -> Self {
        self.limit = Limit::Only(Version::new(version.into()));
        self
    }

    /// What keeps two runs apart; advisory locks unless told otherwise.
    #[must_use]
    pub fn lock(mut self, lock: Lock) -> Self {
        self.lock = lock;
        self
    }

    /// How long a statement of a migration waits for a lock; zero is for ever.
    ///
    /// Unless told otherwise it is the session's own `lock_timeout`, or five seconds where that is
    /// none: every query that comes behind a waiting `ALTER TABLE` waits with it. A migration that
    /// sets its own keeps it, and what builds or drops an index CONCURRENTLY, which keeps nobody
    /// waiting, waits as the session says.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = Some(timeout);
        self
    }

    /// How often a migration that was undone because somebody else held a lock (SQLSTATE 55P03,
    /// 40P01 or 40001) is tried again; ten times unless told otherwise. The pauses between grow
    /// from a quarter of a second to ten seconds.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How long `run` waits for other replicas, all waits together; ten minutes unless told
    /// otherwise.
    #[must_use]
    pub fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_timeout = timeout;
        self
    }

    /// How long `run` may take, waits and migrations together; unlimited unless told otherwise.
    ///
    /// The server cuts the statement that runs when the time is up (`statement_timeout`), and
    /// nothing of its migration stays.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How many bytes of SQL go into one message at most, unless a single migration is larger;
    /// 512 KiB unless told otherwise.
    #[must_use]
    pub fn chunk_bytes(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes;
        self
    }

    /// Applies what is pending, exactly once whatever number of replicas run at the same time.
    ///
    /// Nothing pending is one message and takes no lock.
    ///
    /// # Errors
    /// [`Error::Drift`] and [`Error::Placeholder`] before anything ran; [`Error::Migration`] where
    /// the server refused a migration, [`Error::Busy`] where others held the lock for too long,
    /// [`Error::Deadline`] when the run's own time was up, [`Error::Pooled`] where the connection
    /// cannot carry a migration, [`Error::Database`] where the ledger could not be read or written.
    /// Each keeps the report of what was applied before.
    ///
    /// # Cancel safety
    /// A dropped future leaves every migration applied and recorded, or neither; the connection is
    /// outside a transaction and without a lock once the server has worked off what was sent. A
    /// non-transactional migration is then unfinished, and the next run goes on with it.
    pub async fn run(&self, client: &mut Client) -> Result<Report, Error> {
        check_embed(self.set)?;
        execute::run(self, client, Goal::Apply).await
    }

    /// Undoes applied migrations, newest application first, each in a transaction of its own with
    /// its entry. The down script is the set's where its up script is what was applied, else the
    /// one that the ledger keeps: an older binary can undo what a newer one applied.
    ///
    /// A non-transactional down script is run statement by statement; where it is cut short, all of
    /// it runs again, so write it so that it can be repeated. Repeatable migrations are not undone.
    ///
    /// # Errors
    /// [`Error::Rollback`] with every obstacle, before anything was undone; else as
    /// [`Migrator::run`].
    ///
    /// # Cancel safety
    /// As [`Migrator::run`].
    pub async fn rollback(&self, client: &mut Client, target: Rollback) -> Result<Report, Error> {
        check_embed(self.set)?;
        execute::run(self, client, Goal::Undo(&target)).await
    }

    /// What `rollback` would undo now, in that order; undoes nothing.
    ///
    /// # Errors
    /// As [`Migrator::rollback`].
    pub async fn plan_rollback(
        &self,
        client: &Client,
        target: Rollback,
    ) -> Result<Vec<Undo<'s>>, Error> {
        let contents = read(client, &self.ledger(), Reading::WithDownScripts).await?;
        rollback(self.set, contents.recorded, &target)
            .map_err(|obstacles| Error::Rollback { obstacles, report: Box::default() })
    }

    /// What `run` would apply now; applies nothing.
    ///
    /// # Errors
    /// [`Error::Drift`] and what reading the ledger gives.
    pub async fn plan(&self, client: &Client) -> Result<Plan<'s>, Error> {
        let contents = read(client, &self.ledger(), Reading::Entries).await?;
        self.decide(contents.entries)
    }

    /// The plan for these entries, within the limit.
    pub(crate) fn decide(&self, entries: Vec<Entry>) -> Result<Plan<'s>, Error> {
        let mut plan = plan(self.set, entries, &self.policy)
            .map_err(|drift| Error::Drift { drift, report: Box::default() })?;
        let (Limit::To(version) | Limit::Only(version)) = &self.limit else { return Ok(plan) };
        let is_versioned = |migration: &Migration| migration.kind() == Kind::Versioned;
        let is_it =
            |migration: &Migration| is_versioned(migration) && migration.version() == version;
        if !self.set.iter().any(is_it) {
            return Err(Error::UnknownVersion { version: version.to_string() });
        }
        let upto =
            |migration: &Migration| is_versioned(migration) && migration.version() <= version;
        let is_only = matches!(self.limit, Limit::Only(_));
        plan.steps
            .retain(|step| if is_only { is_it(step.migration) } else { upto(step.migration) });
        Ok(plan)
    }

    /// Undoes the last applied migration and applies it again.
    ///
    /// # Errors
    /// As [`Migrator::rollback`] and [`Migrator::run`]. A migration that was undone and then failed
    /// is pending.
    pub async fn redo(&self, client: &mut Client) -> Result<Report, Error> {
        let undone = self.rollback(client, Rollback::Steps(1)).await?;
        match undone.undone.first() {
            Some(last) => self.clone().only(last.version.as_str()).run(client).await,
            None => Ok(undone),
        }
    }

    /// Ledger and set side by side; applies nothing.
    ///
    /// # Errors
    /// As [`Migrator::plan`].
    pub async fn status(&self, client: &Client) -> Result<Status, Error> {
        let plan = self.plan(client).await?;
        Ok(status(self.set, &plan))
    }

    /// Whether ledger and set agree and nothing is pending, for a service that must not migrate
    /// and must not start on an old schema; applies nothing.
    ///
    /// # Errors
    /// [`Error::Pending`] with what is, and as [`Migrator::plan`].
    pub async fn verify(&self, client: &Client) -> Result<(), Error> {
        let plan = self.plan(client).await?;
        let version = |step: &migrate_core::plan::Step<'_>| step.migration.version().to_string();
        let versions: Vec<String> = plan.steps.iter().map(version).collect();
        if versions.is_empty() { Ok(()) } else { Err(Error::Pending { versions }) }
    }

    /// The ledger that the options name.
    pub(crate) fn ledger(&self) -> Ledger {
        let schema = self.ledger_schema.as_deref().or(self.schema.as_deref());
        Ledger::new(schema.unwrap_or(DEFAULT_SCHEMA), &self.table, self.set.module())
    }

    /// The statement that creates the schemas that the caller asked for.
    pub(crate) fn schemas_to_create(&self) -> Vec<String> {
        let named = [self.schema.as_deref(), self.ledger_schema.as_deref()];
        let create = |name| format!("CREATE SCHEMA IF NOT EXISTS {}", quoted_identifier(name));
        match self.create_schema {
            CreateSchema::No => Vec::new(),
            CreateSchema::IfMissing => named.into_iter().flatten().map(create).collect(),
        }
    }
}

/// Reads the ledger: one message. A table that does not exist is an empty ledger.
pub(crate) async fn read(
    client: &Client,
    ledger: &Ledger,
    reading: Reading,
) -> Result<Contents, Error> {
    let mut contents = Contents::default();
    let mut broken = None;
    let result = protocol::rows(client, &ledger.read(reading), |row| {
        if let Err(column) = contents.take(&row) {
            broken = Some(column);
        }
    })
    .await;
    if let Some(column) = broken {
        return Err(Error::BrokenEntry { ledger: ledger.shown(), column });
    }
    let Err(source) = result else { return Ok(contents) };
    match source.code().map(tokio_postgres::error::SqlState::code) {
        // undefined_table; a schema that does not exist says the same.
        Some("42P01") => Ok(Contents::default()),
        // Some column is missing or of another type: whose table is it?
        Some(code) if code.starts_with("42") && code != "42501" => {
            Err(foreign_table(client, ledger, source).await)
        }
        _ => Err(unreadable(client, ledger, source).await),
    }
}

async fn unreadable(client: &Client, ledger: &Ledger, source: tokio_postgres::Error) -> Error {
    let doing = format!("reading the ledger `{}`", ledger.shown());
    let help = privilege::help(client, ledger, &source).await;
    Error::Database { doing, help, source, report: Box::default() }
}

async fn foreign_table(client: &Client, ledger: &Ledger, source: tokio_postgres::Error) -> Error {
    let mut columns = Vec::new();
    let listed = protocol::rows(client, &ledger.columns(), |row| {
        columns.extend(row.get(0).map(str::to_owned));
    })
    .await;
    match listed {
        Ok(()) if !columns.is_empty() => Error::ForeignTable { ledger: ledger.shown(), columns },
        _ => unreadable(client, ledger, source).await,
    }
}

fn status(set: &Migrations, plan: &Plan<'_>) -> Status {
    use migrate_core::plan::Cause;
    let mut applied = plan.applied.iter().peekable();
    let mut steps = plan.steps.iter().peekable();
    let row = |migration: &migrate_core::set::Migration, state| StatusRow {
        version: migration.version().to_string(),
        name: migration.name().to_owned(),
        filename: migration.filename().to_owned(),
        state,
    };
    let mut migrations = Vec::with_capacity(set.len() + plan.ahead.len());
    // Both lists are in the set's order, and together they are the set.
    for migration in set {
        if let Some((_, entry)) = applied.next_if(|(found, _)| std::ptr::eq(*found, migration)) {
            let at = entry.applied_at.clone();
            let by = entry.applied_by.clone();
            let millis = u64::try_from(entry.execution_ms).unwrap_or(0);
            let duration = Duration::from_millis(millis);
            migrations.push(row(migration, State::Applied { at, by, duration }));
        } else if let Some(step) = steps.next_if(|step| std::ptr::eq(step.migration, migration)) {
            let state = match step.cause {
                Cause::Unfinished { done, in_flight } => State::Unfinished { done, in_flight },
                _ => State::Pending,
            };
            migrations.push(row(migration, state));
        }
    }
    migrations.extend(plan.ahead.iter().map(|entry| StatusRow {
        version: entry.version.to_string(),
        name: entry.name.clone(),
        filename: entry.filename.clone(),
        state: State::Ahead { at: entry.applied_at.clone(), by: entry.applied_by.clone() },
    }));
    Status { migrations }
}
