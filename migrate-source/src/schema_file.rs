//! Compares the schema that a set makes without a database with the file that shows it to a review.

use std::fmt;

use migrate_set::schema::{
    SchemaDifference, SchemaForm, SchemaScope, compare as differences, read,
};
use thiserror::Error;

use crate::schema::{Places, SetSchema};

/// Why a schema file is not that of a set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SchemaFileProblem {
    /// There is no file yet.
    #[error("does not exist")]
    Missing,
    /// It would be read as a migration.
    #[error("is in the folder of the migrations, where each SQL file is one")]
    AmongMigrations,
    /// The file is something else.
    #[error("its first line is `{found}`, not that of `migrate schema --static`")]
    Header {
        /// The line.
        found: String,
    },
    /// Without the grammar, a set's schema is not known.
    #[error("cannot be compared without the feature `syntax`")]
    NoGrammar,
    /// The set makes another schema.
    #[error("is not the schema that the set makes{}", Listed(.differences))]
    Stale {
        /// Each object that differs: what the set makes is expected, what the file has is found. Empty if only the
        /// form of the text or what is not known differs.
        differences: Vec<SchemaDifference>,
    },
}

impl SchemaFileProblem {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            SchemaFileProblem::Missing => {
                "write it with `MIGRATE_UPDATE_HISTORY=1 cargo build`, and commit it"
            }
            SchemaFileProblem::AmongMigrations => "name a file beside the folder",
            SchemaFileProblem::Header { .. } => {
                "name another file, or remove this one; `MIGRATE_UPDATE_HISTORY=1 cargo build` writes it"
            }
            SchemaFileProblem::NoGrammar => {
                "enable the feature of `migrate-runtime`, or omit the argument `schema`"
            }
            SchemaFileProblem::Stale { .. } => {
                "review what differs, then write the file with `MIGRATE_UPDATE_HISTORY=1 cargo build`"
            }
        }
    }
}

/// How many objects a message lists.
const LISTED: usize = 20;

/// The objects that differ, each on a line.
struct Listed<'d>(&'d [SchemaDifference]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str(": the objects are the same, but not all of its text");
        }
        for difference in self.0.iter().take(LISTED) {
            write!(f, "\n{difference}")?;
        }
        match self.0.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "\n.. and {more} more"),
        }
    }
}

/// The text of the schema file that replaces `text`; `None` if it is up to date, or does not exist.
///
/// # Errors
/// If `text` is not that of such a file.
pub fn update(text: Option<&str>, schema: &SetSchema) -> Result<Option<String>, SchemaFileProblem> {
    match compare(text, schema) {
        Ok(()) => Ok(None),
        Err(problem @ SchemaFileProblem::Header { .. }) => Err(problem),
        Err(_) => Ok(Some(schema.text(Places::Hidden))),
    }
}

/// Compares the schema file's `text` with `schema`; `None` is a file that does not exist. Ends of lines do not count.
///
/// # Errors
/// How they differ.
pub fn compare(text: Option<&str>, schema: &SetSchema) -> Result<(), SchemaFileProblem> {
    let text = text.ok_or(SchemaFileProblem::Missing)?;
    let now = schema.text(Places::Hidden);
    if text.lines().eq(now.lines()) {
        return Ok(());
    }
    if SchemaForm::of_file(text) != Some(SchemaForm::Static) {
        let found = text.lines().next().unwrap_or_default().to_owned();
        return Err(SchemaFileProblem::Header { found });
    }
    let differences = differences(read(&now), read(text), &SchemaScope::new());
    Err(SchemaFileProblem::Stale { differences })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::SchemaObject;

    fn table(columns: &[(&str, &str)], unknown: Option<&str>) -> SetSchema {
        let object = |kind, name: &str, definition: &str| SchemaObject {
            kind,
            name: name.to_owned(),
            definition: definition.to_owned(),
            rest: String::new(),
            arguments: String::new(),
            place: None,
            unknown: None,
            parts: Vec::new(),
        };
        let mut users = object("table", "public.users", "CREATE TABLE public.users");
        users.unknown = unknown.map(str::to_owned);
        users.parts = columns.iter().map(|(name, kind)| object("column", name, kind)).collect();
        SetSchema { objects: vec![users], unknown: Vec::new() }
    }

    #[track_caller]
    fn check(text: Option<&str>, now: &SetSchema, expected: &str) {
        let problem = compare(text, now).unwrap_err();
        assert_eq!(problem.to_string(), expected);
        let is_other = matches!(problem, SchemaFileProblem::Header { .. });
        let updated = update(text, now);
        assert_eq!(
            updated,
            if is_other { Err(problem) } else { Ok(Some(now.text(Places::Hidden))) }
        );
    }

    #[test]
    fn the_objects_that_differ_are_listed() {
        let before = table(&[("id", "bigint NOT NULL"), ("nick", "text")], None);
        let now = table(&[("id", "integer NOT NULL"), ("email", "text")], None);
        let text = before.text(Places::Hidden);
        check(
            Some(&text),
            &now,
            "is not the schema that the set makes\n\
             column public.users.email is missing: text\n\
             column public.users.nick is not expected: text\n\
             column public.users.id: expected integer NOT NULL, found bigint NOT NULL",
        );
        check(None, &now, "does not exist");
        let many: Vec<String> = (0..30).map(|number| format!("c{number}")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "text")).collect();
        let problem = compare(Some(&text), &table(&many, None)).unwrap_err().to_string();
        assert!(
            problem.ends_with("\n.. and 12 more") && problem.lines().count() == 22,
            "{problem}"
        );
    }

    #[test]
    fn a_file_of_another_kind_is_not_written() {
        let now = table(&[("id", "bigint")], None);
        let of_a_database = format!("{}\n", SchemaForm::Database.head());
        for (text, found) in [
            ("", ""),
            ("CREATE TABLE t ();\n", "CREATE TABLE t ();"),
            (&of_a_database, SchemaForm::Database.head()),
        ] {
            let expected =
                format!("its first line is `{found}`, not that of `migrate schema --static`");
            check(Some(text), &now, &expected);
        }
    }

    #[test]
    fn what_is_not_known_is_part_of_the_text_and_ends_of_lines_are_not() {
        let (sure, unsure) =
            (table(&[("id", "bigint")], None), table(&[("id", "bigint")], Some("x")));
        let text = sure.text(Places::Hidden);
        assert_eq!(compare(Some(&text.replace('\n', "\r\n")), &sure), Ok(()));
        assert_eq!(update(Some(&text), &sure), Ok(None));
        let expected = "is not the schema that the set makes: the objects are the same, but not all of its text";
        check(Some(&text), &unsure, expected);
        let mut open = sure;
        open.unknown = vec!["tables that exist before the first migration".to_owned()];
        let expected = "is not the schema that the set makes\n\
                        unknown: tables that exist before the first migration is missing";
        check(Some(&text), &open, expected);
    }
}
