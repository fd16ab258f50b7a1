//! What two branches do to the same objects: what the check of names finds with both that it does not find with
//! either, and changes of which the later one undoes the other.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use migrate_set::name::Kind;
use migrate_set::set::{Migration, Migrations};
use migrate_set::sql::lexer::{Token, lex};

use super::super::error::SourceError;
use super::super::mistakes::{Mistake, placed};
use super::super::problem::Problem;
use super::super::statements::read_ups;
use super::super::{Begins, Objects, SetOptions};
use super::{Branch, BranchProblem, Merge};
use crate::catalog::{self, Asked, File};
use crate::directives::section::{AlmostMarker, sections};
use crate::objects::ObjectProblem;
use crate::schema::{SchemaObject, SetSchema};

/// The branch that a migration is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Both,
    Ours,
    Theirs,
}

/// The scripts of both branches, each read once.
struct Scripts<'m> {
    migrations: Vec<(Side, &'m Migration)>,
    files: Vec<File<'m>>,
    begins: Begins,
}

/// The mistakes that only both branches together have.
pub(super) fn conflicts(
    set: &Migrations,
    other: &Branch<'_>,
    merge: &Merge<'_>,
    options: &SetOptions,
) -> Vec<SourceError> {
    if options.objects == Objects::Off || merge.ours.is_empty() || merge.theirs.is_empty() {
        return Vec::new();
    }
    let theirs = merge.theirs.iter().map(|migration| other.path(migration));
    let names: Vec<String> = theirs.collect();
    let scripts = Scripts::of(merge, &names, options.begins);
    let found = scripts.found();
    let replaced = scripts.replaced(&found, other);
    let mut mistakes: BTreeMap<usize, Vec<Mistake>> = BTreeMap::new();
    for (number, problem) in found {
        let (span, problem) = (Some(problem.span.clone()), Problem::Object(problem));
        mistakes.entry(number).or_default().push(Mistake { span, problem });
    }
    for (number, mistake) in replaced {
        mistakes.entry(number).or_default().push(mistake);
    }
    let errors = mistakes.into_iter().filter_map(|(number, mistakes)| {
        let (from, migration) = scripts.migrations.get(number)?;
        let file = match from {
            Side::Theirs => other.path(migration),
            Side::Both | Side::Ours => set.path_of(migration.filename()),
        };
        Some(placed("", &file, migration.up().text(), mistakes))
    });
    errors.flatten().collect()
}

impl<'m> Scripts<'m> {
    fn of(merge: &Merge<'m>, names: &'m [String], begins: Begins) -> Self {
        let from = |from, all: &[&'m Migration]| {
            all.iter().map(move |migration| (from, *migration)).collect::<Vec<_>>()
        };
        let mut migrations = from(Side::Both, &merge.both);
        migrations.extend(from(Side::Ours, &merge.ours));
        migrations.extend(from(Side::Theirs, &merge.theirs));
        let mut files = read_ups(migrations.iter().map(|(_, migration)| *migration));
        let first = files.len() - names.len();
        for (file, name) in files.iter_mut().skip(first).zip(names) {
            file.name = name;
        }
        let mut scripts = Scripts { migrations, files, begins };
        let sides = [Side::Ours, Side::Theirs].map(|side| scripts.alone(side));
        let resolved = sides.map(|side| catalog::resolved(&scripts.in_order(&side), begins));
        if resolved.contains(&Begins::Existing) {
            scripts.begins = Begins::Existing;
        }
        scripts
    }

    /// The numbers of the scripts in the order in which they run: after those that both branches have, those of
    /// each of these branches; all repeatable ones at the end.
    fn order(&self, branches: &[Side]) -> Vec<usize> {
        let rank = |number: &usize| {
            let (from, migration) = self.migrations.get(*number)?;
            let is_repeatable = migration.kind() == Kind::Repeatable;
            let branch = branches.iter().position(|branch| branch == from);
            Some((is_repeatable, if is_repeatable { None } else { branch }, migration.version()))
        };
        let is_in = |number: &usize| {
            let from = self.migrations.get(*number).map(|(from, _)| *from);
            from.is_some_and(|from| from == Side::Both || branches.contains(&from))
        };
        let mut order: Vec<usize> = (0..self.migrations.len()).filter(is_in).collect();
        order.sort_by(|one, other| rank(one).cmp(&rank(other)));
        order
    }

    /// The order of one branch, which is that of its versions.
    fn alone(&self, branch: Side) -> Vec<usize> {
        let mut order = self.order(&[branch]);
        order.sort_by_key(|number| {
            let migration = self.migrations.get(*number).map(|(_, migration)| *migration);
            migration.map(|one| (one.kind() == Kind::Repeatable, one.version()))
        });
        order
    }

    fn in_order(&self, order: &[usize]) -> Vec<File<'m>> {
        order.iter().filter_map(|number| self.files.get(*number).cloned()).collect()
    }

    /// What the check of names finds, each with the number of its script.
    fn check(&self, order: &[usize]) -> Vec<(usize, ObjectProblem)> {
        let (ups, begins) = (order.len(), self.begins);
        let asked = Asked { ups, begins, lints: false, describes: false };
        let (_, found) = catalog::check(self.in_order(order), asked);
        found
            .names
            .into_iter()
            .filter_map(|(at, problem)| Some((*order.get(at)?, problem)))
            .collect()
    }

    /// What it finds with both branches, whichever runs first, and with none of them.
    fn found(&self) -> Vec<(usize, ObjectProblem)> {
        let place = |(number, problem): &(usize, ObjectProblem)| (*number, problem.span.start);
        let alone = [Side::Ours, Side::Theirs].map(|branch| self.check(&self.alone(branch)));
        let known: HashSet<_> = alone.iter().flatten().map(place).collect();
        let mut found: Vec<(usize, ObjectProblem)> = Vec::new();
        for order in [[Side::Theirs, Side::Ours], [Side::Ours, Side::Theirs]] {
            let said: HashSet<String> =
                found.iter().map(|(_, problem)| problem.message.clone()).collect();
            let more = self.check(&self.order(&order)).into_iter();
            let is_new = |one: &(usize, ObjectProblem)| {
                !known.contains(&place(one)) && !said.contains(&one.1.message)
            };
            found.extend(more.filter(is_new));
        }
        found.retain(|(number, _)| !self.allows_names(*number));
        found
    }

    /// Whether a script says that its names are not to be reported.
    fn allows_names(&self, number: usize) -> bool {
        self.files.get(number).is_some_and(|file| {
            let tokens = lex(file.text);
            let found = sections(file.text, &tokens, AlmostMarker::Remark);
            found.is_ok_and(|found| found.allows.contains(&"names"))
        })
    }

    fn schema(&self, order: &[usize]) -> BTreeMap<Object, String> {
        let mut all = BTreeMap::new();
        let SetSchema { objects, .. } = catalog::schema(&self.in_order(order), self.begins);
        for object in &objects {
            collect(object, None, &mut all);
        }
        all
    }

    /// Objects that both branches change, so that what runs later undoes the other; each in the script of ours
    /// that names it.
    fn replaced(
        &self,
        found: &[(usize, ObjectProblem)],
        other: &Branch<'_>,
    ) -> Vec<(usize, Mistake)> {
        let before = self.schema(&self.order(&[]));
        let [ours, theirs] =
            [Side::Ours, Side::Theirs].map(|branch| self.schema(&self.alone(branch)));
        let merged = self.schema(&self.order(&[Side::Theirs, Side::Ours]));
        let is_replaced = |(object, here): &(&Object, &String)| {
            let there = theirs.get(*object);
            let before = before.get(*object);
            there.is_some_and(|there| there != *here)
                && before != Some(*here)
                && before != there
                && merged.get(*object) == Some(*here)
        };
        let quoted = |object: &Object| format!("`{}`", object.bare());
        let is_said = |object: &Object| {
            found.iter().any(|(_, problem)| problem.message.contains(&quoted(object)))
        };
        let replaced = ours.iter().filter(is_replaced).map(|(object, _)| object);
        let mistake = |object: &Object| {
            let (number, span) = self.named(Side::Ours, object.bare())?;
            let there = self.named(Side::Theirs, object.bare());
            let there = there.and_then(|(number, _)| self.migrations.get(number));
            let other = there.map_or_else(|| other.name.to_owned(), |(_, one)| other.path(one));
            let problem = BranchProblem::Replaced { object: object.shown(), other };
            Some((number, Mistake { span: Some(span), problem: Problem::Branch(problem) }))
        };
        replaced.filter(|object| !is_said(object)).filter_map(mistake).collect()
    }

    /// Where the last script of a branch that names an object does so.
    fn named(&self, branch: Side, name: &str) -> Option<(usize, Range<usize>)> {
        let of_branch = self.migrations.iter().enumerate().filter(|(_, (from, _))| *from == branch);
        let place = |(number, (_, migration)): (usize, &(Side, &Migration))| {
            let text = migration.up().text();
            let tokens = lex(text);
            let is_name =
                |token: &&Token| token.text(text).trim_matches('"').eq_ignore_ascii_case(name);
            let token = tokens.iter().find(is_name)?;
            Some((number, token.start..token.end))
        };
        of_branch.filter_map(place).next_back()
    }
}

/// An object of a schema: its kind, its name, and the table that it is part of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Object {
    kind: &'static str,
    name: String,
    of: Option<String>,
}

impl Object {
    fn shown(&self) -> String {
        match &self.of {
            Some(of) => format!("{} `{}` of `{of}`", self.kind, self.name),
            None => format!("{} `{}`", self.kind, self.name),
        }
    }

    /// Its name without a schema and quotes.
    fn bare(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(&self.name).trim_matches('"')
    }
}

/// An object and its parts, each with its definition; settings add up, and are not replaced.
fn collect(object: &SchemaObject, of: Option<&str>, all: &mut BTreeMap<Object, String>) {
    if object.kind == "setting" {
        return;
    }
    let key = Object { kind: object.kind, name: object.name.clone(), of: of.map(str::to_owned) };
    // Functions of one name are one object.
    *all.entry(key).or_default() += &object.statement();
    for part in &object.parts {
        collect(part, Some(&object.name), all);
    }
}
