//! The tools that are compared, behind one small interface: write a set, open a session, migrate.
//! Their differences are in one module each; the cases use only [`Peer`] and [`Tuning`].

mod ours;
mod refinery;
mod sqlx;
mod diesel;

use std::error::Error;
use std::fs;
use std::path::Path;

use crate::address::Address;
use crate::files::Script;

/// One of the tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// This library.
    Ours,
    /// refinery, on tokio-postgres.
    Refinery,
    /// sqlx, on its pool.
    Sqlx,
    /// `diesel_migrations`, on libpq.
    Diesel,
}

/// What is set away from a tool's defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// Nothing.
    Default,
    /// refinery: all migrations in one transaction.
    Grouped,
    /// sqlx, diesel: prepared statements are not kept, which a pooler in transaction mode breaks.
    NoStatementCache,
    /// sqlx: likewise, and no session lock, which such a pooler strands.
    NoStatementCacheNoLock,
    /// This library: a row of the ledger is the lock, which a pooler in transaction mode can hold.
    RowLock,
    /// refinery, sqlx: entries that the set does not have are allowed.
    AllowMissing,
}

impl Tuning {
    const ALL: [Tuning; 6] = [
        Tuning::Default,
        Tuning::Grouped,
        Tuning::NoStatementCache,
        Tuning::NoStatementCacheNoLock,
        Tuning::RowLock,
        Tuning::AllowMissing,
    ];

    /// Its name on a replica's command line.
    pub fn argument(self) -> String {
        format!("{self:?}")
    }

    /// The inverse of [`Tuning::argument`].
    pub fn parse(argument: &str) -> Option<Tuning> {
        Tuning::ALL.into_iter().find(|tuning| tuning.argument() == argument)
    }
}

/// A connection, or a pool of one, that a service keeps across runs.
pub enum Session {
    /// This library.
    Ours(ours::Session),
    /// refinery.
    Refinery(refinery::Session),
    /// sqlx.
    Sqlx(sqlx::Session),
    /// diesel.
    Diesel(diesel::Session),
}

impl Peer {
    /// In the order of the table's columns.
    pub const ALL: [Peer; 4] = [Peer::Ours, Peer::Refinery, Peer::Sqlx, Peer::Diesel];

    /// The package that is used.
    pub const fn name(self) -> &'static str {
        match self {
            Peer::Ours => "migrate-runtime",
            Peer::Refinery => "refinery",
            Peer::Sqlx => "sqlx",
            Peer::Diesel => "diesel_migrations",
        }
    }

    /// The peer of this name.
    pub fn named(name: &str) -> Option<Peer> {
        Peer::ALL.into_iter().find(|peer| peer.name() == name)
    }

    /// How its documentation names an option; `None` where the tool has none.
    pub const fn option(self, tuning: Tuning) -> Option<&'static str> {
        match self {
            Peer::Ours => ours::option(tuning),
            Peer::Refinery => refinery::option(tuning),
            Peer::Sqlx => sqlx::option(tuning),
            Peer::Diesel => diesel::option(tuning),
        }
    }

    /// Whether a run is a future that can be dropped.
    pub const fn is_async(self) -> bool {
        !matches!(self, Peer::Diesel)
    }

    /// The path of a migration's script below the folder.
    pub fn path(self, script: &Script) -> String {
        match self {
            Peer::Ours => ours::path(script),
            Peer::Refinery => refinery::path(script),
            Peer::Sqlx => sqlx::path(script),
            Peer::Diesel => diesel::path(script),
        }
    }

    /// A path for a script that has no version, of the kind a person leaves behind.
    pub const fn misnamed_path(self) -> &'static str {
        match self {
            Peer::Ours | Peer::Refinery | Peer::Sqlx => "create_users.sql",
            Peer::Diesel => "createusers/up.sql",
        }
    }

    /// Writes a set in the tool's own spelling; what the folder held before goes.
    pub fn write(self, folder: &Path, set: &[Script]) {
        if folder.exists() {
            fs::remove_dir_all(folder).expect("a folder to empty");
        }
        fs::create_dir_all(folder).expect("a folder to write to");
        for script in set {
            self.add(folder, script);
        }
    }

    /// Writes one more migration.
    pub fn add(self, folder: &Path, script: &Script) {
        let text = match self {
            Peer::Ours => ours::text(script),
            Peer::Sqlx => sqlx::text(script),
            Peer::Refinery | Peer::Diesel => script.sql.clone(),
        };
        let path = folder.join(self.path(script));
        write(&path, &text);
        if self == Peer::Diesel {
            diesel::write_metadata(&path, script);
        }
    }

    /// A program that embeds the folder `migrations`, prints `embedded N`, migrates the database of its
    /// first argument (or of libpq's variables) and prints why not, where the tool refuses.
    pub const fn program(self) -> &'static str {
        match self {
            Peer::Ours => ours::PROGRAM,
            Peer::Refinery => refinery::PROGRAM,
            Peer::Sqlx => sqlx::PROGRAM,
            Peer::Diesel => diesel::PROGRAM,
        }
    }

    /// Connects as the tool's users do.
    ///
    /// # Errors
    /// The driver's text.
    pub async fn connect(self, address: &Address, tuning: Tuning) -> Result<Session, String> {
        match self {
            Peer::Ours => ours::connect(address).await.map(Session::Ours),
            Peer::Refinery => refinery::connect(address).await.map(Session::Refinery),
            Peer::Sqlx => sqlx::connect(address, tuning).await.map(Session::Sqlx),
            Peer::Diesel => diesel::connect(address, tuning).map(Session::Diesel),
        }
    }
}

impl Session {
    /// Applies what the folder holds and the database lacks.
    ///
    /// # Errors
    /// The tool's text.
    pub async fn migrate(&mut self, folder: &Path, tuning: Tuning) -> Result<(), String> {
        match self {
            Session::Ours(session) => ours::migrate(session, folder, tuning).await,
            Session::Refinery(session) => refinery::migrate(session, folder, tuning).await,
            Session::Sqlx(session) => sqlx::migrate(session, folder, tuning).await,
            Session::Diesel(session) => diesel::migrate(session, folder),
        }
    }
}

/// Writes a file and the folders above it.
pub fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder to write to");
    fs::write(path, text).expect("a file to write");
}

/// The error's text with those of its sources that it does not repeat itself.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        source = error.source();
    }
    text
}
