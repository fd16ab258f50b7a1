//! The statements whose effect is not, or not only, in the schema and the rows of a database: a squash file does not have
//! them.

use migrate_runtime::Migration;

/// The beginnings of statements whose effect is not, or not only, in the database, and that the file does not have.
const BEYOND: [&str; 25] = [
    "CREATE ROLE ",
    "ALTER ROLE ",
    "DROP ROLE ",
    "CREATE USER ",
    "ALTER USER ",
    "DROP USER ",
    "CREATE GROUP ",
    "ALTER GROUP ",
    "DROP GROUP ",
    "REASSIGN OWNED ",
    "DROP OWNED ",
    "CREATE DATABASE ",
    "ALTER DATABASE ",
    "DROP DATABASE ",
    "ALTER SYSTEM ",
    "CREATE TABLESPACE ",
    "ALTER TABLESPACE ",
    "DROP TABLESPACE ",
    "CREATE SUBSCRIPTION ",
    "ALTER SUBSCRIPTION ",
    "SECURITY LABEL ",
    "COMMENT ON ROLE ",
    "COMMENT ON DATABASE ",
    "COMMENT ON TABLESPACE ",
    "COMMENT ON SUBSCRIPTION ",
];

/// What a privilege can be on, and that is not in a schema file.
const OTHERS: [&str; 3] = ["DATABASE ", "TABLESPACE ", "PARAMETER "];

/// The statements of a migration that concern more than the schema and the rows.
pub(super) fn beyond(migration: &Migration) -> impl Iterator<Item = String> {
    let text = migration.up().text();
    let statements = migration.up().single_statements();
    let statements = statements.filter_map(|(start, end)| text.get(start..end));
    let found = statements.filter_map(|statement| {
        let words = statement.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase() + " ";
        // A block can make a role if it is not there.
        let is_block = words.starts_with("DO ");
        let is_in = |beginning: &&&str| {
            let begins = words.starts_with(**beginning) || is_block && words.contains(**beginning);
            begins && !words.contains("USER MAPPING")
        };
        let named = BEYOND.iter().find(is_in).map(|beginning| beginning.trim().to_owned());
        named.or_else(|| granted(&words, is_block))
    });
    found.map(|what| format!("{what} in {}", migration.filename()))
}

/// The statement that makes a role a member of another, or gives a privilege on what is not in a schema file.
fn granted(words: &str, is_block: bool) -> Option<String> {
    [("GRANT ", " TO "), ("REVOKE ", " FROM ")].into_iter().find_map(|(verb, end)| {
        let is_beyond = |what: &str| {
            let what = what.split(end).next().unwrap_or(what);
            let on = what.split_once(" ON ").map(|(_, object)| object);
            on.is_none_or(|on| OTHERS.iter().any(|other| on.starts_with(other)))
        };
        let mut parts = words.split(verb);
        let before = parts.next()?;
        let found = if is_block {
            parts.any(is_beyond)
        } else {
            before.is_empty() && parts.next().is_some_and(is_beyond)
        };
        found.then(|| verb.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verbs::tests::one;

    #[test]
    fn what_is_not_in_a_schema_is_named() {
        let check = |sql: &str, expected: &[&str]| {
            assert_eq!(beyond(&one("1_a.sql", sql)).collect::<Vec<_>>(), expected, "{sql}");
        };
        check("CREATE TABLE users ();", &[]);
        check("create  role\n app;", &["CREATE ROLE in 1_a.sql"]);
        check("DO $$ BEGIN CREATE USER app; END $$;", &["CREATE USER in 1_a.sql"]);
        check("SELECT 'create user x';", &[]);
        check("CREATE USER MAPPING FOR public SERVER s;", &[]);
        check("GRANT readers TO app;", &["GRANT in 1_a.sql"]);
        check("REVOKE ADMIN OPTION FOR readers FROM app;", &["REVOKE in 1_a.sql"]);
        check("GRANT CONNECT ON DATABASE shop TO app;", &["GRANT in 1_a.sql"]);
        check("GRANT SELECT ON users TO app; REVOKE ALL ON SCHEMA a FROM b;", &[]);
        check("DO $$ BEGIN GRANT SELECT ON a TO b; GRANT a TO b; END $$;", &["GRANT in 1_a.sql"]);
        check("DO $$ BEGIN REVOKE SELECT ON a FROM b; END $$;", &[]);
        check("SELECT 'grant'; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a;", &[]);
        check("BEGIN; ALTER GROUP a ADD USER b; COMMIT;", &["ALTER GROUP in 1_a.sql"]);
        check("COMMENT ON DATABASE shop IS 'x';", &["COMMENT ON DATABASE in 1_a.sql"]);
    }
}
