//! Compares the order of a set with what the leading comments of yoyo's and sqitch's files say of it.

use std::collections::HashMap;
use std::iter;

use migrate_set::name::Layout;
use migrate_set::set::Migration;

use super::SourceFile;
use super::error::SourceError;
use super::mistakes::{Mistake, placed};
use super::problem::Problem;
use crate::names::NameError;

/// The files that run before one on which they depend, and those of tools with the order in a file of their own, in a
/// set that is ordered by name.
pub(super) fn wrong_order(
    folder: &str,
    migrations: &[Migration],
    layout: Option<Layout>,
) -> Vec<SourceError> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut errors = Vec::new();
    for (index, migration) in migrations.iter().enumerate() {
        let text = migration.up().text();
        let mut mistakes = Vec::new();
        if layout == Some(Layout::Any) {
            mistakes.extend(ordered_elsewhere(migration.filename(), text));
        }
        for (start, comment) in leading_comments(text) {
            let mut add = |problem| {
                let span = Some(start..start + comment.len());
                mistakes.push(Mistake { span, problem });
            };
            let body = comment.trim_start_matches('-').trim();
            let Some(names) = body.strip_prefix("depends:").or(body.strip_prefix("requires:"))
            else {
                continue;
            };
            if places.is_empty() {
                places = migrations.iter().map(stem).zip(0..).collect();
            }
            let later = |name: &&str| places.get(name).is_some_and(|place| *place > index);
            for name in names.split_whitespace().filter(later) {
                add(Problem::DependsOnLater { on: format!("{name}.sql") });
            }
        }
        errors.extend(placed(folder, migration.filename(), text, mistakes));
    }
    errors
}

/// A file without a number, whose tool has the order in a file of its own: sqitch, and drizzle with `prefix: "none"`,
/// which leaves the `_` after the prefix.
pub(super) fn ordered_elsewhere(path: &str, text: &str) -> Option<Mistake> {
    if path.starts_with('_') && text.contains("--> statement-breakpoint") {
        let problem = Problem::OrderElsewhere { tool: "drizzle", order: "meta/_journal.json" };
        return Some(Mistake { span: None, problem });
    }
    let mut comments = leading_comments(text);
    let (start, comment) =
        comments.find(|(_, comment)| is_sqitch(comment.trim_start_matches('-').trim()))?;
    let problem = Problem::OrderElsewhere { tool: "sqitch", order: "sqitch.plan" };
    Some(Mistake { span: Some(start..start + comment.len()), problem })
}

/// Replaces the error of a file without a version, one of `errors` of these names, where its tool has the order in a
/// file of its own: the order of the names, which the error offers, is another.
pub(super) fn misnamed(
    folder: &str,
    files: &[SourceFile],
    names: &[NameError],
    errors: &mut [SourceError],
) {
    let mut texts: HashMap<&str, &[u8]> = HashMap::new();
    for (error, name) in errors.iter_mut().zip(names) {
        let NameError::NoVersion { file, .. } = name else { continue };
        if texts.is_empty() {
            texts = files.iter().map(|file| (file.path.as_str(), file.bytes.as_slice())).collect();
        }
        let text = texts.get(file.as_str()).and_then(|bytes| str::from_utf8(bytes).ok());
        let found = text.and_then(|text| {
            let mistake = ordered_elsewhere(file, text)?;
            placed(folder, file, text, vec![mistake]).pop()
        });
        if let Some(found) = found {
            *error = found;
        }
    }
}

/// The comments above the first statement, each with its first byte.
fn leading_comments(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    let lines = iter::from_fn(move || {
        let rest = text.get(at..)?;
        let line = rest.lines().next()?;
        let start = at;
        at += line.len() + 1;
        Some((start, line))
    });
    let lead = lines.take_while(|(_, line)| line.starts_with("--") || line.trim().is_empty());
    lead.filter(|(_, line)| line.starts_with("--"))
}

/// `Deploy PROJECT:CHANGE to pg`.
fn is_sqitch(body: &str) -> bool {
    let words: Vec<&str> = body.split_whitespace().take(5).collect();
    matches!(words[..], ["Deploy", change, "to", "pg"] if change.contains(':'))
}

fn stem(migration: &Migration) -> &str {
    let file = migration.filename();
    file.strip_suffix(".sql").unwrap_or(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::{SetOptions, check};

    fn errors(files: &[(&str, &str)], layout: Option<Layout>) -> String {
        let files = crate::tests::files(files);
        let mut options = SetOptions::default();
        options.names.layout = layout;
        check("m", &files, &options).err().map_or(String::new(), |errors| errors.to_string())
    }

    #[test]
    fn a_file_that_runs_before_one_it_depends_on_is_refused() {
        let first = ("1-a.sql", "-- A title\n\n-- depends: 2-b  0-gone on\nSELECT 1;");
        let found = errors(&[first, ("2-b.sql", "SELECT 2;")], None);
        assert!(
            found.contains("m/1-a.sql:3:1: depends on `2-b.sql`, which runs after it"),
            "{found}"
        );
        let files = [("1-a.sql", "SELECT 1;"), ("2-b.sql", "-- depends: 1-a 2-b\nSELECT 2;")];
        assert_eq!(errors(&files, None), "");
        let late = ("1-a.sql", "SELECT 1;\n-- depends: 2-b\n");
        assert_eq!(errors(&[late, ("2-b.sql", "SELECT 2;")], None), "");
    }

    #[test]
    fn files_that_claim_one_version_are_one_mistake() {
        let pair = |name| {
            [(name, "up.sql"), (name, "down.sql")]
                .map(|(n, end)| (format!("1_{n}.{end}"), "SELECT 1;"))
        };
        let files: Vec<_> = pair("a").into_iter().chain(pair("b")).collect();
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), *text)).collect();
        let found = errors(&files, None);
        assert!(found.contains("claimed by `1_a.up.sql` and `1_b.up.sql`"), "{found}");
        assert_eq!(found.matches("help: ").count(), 1, "{found}");
    }

    #[test]
    fn sqitch_is_refused_where_names_give_the_order() {
        let text = "-- Deploy app:idx to pg\n-- requires: users\nSELECT 1;";
        let found = errors(&[("idx.sql", text), ("users.sql", "SELECT 2;")], Some(Layout::Any));
        assert!(
            found.contains("is a sqitch script, but the order in `sqitch.plan` is not read"),
            "{found}"
        );
        assert!(found.contains("depends on `users.sql`, which runs after it"), "{found}");
        let found = errors(&[("idx.sql", text)], None);
        assert!(found.contains("the order in `sqitch.plan` is not read"), "{found}");
        assert_eq!(found.matches("help: ").count(), 1, "{found}");
        assert_eq!(errors(&[("2_idx.sql", text), ("1_users.sql", "SELECT 2;")], None), "");
    }

    #[test]
    fn drizzle_without_prefixes_is_numbered_by_its_journal() {
        let text = "CREATE TABLE a (id int);\n--> statement-breakpoint\nCREATE TABLE b (id int);";
        let help =
            "let `migrate convert` number the files in that order; such names need no layout";
        let file = ("_needy_vision.sql", text);
        for layout in [Some(Layout::Any), None] {
            assert_eq!(
                errors(&[file], layout),
                format!(
                    "m/_needy_vision.sql: is a drizzle script, but the order in `meta/_journal.json` is not read\n\
                     help: {help}"
                )
            );
        }
        assert_eq!(
            errors(&[("_needy_vision.sql", "SELECT 1")], None),
            "m/_needy_vision.sql: `_needy_vision.sql` does not begin with a version\n\
             help: rename it to `<version>_needy_vision.sql`, in the order of `meta/_journal.json` if drizzle \
             made it, or move it out of the folder if it is not a migration"
        );
        assert_eq!(errors(&[("0000_needy_vision.sql", text)], None), "");
        assert_eq!(errors(&[("_own.sql", "SELECT 1;")], Some(Layout::Any)), "");
    }
}
