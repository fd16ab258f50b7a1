//! Reads folders whose order is in a file of its own: sqitch's plan and drizzle's journal.

use migrate_set::name::shown;
use migrate_set::set::TransactionMode;

use super::piece::{Part, Piece, parts, text_of};
use super::{Original, Read, Source, Tool, Trouble, Troubles, named};
use crate::check::SourceFile;

const JOURNAL: &str = "meta/_journal.json";
const PLAN: &str = "sqitch.plan";

/// The migrations of drizzle's journal, in its order; without a journal (1.0), those of the folders.
pub(super) fn of_journal(source: &Source<'_>, tool: &Tool) -> Result<Read, Troubles> {
    let Some(journal) = beside(source, JOURNAL) else {
        if source.files.iter().any(|file| !file.path.contains('/')) {
            let what = format!("has no `{JOURNAL}`, which has the order");
            return Err(Troubles(vec![Trouble::new(source.shown, None, what, "restore it")]));
        }
        let folders = Tool { layout: Some(migrate_set::name::Layout::Prisma), ..*tool };
        return named::read(source, &folders);
    };
    let tags = tags(&journal);
    let mut read = Read::default();
    let mut fatal = Vec::new();
    for (tag, line) in &tags {
        let path = format!("{tag}.sql");
        let what = format!("names `{path}`, which is missing");
        let place = (shown(source.shown, JOURNAL), Some(*line), what);
        match script(source, tool, &path, place) {
            Ok((file, up)) => {
                read.pieces.push(Piece::of_stem(tag, original(file, None), up, None));
            }
            Err(troubles) => fatal.extend(troubles),
        }
    }
    for file in source.files.iter().filter(|file| !file.path.contains('/')) {
        if !tags.iter().any(|(tag, _)| file.path == format!("{tag}.sql")) {
            read.left.push(never_ran(source, file, "drizzle's journal"));
        }
    }
    if fatal.is_empty() { Ok(read) } else { Err(Troubles(fatal)) }
}

fn never_ran(source: &Source<'_>, file: &SourceFile, order: &str) -> Trouble {
    let what = format!("is not in {order}, so it never ran");
    let help = "make it a new migration, or remove it";
    Trouble::new(shown(source.shown, &file.path), None, what, help)
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
    let Some(plan) = beside(source, PLAN) else {
        let what = "has no `sqitch.plan`";
        return Err(Troubles(vec![Trouble::new(
            source.shown,
            None,
            what,
            "name the folder that has it",
        )]));
    };
    let mut read = Read::default();
    let mut fatal = Vec::new();
    for change in changes(&plan) {
        match change.piece(source, tool) {
            Ok(piece) => read.pieces.push(piece),
            Err(troubles) => fatal.extend(troubles),
        }
    }
    for file in source.files.iter().filter(|file| file.path.starts_with("deploy/")) {
        if !read.pieces.iter().any(|piece| piece.original.file == file.path) {
            read.left.push(never_ran(source, file, "the plan"));
        }
    }
    if fatal.is_empty() { Ok(read) } else { Err(Troubles(fatal)) }
}

/// A line of the plan that names a change.
struct Change {
    name: String,
    line: u32,
    /// The tags between it and the line that reworks it.
    tags: Vec<String>,
}

impl Change {
    fn piece(self, source: &Source<'_>, tool: &Tool) -> Result<Piece, Vec<Trouble>> {
        let path = self.path(source);
        let what = format!("names the change `{}`, and `{path}` is missing", self.name);
        let place = (shown(source.shown, PLAN), Some(self.line), what);
        let (deploy, up) = script(source, tool, &path, place)?;
        let revert = file(source, &path.replacen("deploy/", "revert/", 1));
        let down = revert.map(|file| read_part(source, tool, file)).transpose()?;
        Ok(Piece::of_stem(&self.name, original(deploy, Some(self.name.clone())), up, down))
    }

    /// Its script: that of a change that was reworked has a tag in its name.
    fn path(&self, source: &Source<'_>) -> String {
        let tagged = self.tags.iter().map(|tag| format!("deploy/{}@{tag}.sql", self.name));
        let mut tagged = tagged.filter(|path| file(source, path).is_some());
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

/// A file beside the migrations, if it exists.
fn beside(source: &Source<'_>, path: &str) -> Option<String> {
    let file = source.beside.iter().find(|file| file.path == path)?;
    Some(String::from_utf8_lossy(&file.bytes).into_owned())
}

fn file<'s>(source: &Source<'s>, path: &str) -> Option<&'s SourceFile> {
    source.files.iter().find(|file| file.path == path)
}

/// Where a file is named, and what to say if it is missing.
type Named = (String, Option<u32>, String);

fn script<'s>(
    source: &Source<'s>,
    tool: &Tool,
    path: &str,
    (named_in, line, what): Named,
) -> Result<(&'s SourceFile, Part), Vec<Trouble>> {
    let file = file(source, path).ok_or_else(|| {
        vec![Trouble::new(
            named_in,
            line,
            what,
            "restore the file, or remove the line if it never ran",
        )]
    })?;
    Ok((file, read_part(source, tool, file)?))
}

/// A file without sections.
fn read_part(source: &Source<'_>, tool: &Tool, file: &SourceFile) -> Result<Part, Vec<Trouble>> {
    let text = text_of(source.shown, file).map_err(|trouble| vec![trouble])?;
    let place = (source.shown, file.path.as_str());
    let (up, _) = parts(place, &text, tool, None, TransactionMode::Transactional)?;
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
