//! What the lints find with the schema at each statement, and what is known of each down script.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::ops::Range;

use migrate_set::sort::{distinct, sort_by};

use super::definition::Id;
use super::finding::{Past, shown_place};
use super::knowledge::Known;
use super::object::{Gone, How, Look, Place, Sort};
use super::pass::{self, File};
use super::relation::Relation;
use super::undo::Comparison;
use super::{Catalog, Found, Noting, part};
use crate::lint::{Finding, Lint, Script};
use crate::objects::{Begins, Undoing};

/// The findings in a set that begins there; so many of its files are up scripts.
pub(super) fn run(files: &[File<'_>], ups: usize, begins: Begins) -> Found {
    let mut found = Found::default();
    let mut catalog = pass::begun(files, begins, Noting::Definitions);
    for (number, file) in files.iter().enumerate().take(ups) {
        let down = file.down.and_then(|down| Some((down, files.get(down)?)));
        let Some((down_number, down)) = down else {
            found.lint(&mut catalog, number, files);
            continue;
        };
        let (words, dropped) = (part::words(&[file, down]), part::dropped(&[file, down]));
        catalog.misses_some = false;
        let before = catalog.part(&words, &dropped, Vec::new());
        found.lint(&mut catalog, number, files);
        let after =
            catalog.part(&words, &dropped, before.all_relations()).undone(down_number, down);
        let (undoing, lints) = judge(&before, &after, files);
        found.downs.push((down_number, undoing));
        found.lints.extend(lints.into_iter().map(|finding| (down_number, finding)));
    }
    found.lints.extend(catalog.without_index(files));
    let ups = files.get(..ups).unwrap_or_default();
    catalog.missing.clear();
    catalog.late_bodies(ups);
    found.lints.extend(catalog.read_in_bodies(files));
    found
}

impl Found {
    /// Follows an up script, and reads each statement before it runs.
    fn lint(&mut self, catalog: &mut Catalog, number: usize, files: &[File<'_>]) {
        let Some(file) = files.get(number) else { return };
        let mut script = Script::of(file.mode);
        catalog.begin_file(number);
        for (index, statement) in file.statements.iter().enumerate() {
            script.read_at(statement.text, statement.offset, &Known { catalog, files });
            catalog.follow(index, statement);
        }
        catalog.end_file(file);
        self.lints.extend(script.findings.into_iter().map(|finding| (number, finding)));
    }
}

impl Catalog {
    /// This catalog after a down script.
    fn undone(mut self, number: usize, down: &File<'_>) -> Catalog {
        self.missing.clear();
        self.is_trial = true;
        self.follow_file(number, down);
        self
    }

    /// The foreign keys that no index serves at the end of the set.
    fn without_index(&self, files: &[File<'_>]) -> Vec<(usize, Finding)> {
        let mut found = Vec::new();
        let names = self.names();
        let schemas = self.schemas.objects.values();
        for (table, relation) in schemas.flat_map(|schema| schema.relations.objects.iter()) {
            if relation.made.sort != Sort::Table || !relation.is_sure(&self.blurs) {
                continue;
            }
            let Some(indexes) = self.indexes(relation, &names) else { continue };
            for (name, constraint) in relation.constraints.objects.iter() {
                let columns = &constraint.columns;
                let is_key = constraint.made.sort == Sort::ForeignKey && !columns.is_empty();
                if !is_key {
                    continue;
                }
                let look = relation.constraints.look(name, &self.blurs);
                let serves = |index: &Vec<String>| {
                    distinct(index.iter().take(columns.len())).into_iter().eq(columns)
                };
                let (Look::Found(_), Some(place)) = (look, constraint.made.place) else { continue };
                if !indexes.iter().any(serves) {
                    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                    let columns = columns.join("`, `");
                    let message = format!(
                        "no index of `{table}` begins with `{columns}`, so that a DELETE or UPDATE of a row \
                         that this foreign key refers to reads all of `{table}`"
                    );
                    let lint = Lint::ForeignKeyWithoutIndex;
                    found.push((place.file, Finding::new(lint, word(files, place), message)));
                }
            }
        }
        sort_by(&mut found, |one, other| one.1.message.cmp(&other.1.message));
        found
    }

    /// The first columns of the indexes of a table; `None` if not all are known.
    fn indexes(&self, table: &Relation, names: &HashMap<Id, String>) -> Option<Vec<Vec<String>>> {
        if self.blurs.of_makes(Sort::Index) > table.made.stamp || !table.parents.is_empty() {
            return None;
        }
        let mut all = Vec::new();
        for key in &table.owned {
            let index = self.relation(key)?;
            if index.made.sort != Sort::Index {
                continue;
            }
            let of_key = table.constraints.objects.get(&key.name);
            let made = of_key.map_or(&index.made, |key| &key.made);
            let words = &self.definition(Id::of(made, ""))?.words;
            all.push(columns(&self.spelled(words, names))?);
        }
        Some(all)
    }

    /// What functions still read that a file dropped or renamed.
    fn read_in_bodies(&self, files: &[File<'_>]) -> Vec<(usize, Finding)> {
        let gone = self.missing.iter().filter_map(|one| match &one.past {
            Past::Gone(Gone { how, place, .. }) if one.late => Some((one, how, *place)),
            _ => None,
        });
        let finding = |(one, how, place): (&super::Missing, &How, Place)| {
            let what = one.message.trim_end_matches(" does not exist");
            let done = match how {
                How::Dropped => "dropped",
                How::Renamed(_) => "renamed",
                How::Moved(_) => "moved",
            };
            let reader = shown_place(files, one.place);
            let message = format!(
                "{what} is {done} here, and a function still names it in {reader}, where a call fails"
            );
            (place.file, Finding::new(Lint::StillRead, word(files, place), message))
        };
        gone.map(finding).collect()
    }
}

/// The columns in the first parentheses of a definition, up to the first expression; none for an index that
/// is of no use to look rows up by them.
fn columns(definition: &str) -> Option<Vec<String>> {
    let (before, rest) = definition.split_once('(')?;
    let is_partial = definition.split_once(" WHERE ").is_some_and(|(_, condition)| {
        !condition.trim_matches(['(', ')', ' ']).ends_with("IS NOT NULL")
    });
    let other = before.contains("USING ")
        && !before.contains("USING hash")
        && !before.contains("USING btree");
    if is_partial || other {
        return Some(Vec::new());
    }
    let mut columns = Vec::new();
    for item in rest.split(')').next()?.split(", ") {
        if item.contains('(') {
            break;
        }
        columns.extend(item.split(' ').next().map(|name| name.replace('"', "")));
    }
    Some(columns)
}

/// The bytes of the word at a place.
fn word(files: &[File<'_>], place: Place) -> Option<Range<usize>> {
    let rest = files.get(place.file)?.text.get(place.at..)?;
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '"' | '$');
    let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
    Some(place.at..place.at + end)
}

/// What is known of a down script, and what to report of it.
fn judge(before: &Catalog, after: &Catalog, files: &[File<'_>]) -> (Undoing, Vec<Finding>) {
    let missing = after.missing.iter().filter(|one| !one.late);
    let missing = missing.map(|one| (&one.span, &one.message));
    if let Some((span, message)) = missing.min_by_key(|(span, _)| span.start) {
        let message = format!("the down script fails: {message}");
        let finding = Finding::new(Lint::DownFails, Some(span.clone()), message);
        return (Undoing::Fails, vec![finding]);
    }
    let Comparison { found, is_unsure, .. } = Comparison::of(before, after, files);
    let undoing = match (found.is_empty(), is_unsure) {
        (false, _) => Undoing::Differs,
        (true, true) => Undoing::Unknown,
        (true, false) => Undoing::Undoes,
    };
    let finding =
        |text: String| Finding::new(Lint::DownIncomplete, None, format!("the down script {text}"));
    (undoing, found.into_iter().map(finding).collect())
}
