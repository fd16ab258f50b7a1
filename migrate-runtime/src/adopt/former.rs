//! Migrations that were converted from the files of another tool: what its table can have of each file, and which row
//! is about which migration.

use std::ptr;

use migrate_set::former::Former;
use migrate_set::set::{Migration, Migrations};
use migrate_set::version::Version;

use super::digest::{Digest, Hashed, directory};
use super::facts::{Facts, Key, NOTHING};
use super::names::is_file;
use super::row::Row;
use super::tool::Adopt;

/// A file of another tool.
#[derive(Debug, Clone, Copy)]
pub struct ToolFile<'f> {
    /// Its path in the folder of migrations.
    pub path: &'f str,
    /// The version in its name.
    pub version: Option<&'f str>,
    /// The description in its name.
    pub name: &'f str,
    /// The key in the tool's table, if that is neither the version nor the file.
    pub key: Option<&'f str>,
    /// The text as it is on disk.
    pub text: &'f str,
}

/// What leads from the table of `tool` to each of `files`, which are all of its folder in their order; `name` is the
/// tool's on the command line. The table of a tool that is not known has names of files.
pub fn formers(name: &str, tool: Option<Adopt>, files: &[ToolFile<'_>]) -> Vec<Former> {
    let facts = tool.map_or(NOTHING, Adopt::facts);
    let digest = facts.checksum.map(|(digest, _)| digest);
    let mut chained: Vec<Vec<String>> = Vec::new();
    if digest == Some(Digest::Directory) {
        chained = directory(files.iter().map(|file| (file.path, variants(file.text))));
    }
    let former = |(index, file): (usize, &ToolFile<'_>)| {
        let version = file.version.filter(|_| tool.is_some() && facts.key.0 == Key::Version);
        let key = file.key.or(version).unwrap_or(file.path);
        let recorded = match digest {
            Some(Digest::Directory) => chained.get(index).cloned().unwrap_or_default(),
            Some(digest) => recorded(digest, tool, file),
            None => Vec::new(),
        };
        Former { tool: name.to_owned(), key: key.to_owned(), recorded, text: None }
    };
    files.iter().enumerate().map(former).collect()
}

/// The checksums that the tool can have of one file.
fn recorded(digest: Digest, tool: Option<Adopt>, file: &ToolFile<'_>) -> Vec<String> {
    let previous = file.text.lines().find_map(|line| line.strip_prefix("--! Previous: "));
    let row = Row {
        version: file.version.map(str::to_owned),
        name: Some(file.name.to_owned()),
        previous: previous.filter(|one| *one != "-").map(str::to_owned),
        ..Row::default()
    };
    let mut recorded: Vec<String> = Vec::new();
    for text in variants(file.text) {
        let text = if tool == Some(Adopt::Pgdbm) { text.trim().to_owned() } else { text };
        let hashed = Hashed { path: file.path, statements: text.trim_end().trim_end_matches(';') };
        for one in digest.of(&text, &hashed, &row) {
            if !recorded.contains(&one) {
                recorded.push(one);
            }
        }
    }
    recorded
}

/// A text with the line endings of its file, and with those that another checkout of it has.
fn variants(text: &str) -> [String; 3] {
    let unix = text.replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    [text.to_owned(), unix, windows]
}

/// What each migration of a set was to one tool.
pub(super) struct Formers<'s>(Vec<Converted<'s>>);

/// A migration, what it was, and that as a version.
struct Converted<'s> {
    migration: &'s Migration,
    former: Former,
    version: Version,
}

impl<'s> Formers<'s> {
    pub(super) fn of(set: &'s Migrations, facts: &Facts<'_>) -> Self {
        let is_any = facts.name == NOTHING.name;
        let is_its = |one: &Former| is_any || one.tool.eq_ignore_ascii_case(facts.name);
        let of_it = |migration: &'s Migration| {
            let former = Former::all(migration.up().text()).find(|one| is_its(one))?;
            let version = Version::new(former.key.clone());
            Some(Converted { migration, former, version })
        };
        Formers(set.iter().filter_map(of_it).collect())
    }

    fn converted(&self, migration: &Migration) -> Option<&Converted<'s>> {
        self.0.iter().find(|one| ptr::eq(one.migration, migration))
    }

    /// What a migration was; `None` for one that was not converted from this tool's.
    pub(super) fn get(&self, migration: &Migration) -> Option<&Former> {
        self.converted(migration).map(|one| &one.former)
    }

    /// The migration that a row is about, by the key of the row; diesel records versions of folders without dashes.
    pub(super) fn of_row(&self, row: &Row) -> Option<&'s Migration> {
        let recorded = row.version.clone().map(Version::new);
        let is_its = |one: &&Converted<'_>| match (&recorded, &row.file) {
            (Some(version), _) => {
                one.version == *version || one.former.key.replace('-', "") == version.as_str()
            }
            (None, Some(file)) => {
                is_file(file, &one.former.key) || one.version == Version::new(file.clone())
            }
            (None, None) => false,
        };
        self.0.iter().find(is_its).map(|one| one.migration)
    }

    /// The version that a migration had for the tool, or its own.
    pub(super) fn version(&self, migration: &Migration) -> Version {
        let former = self.converted(migration).map(|one| &one.version);
        former.unwrap_or(migration.version()).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, tool: Adopt, file: ToolFile<'_>, expected: &str) {
        let former = formers(name, Some(tool), &[file]);
        assert_eq!(former[0].to_string(), expected);
    }

    /// `printf 'SELECT 1;\n' | sha256sum`, and with a carriage return.
    #[test]
    fn tool_can_have_recorded_a_file_with_either_line_ending() {
        let text = "SELECT 1;\n";
        let file = ToolFile { path: "1_a.sql", version: Some("1"), name: "a", key: None, text };
        check(
            "chronis",
            Adopt::Chronis,
            file,
            "-- migrate:from chronis 1 recorded \
             b4e0497804e46e0a0b0b8c31975b062152d551bac49c3c2e80932567b4085dcd \
             d3cd5042f97738960d802ad6b3a548dfa18152215118ba18f04493bc6944b0e4",
        );
        check("goose", Adopt::Goose, file, "-- migrate:from goose 1");
        check(
            "yoyo",
            Adopt::Yoyo,
            ToolFile { key: Some("a b"), ..file },
            "-- migrate:from yoyo a b",
        );
        check("sql-migrate", Adopt::SqlMigrate, file, "-- migrate:from sql-migrate 1_a.sql");
    }
}
