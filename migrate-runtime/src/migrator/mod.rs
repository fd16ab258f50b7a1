//! The builder: a set and the options of a run, each with its safe default.

use std::time::Duration;

use migrate_set::plan::{Policy, Tolerance};
use migrate_set::set::Migrations;
use migrate_set::version::Version;

use crate::outcome::{Calls, Event, Function, Listeners, When};

mod limits;
mod interrupt;
mod parts;

pub(crate) use interrupt::Asked;
pub use interrupt::Interrupt;
pub(crate) use parts::{Part, Parts};

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
///
/// Options come before the verb:
///
/// ```
/// # use std::time::Duration;
/// # use migrate_runtime::{Lock, Migrations, Migrator};
/// # fn of(set: &Migrations) -> Migrator<'_> {
/// Migrator::new(set)
///     .schema("app") // the ledger is app.migration_ledger
///     .ledger_schema("meta") // or meta.migration_ledger
///     .create_schema()
///     .allow_missing() // old files were removed
///     .lock(Lock::Row) // through PgBouncer, non-transactional migrations too
///     .lock_timeout(Duration::from_secs(2))
///     .deadline(Duration::from_secs(300))
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Migrator<'s> {
    pub(crate) set: &'s Migrations,
    pub(crate) schema: Option<String>,
    pub(crate) ledger_schema: Option<String>,
    pub(crate) table: String,
    pub(crate) create_schema: CreateSchema,
    pub(crate) policy: Policy,
    pub(crate) down_from_ledger: Tolerance,
    /// The versions of [`Migrator::forget_unfinished`].
    pub(crate) forgets: Vec<Version>,
    pub(crate) limit: Limit,
    pub(crate) oldest_peer: Option<String>,
    pub(crate) lock: Lock,
    pub(crate) lock_timeout: Option<Duration>,
    pub(crate) retries: u32,
    pub(crate) wait_timeout: Duration,
    pub(crate) deadline: Option<Duration>,
    pub(crate) chunk_bytes: usize,
    pub(crate) hides_details: bool,
    pub(crate) calls: Calls,
    pub(crate) listeners: Listeners,
    pub(crate) interrupt: Option<Asked>,
    pub(crate) parts: Parts,
}

/// The lock that keeps two runs apart ([`Migrator::lock`]).
///
/// ```
/// use migrate_runtime::{Lock, Migrations, Migrator};
///
/// /// `pool_mode` is the mode of the pooler, if the deployment has one.
/// fn migrator<'s>(set: &'s Migrations, pool_mode: Option<&str>) -> Migrator<'s> {
///     Migrator::new(set).lock(match pool_mode {
///         Some("session") => Lock::Advisory,
///         Some(_) => Lock::Row,
///         None => Lock::Detect,
///     })
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lock {
    /// Advisory locks, or a row of the ledger if this role cannot take them. A non-transactional
    /// migration needs a session lock, so it is refused through a pooler.
    #[default]
    Detect,
    /// Only advisory locks, without looking for a pooler: for a pooler that keeps one session for each
    /// client.
    Advisory,
    /// A row of the ledger, which works through any pooler and without advisory locks. It is renewed
    /// with every message, and other runs can take it over 30 seconds after its holder is gone.
    Row,
}

/// Which of the pending migrations a run applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    To(Version),
    Only(Vec<Version>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CreateSchema {
    No,
    IfMissing,
}

/// The default schema and table of the ledger.
pub(crate) const DEFAULT_SCHEMA: &str = "public";
const DEFAULT_TABLE: &str = "migration_ledger";

/// The policy for verbs that only show a ledger, whatever the caller allows in a run.
pub(crate) const LENIENT: Policy = Policy {
    edited: Tolerance::Allow,
    half_done: Tolerance::Allow,
    out_of_order: Tolerance::Allow,
    missing: Tolerance::Allow,
    ahead: Tolerance::Allow,
    renamed: Tolerance::Allow,
};

/// How long `run` waits for other replicas by default.
const DEFAULT_WAIT: Duration = Duration::from_secs(10 * 60);

/// How long a statement of a migration waits for a lock by default: queries after it in the lock
/// queue wait as long.
pub(crate) const DEFAULT_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a blocked migration is tried again by default.
const DEFAULT_RETRIES: u32 = 10;

/// The default size of a message, in bytes.
const DEFAULT_CHUNK: usize = 512 * 1024;

impl<'s> From<&Migrator<'s>> for Migrator<'s> {
    /// A copy, for functions that accept a set or a migrator.
    fn from(migrator: &Migrator<'s>) -> Self {
        migrator.clone()
    }
}

impl<'s> Migrator<'s> {
    /// A migrator with the safe default of every option.
    pub(crate) fn of(set: &'s Migrations, parts: Parts) -> Self {
        Migrator {
            set,
            schema: None,
            ledger_schema: None,
            table: DEFAULT_TABLE.to_owned(),
            create_schema: CreateSchema::No,
            policy: Policy::default(),
            down_from_ledger: Tolerance::Refuse,
            forgets: Vec::new(),
            limit: Limit::None,
            oldest_peer: None,
            lock: Lock::Detect,
            lock_timeout: None,
            retries: DEFAULT_RETRIES,
            wait_timeout: DEFAULT_WAIT,
            deadline: None,
            chunk_bytes: DEFAULT_CHUNK,
            hides_details: false,
            calls: Calls::default(),
            listeners: Listeners::default(),
            interrupt: None,
            parts,
        }
    }

    /// The schema that replaces `{{schema}}` in migrations, and that the ledger is in.
    ///
    /// `{{tables.users}}` becomes `"app"."users"`. Without a schema it becomes `"users"`, and the ledger
    /// is in `public`.
    #[must_use]
    pub fn schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Creates the schema with the ledger if it is missing.
    #[must_use]
    pub fn create_schema(mut self) -> Self {
        self.create_schema = CreateSchema::IfMissing;
        self
    }

    /// The ledger's schema, if it is not that of [`Migrator::schema`].
    #[must_use]
    pub fn ledger_schema(mut self, schema: impl Into<String>) -> Self {
        self.ledger_schema = Some(schema.into());
        self
    }

    /// The ledger's table name, without its schema; `migration_ledger` by default.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = table.into();
        self
    }

    /// Applies pending migrations that sort before applied ones; by default they are drift.
    #[must_use]
    pub fn allow_out_of_order(mut self) -> Self {
        self.policy.out_of_order = Tolerance::Allow;
        self
    }

    /// Allows entries whose migration is missing from the set; by default they are drift.
    #[must_use]
    pub fn allow_missing(mut self) -> Self {
        self.policy.missing = Tolerance::Allow;
        self
    }

    /// Allows applied migrations whose SQL was edited; by default they are drift.
    #[must_use]
    pub fn allow_edited(mut self) -> Self {
        self.policy.edited = Tolerance::Allow;
        self
    }

    /// Undoes a migration whose text in the set is not what was applied by the down script in the ledger;
    /// otherwise it is not undone, unless the set has no down script for it.
    ///
    /// Every role that may write the ledger may have changed that script: read it first, in
    /// [`Migrator::plan_rollback`].
    ///
    /// ```
    /// # use migrate_runtime::{Migrations, Migrator};
    /// # fn of(set: &Migrations) -> Migrator<'_> {
    /// Migrator::new(set).down_from_ledger()
    /// # }
    /// ```
    #[must_use]
    pub fn down_from_ledger(mut self) -> Self {
        self.down_from_ledger = Tolerance::Allow;
        self
    }

    /// Runs this migration from its first statement if it stopped partway outside a transaction, and its
    /// text does not begin with what took effect: after you have undone that by hand. Otherwise it
    /// changes nothing, so it can stay in the code.
    ///
    /// ```
    /// # use migrate_runtime::{Migrations, Migrator};
    /// # fn of(set: &Migrations) -> Migrator<'_> {
    /// Migrator::new(set).forget_unfinished(7) // its index was dropped by hand
    /// # }
    /// ```
    #[must_use]
    pub fn forget_unfinished(mut self, version: impl Into<Version>) -> Self {
        self.forgets.push(self.named(version));
        self
    }

    /// The version of the migration that a caller names.
    pub(crate) fn named(&self, version: impl Into<Version>) -> Version {
        let named = version.into();
        self.set.named(&named).clone()
    }

    /// Treats entries that are newer than the set as drift; by default they are allowed and reported,
    /// because an older binary must still start after a deployment is rolled back.
    #[must_use]
    pub fn refuse_ahead(mut self) -> Self {
        self.policy.ahead = Tolerance::Refuse;
        self
    }

    /// Applies migrations up to and including this version, or this file (`003_add_email.sql`). The repeatable ones
    /// follow the versioned ones, so they only run if this is one of them.
    ///
    /// [`Migrator::rollback`] has a target of its own, so that what it undoes is named where it is called.
    #[must_use]
    pub fn to(mut self, version: impl Into<Version>) -> Self {
        self.limit = Limit::To(self.named(version));
        self
    }

    /// Applies this migration and no other. Pending migrations before it are then out of order.
    #[must_use]
    pub fn only(mut self, version: impl Into<Version>) -> Self {
        self.limit = Limit::Only(vec![self.named(version)]);
        self
    }

    /// The function of the migration `version`, whose file has `-- migrate:function`: it runs after
    /// the file's statements, in the same transaction, for what SQL cannot do.
    ///
    /// It is called again if its transaction was undone, so its effects outside the database must be
    /// repeatable. Its code is not part of the checksum.
    ///
    /// ```no_run
    /// use migrate_runtime::hook::RunClient;
    /// use migrate_runtime::{Migrations, Migrator};
    ///
    /// async fn hash_passwords(transaction: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    ///     for row in transaction.query("SELECT id, password FROM users", &[]).await? {
    ///         let (id, password): (i64, String) = (row.get(0), row.get(1));
    ///         let hash = password.len().to_string(); // a hash, in earnest
    ///         transaction.execute("UPDATE users SET hash = $1 WHERE id = $2", &[&hash, &id]).await?;
    ///     }
    ///     Ok(())
    /// }
    ///
    /// # fn of(set: &Migrations) -> Migrator<'_> {
    /// Migrator::new(set).function(8, hash_passwords)
    /// # }
    /// ```
    #[must_use]
    pub fn function(
        mut self,
        version: impl Into<Version>,
        function: impl for<'c> Function<'c> + 'static,
    ) -> Self {
        self.calls.add_function(self.named(version), function);
        self
    }

    /// Calls `hook` in every run, with the run's client. Its error stops the run, and undoes the
    /// transactional migration that it was called for.
    ///
    /// A hook before or after each migration costs messages: every migration is then sent on its own,
    /// in three or four with that for the lock. Changes of a hook to the session last until its migration ends. A migration
    /// outside a transaction is not undone if the hook after it fails. A run with nothing pending calls
    /// no hooks. To see only the progress, use [`Migrator::on`], which costs nothing.
    ///
    /// ```no_run
    /// use migrate_runtime::hook::{RunClient, When};
    /// use migrate_runtime::{Migrations, Migrator};
    ///
    /// async fn as_owner(migration: RunClient<'_>) -> Result<(), tokio_postgres::Error> {
    ///     migration.batch_execute("SET ROLE app_owner").await
    /// }
    ///
    /// # fn of(set: &Migrations) -> Migrator<'_> {
    /// Migrator::new(set).hook(When::BeforeEach, as_owner)
    /// # }
    /// ```
    #[must_use]
    pub fn hook(mut self, when: When, hook: impl for<'c> Function<'c> + 'static) -> Self {
        self.calls.add_hook(when, hook);
        self
    }

    /// Calls `listener` with the progress of a run; this costs no messages.
    ///
    /// ```no_run
    /// use migrate_runtime::{Event, Migrations, Migrator};
    /// # fn of(set: &Migrations) -> Migrator<'_> {
    /// Migrator::new(set).on(|event| {
    ///     if let Event::Finished(migration) = event {
    ///         println!("{} took {:?}", migration.filename, migration.duration);
    ///     }
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn on(mut self, listener: impl Fn(&Event<'_>) + Send + Sync + 'static) -> Self {
        self.listeners.add(listener);
        self
    }
}
