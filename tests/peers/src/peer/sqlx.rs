//! sqlx, as its documentation shows it: `Migrator::run(&pool)`, here on a pool of one connection.

use std::path::Path;

use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use super::Tuning;
use crate::address::{Address, USER};
use crate::files::{Mode, Script};

/// A pool of one connection.
pub type Session = PgPool;

pub(super) const PROGRAM: &str = r#"static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!("./migrations");
#[tokio::main]
async fn main() {
    println!("embedded {}", MIGRATOR.iter().count());
    let options = sqlx::postgres::PgConnectOptions::new();
    let pool = sqlx::PgPool::connect_with(options).await.expect("a connection");
    if let Err(error) = MIGRATOR.run(&pool).await {
        println!("{error}");
    }
}
"#;

pub(super) const fn option(tuning: Tuning) -> Option<&'static str> {
    match tuning {
        Tuning::NoStatementCache => Some("`statement_cache_capacity(0)`"),
        Tuning::NoStatementCacheNoLock => {
            Some("`statement_cache_capacity(0)` and `set_locking(false)`")
        }
        Tuning::AllowMissing => Some("`set_ignore_missing(true)`"),
        _ => None,
    }
}

pub(super) fn path(script: &Script) -> String {
    format!("{:04}_{}.sql", script.version, script.name)
}

pub(super) fn text(script: &Script) -> String {
    match script.mode {
        Mode::Transactional => script.sql.clone(),
        Mode::NonTransactional => format!("-- no-transaction\n{}", script.sql),
    }
}

pub(super) async fn connect(address: &Address, tuning: Tuning) -> Result<Session, String> {
    let mut options = PgConnectOptions::new_without_pgpass()
        .socket(&address.folder)
        .port(address.port)
        .username(USER)
        .database(&address.database);
    if matches!(tuning, Tuning::NoStatementCache | Tuning::NoStatementCacheNoLock) {
        options = options.statement_cache_capacity(0);
    }
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await;
    pool.map_err(|error| super::with_sources(&error))
}

pub(super) async fn migrate(
    session: &mut Session,
    folder: &Path,
    tuning: Tuning,
) -> Result<(), String> {
    let mut migrator = Migrator::new(folder).await.map_err(|error| super::with_sources(&error))?;
    migrator.set_locking(tuning != Tuning::NoStatementCacheNoLock);
    migrator.set_ignore_missing(tuning == Tuning::AllowMissing);
    migrator.run(&*session).await.map_err(|error| super::with_sources(&error))
}
