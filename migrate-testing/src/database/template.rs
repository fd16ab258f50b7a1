//! Migrated databases to clone: one for each digest of its contents, built once on a server. Advisory
//! locks in the maintenance database coordinate processes: the builder of a template holds its lock
//! exclusively, those that clone it share the lock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use migrate_runtime::internal::{outcome_options, query, schemas_to_create, set};
use migrate_runtime::set::Sets;
use migrate_runtime::{Error, check_embed, run_in_order};
use migrate_set::checksum::Checksum;
use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::pool::Pool;
use super::session::{config, connect, until_empty, values};
use crate::error::TestError;
use crate::server::Server;

/// The prefix of the names of templates; 32 hexadecimal digits follow: the maintenance database's, and the
/// first ones of the digest.
pub(super) const PREFIX: &str = "migrate_template_";

/// The prefix of the comment on a finished template; seconds since 1970 follow. It is written last, so
/// a database without it is one whose builder died.
pub(super) const READY: &str = "migrate-runtime: template, last used at ";

/// How long to wait for another process to build a template.
const BUILD_LIMIT: Duration = Duration::from_secs(10 * 60);

/// How long other sessions can block a `CREATE DATABASE`.
const BLOCKED_LIMIT: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(10);

/// The least number of seconds between two notes of a template's use: each note is a write.
const NOTE_EVERY: u64 = 3600;

/// The contents of a clone, and the template database that holds them.
pub(super) struct Template<'s> {
    sets: &'s Sets<'s>,
    fixture: &'s str,
    image: Image,
}

/// The database of a template.
#[derive(Debug, Clone)]
pub(super) struct Image {
    name: String,
    strategy: &'static str,
}

/// The result of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Copied {
    Yes,
    /// There is no template, or an unfinished one.
    Missing,
    /// Another session is building it.
    Busy,
}

impl<'s> Template<'s> {
    /// The template of these sets, with `fixture` run after them.
    pub(super) fn new(sets: &'s Sets<'s>, fixture: &'s str, pool: &Pool) -> Template<'s> {
        let name = format!("{PREFIX}{}{}", pool.place, &digest(sets, fixture, &pool.role)[..24]);
        Template { sets, fixture, image: Image { name, strategy: pool.strategy } }
    }

    /// Whether the sets are what their folders have now. The run that built a template that is there already may
    /// have seen older files.
    pub(super) fn check_embeds(&self) -> Result<(), Error> {
        for migrator in self.sets {
            check_embed(set(migrator))?;
        }
        Ok(())
    }

    pub(super) fn image(&self) -> &Image {
        &self.image
    }

    /// Creates the database `clone`. The session shares the template's lock until it unlocks it.
    pub(super) async fn clone_to(
        &self,
        server: &Server,
        client: &Client,
        clone: &str,
    ) -> Result<(), TestError> {
        let deadline = Instant::now() + BUILD_LIMIT;
        while Instant::now() < deadline {
            match self.image.copy_to(client, clone).await? {
                Copied::Yes => return Ok(()),
                Copied::Missing if self.lock_alone(client).await? => {
                    let built = self.build_if_missing(server, client).await;
                    self.image.unlock(client, "").await?;
                    built?;
                }
                Copied::Missing | Copied::Busy => tokio::time::sleep(POLL).await,
            }
        }
        let seconds = BUILD_LIMIT.as_secs();
        Err(TestError::Waited { template: self.image.name.clone(), seconds })
    }

    async fn lock_alone(&self, client: &Client) -> Result<bool, TestError> {
        let sql = format!("SELECT pg_catalog.pg_try_advisory_lock({})", key(&self.image.name));
        Ok(values(client, "lock the template", &sql).await? == ["t"])
    }

    /// Builds the template, under its lock: the previous holder may have built it already, or have
    /// died while it did.
    async fn build_if_missing(&self, server: &Server, client: &Client) -> Result<(), TestError> {
        let found = values(client, "look for the template", &comment_of(&self.image.name)).await?;
        if found.first().and_then(|comment| last_used(comment)).is_some() {
            return Ok(());
        }
        let name = &self.image.name;
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        values(client, "drop an unfinished template", &drop).await?;
        // Not from template1, which may contain local additions.
        create(client, name, "template0", self.image.strategy).await?;
        let built = self.fill(server, client).await;
        if built.is_err() {
            // The first error is the one to report; if this fails, the next builder drops it.
            let _ = values(client, "drop an unfinished template", &drop).await;
        }
        built
    }

    async fn fill(&self, server: &Server, client: &Client) -> Result<(), TestError> {
        let (mut there, connection) = connect(&config(&server.url_for(&self.image.name))?).await?;
        let ran = run_in_order(self.sets, &mut there).await;
        ran.map_err(|failed| *failed.error)?;
        values(&there, "run the fixture", self.fixture).await?;
        drop(there);
        // It ends with the client, and its error was the client's.
        let _ = connection.await;
        let name = &self.image.name;
        let close = format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false");
        values(client, "close the template", &close).await?;
        // A worker of an extension, such as the daemon of Citus, stays in the database and could not be copied. If this
        // role may not end it, the error of the copy names it.
        let workers = format!(
            "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity a \
             WHERE a.datname OPERATOR(pg_catalog.=) '{name}' AND a.backend_type OPERATOR(pg_catalog.<>) \
             ALL (ARRAY['client backend', 'autovacuum worker', 'parallel worker'])"
        );
        let _ = values(client, "end the workers of extensions", &workers).await;
        // The client's session takes a moment to end: `CREATE DATABASE` itself checks only ten times a
        // second.
        let sessions = format!(
            "SELECT a.pid FROM pg_catalog.pg_stat_activity a \
             WHERE a.datname OPERATOR(pg_catalog.=) '{name}' \
             AND a.backend_type OPERATOR(pg_catalog.=) 'client backend'"
        );
        until_empty(client, "list the template's sessions", &sessions, BLOCKED_LIMIT).await?;
        values(client, "finish the template", &ready(name)).await.map(std::mem::drop)
    }
}

impl Image {
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Creates the database `clone` if the template exists, whose lock is then shared. It does not wait
    /// for the lock inside the server, where the session of a killed test would go on waiting.
    pub(super) async fn copy_to(&self, client: &Client, clone: &str) -> Result<Copied, TestError> {
        let lock = format!("SELECT pg_catalog.pg_try_advisory_lock_shared({})", key(&self.name));
        // Two statements, so that the second one sees a template that was built until the lock was free.
        let sql = format!("{lock}; {}", comment_of(&self.name));
        let found = values(client, "look for the template", &sql).await?;
        if found.first().is_none_or(|locked| locked != "t") {
            return Ok(Copied::Busy);
        }
        if let Some(used) = found.get(1).and_then(|comment| last_used(comment)) {
            self.note_use(client, used).await;
            if create(client, clone, &self.name, self.strategy).await? {
                return Ok(Copied::Yes);
            }
        }
        self.unlock(client, "_shared").await?;
        Ok(Copied::Missing)
    }

    pub(super) async fn unlock(&self, client: &Client, kind: &str) -> Result<(), TestError> {
        let sql = format!("SELECT pg_catalog.pg_advisory_unlock{kind}({})", key(&self.name));
        values(client, "unlock the template", &sql).await.map(drop)
    }

    async fn note_use(&self, client: &Client, used: u64) {
        if now().saturating_sub(used) > NOTE_EVERY {
            // Of two at the same time one may fail, and then the other has noted it.
            let _ = values(client, "note the use of the template", &ready(&self.name)).await;
        }
    }
}

/// Creates a database, and retries while other sessions block it; `false` if its template is gone.
async fn create(
    client: &Client,
    name: &str,
    template: &str,
    strategy: &str,
) -> Result<bool, TestError> {
    let sql = format!("CREATE DATABASE {name} TEMPLATE {template}{strategy}");
    let deadline = Instant::now() + BLOCKED_LIMIT;
    loop {
        let Err(source) = query(client, &sql).await else { return Ok(true) };
        let passes = [SqlState::OBJECT_IN_USE, SqlState::LOCK_NOT_AVAILABLE];
        match source.code() {
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => return Ok(false),
            Some(code) if passes.contains(code) && Instant::now() < deadline => {
                tokio::time::sleep(POLL).await;
            }
            _ => return Err(TestError::refused(format!("create `{name}`"))(source)),
        }
    }
}

/// The statement that marks a template as finished and used now.
fn ready(name: &str) -> String {
    format!("COMMENT ON DATABASE {name} IS '{READY}{}'", now())
}

/// The query of the comment on a database, which has no row if it has none.
pub(super) fn comment_of(name: &str) -> String {
    format!(
        "SELECT s.description FROM pg_catalog.pg_shdescription s \
         JOIN pg_catalog.pg_database d ON d.oid OPERATOR(pg_catalog.=) s.objoid \
         AND d.datname OPERATOR(pg_catalog.=) '{name}' \
         WHERE s.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass"
    )
}

/// When a template was last used, in seconds since 1970; `None` for one that is not finished.
pub(super) fn last_used(comment: &str) -> Option<u64> {
    comment.strip_prefix(READY)?.parse().ok()
}

/// Seconds since 1970; 0 if the clock is earlier.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// The advisory lock of a database's name: the first 16 of its hexadecimal digits as a number.
pub(super) fn key(name: &str) -> i64 {
    let digits = name.rsplit('_').next().and_then(|digits| digits.get(..16));
    let number = digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
    number.unwrap_or_default().cast_signed()
}

/// SHA-256 of everything that a template contains, as hexadecimal digits.
fn digest(sets: &Sets<'_>, fixture: &str, role: &str) -> String {
    let mut hash = Sha256::new();
    // Each with its length, so that no two lists of parts are the same bytes.
    let mut add = |part: &str| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(env!("CARGO_PKG_VERSION"));
    add(role);
    add(fixture);
    for migrator in sets {
        add(&format!("{} {}", set(migrator).len(), schemas_to_create(migrator).join("; ")));
        add(set(migrator).module());
        add(&outcome_options(migrator));
        for migration in set(migrator) {
            add(&format!("{:?} {}", migration.version(), migration.kind()));
            add(migration.name());
            add(&migration.checksum().to_string());
            for script in [Some(migration.up()), migration.down()].into_iter().flatten() {
                add(script.filename());
                add(script.text());
                add(&format!("{:?}", script.transaction()));
            }
        }
    }
    Checksum::from_bytes(hash.finalize().into()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lock_is_the_number_in_the_name() {
        assert_eq!(key("migrate_test_00000000000000ff"), 255);
        assert_eq!(key("migrate_template_ffffffffffffffff0123456789abcdef"), -1);
        assert_eq!(key("another"), 0);
    }

    #[test]
    fn only_a_finished_template_has_been_used() {
        assert_eq!(last_used("migrate-runtime: template, last used at 12"), Some(12));
        assert_eq!(last_used(""), None);
        assert_eq!(last_used("another comment"), None);
    }
}
