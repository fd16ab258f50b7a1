//! Finds what a statement creates for all databases of its server, which the manual calls a cluster: a role, a
//! tablespace or a database. What a `DO` block creates is not found, because it can look whether it exists.

use std::fmt;

use super::lexer::lex;
use super::split::split;
use super::words::Words;

/// An object of the whole server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterObject {
    /// What it is.
    pub kind: ClusterKind,
    /// Its name, in the server's spelling.
    pub name: String,
}

/// What an object of the whole server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterKind {
    /// Also as `USER` or `GROUP`.
    Role,
    /// A place for files.
    Tablespace,
    /// Another database.
    Database,
}

impl fmt::Display for ClusterObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ClusterKind::Role => "role",
            ClusterKind::Tablespace => "tablespace",
            ClusterKind::Database => "database",
        };
        write!(f, "{kind} `{}`", self.name)
    }
}

const KINDS: [(&str, ClusterKind); 5] = [
    ("ROLE", ClusterKind::Role),
    ("USER", ClusterKind::Role),
    ("GROUP", ClusterKind::Role),
    ("TABLESPACE", ClusterKind::Tablespace),
    ("DATABASE", ClusterKind::Database),
];

/// What the statement `sql` creates for the whole server, or gives a new name there.
pub fn created_for_all(sql: &str) -> Option<ClusterObject> {
    let tokens = lex(sql);
    let statements = split(sql, &tokens).ok()?;
    let mut words = Words::of(sql, statements.first()?);
    let renames = words.eat("ALTER");
    if !renames && !words.eat("CREATE") {
        return None;
    }
    let (_, kind) = *KINDS.iter().find(|(word, _)| words.eat(word))?;
    if words.next_are("MAPPING FOR") || words.next_are("MAPPING IF") {
        return None;
    }
    let mut name = words.identifier()?;
    if renames {
        name = words.eat("RENAME TO").then(|| words.identifier())??;
    }
    Some(ClusterObject { kind, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_the_server_are_found_by_their_names() {
        let check = |sql: &str, expected: &str| {
            let found = created_for_all(sql).map(|object| object.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{sql}");
        };
        check("CREATE ROLE app", "role `app`");
        check("create /* x */ user App WITH PASSWORD 'x'", "role `app`");
        check("CREATE GROUP \"The \"\"App\"\" 2\"", "role `The \"App\" 2`");
        check("CREATE USER mapping", "role `mapping`");
        check("CREATE USER MAPPING FOR public SERVER s", "");
        check("CREATE USER MAPPING IF NOT EXISTS FOR public SERVER s", "");
        check("CREATE TABLESPACE fast LOCATION '/x'", "tablespace `fast`");
        check("CREATE DATABASE reports TEMPLATE template0", "database `reports`");
        check("ALTER ROLE app RENAME TO service", "role `service`");
        check("ALTER ROLE app LOGIN", "");
        check("ALTER TABLE role RENAME TO user", "");
        check("CREATE TABLE role ()", "");
        check("DO $$ BEGIN CREATE ROLE app; END $$", "");
        check("-- x\nCREATE ROLE app", "role `app`");
        check("", "");
    }
}
