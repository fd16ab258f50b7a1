//! The comment by which `adopt` finds and verifies a migration that was converted from another tool's folder: the tool,
//! what its table has of the migration, and the text that is the same as the one that ran.

use std::fmt;

use crate::checksum::Checksum;

/// What another tool knows a migration by: `-- migrate:from goose 7`.
///
/// ```
/// # use migrate_set::former::Former;
/// let text = "-- migrate:from drizzle 0000_users.sql recorded 28cd ecac text 52dc\nCREATE TABLE users ();";
/// let former = Former::all(text).next().unwrap();
/// assert_eq!((former.tool.as_str(), former.key.as_str()), ("drizzle", "0000_users.sql"));
/// assert_eq!(former.to_string(), text.lines().next().unwrap());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The tool, as `adopt` names it on the command line.
    pub tool: String,
    /// The version, the file or the name in its table.
    pub key: String,
    /// The checksums that it can have recorded for its own file.
    pub recorded: Vec<String>,
    /// The beginning of the checksum of the migration's text when it was converted; without it, nothing is verified.
    pub text: Option<String>,
}

/// The directive, before its values.
pub const DIRECTIVE: &str = "migrate:from";

/// How many digits of a checksum are kept.
const DIGITS: usize = 16;

impl Former {
    /// All of them among the comments above the first statement.
    pub fn all(text: &str) -> impl Iterator<Item = Former> + '_ {
        let lines = text.lines().map(str::trim);
        let lead = lines.take_while(|line| line.is_empty() || line.starts_with("--"));
        lead.filter_map(|line| {
            Former::parse(line.trim_start_matches('-').trim_start().strip_prefix(DIRECTIVE)?)
        })
    }

    /// What follows the directive; `None` if that names no tool or no key.
    pub fn parse(rest: &str) -> Option<Former> {
        let is_blank = |rest: &&str| rest.starts_with(char::is_whitespace);
        let rest = Some(rest).filter(is_blank)?.trim();
        let (rest, text) = match rest.rsplit_once(" text ") {
            Some((rest, text)) => (rest, Some(text.trim().to_owned())),
            None => (rest, None),
        };
        let (rest, recorded) = rest.rsplit_once(" recorded ").unwrap_or((rest, ""));
        let (tool, key) = rest.split_once(char::is_whitespace)?;
        Some(Former {
            tool: tool.to_owned(),
            key: key.trim().to_owned(),
            recorded: recorded.split_whitespace().map(str::to_owned).collect(),
            text,
        })
    }

    /// The same, bound to the text that has this checksum.
    #[must_use]
    pub fn of_text(self, checksum: Checksum) -> Former {
        let text = (!self.recorded.is_empty()).then(|| checksum.to_string()[..DIGITS].to_owned());
        Former { text, ..self }
    }

    /// Whether the text with this checksum is the one that was converted; `None` if that was not noted.
    pub fn is_of(&self, checksum: Checksum) -> Option<bool> {
        let text = self.text.as_deref().filter(|text| !text.is_empty())?;
        Some(checksum.to_string().starts_with(text))
    }
}

impl fmt::Display for Former {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-- {DIRECTIVE} {} {}", self.tool, self.key)?;
        if !self.recorded.is_empty() {
            write!(f, " recorded {}", self.recorded.join(" "))?;
        }
        self.text.as_ref().map_or(Ok(()), |text| write!(f, " text {text}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(&str, &str, usize, bool)>) {
        let found = Former::all(line).next();
        let shown = found.as_ref().map(|one| {
            (one.tool.as_str(), one.key.as_str(), one.recorded.len(), one.text.is_some())
        });
        assert_eq!(shown, expected, "{line}");
        if let Some(found) = found {
            assert_eq!(found.to_string(), line);
        }
    }

    #[test]
    fn comment_names_tool_key_and_checksums() {
        check("-- migrate:from goose 7", Some(("goose", "7", 0, false)));
        check(
            "-- migrate:from liquibase add users recorded 9:ab text 12",
            Some(("liquibase", "add users", 1, true)),
        );
        check(
            "-- migrate:from prisma a/migration.sql recorded ab cd",
            Some(("prisma", "a/migration.sql", 2, false)),
        );
        check("-- migrate:from goose", None);
        check("-- migrate:fromage goose 7", None);
        check("SELECT 1;\n-- migrate:from goose 7", None);
    }

    #[test]
    fn another_text_is_not_the_one_that_was_converted() {
        let of = |sql| Checksum::of_sql(sql).expect("statements");
        let former = Former::parse(" sqlx 1 recorded ab").expect("a former");
        assert_eq!(former.is_of(of("SELECT 1")), None);
        let former = former.of_text(of("SELECT 1"));
        assert_eq!(former.is_of(of("-- the same\nselect 1;")), Some(false), "case counts");
        assert_eq!(former.is_of(of("-- the same\nSELECT 1;")), Some(true));
        assert_eq!(former.is_of(of("SELECT 2;")), Some(false));
    }
}
