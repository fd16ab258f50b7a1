//! Writes what the catalogs have as statements, in an order in which an empty database accepts them.

use std::collections::{BTreeMap, HashMap};

use super::block::{KINDS, NOTE, SchemaBlock, read};
use super::order::{Firmness, Node, Step, order};
use super::server::{as_restored, normalised};
use crate::sort::{distinct, sort_by_key};
use crate::sql::lexer::lex;

/// One row of the answer of the catalogs; what is not used is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CatalogRow {
    /// What the row has: an `object`; a `line` of a table; a statement `after` the object's, a `comment` or a
    /// `grant`; an `alias` or an `edge` between objects; a `note`; the `version` of the server.
    pub tag: String,
    /// The object's catalog and number.
    pub id: String,
    /// The kind of an object; the part of a line; the object of an alias or an edge.
    pub kind: String,
    /// The name of an object; otherwise what decides the order.
    pub name: String,
    /// The object's table; of a line, its text without the part.
    pub parent: String,
    /// The statement or the line.
    pub text: String,
    /// The statement that makes the part of a line by itself.
    pub statement: String,
}

#[derive(Default)]
struct Object {
    kind: String,
    name: String,
    parent: String,
    text: String,
    /// By their order.
    lines: BTreeMap<String, CatalogRow>,
    /// Statements after the first: of the object, comments, privileges.
    more: Vec<(u8, String, String)>,
}

#[derive(Default)]
struct Composer {
    version: u32,
    objects: BTreeMap<String, Object>,
    aliases: HashMap<String, String>,
    edges: Vec<(String, String)>,
    notes: Vec<String>,
}

/// The blocks of the schema that these rows describe.
pub fn compose(mut rows: Vec<CatalogRow>) -> Vec<SchemaBlock> {
    // The others are found by these.
    sort_by_key(&mut rows, |row| !matches!(row.tag.as_str(), "object" | "alias"));
    let mut all = Composer::default();
    for mut row in rows {
        row.text = as_restored(row.text);
        row.statement = as_restored(row.statement);
        all.add(row);
    }
    read(&all.text())
}

/// The kind and name of a part that is made by itself.
fn named_part(object: &Object, line: &CatalogRow) -> String {
    let text = line.text.trim_start();
    let (kind, rest) = match text.strip_prefix("CONSTRAINT ") {
        Some(rest) if line.parent.is_empty() => ("constraint", rest),
        _ => ("default", text),
    };
    let name = lex(rest).first().map_or("", |token| token.text(rest));
    format!("{kind} {} on {}", one_line(name), object.name)
}

/// A name in a comment: a line feed would end it.
fn one_line(name: &str) -> String {
    name.replace(['\n', '\r'], " ")
}

impl Composer {
    fn add(&mut self, row: CatalogRow) {
        let place = match row.tag.as_str() {
            "object" => return self.add_object(row),
            "version" => return self.version = row.text.parse().unwrap_or_default(),
            "alias" => return self.aliases.extend([(row.id, row.kind)]),
            "edge" => return self.edges.push((row.id, row.kind)),
            "note" => return self.notes.push(one_line(&row.text)),
            "after" => 0,
            "comment" => 1,
            "grant" => 2,
            _ => 3,
        };
        let Some(id) = self.whole(&row.id).map(str::to_owned) else { return };
        let Some(object) = self.objects.get_mut(&id) else { return };
        if place == 3 {
            object.lines.insert(row.name.clone(), row);
        } else {
            object.more.push((place, row.name, row.text));
        }
    }

    fn add_object(&mut self, row: CatalogRow) {
        let CatalogRow { id, kind, name, parent, text, .. } = row;
        let name = one_line(&name);
        self.objects.insert(id, Object { kind, name, parent, text, ..Object::default() });
    }

    /// The object that this is, or is part of.
    fn whole<'a>(&'a self, id: &'a str) -> Option<&'a str> {
        let ids = std::iter::successors(Some(id), |id| self.aliases.get(*id).map(String::as_str));
        ids.take(6).find(|id| self.objects.contains_key(*id))
    }

    /// The line that this is the part of, by its place in the object.
    fn part(&self, id: &str, object: &Object) -> Option<usize> {
        let ids = std::iter::successors(Some(id), |id| self.aliases.get(*id).map(String::as_str));
        let ids: Vec<&str> = ids.take(6).collect();
        let is_it =
            |line: &CatalogRow| !line.statement.is_empty() && ids.contains(&line.kind.as_str());
        object.lines.values().position(is_it)
    }

    fn text(&self) -> String {
        let objects: Vec<(&String, &Object)> = self.objects.iter().collect();
        let nodes = self.nodes(&objects);
        let mut text = String::new();
        let mut steps = order(&nodes);
        // These act on what is made after them.
        sort_by_key(&mut steps, |step| match step {
            Step::Object(index, _) => {
                matches!(objects[*index].1.kind.as_str(), "event trigger" | "default privileges")
            }
            Step::Part(..) => false,
        });
        for step in steps {
            let (Step::Object(index, _) | Step::Part(index, _)) = step;
            let (_, object) = objects[index];
            let (head, statements) = match step {
                Step::Object(_, without) => {
                    (format!("{} {}", object.kind, object.name), self.statements(object, &without))
                }
                Step::Part(_, part) => match object.lines.values().nth(part) {
                    Some(line) => (named_part(object, line), line.statement.clone() + "\n"),
                    None => continue,
                },
            };
            text.extend(["-- ", &head, "\n", &statements, "\n"]);
        }
        distinct(&self.notes).into_iter().fold(text, |text, note| {
            text + "-- " + NOTE + note.strip_prefix(NOTE).unwrap_or(note) + "\n"
        })
    }

    /// The statements of an object, without these parts.
    fn statements(&self, object: &Object, without: &[usize]) -> String {
        let lines: Vec<&str> = object
            .lines
            .values()
            .enumerate()
            .map(|(index, line)| if without.contains(&index) { &line.parent } else { &line.text })
            .filter(|line| !line.is_empty())
            .map(String::as_str)
            .collect();
        let text = normalised(self.version, &object.kind, object.text.clone());
        let mut text = if lines.is_empty() {
            text.replacen("{lines}\n", "", 1)
        } else {
            text.replacen("{lines}", &lines.join(",\n"), 1)
        };
        text.push('\n');
        for (_, _, statement) in distinct(&object.more) {
            text += statement;
            text.push('\n');
        }
        text
    }

    fn nodes(&self, objects: &[(&String, &Object)]) -> Vec<Node> {
        let index: HashMap<&str, usize> =
            objects.iter().enumerate().map(|(index, (id, _))| (id.as_str(), index)).collect();
        let key = |object: &Object| {
            let place =
                |kind: &str| KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len());
            let own = (place(&object.kind), object.name.clone());
            let parent = self.objects.get(&object.parent);
            let (outer, inner) = match parent {
                Some(parent) => ((place(&parent.kind), parent.name.clone()), own),
                None => (own, (0, String::new())),
            };
            (outer.0, outer.1, inner.0, inner.1)
        };
        let made = |(_, object): &(&String, &Object)| Node { key: key(object), needs: Vec::new() };
        let mut nodes: Vec<Node> = objects.iter().map(made).collect();
        for (from, to) in &self.edges {
            let (Some(user), Some(of)) = (self.whole(from), self.whole(to)) else { continue };
            let (user, of) = (index[user], index[of]);
            let part = self.part(from, objects[user].1);
            if user != of {
                nodes[user].needs.push((of, part.map_or(Firmness::Whole, Firmness::Part)));
            }
        }
        for (user, of, firmness) in named_in_bodies(objects) {
            nodes[user].needs.push((of, firmness));
        }
        nodes
    }
}

/// What the bodies of functions name, which no catalog has.
fn named_in_bodies(objects: &[(&String, &Object)]) -> Vec<(usize, usize, Firmness)> {
    let is_routine = |object: &Object| matches!(object.kind.as_str(), "function" | "procedure");
    let mut names: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, (_, object)) in objects.iter().enumerate() {
        let is_named = matches!(
            object.kind.as_str(),
            "table"
                | "foreign table"
                | "view"
                | "materialized view"
                | "sequence"
                | "type"
                | "domain"
        );
        if is_named || is_routine(object) {
            let name = object.name.split('(').next().unwrap_or_default();
            names.entry(words(name).last().unwrap_or_default()).or_default().push(index);
        }
    }
    let mut found = Vec::new();
    for (user, (_, object)) in
        objects.iter().enumerate().filter(|(_, (_, object))| is_routine(object))
    {
        let firmness = if object.text.contains("\n LANGUAGE sql") {
            Firmness::Body
        } else if object.text.contains("\n LANGUAGE plpgsql") {
            Firmness::Named
        } else {
            continue;
        };
        let found_names = words(&object.text).filter_map(|word| names.get(&word));
        let others = found_names.flatten().copied().filter(|of| *of != user);
        found.extend(distinct(others).into_iter().map(|of| (user, of, firmness)));
    }
    found
}

/// The words of a text, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase)
}
