//! Reads Liquibase's formatted SQL changelogs, in which each changeset is a migration.

use migrate_set::name::{Kind, shown};
use migrate_set::set::TransactionMode;

use super::piece::{Part, Piece, text_of};
use super::text::{with_marks_of, with_values};
use super::{Original, Read, Source, Tool, Trouble, Troubles};
use crate::check::SourceFile;

/// The changesets for PostgreSQL, in the order of files and lines. `values` take precedence over `--property` lines.
pub(super) fn read(
    source: &Source<'_>,
    tool: &Tool,
    values: &[(String, String)],
) -> Result<Read, Troubles> {
    let mut read = Read::default();
    let mut values = values.to_vec();
    let mut changelogs = 0;
    for file in source.files {
        changelogs += usize::from(changelog(source, file, tool, &mut values, &mut read)?);
    }
    if changelogs > 1 {
        let what = "has several changelogs, which run in the order of their names here";
        let help = "compare that with the changelog that includes them, which is not read";
        read.left.push(Trouble::new(source.shown, what, help));
    }
    // A property can be named above or below its use.
    for piece in &mut read.pieces {
        let down = piece.down.as_mut().map(|down| &mut down.text);
        // Its checksum is over the values.
        for text in [&mut piece.up.text, &mut piece.original.text].into_iter().chain(down) {
            *text = with_values(text, &values);
        }
    }
    Ok(read)
}

/// Adds the changesets of a file; whether it is a changelog.
fn changelog(
    source: &Source<'_>,
    file: &SourceFile,
    tool: &Tool,
    values: &mut Vec<(String, String)>,
    read: &mut Read,
) -> Result<bool, Troubles> {
    let text = text_of(source, file)?;
    let path = shown(source.shown, &file.path);
    let first = text.lines().find(|line| !line.trim().is_empty()).and_then(command);
    if first.is_none_or(|(word, _)| word != "liquibase") {
        let what = "is not a formatted SQL changelog, so nothing says when it runs";
        let help = "begin it with `--liquibase formatted sql`, or remove it";
        read.left.push(Trouble::new(path, what, help));
        return Ok(false);
    }
    let left = &mut read.left;
    let mut reader = Reader { path: &path, file, values, left, sets: Vec::new() };
    reader.read(&text);
    for set in reader.sets {
        read.pieces.extend(set.piece(tool, &path, &mut read.left));
    }
    Ok(true)
}

/// The first word of a comment in lower case, and what follows it.
fn command(line: &str) -> Option<(String, &str)> {
    let body = line.trim_start().strip_prefix("--")?.trim_start_matches('-').trim_start();
    let end = body.find([' ', ':', '-', '\t']).unwrap_or(body.len());
    Some((body[..end].to_ascii_lowercase(), body[end..].trim()))
}

/// `name:value` and `name:"a value"`.
fn attributes(rest: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = rest.trim();
    while let Some((name, after)) = rest.split_once(':') {
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        found.push((name.trim().to_ascii_lowercase(), value.to_owned()));
        rest = next.trim();
    }
    found
}

struct Reader<'r> {
    path: &'r str,
    file: &'r SourceFile,
    values: &'r mut Vec<(String, String)>,
    left: &'r mut Vec<Trouble>,
    sets: Vec<Changeset>,
}

/// A changeset, as it is written.
struct Changeset {
    id: String,
    file: String,
    line: u32,
    attributes: Vec<(String, String)>,
    /// All of its lines except those that are not part of its SQL.
    raw: String,
    up: String,
    down: String,
}

/// What the following lines are.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Sql,
    /// A block comment with the statements that undo the changeset.
    Rollback,
    /// Lines to ignore, up to the mark that ends them, or so many.
    Ignored(Option<usize>),
}

impl Reader<'_> {
    fn read(&mut self, text: &str) {
        let mut within = Within::Sql;
        for (number, line) in (1..).zip(text.lines()) {
            within = self.line(number, line, within);
        }
    }

    fn line(&mut self, number: u32, line: &str, within: Within) -> Within {
        match within {
            Within::Rollback if line.trim_end().ends_with("*/") => {
                self.rollback(line.trim_end().trim_end_matches("*/"));
                return Within::Sql;
            }
            Within::Rollback => {
                self.rollback(line);
                return Within::Rollback;
            }
            Within::Ignored(Some(left)) if left > 1 => return Within::Ignored(Some(left - 1)),
            Within::Ignored(Some(_)) => return Within::Sql,
            Within::Ignored(None)
                if command(line).is_some_and(|(word, _)| word == "ignorelines") =>
            {
                return Within::Sql;
            }
            Within::Ignored(None) => return Within::Ignored(None),
            Within::Sql => {}
        }
        let block = line.trim_start().strip_prefix("/*").map(str::trim_start);
        if let Some(rest) = block.and_then(|block| block.strip_prefix("liquibase rollback")) {
            self.rollback(rest);
            return Within::Rollback;
        }
        if let Some((word, rest)) = command(line) {
            return self.command(number, line, &word, rest);
        }
        self.sql(line);
        Within::Sql
    }

    fn command(&mut self, number: u32, line: &str, word: &str, rest: &str) -> Within {
        match word {
            "liquibase" | "validchecksum" => {}
            "changeset" => self.changeset(number, rest),
            "rollback" if rest.to_ascii_lowercase().contains("changesetid:") => {
                let what = "undoes by another changeset";
                self.find(number, what, "write its statements below `-- DOWN`");
            }
            "rollback"
                if ["empty", "not required"].contains(&rest.to_ascii_lowercase().as_str()) => {}
            "rollback" => self.rollback(rest),
            "precondition" | "preconditions" => {
                let what = "has a precondition, which does not count here";
                self.find(number, what, "remove it, or check it in a `DO` block");
            }
            "property" => self.property(number, rest),
            "ignorelines" => {
                let count = rest.trim_start_matches(':').trim().parse().ok();
                return Within::Ignored(count);
            }
            _ => self.sql(line),
        }
        Within::Sql
    }

    fn changeset(&mut self, number: u32, rest: &str) {
        let (_, after) = rest.split_once(':').unwrap_or(("", rest));
        let (id, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        self.sets.push(Changeset {
            id: id.trim().to_owned(),
            file: self.file.path.clone(),
            line: number,
            attributes: attributes(after),
            raw: String::new(),
            up: String::new(),
            down: String::new(),
        });
    }

    fn property(&mut self, number: u32, rest: &str) {
        let attributes = attributes(rest);
        let of = |name: &str| {
            attributes.iter().find(|(one, _)| one == name).map(|(_, value)| value.clone())
        };
        if of("context").or(of("contextfilter")).is_some()
            || of("dbms").is_some_and(|dbms| !is_ours(&dbms))
        {
            let what = "has a value for some databases only";
            self.find(number, what, "name the value with `--value NAME=VALUE`");
        } else if let (Some(name), Some(value)) = (of("name"), of("value"))
            && !self.values.iter().any(|(known, _)| *known == name)
        {
            self.values.push((name, value));
        }
    }

    fn sql(&mut self, line: &str) {
        if let Some(set) = self.sets.last_mut() {
            set.raw += line;
            set.raw.push('\n');
            set.up += line;
            set.up.push('\n');
        }
    }

    fn rollback(&mut self, text: &str) {
        if let (Some(set), false) = (self.sets.last_mut(), text.trim().is_empty()) {
            set.down += text.trim_end();
            set.down.push('\n');
        }
    }

    fn find(&mut self, line: u32, what: &str, help: &str) {
        self.left.push(Trouble::new(self.path, what, help).at(line));
    }
}

/// Whether a list of databases has PostgreSQL.
fn is_ours(dbms: &str) -> bool {
    let mut names = dbms.split(',').map(|name| name.trim().to_ascii_lowercase());
    if dbms.trim().starts_with('!') {
        return !names.any(|name| name == "!postgresql");
    }
    names.any(|name| ["postgresql", "all", ""].contains(&name.as_str()))
}

impl Changeset {
    /// The migration; `None` if it is for other databases.
    fn piece(self, tool: &Tool, path: &str, left: &mut Vec<Trouble>) -> Option<Piece> {
        let has = |name: &str, value: &str| {
            self.attributes.iter().any(|(one, of)| one == name && of.eq_ignore_ascii_case(value))
        };
        let is_other =
            self.attributes.iter().any(|(name, value)| name == "dbms" && !is_ours(value));
        if is_other || has("ignore", "true") {
            return None;
        }
        left.extend(self.unsaid(path));
        let is_repeatable = has("runonchange", "true");
        let outside = has("runintransaction", "false");
        let said = if outside {
            TransactionMode::NonTransactional
        } else {
            TransactionMode::Transactional
        };
        let part = |text: &str| {
            Part::new(with_marks_of(tool, text).trim_matches('\n').trim_end().to_owned(), said)
        };
        let (up, down) = (part(&self.up), part(&self.down));
        let down = Some(down).filter(|down| !down.is_empty() && !is_repeatable);
        let original = Original {
            file: self.file,
            version: None,
            name: String::new(),
            key: Some(self.id.clone()),
            text: self.raw,
        };
        let mut piece = Piece::of_stem(&self.id, original, up, down);
        if is_repeatable {
            piece.kind = Kind::Repeatable;
            piece.original.version = None;
            piece.original.name = self.id;
        }
        Some(piece)
    }

    /// What its attributes say that a migration cannot.
    fn unsaid(&self, path: &str) -> Vec<Trouble> {
        let trouble = |(name, value): &(String, String)| {
            let (what, help) = unsaid(name, value)?;
            let what = format!("{what} `{value}`, which does not count here");
            Some(Trouble::new(path, what, help).at(self.line))
        };
        self.attributes.iter().filter_map(trouble).collect()
    }
}

/// What an attribute says that a migration cannot, and what to do about it.
fn unsaid(name: &str, value: &str) -> Option<(&'static str, &'static str)> {
    let always = "remove the file if your databases must not run it";
    let is = |expected: &str| value.eq_ignore_ascii_case(expected);
    Some(match name {
        "context" | "contextfilter" => ("has the context", always),
        "labels" | "labelfilter" => ("has the labels", always),
        "runalways" if is("true") => {
            ("has `runAlways` with", "call it from the service at each start")
        }
        "failonerror" if is("false") => {
            ("has `failOnError` with", "handle the error in a `DO` block")
        }
        "enddelimiter" if !is(";") => ("has the delimiter", "end its statements with `;`"),
        "runwith" => ("runs with", "write SQL that the server understands"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each changeset: its key, kind, mode, statements and how they are undone; then what is left.
    fn check(changelog: &str, expected: &[&str]) {
        let bytes = format!("--liquibase formatted sql\n{changelog}").into_bytes();
        let files = [SourceFile { path: "c.sql".to_owned(), bytes }];
        let source = Source { shown: "m", files: &files, beside: &[] };
        let tool = super::super::tool::named("liquibase").expect("liquibase");
        let read = read(&source, tool, &[]).expect("a changelog");
        let mut found: Vec<String> = Vec::new();
        for Piece { original, kind, up, down } in read.pieces {
            let key = original.key.unwrap_or_default();
            let mode = if up.mode == TransactionMode::Transactional { "" } else { " alone" };
            let down = down.map(|down| format!(" / {}", down.text)).unwrap_or_default();
            found.push(format!("{key} {kind}{mode}: {}{down}", up.text.replace('\n', " ")));
        }
        found.extend(
            read.left
                .iter()
                .map(|one| format!("{}:{}: {}", one.file, one.line.unwrap_or_default(), one.what)),
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn changeset_is_a_migration() {
        check(
            "--changeset al:1\nCREATE TABLE a ();\n--rollback DROP TABLE a;\n\n--changeset \"al b\":add-x runInTransaction:false\nSELECT 2;\n\
             /* liquibase rollback\nSELECT 3;\n*/\n--changeset al:v runOnChange:true\n-- DOWN\nSELECT 4;\n",
            &[
                "1 versioned: CREATE TABLE a (); / DROP TABLE a;",
                "add-x versioned alone: SELECT 2; / SELECT 3;",
                "v repeatable: -- comment: DOWN SELECT 4;",
            ],
        );
    }

    #[test]
    fn condition_is_listed_and_another_database_is_none_of_ours() {
        check(
            "--changeset al:1 dbms:mysql\nSELECT 1;\n--changeset al:2 dbms:\"postgresql, h2\" context:\"test and dev\"\n\
             --preconditions onFail:MARK_RAN\n--precondition-sql-check expectedResult:0 SELECT 1\nSELECT 2;\n--rollback empty\n",
            &[
                "2 versioned: SELECT 2;",
                "m/c.sql:5: has a precondition, which does not count here",
                "m/c.sql:6: has a precondition, which does not count here",
                "m/c.sql:4: has the context `test and dev`, which does not count here",
            ],
        );
    }

    #[test]
    fn property_replaces_its_name() {
        check(
            "--property name:who value:al\n--changeset al:1\nSELECT '${who}';\n--ignoreLines:1\nSELECT 2;\n--ignoreLines:start\nSELECT 3;\n--ignoreLines:end\n",
            &["1 versioned: SELECT 'al';"],
        );
        check(
            "--property name:n value:3\n--changeset al:1\nSELECT a[1:n], '${n}';\n--rollback DROP TABLE t${n};\n",
            &["1 versioned: SELECT a[1:n], '3'; / DROP TABLE t3;"],
        );
    }
}
