//! Drops unused databases: those of killed tests, and templates of old sets. It leaves databases that
//! another process locks, and those whose names do not have one of this library's two forms.

use migrate_runtime::internal::rows;
use tokio_postgres::Client;

use super::session::values;
use super::template::{self, comment_of, key, last_used, now};
use crate::error::TestError;

/// The prefix of the names of tests' databases; 16 hexadecimal digits follow, which are also the
/// number of the advisory lock that shows that the test is running. The first 8 are the maintenance database's.
pub(super) const PREFIX: &str = "migrate_test_";

/// The prefix of the comment on a database to keep; seconds since 1970 follow.
const KEPT: &str = "migrate-runtime: kept until ";

/// How long a database is kept, in seconds.
const KEEP: u64 = 24 * 3600;

/// Templates that were not used for this many seconds are dropped, and all but the newest ones.
const TEMPLATE_AGE: u64 = 7 * 24 * 3600;
const TEMPLATES: usize = 32;

/// The statement that keeps a database for a day after its test.
pub(super) fn keep(name: &str) -> String {
    format!("COMMENT ON DATABASE {name} IS '{KEPT}{}'", now() + KEEP)
}

/// A database, and the comment on it.
struct Found {
    name: String,
    comment: String,
}

/// Drops what is unused of the maintenance database `place`, except the database `own`.
pub(super) async fn collect(client: &Client, place: &str, own: &str) -> Result<(), TestError> {
    let is_over = |comment: &str| {
        let until = comment.strip_prefix(KEPT).and_then(|until| until.parse().ok());
        until.is_none_or(|until: u64| now() > until)
    };
    let mut tests = list(client, place, PREFIX, 16).await?;
    tests.retain(|found| found.name != own && is_over(&found.comment));
    let templates = stale(list(client, place, template::PREFIX, 32).await?, now());
    for found in tests.into_iter().chain(templates) {
        drop_if_free(client, &found).await?;
    }
    Ok(())
}

/// The current role's databases with this prefix and number of digits that belong to the maintenance
/// database `place`, or to one that is gone: no other process can hold their locks.
async fn list(
    client: &Client,
    place: &str,
    prefix: &str,
    digits: u32,
) -> Result<Vec<Found>, TestError> {
    let of = format!("pg_catalog.substr(d.datname::pg_catalog.text, {}, 8)", prefix.len() + 1);
    let sql = format!(
        "SELECT d.datname, s.description FROM pg_catalog.pg_database d \
         LEFT JOIN pg_catalog.pg_shdescription s ON s.objoid OPERATOR(pg_catalog.=) d.oid \
         AND s.classoid OPERATOR(pg_catalog.=) 'pg_catalog.pg_database'::pg_catalog.regclass \
         WHERE d.datname OPERATOR(pg_catalog.~) '^{prefix}[0-9a-f]{{{digits}}}$' \
         AND ({of} OPERATOR(pg_catalog.=) '{place}' OR NOT EXISTS ( \
         SELECT FROM pg_catalog.pg_database m WHERE {of} OPERATOR(pg_catalog.=) \
         pg_catalog.lpad(pg_catalog.to_hex(m.oid::pg_catalog.int8), 8, '0'))) \
         AND pg_catalog.pg_get_userbyid(d.datdba) OPERATOR(pg_catalog.=) current_user"
    );
    let mut list = Vec::new();
    let sent = rows(client, &sql, |row| {
        let text = |column| row.try_get(column).ok().flatten().unwrap_or_default().to_owned();
        list.push(Found { name: text(0), comment: text(1) });
    });
    sent.await.map_err(TestError::refused("list the databases of tests"))?;
    Ok(list)
}

/// The templates that are too old or too many. An unfinished one counts as old; the lock protects one
/// that is being built.
fn stale(mut templates: Vec<Found>, now: u64) -> Vec<Found> {
    let used = |found: &Found| last_used(&found.comment).unwrap_or(0);
    templates.sort_unstable_by(|a, b| (used(b), &b.name).cmp(&(used(a), &a.name)));
    let is_stale = |(rank, found): &(usize, Found)| {
        *rank >= TEMPLATES || now.saturating_sub(used(found)) > TEMPLATE_AGE
    };
    templates.into_iter().enumerate().filter(is_stale).map(|(_, found)| found).collect()
}

/// Drops a database whose lock is free. Without force: sessions in it show that it is in use, even
/// without the lock.
async fn drop_if_free(client: &Client, found: &Found) -> Result<(), TestError> {
    let (name, key) = (&found.name, key(&found.name));
    let lock = format!("SELECT pg_catalog.pg_try_advisory_lock({key})");
    // Two statements, so that the second one sees what happened until the lock was free.
    let sql = format!("{lock}; {}", comment_of(name));
    let answers = values(client, "lock a leftover database", &sql).await?;
    if answers.first().is_none_or(|locked| locked != "t") {
        return Ok(());
    }
    // A template may have been finished since it was listed.
    if answers.get(1).map_or("", |comment| comment) == found.comment {
        let sql = format!("DROP DATABASE IF EXISTS {name}");
        // It has a session in it, or another process was faster: the next process tries again.
        let _ = values(client, "drop a leftover database", &sql).await;
    }
    let unlock = format!("SELECT pg_catalog.pg_advisory_unlock({key})");
    values(client, "unlock a leftover database", &unlock).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(n: usize, used: Option<u64>) -> Found {
        let comment = used.map(|used| format!("{}{used}", template::READY)).unwrap_or_default();
        Found { name: format!("t{n:02}"), comment }
    }

    #[test]
    fn old_unfinished_and_surplus_templates_are_stale() {
        let now = 100 * 24 * 3600;
        let day = 24 * 3600;
        let few = vec![
            found(1, Some(now - 6 * day)),
            found(2, Some(now - 8 * day)),
            found(3, None),
            found(4, Some(now + day)),
        ];
        let stale = |templates| stale(templates, now).into_iter().map(|found| found.name);
        assert!(stale(few).eq(["t02", "t03"]));
        let many = (0..40).map(|n| found(n, Some(now - n as u64))).collect();
        assert!(stale(many).eq((32..40).map(|n| format!("t{n}"))));
    }
}
