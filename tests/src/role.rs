//! A role with few privileges: the errors of migrations that lack one, and whether the GRANT in an
//! error's help is all that was missing. The role logs in itself, so that RESET ROLE gives it no more.

use migrate_runtime::{Migrations, Migrator};
use tokio_postgres::Client;

use crate::database::{ADVISORY_LOCKS, FreshDatabase, connect, value};
use crate::sets::set;

/// A database with a role that owns the schema `own` and nothing else, and a client of that role.
#[derive(Debug)]
pub struct SmallRole {
    /// The database.
    pub database: FreshDatabase,
    /// A session of a superuser.
    pub admin: Client,
    /// A session of the role.
    pub client: Client,
    /// Its name, which needs no quotes.
    pub role: String,
}

impl SmallRole {
    /// One in a fresh database.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn create() -> SmallRole {
        let (database, admin) = FreshDatabase::connected().await;
        let role = format!("role_{}", database.name());
        let sql = format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'small'; CREATE SCHEMA own AUTHORIZATION {role}; \
             REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE ALL ON DATABASE {} FROM PUBLIC; \
             GRANT CONNECT ON DATABASE {} TO {role}; CREATE SCHEMA theirs",
            database.name(),
            database.name()
        );
        admin.batch_execute(&sql).await.expect("a role");
        let client = Self::log_in(&database, &role).await;
        SmallRole { database, admin, client, role }
    }

    /// A session of the role, in which RESET ROLE gives no more privileges.
    async fn log_in(database: &FreshDatabase, role: &str) -> Client {
        let mut config = database.config();
        config.user(role).password("small");
        connect(&config).await
    }

    /// Runs SQL as a superuser; `{role}` is the role.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub async fn prepare(&self, sql: &str) {
        self.admin.batch_execute(&sql.replace("{role}", &self.role)).await.expect(sql);
    }

    /// The whole error of a run that must fail and leave nothing behind, with `{role}` and `{db}`
    /// for the names of this test.
    ///
    /// # Panics
    ///
    /// When it succeeds, or leaves a lock or a transaction behind.
    pub async fn refused(&mut self, migrator: &Migrator<'_>) -> String {
        let error = migrator.run(&mut self.client).await.expect_err("a privilege is missing");
        assert_eq!(value(&self.admin, ADVISORY_LOCKS).await, "0", "{error}");
        let outside = "BEGIN; SELECT now() = statement_timestamp(); COMMIT";
        assert_eq!(value(&self.client, outside).await, "t", "{error}");
        let text = error.to_string().replace(&self.role, "{role}");
        text.replace(self.database.name(), "{db}")
    }

    /// Expects this error, grants what its help names, and expects the run to succeed.
    ///
    /// # Panics
    ///
    /// When the error differs, or the run then fails.
    pub async fn granted(&mut self, migrator: &Migrator<'_>, expected: &str, applied: usize) {
        assert_eq!(self.refused(migrator).await, expected);
        self.prepare(&help(expected).replace("{db}", self.database.name())).await;
        let result = migrator.run(&mut self.client).await;
        let report = result.unwrap_or_else(|error| panic!("granted: {error}\n\n{expected}"));
        assert_eq!(report.applied.len(), applied, "{expected}");
        assert_eq!(migrator.run(&mut self.client).await.expect("again").applied.len(), 0);
    }
}

/// The GRANT that the help of an error names.
fn help(error: &str) -> &str {
    let (_, help) = error.rsplit_once("help: ").expect("a help");
    help.split(", or migrate").next().unwrap_or(help)
}

/// `sql` as the second migration, after one that creates a table.
///
/// # Panics
///
/// When it is not a valid set.
pub fn after_a_table(sql: &str) -> Migrations {
    set(&[("1_a.sql", "CREATE TABLE {{tables.a}} (id int PRIMARY KEY);"), ("2_b.sql", sql)])
}

/// What another role owns in the schema `theirs`, on which the role has USAGE.
const THEIRS: &str = "GRANT USAGE ON SCHEMA theirs TO {role}; \
    CREATE TABLE theirs.t (id int PRIMARY KEY); CREATE SEQUENCE theirs.s; \
    CREATE VIEW theirs.v AS SELECT 1 AS id; CREATE TABLE theirs.\"Odd; \"\"t\" (id int); \
    CREATE FUNCTION theirs.f(a int) RETURNS int LANGUAGE sql AS 'SELECT a'; \
    CREATE PROCEDURE theirs.p() LANGUAGE sql AS 'SELECT 1'; CREATE TYPE theirs.e AS ENUM ('a'); \
    CREATE SCHEMA \"Odd; \"\"s\"; \
    REVOKE ALL ON ROUTINE theirs.f(int), theirs.p() FROM PUBLIC; \
    REVOKE ALL ON TYPE theirs.e FROM PUBLIC";

/// A statement that is denied something: what the server points at, its message, the help.
pub type Denied = (&'static str, &'static str, &'static str, &'static str);

/// Runs `sql` as a migration that is denied something, and returns the whole error and the expected one.
async fn denied(at: &mut SmallRole, (sql, pointed, message, help): Denied) -> (String, String) {
    let set = after_a_table(sql);
    let found = at.refused(&Migrator::new(&set).schema("own")).await;
    let pointed = if pointed.is_empty() { sql.trim_end_matches(';') } else { pointed };
    let column = sql.find(pointed).expect("a part of the statement") + 1;
    let (before, marks) = (" ".repeat(column), "^".repeat(pointed.len()));
    let expected = format!(
        "migrations/2_b.sql:1:{column}: {message} (SQLSTATE 42501)\n  |\n1 | {sql}\n  |{before}{marks} here\n\
         version 2 was not applied\n\
         version 1 was applied before it and is kept\n\
         help: {help}"
    );
    (found, expected)
}

/// Checks that each of `cases` fails with its error, and succeeds once that is granted; returns those
/// that do not.
///
/// # Panics
///
/// When one succeeds at once, or leaves a lock or a transaction behind.
pub async fn denied_all(cases: &[Denied]) -> Vec<String> {
    let mut broken = Vec::new();
    for case in cases {
        let mut at = SmallRole::create().await;
        at.prepare(THEIRS).await;
        let (found, expected) = denied(&mut at, *case).await;
        if found != expected {
            broken.push(format!("{found}\n-- and not\n{expected}"));
        } else if found.contains("help: GRANT") {
            let set = after_a_table(case.0);
            let sql = help(&found).replace("{role}", &at.role).replace("{db}", at.database.name());
            let granted = at.admin.batch_execute(&sql).await;
            let run = Migrator::new(&set).schema("own").run(&mut at.client).await;
            let run = run.map(|report| report.applied.len()).map_err(|error| error.to_string());
            if granted.is_err() || run != Ok(1) {
                broken.push(format!("{}\n-- {sql}\n-- {granted:?}\n-- {run:?}", case.0));
            }
        }
    }
    broken
}
