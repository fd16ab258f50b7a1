//! The options that limit how a run disturbs other sessions and releases: its lock, waits and limits.

use std::time::Duration;

use super::{Lock, Migrator};

impl Migrator<'_> {
    /// The lock that keeps two runs apart; advisory locks by default.
    #[must_use]
    pub fn lock(mut self, lock: Lock) -> Self {
        self.lock = lock;
        self
    }

    /// How long a statement of a migration waits for a lock; zero is unlimited. A server's longest limit is 24
    /// days.
    ///
    /// The default is the session's own `lock_timeout`, or five seconds if that is unlimited, because
    /// every query after a waiting `ALTER TABLE` waits with it. A migration that sets its own
    /// `lock_timeout` keeps it. A statement CONCURRENTLY blocks no other session and waits without a
    /// limit, also where the role or the database has one, unless its file sets one; through a pooler it has
    /// the session's.
    ///
    /// Keep it above the server's `deadlock_timeout`, one second by default. A statement makes autovacuum leave its
    /// table only after it has waited for that long, so with less each try fails until autovacuum has finished.
    #[must_use]
    pub fn lock_timeout(mut self, timeout: Duration) -> Self {
        self.lock_timeout = Some(timeout);
        self
    }

    /// How often a migration is tried again after it was undone because another session held a lock
    /// (SQLSTATE 55P03, 40P01 or 40001) or changed the same row of the catalog, as `CREATE EXTENSION IF NOT
    /// EXISTS` or `GRANT` in several schemas does (23505 or XX000 there); ten times by default. The pauses
    /// grow from a quarter of a second to ten seconds.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// How long `run` waits for other replicas in total; ten minutes by default.
    #[must_use]
    pub fn wait_timeout(mut self, timeout: Duration) -> Self {
        self.wait_timeout = timeout;
        self
    }

    /// The oldest release of this service that is running, such as `"2.2"`. A run then refuses, before anything
    /// runs, a pending migration that removes what that release uses: one whose file has
    /// `-- migrate:phase contract after 2.3`, or a newer release.
    ///
    /// Without it, phases stop no run. Releases are compared part by
    /// part: `2.9` is older than `2.10`, and `2.3.0-rc.1` is older than `2.3`. What `to` and `only` leave out of a
    /// run is not refused.
    ///
    /// ```
    /// # use migrate_runtime::{Migrations, Migrator};
    /// # fn of<'s>(set: &'s Migrations, oldest: Option<String>) -> Migrator<'s> {
    /// // What the deployment knows, such as the variable OLDEST_PEER of its manifest.
    /// oldest.into_iter().fold(Migrator::new(set), Migrator::oldest_peer)
    /// # }
    /// ```
    #[must_use]
    pub fn oldest_peer(mut self, release: impl Into<String>) -> Self {
        self.oldest_peer = Some(release.into());
        self
    }

    /// The maximum size of a message in bytes; 512 KiB by default. A larger migration is one message,
    /// with about 2 KiB around its SQL. A run keeps two copies of one message in memory.
    #[must_use]
    pub fn chunk_bytes(mut self, bytes: usize) -> Self {
        self.chunk_bytes = bytes;
        self
    }

    /// Leaves out of errors the server's detail and context, which can contain values of rows, such as
    /// `Key (email)=(..) already exists`, and the statements of sessions that hold locks.
    ///
    /// The driver's own error still has them, so it is in [`ErrorKind`](crate::ErrorKind) only, and not a
    /// source of the [`Error`](crate::Error).
    ///
    /// ```
    /// # use migrate_runtime::{Migrations, Migrator};
    /// # fn of(set: &Migrations) -> Migrator<'_> {
    /// Migrator::new(set).hide_details() // the log is read by more people than the table
    /// # }
    /// ```
    #[must_use]
    pub fn hide_details(mut self) -> Self {
        self.hides_details = true;
        self
    }
}
