//! The blocks of a schema file: one for each object, with the statements that make it.

use super::scope::SchemaScope;
use crate::sql::lexer::{Token, TokenKind, lex};
use crate::sql::split::split;

/// The kinds of objects, in the order in which a file has them if nothing else decides.
pub(super) const KINDS: [&str; 29] = [
    "schema", "extension", "collation", "domain", "type", "sequence", "foreign data wrapper",
    "server", "foreign table", "table", "constraint", "index", "statistics", "trigger", "rule",
    "policy", "function", "procedure", "materialized view", "view", "aggregate", "operator",
    "cast", "publication", "event trigger", "default privileges", "default", NOTE, UNKNOWN,
];

/// The kind of what is there and cannot be written.
pub(super) const NOTE: &str = "not written:";

/// The kind of what is not known without a database.
const UNKNOWN: &str = "unknown:";

/// What wrote a schema file, which its first line shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaForm {
    /// `migrate schema`: SQL that makes the schema of a database again.
    Database,
    /// `migrate schema --static`: what is known of a set without a database, to be read and compared.
    Static,
}

impl SchemaForm {
    /// The first line of its files.
    pub fn head(self) -> &'static str {
        match self {
            SchemaForm::Database => {
                "-- The schema of a PostgreSQL database, written by `migrate schema`. Do not edit it."
            }
            SchemaForm::Static => {
                "-- The schema that a set makes, written by `migrate schema --static`. Do not edit it."
            }
        }
    }

    /// The form of a file, if its first line shows one.
    pub fn of_file(text: &str) -> Option<Self> {
        let first = text.lines().next()?;
        [SchemaForm::Database, SchemaForm::Static].into_iter().find(|form| form.head() == first)
    }

    /// The verb that writes it, with its option.
    pub fn verb(self) -> &'static str {
        match self {
            SchemaForm::Database => "schema",
            SchemaForm::Static => "schema --static",
        }
    }
}

/// An object of a schema file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaBlock {
    /// One of the kinds of objects.
    pub kind: &'static str,
    /// Its quoted name with its schema; of what belongs to a table also ` on ` and the table's.
    pub name: String,
    /// The statements that make it, without semicolons.
    pub statements: Vec<String>,
}

impl SchemaBlock {
    /// Its kind and name.
    pub fn object(&self) -> String {
        format!("{} {}", self.kind, self.name)
    }

    /// The table that it belongs to.
    pub(super) fn table(&self) -> Option<&str> {
        self.name.rsplit_once(" on ").map(|(_, table)| table)
    }

    /// Whether it has a line for each column.
    pub(super) fn has_columns(&self) -> bool {
        matches!(self.kind, "table" | "foreign table")
    }

    /// Whether it is what is there and cannot be written.
    pub fn is_note(&self) -> bool {
        matches!(self.kind, NOTE | UNKNOWN)
    }

    pub(super) fn is_partition(&self) -> bool {
        let attaches = format!(" ATTACH PARTITION {} ", self.name);
        self.has_columns() && self.statements.iter().any(|one| one.contains(&attaches))
    }
}

/// The blocks of a schema file. Text before the first is not part of one, and what cannot be split into statements is
/// one statement.
pub fn read(text: &str) -> Vec<SchemaBlock> {
    let tokens = lex(text);
    let comments = tokens.iter().filter(|token| token.kind == TokenKind::LineComment);
    let begins: Vec<(&Token, SchemaBlock)> =
        comments.filter_map(|token| Some((token, header(text, token)?))).collect();
    let ends: Vec<usize> = begins.iter().skip(1).map(|(token, _)| token.start).collect();
    let ends = ends.into_iter().chain([text.len()]);
    let with_statements = |((token, block), end): ((&Token, SchemaBlock), usize)| {
        let statements = statements(&text[token.end..end]);
        SchemaBlock { statements, ..block }
    };
    begins.into_iter().zip(ends).map(with_statements).collect()
}

fn statements(text: &str) -> Vec<String> {
    let tokens = lex(text);
    match split(text, &tokens) {
        Ok(all) => {
            all.iter().map(|one| text[one.start()..one.end()].replace("\r\n", "\n")).collect()
        }
        Err(_) => vec![text.trim().to_owned()],
    }
}

/// The block that begins with this comment.
fn header(text: &str, token: &Token) -> Option<SchemaBlock> {
    let is_first = token.start == 0 || text[..token.start].ends_with('\n');
    let words = token.text(text).strip_prefix("-- ").filter(|_| is_first)?.trim_end();
    KINDS.iter().find_map(|kind| {
        let name = words.strip_prefix(kind)?.strip_prefix(' ')?.to_owned();
        Some(SchemaBlock { kind, name, statements: Vec::new() })
    })
}

/// The kinds of objects that act on rows when these are added; of constraints only some do.
const AFTER_ROWS: [&str; 3] = ["trigger", "rule", "event trigger"];

/// In the statements of constraints that rows can break: one to another table, and one that was not checked.
const CHECKS_ROWS: [&str; 2] = [" FOREIGN KEY ", " NOT VALID"];

/// The end of the statement that applies policies to the owner, who adds the rows.
const FORCE: &str = " FORCE ROW LEVEL SECURITY";

/// The statements that make the objects of the scope, with these statements that add rows before what would check or
/// change them.
pub fn script(blocks: Vec<SchemaBlock>, scope: &SchemaScope, rows: &str) -> String {
    let blocks = scope.of(blocks);
    if rows.is_empty() {
        return blocks.iter().map(block_text).collect();
    }
    let mut before = String::new();
    let mut after = String::new();
    for mut block in blocks {
        let forced = block.statements.extract_if(.., |one| one.ends_with(FORCE)).collect();
        let forced = SchemaBlock { statements: forced, ..block.clone() };
        let place = if acts_on_rows(&block) { &mut after } else { &mut before };
        place.push_str(&block_text(&block));
        if !forced.statements.is_empty() {
            after.push_str(&block_text(&forced));
        }
    }
    format!("{before}\n{rows}{after}")
}

fn acts_on_rows(block: &SchemaBlock) -> bool {
    let checks = |statement: &String| CHECKS_ROWS.iter().any(|one| statement.contains(one));
    AFTER_ROWS.contains(&block.kind)
        || block.kind == "constraint" && block.statements.iter().any(checks)
}

/// A schema file with what belongs to the scope.
pub fn write(blocks: Vec<SchemaBlock>, scope: &SchemaScope) -> String {
    let mut text = format!("{}\n{}", SchemaForm::Database.head(), scope.lines());
    text.extend(scope.of(blocks).iter().map(block_text));
    text
}

fn block_text(block: &SchemaBlock) -> String {
    let statements = block.statements.iter().map(|statement| format!("{statement};\n"));
    format!("\n-- {}\n{}", block.object(), statements.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_before_what_rows_or_their_owner_could_break() {
        let text = "-- table a\nCREATE TABLE a (id int);\nALTER TABLE ONLY a FORCE ROW LEVEL SECURITY;\n\n\
                    -- constraint c on a\nALTER TABLE a ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\n\n\
                    -- constraint u on a\nALTER TABLE a ADD CONSTRAINT u UNIQUE (id);\n";
        let check = |rows: &str, expected: &[&str]| {
            let script = script(read(text), &SchemaScope::new(), rows);
            let lines: Vec<&str> = script.lines().filter(|one| one.ends_with(';')).collect();
            assert_eq!(lines, expected);
        };
        let lines: Vec<&str> = text.lines().filter(|line| line.ends_with(';')).collect();
        let [table, force, not_valid, unique] = lines[..] else { panic!("{lines:?}") };
        check("", &[table, force, not_valid, unique]);
        check("INSERT;\n", &[table, unique, "INSERT;", force, not_valid]);
    }
}
