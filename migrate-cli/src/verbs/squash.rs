//! `squash`: replaces the first migrations by one file that makes the same database. Nothing is written before both
//! ways were compared in databases that are created for it.

use std::fs;
use std::path::Path;

use clap::Args;
use migrate_runtime::internal::squash::{Replaced, lines};
use migrate_runtime::internal::{DatabasePlace, Made, made, set, with_set};
use migrate_runtime::set::Kind;
use migrate_runtime::{Migration, Migrations, Migrator, Version};
use migrate_source::check::{SourceFile, check};
use migrate_source::discover::discover;
use migrate_source::history_file::{Update, update};
use migrate_source::replace::replace;

use super::database::{Maintenance, Server};
use super::server::Connector;
use crate::error::VerbError;
use crate::exit::Exit;
use crate::folder::{Folder, Located};
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::{counted, line, notes};

/// How many rows of one table are worth a note.
const MANY_ROWS: usize = 1000;

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

#[derive(Args, Debug, Clone)]
pub(crate) struct Squash {
    /// The last version to replace
    #[arg(long, value_name = "VERSION")]
    to: String,
    /// Leave the files that are replaced in the folder
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    folder: Folder,
}

/// What is replaced, and by what.
struct Squashed<'s> {
    replaced: Vec<&'s Migration>,
    file: SourceFile,
    /// The set with the file.
    set: Migrations,
    /// What the file does not do, although the replaced files do.
    left_out: Vec<String>,
    notes: Vec<String>,
}

impl Squash {
    pub(super) async fn run(
        &self,
        cx: &Connector<'_>,
    ) -> Result<(DatabasePlace, Answer), VerbError> {
        let Some(migrator) = cx.sets.first() else {
            return Err(VerbError::Usage { what: "there is no set".to_owned(), help: "name one" });
        };
        let known = set(migrator);
        let located = self.folder.locate(Some(known).filter(|set| set.origin().is_some()))?;
        let files = discover(&located.path, &located.shown, located.options.links)?;
        if check(&located.shown, &files, &located.options)?.set.as_slice() != known.as_slice() {
            return Err(VerbError::Usage {
                what: format!("the set of this program is not that of `{}`", located.shown),
                help: "build it again",
            });
        }
        let version = Version::from(self.to.as_str());
        let replaced = replaced(known, &version)?;
        let server = Server::connect(cx, &Maintenance::default()).await?;
        let old = migrator.clone().to(version.clone());
        let [made, again] = [made_by(cx, &server, &old).await?, made_by(cx, &server, &old).await?];
        let unsteady = made.differing(&again);
        let squashed = compose((&located, &files), replaced, &made, &unsteady)?;
        let new = with_set(migrator, &squashed.set).to(version);
        compare(&made, &made_by(cx, &server, &new).await?, &unsteady)?;
        Ok((server.place(), self.write(&located, &squashed)?))
    }

    /// Writes the file, and removes what it replaces if that loses nothing.
    fn write(&self, located: &Located, squashed: &Squashed<'_>) -> Result<Answer, VerbError> {
        let Squashed { replaced, file, set, left_out, notes: said } = squashed;
        let path = located.path.join(&file.path);
        let failed = |path: &Path, source| VerbError::File { file: path.to_owned(), source };
        let keeps = self.keep || !left_out.is_empty();
        if keeps && path.exists() {
            return Err(VerbError::Usage {
                what: format!("{} exists", path.display()),
                help: "rename it, because a file that is kept cannot have the name of the new one",
            });
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
        }
        replace(&path, &file.bytes).map_err(|source| failed(&path, source))?;
        let removed = if keeps { Vec::new() } else { remove(located, replaced, &file.path)? };
        let (_, history) = located.read_history()?;
        if let Some(Ok(history)) = history.map(|text| update(Some(&text), set, Update::All)) {
            replace(&located.history, history.text.as_bytes())
                .map_err(|source| failed(&located.history, source))?;
        }
        Ok(answer(located, squashed, removed, said))
    }
}

fn answer(
    located: &Located,
    squashed: &Squashed<'_>,
    removed: Vec<String>,
    said: &[String],
) -> Answer {
    let Squashed { replaced, file, left_out, .. } = squashed;
    let (count, file) = (replaced.len(), format!("{}/{}", located.shown, file.path));
    let mut text = line("Proved", "both ways make the same schema and rows of an empty database");
    text += &line("Created", &file);
    if removed.is_empty() {
        text += &line("Kept", &format!("the files of {}", counted(count, "migration")));
    } else {
        text += &line("Removed", &format!("the files of {}", counted(count, "migration")));
    }
    let mut all: Vec<String> =
        left_out.iter().map(|one| format!("not in the file: {one}")).collect();
    if !left_out.is_empty() {
        all.push(
            "add what is missing to the file by hand, and then remove the files that it replaces"
                .to_owned(),
        );
    }
    all.extend(said.iter().cloned());
    text += &notes(&all);
    let exit = if left_out.is_empty() { Exit::Fine } else { Exit::Failed };
    let replaced = replaced.iter().map(|one| one.version().to_string()).collect();
    Answer { exit, text, body: Body::Squashed { file, replaced, removed, notes: all } }
}

/// The migrations up to this version, if one file can replace them.
fn replaced<'s>(set: &'s Migrations, version: &Version) -> Result<Vec<&'s Migration>, VerbError> {
    let usage = |what: String, help| Err(VerbError::Usage { what, help });
    let versioned = set.iter().filter(|one| one.kind() == Kind::Versioned);
    let replaced: Vec<&Migration> = versioned.filter(|one| one.version() <= version).collect();
    match &replaced[..] {
        [.., last] if last.version() == version => {}
        _ => return usage(format!("version {version} is not in the set"), "`status` lists them"),
    }
    if let [one] = replaced[..] {
        let what = format!("up to version {version} there is only `{}`", one.filename());
        return usage(what, "name a later version");
    }
    let with_placeholders = |one: &&&Migration| !one.up().placeholders().is_empty();
    if let Some(one) = replaced.iter().find(with_placeholders) {
        return usage(
            format!(
                "`{}` has placeholders, so its schema is chosen at each run",
                set.path_of(one.filename())
            ),
            "squash up to a version before it",
        );
    }
    Ok(replaced)
}

/// What a run makes of a new database.
async fn made_by(
    cx: &Connector<'_>,
    server: &Server,
    migrator: &Migrator<'_>,
) -> Result<Made, VerbError> {
    let work = async |name: &str| {
        let (mut client, _) = cx.connect(&cx.target()?.of_database(name), None).await?;
        migrator.run(&mut client).await?;
        made(&client, &cx.ledgers()).await.map_err(hidden)
    };
    server.scratch("squash", work).await
}

/// The error of a server that does not answer with its catalogs and rows.
fn hidden(source: tokio_postgres::Error) -> VerbError {
    let what = "read what the migrations made".to_owned();
    let help = "check the server's message; a role with BYPASSRLS can read rows that a policy hides from their owner";
    VerbError::Server { what, help, source }
}

/// The file, and the set with it instead of what it replaces.
fn compose<'s>(
    (located, files): (&Located, &[SourceFile]),
    replaced: Vec<&'s Migration>,
    made: &Made,
    unsteady: &[String],
) -> Result<Squashed<'s>, VerbError> {
    let list = lines(&Replaced::of(replaced.iter().copied()));
    let head = "--\n-- What these make of an empty database, written by `migrate squash`.\n";
    let text = [&list, head, &made.script()].concat();
    let path = replaced.last().map(|last| path_after(last)).unwrap_or_default();
    let file = SourceFile::new(path, text);
    let gone: Vec<String> = replaced.iter().flat_map(|one| files_of(one)).collect();
    let is_left = |one: &&SourceFile| one.path != file.path && !gone.contains(&one.path);
    let mut rest: Vec<SourceFile> = files.iter().filter(is_left).cloned().collect();
    rest.push(file.clone());
    let set = check(&located.shown, &rest, &located.options)?.set;
    let mut left_out = made.left_out.clone();
    left_out.extend(replaced.iter().flat_map(|one| beyond(one)));
    let mut notes = Vec::new();
    for table in unsteady {
        notes.push(format!(
            "two runs of the replaced files do not leave the same in {table}; the file has what the first left"
        ));
    }
    for (table, rows) in made.tables().filter(|(_, rows)| *rows > MANY_ROWS) {
        notes.push(format!("{table} has {rows} rows, which are all in the file"));
    }
    Ok(Squashed { replaced, file, set, left_out, notes })
}

/// The path of the file, which is named like the last that it replaces.
fn path_after(last: &Migration) -> String {
    let (path, name) = (last.filename(), last.name());
    // What follows it can be the same word: `2_up.up.sql`, `2_sql.sql`.
    let after = |marks: &'static [char]| {
        let is_name = move |at: &usize| {
            path[..*at].ends_with(marks) && path[at + name.len()..].starts_with(['.', '/'])
        };
        path.match_indices(name).map(|(at, _)| at).filter(is_name)
    };
    let found = after(&['_', '-']).last().or_else(|| after(&['.']).next());
    match found.filter(|_| !name.is_empty()) {
        Some(at) => [&path[..at], "squash", &path[at + name.len()..]].concat(),
        None => path.to_owned(),
    }
}

/// The paths of the files of a migration; diesel has one more in its folder.
fn files_of(migration: &Migration) -> Vec<String> {
    let scripts = [Some(migration.up()), migration.down()];
    let mut paths: Vec<String> =
        scripts.into_iter().flatten().map(|script| script.filename().to_owned()).collect();
    paths.dedup();
    if let Some((folder, _)) = migration.filename().rsplit_once('/') {
        paths.push(format!("{folder}/metadata.toml"));
    }
    paths
}

/// The statements of a migration that concern more than the schema and the rows.
fn beyond(migration: &Migration) -> impl Iterator<Item = String> {
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

/// Whether both are the same, apart from the tables whose rows are never the same.
fn compare(old: &Made, new: &Made, unsteady: &[String]) -> Result<(), VerbError> {
    let found = old.schema_differences(new);
    let tables = old.differing(new).into_iter().filter(|table| !unsteady.contains(table));
    let found =
        found.iter().map(ToString::to_string).chain(tables.map(|table| format!("rows of {table}")));
    let found: Vec<String> = found.take(5).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(VerbError::Unproved {
        what: format!("one file does not make what the migrations make: {}", found.join("; ")),
        help: "nothing was changed; squash up to a version before the one that makes this",
    })
}

/// Removes the files of these migrations, but not the new one, and the folders that are then empty.
fn remove(located: &Located, replaced: &[&Migration], new: &str) -> Result<Vec<String>, VerbError> {
    let mut removed = Vec::new();
    for path in replaced.iter().flat_map(|one| files_of(one)).filter(|path| path != new) {
        let file = located.path.join(&path);
        match fs::remove_file(&file) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            removed => removed.map_err(|source| VerbError::File { file: file.clone(), source })?,
        }
        if let (Some(folder), true) = (file.parent(), path.contains('/')) {
            // It is kept if it has other files.
            let _ = fs::remove_dir(folder);
        }
        removed.push(format!("{}/{path}", located.shown));
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use migrate_source::check::SetOptions;

    use super::*;

    fn one(path: &str, sql: &str) -> Migration {
        let set = check("m", &[SourceFile::new(path, sql)], &SetOptions::default()).unwrap().set;
        set.as_slice()[0].clone()
    }

    #[test]
    fn file_is_named_like_the_last_that_it_replaces() {
        let check = |path: &str, expected: &str| {
            assert_eq!(path_after(&one(path, "SELECT 1;")), expected);
        };
        check("0120_add_a.sql", "0120_squash.sql");
        check("0120_add_a.up.sql", "0120_squash.up.sql");
        check("V2.1__x.sql", "V2.1__squash.sql");
        check("2024-01-01-000000_x/up.sql", "2024-01-01-000000_squash/up.sql");
        check("20240126184148_x/migration.sql", "20240126184148_squash/migration.sql");
        check("000001.sql", "000001.sql");
        check("0002_s.sql", "0002_squash.sql");
        check("0002_sql.sql", "0002_squash.sql");
        check("0002-up.up.sql", "0002-squash.up.sql");
        check("1_1.sql", "1_squash.sql");
        check("1.1.1_1.sql", "1.1.1_squash.sql");
        check("1.up.up.sql", "1.squash.up.sql");
        check("20240126184148_migration/migration.sql", "20240126184148_squash/migration.sql");
    }

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
