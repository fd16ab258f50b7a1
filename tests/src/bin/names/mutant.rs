//! Makes mutants of a set: one edit each, chosen by a seed.

use std::collections::BTreeMap;
use std::ops::Range;

use migrate_set::location::{Position, position};
use migrate_set::set::{Migration, Migrations, Script};
use migrate_source::check::SourceFile;
use migrate_tests::proof::dice::Dice;

use crate::objects::{Object, Objects, Words};

/// What a mutant changes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Edit {
    /// These bytes of the file are another text.
    Replace { file: usize, range: Range<usize>, text: String },
    /// Two files have each other's contents.
    Swap(usize, usize),
    /// These files are missing.
    Remove(Vec<usize>),
}

/// A set with one mistake in it, or with a change that is none.
#[derive(Debug, Clone)]
pub(crate) struct Mutant {
    /// What was done, such as `misspelt column`.
    pub(crate) kind: String,
    /// The index of the first migration that it changes.
    pub(crate) at: usize,
    /// The path of that migration.
    pub(crate) path: String,
    /// Where a name was misspelt, and where the qualified name begins.
    pub(crate) places: Vec<Position>,
    /// The changed line.
    pub(crate) line: String,
    edit: Edit,
}

impl Mutant {
    /// The files of the set with the change.
    pub(crate) fn apply(&self, files: &[SourceFile]) -> Vec<SourceFile> {
        let mut files = files.to_vec();
        match &self.edit {
            Edit::Replace { file, range, text } => {
                files[*file].bytes.splice(range.clone(), text.bytes());
            }
            Edit::Swap(one, other) => {
                let bytes = std::mem::take(&mut files[*one].bytes);
                files[*one].bytes = std::mem::replace(&mut files[*other].bytes, bytes);
            }
            Edit::Remove(removed) => {
                let mut index = 0;
                files.retain(|_| {
                    index += 1;
                    !removed.contains(&(index - 1))
                });
            }
        }
        files
    }
}

/// One statement of an up script.
struct Statement {
    migration: usize,
    file: usize,
    /// Its bytes in the file, without the semicolon.
    range: Range<usize>,
}

/// A set, with what mutants are made of.
pub(crate) struct Material<'s> {
    set: &'s Migrations,
    files: &'s [SourceFile],
    statements: Vec<Statement>,
    objects: Objects,
    /// References by the kind of what they name: the statement, and the index of the word.
    references: BTreeMap<Object, Vec<(usize, usize)>>,
}

impl<'s> Material<'s> {
    pub(crate) fn new(set: &'s Migrations, files: &'s [SourceFile]) -> Material<'s> {
        let statements = statements(set, files);
        let (objects, references) = (Objects::default(), BTreeMap::new());
        let mut material = Material { set, files, statements, objects, references };
        for index in 0..material.statements.len() {
            let words = Words::of(material.sql(index));
            material.objects.add(&words);
        }
        for index in 0..material.statements.len() {
            let words = Words::of(material.sql(index));
            for at in 1..words.len() {
                let Some(kind) = material.objects.kind(&words, at) else { continue };
                material.references.entry(kind).or_default().push((index, at));
            }
        }
        material
    }

    /// `count` mutants; fewer if the set has too little to change.
    pub(crate) fn mutants(&self, count: usize, dice: &mut Dice) -> Vec<Mutant> {
        let mut mutants: Vec<Mutant> = Vec::new();
        for _ in 0..count * 4 {
            if mutants.len() == count {
                break;
            }
            let Some(mutant) = self.mutant(dice) else { continue };
            if mutants.iter().all(|other| other.edit != mutant.edit) {
                mutants.push(mutant);
            }
        }
        mutants.sort_by_key(|mutant| mutant.at);
        mutants
    }

    fn mutant(&self, dice: &mut Dice) -> Option<Mutant> {
        match dice.below(100) {
            0..45 => self.misspelt(dice),
            45..58 => self.deleted(dice),
            58..66 => self.doubled(dice, "doubled CREATE", |words| words.word(0) == "CREATE"),
            66..71 => self.doubled(dice, "doubled ADD COLUMN", |words| has(words, "ADD", "COLUMN")),
            71..74 => self.doubled(dice, "doubled ADD VALUE", |words| has(words, "ADD", "VALUE")),
            74..77 => self.doubled(dice, "doubled DROP", |words| {
                (0..words.len()).any(|at| words.word(at) == "DROP")
            }),
            77..86 => self.swapped(dice),
            86..93 => self.removed(dice),
            93..97 => self.in_capitals(dice),
            _ => self.qualified(dice),
        }
    }

    fn sql(&self, statement: usize) -> &'s str {
        let Statement { file, range, .. } = &self.statements[statement];
        text(&self.files[*file]).map_or("", |text| &text[range.clone()])
    }

    /// A mutant that replaces `range` of a statement.
    fn replaced(&self, kind: String, statement: usize, range: Range<usize>, new: &str) -> Mutant {
        let Statement { migration, file, range: whole } = &self.statements[statement];
        let range = whole.start + range.start..whole.start + range.end;
        let old = text(&self.files[*file]).unwrap_or_default();
        let begin = old[..range.start].rfind('\n').map_or(0, |feed| feed + 1);
        let end = old[range.end..].find('\n').map_or(old.len(), |feed| range.end + feed);
        let line = format!("{}{new}{}", &old[begin..range.start], &old[range.end..end]);
        let edit = Edit::Replace { file: *file, range, text: new.to_owned() };
        let path = self.files[*file].path.clone();
        Mutant { kind, at: *migration, path, places: Vec::new(), line, edit }
    }

    /// A reference of a kind that is chosen first, so that no kind is rare.
    fn reference(&self, dice: &mut Dice) -> Option<(Object, usize, usize)> {
        let (kind, places) = self.references.iter().nth(dice.below(self.references.len()))?;
        let &(statement, at) = places.get(dice.below(places.len()))?;
        Some((*kind, statement, at))
    }

    fn misspelt(&self, dice: &mut Dice) -> Option<Mutant> {
        let (kind, statement, at) = self.reference(dice)?;
        let words = Words::of(self.sql(statement));
        let token = words.token(at)?;
        let old = token.text(self.sql(statement));
        let new = misspelling(old, dice)?;
        if self.objects.has(new.trim_matches('"').to_lowercase().as_str()) {
            return None;
        }
        let name = format!("misspelt {}", kind.as_str());
        let mut mutant = self.replaced(name, statement, token.start..token.end, &new);
        let Statement { file, range, .. } = &self.statements[statement];
        let first = words.token(words.first_part(at))?;
        let text = text(&self.files[*file])?;
        let place = |start: usize| position(text, range.start + start);
        mutant.places = vec![place(token.start), place(first.start)];
        Some(mutant)
    }

    fn deleted(&self, dice: &mut Dice) -> Option<Mutant> {
        let statement = self.choose(dice, |words| words.word(0) == "CREATE")?;
        let whole = 0..self.sql(statement).len();
        Some(self.replaced("deleted CREATE".to_owned(), statement, whole, "SELECT 1"))
    }

    fn doubled(&self, dice: &mut Dice, kind: &str, is: fn(&Words<'_>) -> bool) -> Option<Mutant> {
        let statement = self.choose(dice, is)?;
        let sql = self.sql(statement);
        let text = format!("{sql};\n{sql}");
        Some(self.replaced(kind.to_owned(), statement, 0..sql.len(), &text))
    }

    fn choose(&self, dice: &mut Dice, is: impl Fn(&Words<'_>) -> bool) -> Option<usize> {
        let count = self.statements.len();
        let from = dice.below(count);
        (0..count).map(|n| (from + n) % count).find(|&index| is(&Words::of(self.sql(index))))
    }

    fn swapped(&self, dice: &mut Dice) -> Option<Mutant> {
        let one = dice.below(self.set.len());
        let other = one + 1 + dice.below(4);
        let (first, second) = (self.file_of(one)?, self.file_of(other)?);
        Some(self.of_migration("swapped migrations", one, Edit::Swap(first, second)))
    }

    fn removed(&self, dice: &mut Dice) -> Option<Mutant> {
        let one = dice.below(self.set.len());
        let migration = self.set.as_slice().get(one)?;
        let down = migration.down().map(Script::filename);
        let of = |name: &str| self.files.iter().position(|file| file.path == name);
        let mut files = vec![of(migration.up().filename())?];
        files.extend(down.and_then(of));
        Some(self.of_migration("removed migration", one, Edit::Remove(files)))
    }

    fn of_migration(&self, kind: &str, at: usize, edit: Edit) -> Mutant {
        let path = self.set.as_slice()[at].up().filename().to_owned();
        let (line, places) = (path.clone(), Vec::new());
        Mutant { kind: kind.to_owned(), at, path, places, line, edit }
    }

    fn file_of(&self, migration: usize) -> Option<usize> {
        let name = self.set.as_slice().get(migration)?.up().filename();
        self.files.iter().position(|file| file.path == name)
    }

    /// An unquoted name in capitals, which is the same name.
    fn in_capitals(&self, dice: &mut Dice) -> Option<Mutant> {
        let (_, statement, at) = self.reference(dice)?;
        let token = Words::of(self.sql(statement)).token(at)?;
        let old = token.text(self.sql(statement));
        let new = old.to_ascii_uppercase();
        let is_change = new != old && !old.starts_with('"');
        let kind = "name in capitals".to_owned();
        is_change.then(|| self.replaced(kind, statement, token.start..token.end, &new))
    }

    /// A table with its schema before it.
    fn qualified(&self, dice: &mut Dice) -> Option<Mutant> {
        let places = self.references.get(&Object::Table)?;
        let &(statement, at) = places.get(dice.below(places.len()))?;
        let words = Words::of(self.sql(statement));
        let token = words.token(at)?;
        let is_alone = words.word(at + 1) != "." && words.first_part(at) == at;
        let kind = "table with its schema".to_owned();
        is_alone.then(|| self.replaced(kind, statement, token.start..token.start, "public."))
    }
}

fn has(words: &Words<'_>, one: &str, other: &str) -> bool {
    (0..words.len()).any(|at| words.word(at) == one && words.word(at + 1) == other)
}

fn text(file: &SourceFile) -> Option<&str> {
    std::str::from_utf8(&file.bytes).ok()
}

fn statements(set: &Migrations, files: &[SourceFile]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for (migration, up) in set.iter().map(Migration::up).enumerate() {
        let Some(file) = files.iter().position(|file| file.path == up.filename()) else { continue };
        let Some(shift) = text(&files[file]).and_then(|text| text.find(up.text())) else {
            continue;
        };
        for (start, end) in up.statements() {
            let end = start + up.text()[start..end].trim_end_matches(';').len();
            statements.push(Statement { migration, file, range: shift + start..shift + end });
        }
    }
    statements
}

/// The name with a letter too few, twice, or two letters swapped.
fn misspelling(name: &str, dice: &mut Dice) -> Option<String> {
    let letters: Vec<char> = name.chars().collect();
    let inner = if name.starts_with('"') { 1..letters.len() - 1 } else { 0..letters.len() };
    if inner.len() < 3 {
        return None;
    }
    let at = inner.start + 1 + dice.below(inner.len() - 2);
    let mut new = letters.clone();
    match dice.below(3) {
        0 => drop(new.remove(at)),
        1 => new.insert(at, letters[at]),
        _ => new.swap(at, at + 1),
    }
    (new != letters).then(|| new.into_iter().collect())
}
