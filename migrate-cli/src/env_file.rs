//! Reads the variables of a file such as `.env`, as other tools do; only those of a connection are used.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use migrate_runtime::error::ConnectError;
use migrate_runtime::internal::{ADDRESS, EnvFile, connection_mistake};

const NAME: &str = ".env";

/// The file `.env` of this folder, or of the nearest one above it up to the root of its repository; `None`
/// outside a repository if this folder has none.
pub(crate) fn find() -> Option<PathBuf> {
    let here = env::current_dir().ok()?;
    let root = here.ancestors().position(|folder| folder.join(".git").exists());
    let mut folders = here.ancestors().take(root.unwrap_or_default() + 1);
    let found = folders.find(|folder| folder.join(NAME).is_file())?;
    Some(if found == here { PathBuf::from(NAME) } else { found.join(NAME) })
}

/// The variables of `file`.
///
/// # Errors
/// If it cannot be read, or the value of a variable of a connection cannot be parsed. Other lines can have another
/// tool's syntax, and are ignored then.
pub(crate) fn read(file: &Path) -> Result<EnvFile, ConnectError> {
    let shown = file.to_string_lossy().into_owned();
    let refused = |why: &str, help| {
        connection_mistake(format!("the file `{shown}` cannot be used: {why}"), help)
    };
    let text = fs::read_to_string(file).map_err(|error| {
        let help = match error.kind() {
            ErrorKind::NotFound => "name a file that exists with `--env-file`",
            ErrorKind::InvalidData => "save it as UTF-8, or name another with `--env-file`",
            _ => "let this user read it, or name another with `--env-file`",
        };
        refused(&error.to_string(), help)
    })?;
    // Editors on Windows write it; with it the first variable would have another name.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let mut variables = BTreeMap::new();
    for (name, value) in dotenvy::from_read_iter(text.as_bytes()).flatten() {
        // Of a repeated variable the first counts, as in other tools.
        variables.entry(name).or_insert(value);
    }
    match text.lines().filter_map(ours).find(|name| !variables.contains_key(*name)) {
        Some(name) => {
            let why = format!("the value of {name} cannot be parsed");
            Err(refused(&why, "write it in single quotes"))
        }
        None => Ok(EnvFile { shown, variables }),
    }
}

/// The variable of a connection that a line sets.
fn ours(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let (name, _) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    let name = name.trim();
    let is_libpq =
        || name.strip_prefix("PG").is_some_and(|rest| rest.bytes().all(|c| c.is_ascii_uppercase()));
    (name == ADDRESS || is_libpq()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: impl AsRef<[u8]>, expected: Result<&[(&str, &str)], &str>) {
        let name = std::thread::current().name().unwrap_or_default().replace(':', "-");
        let file = env::temp_dir().join(format!("migrate-{}-{name}", std::process::id()));
        fs::write(&file, &text).expect("a file");
        let text = String::from_utf8_lossy(text.as_ref());
        let found = read(&file).map(|file| file.variables.into_iter().collect::<Vec<_>>());
        fs::remove_file(&file).expect("a file");
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        match (found, expected) {
            (Ok(found), Ok(expected)) => {
                let expected: Vec<_> = expected.iter().map(own).collect();
                assert_eq!(found, expected, "{text}");
            }
            (Err(error), Err(expected)) => {
                let error = error.to_string();
                assert!(error.contains(expected) && !error.contains("s3cret"), "{text}: {error}");
            }
            (found, _) => panic!("{text}: {found:?}"),
        }
    }

    #[test]
    fn variables_are_read_as_by_other_tools() {
        check(
            "# note\nexport DATABASE_URL=postgresql://me@h/app # here\nPGUSER='me'\n\nPGUSER=you\n",
            Ok(&[("DATABASE_URL", "postgresql://me@h/app"), ("PGUSER", "me")]),
        );
        check(
            "H=db\nDATABASE_URL=\"host=${H} dbname=app\"\n",
            Ok(&[("DATABASE_URL", "host=db dbname=app"), ("H", "db")]),
        );
        check("NAME=two words\nPGUSER=me\n", Ok(&[("PGUSER", "me")]));
        check("\u{feff}PGUSER=me\r\nPGHOST=h\r\n", Ok(&[("PGHOST", "h"), ("PGUSER", "me")]));
    }

    #[test]
    fn file_in_another_encoding_is_refused_with_the_remedy() {
        check(
            b"\xff\xfeD\0",
            Err("UTF-8\nhelp: save it as UTF-8, or name another with `--env-file`"),
        );
    }

    #[test]
    fn value_that_cannot_be_parsed_is_not_shown() {
        check(
            "DATABASE_URL=host=h password=s3cret\n",
            Err("the value of DATABASE_URL cannot be parsed\nhelp: "),
        );
        check("NAME='open\nPGPASSWORD=s3cret\n", Err("the value of PGPASSWORD cannot be parsed"));
    }
}
