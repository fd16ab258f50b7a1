//! Reads folders whose order is in a file of its own: sqitch's plan and drizzle's journal.

use std::collections::HashSet;

use migrate_set::set::TransactionMode;

use super::piece::{Part, Piece, parts};
use super::{Original, Read, Source, Tool, Trouble, Troubles, named};
use crate::check::SourceFile;

const JOURNAL: &str = "meta/_journal.json";
const PLAN: &str = "sqitch.plan";

/// The migrations of drizzle's journal, in its order; without a journal (1.0), those of the folders.
pub(super) fn of_journal(source: &Source<'_>, tool: &Tool) -> Result<Read, Troubles> {
    let Some(journal) = source.beside(JOURNAL) else {
        if source.files.iter().any(|file| !file.path.contains('/')) {
            let what = format!("has no `{JOURNAL}`, which has the order");
            return Err(Trouble::new(source.shown, what, "restore it").into());
        }
        let folders = Tool { layout: Some(migrate_set::name::Layout::Prisma), ..*tool };
        return named::read(source, &folders);
    };
    let tags = tags(&journal);
    let listed: HashSet<&str> = tags.iter().map(|(tag, _)| tag.as_str()).collect();
    let is_listed =
        |file: &SourceFile| file.path.strip_suffix(".sql").is_some_and(|tag| listed.contains(tag));
    let others = source.files.iter().filter(|file| !file.path.contains('/') && !is_listed(file));
    let left = others.map(|file| never_ran(source, file, "drizzle's journal")).collect();
    let piece = |(tag, line): &(String, u32)| {
        let path = format!("{tag}.sql");
        let what = format!("names `{path}`, which is missing");
        let (file, up) = script(source, tool, &path, (JOURNAL, *line, what))?;
        Ok(Piece::of_stem(tag, original(file, None), up, None))
    };
    Read::of(tags.iter().map(piece), left)
}

fn never_ran(source: &Source<'_>, file: &SourceFile, order: &str) -> Trouble {
    let what = format!("is not in {order}, so it never ran");
    let help = "make it a new migration, or remove it";
    source.about(&file.path, what, help)
}

/// The values of `"tag"`, each with its line: drizzle writes the entries in their order.
fn tags(journal: &str) -> Vec<(String, u32)> {
    let mut at = 0;
    let mut tags = Vec::new();
    while let Some(found) = journal[at..].find("\"tag\"") {
        let rest = &journal[at + found + 5..];
        let line = migrate_set::location::position(journal, at + found).line;
        let value = rest
            .trim_start()
            .strip_prefix(':')
            .and_then(|rest| rest.trim_start().strip_prefix('"'));
        tags.extend(
            value.and_then(|value| value.split_once('"')).map(|(tag, _)| (tag.to_owned(), line)),
        );
        at += found + 5;
    }
    tags
}

/// The changes of sqitch's plan, in its order, each with the script that reverts it.
pub(super) fn of_sqitch(source: &Source<'_>, tool: &Tool) -> Result<Read, Troubles> {
    let Some(plan) = source.beside(PLAN) else {
        let (what, help) = ("has no `sqitch.plan`", "name the folder that has it");
        return Err(Trouble::new(source.shown, what, help).into());
    };
    let pieces = changes(&plan).into_iter().map(|change| change.piece(source, tool));
    let mut read = Read::of(pieces, Vec::new())?;
    for file in source.files.iter().filter(|file| file.path.starts_with("deploy/")) {
        if !read.pieces.iter().any(|piece| piece.original.file == file.path) {
            read.left.push(never_ran(source, file, "the plan"));
        }
    }
    Ok(read)
}

/// A line of the plan that names a change.
struct Change {
    name: String,
    line: u32,
    /// The tags between it and the line that reworks it.
    tags: Vec<String>,
}

impl Change {
    fn piece(self, source: &Source<'_>, tool: &Tool) -> Result<Piece, Troubles> {
        let path = self.path(source);
        let what = format!("names the change `{}`, and `{path}` is missing", self.name);
        let (deploy, up) = script(source, tool, &path, (PLAN, self.line, what))?;
        let revert = source.file(&path.replacen("deploy/", "revert/", 1));
        let down = revert.map(|file| read_part(source, tool, file)).transpose()?;
        Ok(Piece::of_stem(&self.name, original(deploy, Some(self.name.clone())), up, down))
    }

    /// Its script: that of a change that was reworked has a tag in its name.
    fn path(&self, source: &Source<'_>) -> String {
        let tagged = self.tags.iter().map(|tag| format!("deploy/{}@{tag}.sql", self.name));
        let mut tagged = tagged.filter(|path| source.file(path).is_some());
        tagged.next().unwrap_or_else(|| format!("deploy/{}.sql", self.name))
    }
}

fn changes(plan: &str) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    let mut tags: Vec<(usize, String)> = Vec::new();
    for (number, line) in (1..).zip(plan.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '%']) {
            continue;
        }
        let word = line.split_whitespace().next().unwrap_or_default();
        if let Some(tag) = word.strip_prefix('@') {
            tags.push((changes.len(), tag.to_owned()));
            continue;
        }
        let name = word.trim_start_matches(['+', '-']).to_owned();
        let (at, end) = (changes.iter().rposition(|change| change.name == name), changes.len());
        if let Some(at) = at {
            let between = tags.iter().filter(|(after, _)| *after > at && *after <= end);
            changes[at].tags = between.map(|(_, tag)| tag.clone()).collect();
        }
        changes.push(Change { name, line: number, tags: Vec::new() });
    }
    changes
}

/// The script at a path, which a line of another file names, or what to say if it is missing.
fn script<'s>(
    source: &Source<'s>,
    tool: &Tool,
    path: &str,
    (named_in, line, what): (&str, u32, String),
) -> Result<(&'s SourceFile, Part), Troubles> {
    let help = "restore the file, or remove the line if it never ran";
    let missing = || source.about(named_in, what, help).at(line);
    let file = source.file(path).ok_or_else(missing)?;
    Ok((file, read_part(source, tool, file)?))
}

/// A file without sections.
fn read_part(source: &Source<'_>, tool: &Tool, file: &SourceFile) -> Result<Part, Troubles> {
    let (up, _) = parts(source, file, tool, None, TransactionMode::Transactional)?;
    Ok(up.unwrap_or_else(|| Part::new(String::new(), TransactionMode::Transactional)))
}

pub(super) fn original(file: &SourceFile, key: Option<String>) -> Original {
    Original {
        file: file.path.clone(),
        version: None,
        name: String::new(),
        key,
        text: String::from_utf8_lossy(&file.bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn journal_has_the_order() {
        let found = tags(
            "{\n\"entries\": [{\"idx\": 0, \"tag\": \"b\"},\n{\"tag\":\"a\", \"breakpoints\": true}]}",
        );
        assert_eq!(found, [("b".to_owned(), 2), ("a".to_owned(), 3)]);
        assert_eq!(tags("{\"tag\""), []);
    }

    #[test]
    fn change_that_was_reworked_has_a_tag() {
        let plan = "%syntax-version=1.0.0\n%project=app\n\nusers 2024-01-01T00:00:00Z A <a@b> # x\n\
                    idx [users] 2024-01-01T00:00:00Z A <a@b>\n@v1 2024-01-01T00:00:00Z A <a@b>\n\n\
                    users [users@v1] 2024-01-02T00:00:00Z A <a@b>\n@v2 2024-01-02T00:00:00Z A <a@b>\n";
        let found: Vec<_> =
            changes(plan).into_iter().map(|c| (c.name, c.line, c.tags.join(" "))).collect();
        let expected = [("users", 4, "v1"), ("idx", 5, ""), ("users", 8, "")];
        let expected = expected.map(|(name, line, tags)| (name.to_owned(), line, tags.to_owned()));
        assert_eq!(found, expected);
    }
}
