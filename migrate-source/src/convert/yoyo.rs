//! Reads yoyo's folder, whose order is in the comments of its files.

use std::collections::HashSet;

use migrate_set::set::TransactionMode;

use super::piece::{Piece, parts};
use super::plan::original;
use super::{Read, Source, Tool, Trouble, Troubles};
use crate::check::SourceFile;

const SQL: &str = ".sql";
const ROLLBACK: &str = ".rollback.sql";

/// A file and what its comment says.
struct One<'s> {
    id: &'s str,
    file: &'s SourceFile,
    depends: Vec<(String, u32)>,
}

/// The migrations, each after those on which it depends, otherwise by name.
pub(super) fn read(source: &Source<'_>, tool: &Tool) -> Result<Read, Troubles> {
    let mut left = Vec::new();
    let is_script = |file: &&SourceFile| file.path.ends_with(SQL) && !file.path.ends_with(ROLLBACK);
    for file in source.files.iter().filter(|file| !file.path.ends_with(SQL)) {
        let (what, help) = ("is not SQL, so it is left out", "write its SQL as a migration");
        left.push(source.about(&file.path, what, help));
    }
    let ones = source.files.iter().filter(is_script).map(|file| {
        let name = file.path.rsplit('/').next().unwrap_or(&file.path);
        One { id: stem(name), file, depends: depends(&file.bytes) }
    });
    let mut ones: Vec<One<'_>> = ones.collect();
    ones.sort_by_key(|one| one.id);
    let ones = in_order(ones, source, &mut left)?;
    Read::of(ones.iter().map(|one| piece(source, tool, one)), left)
}

fn stem(path: &str) -> &str {
    path.strip_suffix(SQL).unwrap_or(path)
}

/// The names after `depends:` in the leading comments, each with its line.
fn depends(bytes: &[u8]) -> Vec<(String, u32)> {
    let text = String::from_utf8_lossy(bytes);
    let lead = (1..).zip(text.lines().map(str::trim));
    let lead = lead.take_while(|(_, line)| line.starts_with("--") || line.is_empty());
    let names = lead.filter_map(|(number, line)| {
        let names = line.trim_start_matches('-').trim().strip_prefix("depends:")?;
        Some(names.split_whitespace().map(move |name| (name.to_owned(), number)))
    });
    names.flatten().collect()
}

fn in_order<'s>(
    mut open: Vec<One<'s>>,
    source: &Source<'_>,
    left: &mut Vec<Trouble>,
) -> Result<Vec<One<'s>>, Troubles> {
    let all: HashSet<String> = open.iter().map(|one| one.id.to_owned()).collect();
    for one in &open {
        for (name, line) in one.depends.iter().filter(|(name, _)| !all.contains(name)) {
            let what = format!("depends on `{name}`, which is not an SQL file here");
            let help = "make sure that its statements come first";
            left.push(source.about(&one.file.path, what, help).at(*line));
        }
    }
    let mut done: HashSet<String> = HashSet::new();
    let mut ordered = Vec::with_capacity(open.len());
    while !open.is_empty() {
        let is_free = |one: &One<'_>| {
            one.depends.iter().all(|(name, _)| done.contains(name) || !all.contains(name))
        };
        let Some(at) = open.iter().position(is_free) else {
            return Err(Troubles(open.iter().take(1).map(|one| circle(source, one)).collect()));
        };
        let one = open.remove(at);
        done.insert(one.id.to_owned());
        ordered.push(one);
    }
    Ok(ordered)
}

fn circle(source: &Source<'_>, one: &One<'_>) -> Trouble {
    let line = one.depends.first().map(|(_, line)| *line);
    let (what, help) = ("depends on itself, through others", "remove one of the dependencies");
    Trouble { line, ..source.about(&one.file.path, what, help) }
}

fn piece(source: &Source<'_>, tool: &Tool, one: &One<'_>) -> Result<Piece, Troubles> {
    let part = |file: &SourceFile| {
        parts(source, file, tool, None, TransactionMode::Transactional).map(|(up, _)| up)
    };
    let rollback = source.file(&format!("{}{ROLLBACK}", stem(&one.file.path)));
    let down = rollback.map(part).transpose()?.flatten();
    let missing = || source.about(&one.file.path, "contains no script", "remove it");
    let up = part(one.file)?.ok_or_else(missing)?;
    Ok(Piece::of_stem(one.id, original(one.file, Some(one.id.to_owned())), up, down))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(files: &[(&str, &str)]) -> Result<String, String> {
        let files = crate::tests::files(files);
        let source = Source { shown: "m", files: &files, beside: &[] };
        let tool = super::super::tool::named("yoyo").expect("yoyo");
        let read = read(&source, tool).map_err(|troubles| troubles.to_string())?;
        let keys = read.pieces.iter().filter_map(|piece| piece.original.key.as_deref());
        Ok(keys.chain(read.left.iter().map(|one| one.what.as_str())).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn files_run_after_those_on_which_they_depend() {
        let files = [
            ("a.sql", "-- depends: c\nSELECT 1;"),
            ("b.sql", "SELECT 1;"),
            ("c.sql", "-- x\n-- depends: b\nSELECT 1;"),
        ];
        assert_eq!(order(&files).as_deref(), Ok("b, c, a"));
        let circle = [("a.sql", "-- depends: b\nSELECT 1;"), ("b.sql", "-- depends: a\nSELECT 1;")];
        assert_eq!(
            order(&circle).unwrap_err(),
            "m/a.sql:1: depends on itself, through others\nhelp: remove one of the dependencies"
        );
        let other = [
            ("a.sql", "-- depends: z\nSELECT 1;"),
            ("a.rollback.sql", "SELECT 2;"),
            ("0001_z.py", ""),
        ];
        assert_eq!(
            order(&other).as_deref(),
            Ok("a, is not SQL, so it is left out, depends on `z`, which is not an SQL file here")
        );
    }

    #[test]
    fn rollback_is_found_by_the_end_of_the_name() {
        let files = [("a.sql.fix.sql", "SELECT 1;"), ("a.sql.fix.rollback.sql", "SELECT 2;")];
        let files = crate::tests::files(&files);
        let source = Source { shown: "m", files: &files, beside: &[] };
        let tool = super::super::tool::named("yoyo").expect("yoyo");
        let read = read(&source, tool).expect("a folder");
        let downs: Vec<_> =
            read.pieces.iter().map(|piece| piece.down.as_ref().map(|it| &*it.text)).collect();
        assert_eq!(downs, [Some("SELECT 2;")]);
    }
}
