//! Makes the schema of a set from its catalog and the definitions that were kept beside it.

use std::collections::HashMap;

use migrate_set::sort::sort_by;

use super::Catalog;
use super::definition::{Definition, Id, Piece, Words};
use super::object::{Made, Object, Place, Sort};
use super::pass::File;
use super::relation::{Key, Relation};
use super::schema::Schema;
use super::scope::TEMPORARY;
use super::why::Whys;
use super::written::identifier;
use crate::schema::{SchemaObject, SetSchema};

/// The catalog of a set, the names that its objects have now, and why some are not known.
struct Description<'c> {
    catalog: &'c Catalog,
    files: &'c [File<'c>],
    names: HashMap<Id, String>,
    whys: Whys<'c>,
}

impl Catalog {
    /// The schema that these files make.
    pub(super) fn describe(&self, files: &[File<'_>]) -> SetSchema {
        let whys = Whys::of(files);
        let description = Description { catalog: self, files, names: self.names(), whys };
        let mut objects = Vec::new();
        let mut schemas = self.schemas.sorted();
        schemas.retain(|(name, _)| *name != TEMPORARY);
        for (name, schema) in &schemas {
            description.schema(name, schema, &mut objects);
        }
        for (name, schema) in schemas {
            objects.extend(description.named("schema", schema.made(), name));
        }
        for (name, made) in self.extensions.sorted() {
            objects.extend(description.named("extension", made, name));
        }
        SetSchema { objects, unknown: description.whys.all(self) }
    }

    /// The name of each object that another can refer to.
    pub(super) fn names(&self) -> HashMap<Id, String> {
        let mut names = HashMap::new();
        for (schema, found) in self.schemas.objects.iter() {
            let relations = found.relations.objects.iter().map(|(name, one)| (name, &one.made));
            let types = found.types.objects.iter().map(|(name, one)| (name, one.made()));
            let routines = found.routines.objects.iter().map(|(name, one)| (name, one.made()));
            for (name, made) in relations.chain(types).chain(routines) {
                names.extend(Id::of(made, "").map(|id| (id, qualified(schema, name))));
            }
            for (name, column) in
                found.relations.objects.values().flat_map(|one| one.columns.objects.iter())
            {
                names.extend(Id::of(&column.made, name).map(|id| (id, identifier(name))));
            }
        }
        names
    }
}

impl Catalog {
    /// The text of a definition with these names; one that is not among them is as it was written.
    pub(super) fn spelled(&self, words: &Words, names: &HashMap<Id, String>) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Name(id, written) => {
                let id = self.definitions.as_ref().map_or(id, |definitions| definitions.now(id));
                names.get(id).unwrap_or(written).clone()
            }
        };
        words.iter().map(piece).collect()
    }
}

fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

impl Description<'_> {
    fn definition(&self, made: &Made, part: &str) -> Option<&Definition> {
        self.catalog.definition(Id::of(made, part))
    }

    fn words(&self, words: &Words) -> String {
        self.catalog.spelled(words, &self.names)
    }

    fn place(&self, place: Option<Place>) -> Option<(String, u32)> {
        let place = place?;
        let file = self.files.get(place.file)?;
        Some((file.name.to_owned(), file.line(place.at)))
    }

    fn object(
        &self,
        kind: &'static str,
        made: &Made,
        name: String,
        definition: String,
    ) -> SchemaObject {
        let unknown = (!made.sure).then(|| "it may not be there, or be another".to_owned());
        let place = self.place(made.place);
        let (rest, arguments, parts) = (String::new(), String::new(), Vec::new());
        SchemaObject { kind, name, definition, rest, arguments, place, unknown, parts }
    }

    /// A schema or an extension.
    fn named(&self, kind: &'static str, made: &Made, name: &str) -> Option<SchemaObject> {
        made.place?;
        let name = identifier(name);
        let definition = format!("CREATE {} {name}", kind.to_ascii_uppercase());
        Some(self.object(kind, made, name, definition))
    }

    /// What is in a schema.
    fn schema(&self, name: &str, schema: &Schema, objects: &mut Vec<SchemaObject>) {
        let relations = schema.relations.sorted();
        let of = |sort| relations.iter().filter(move |(_, one)| one.made.sort == sort);
        objects.extend(of(Sort::Table).filter_map(|(own, one)| self.table(name, own, one)));
        objects.extend(of(Sort::View).filter_map(|(own, one)| self.view(name, own, one)));
        for (own, routine) in schema.routines.sorted() {
            let mut signatures = routine.signatures.clone();
            sort_by(&mut signatures, Ord::cmp);
            let functions = signatures.iter().filter_map(|signature| {
                let definition = self.definition(routine.made(), signature)?;
                let (made, name) = (routine.made(), qualified(name, own));
                let mut object = self.defined("function", made, &name, definition);
                object.arguments = format!("({signature})");
                let called = format!("{name}{}", object.arguments);
                object.parts = self.settings(made, &definition.noun, &called, definition);
                Some(object)
            });
            objects.extend(functions);
        }
        for (own, one) in schema.types.sorted() {
            let definition = self.definition(one.made(), "");
            objects.extend(definition.map(|definition| {
                self.defined("type", one.made(), &qualified(name, own), definition)
            }));
        }
        objects.extend(of(Sort::Sequence).filter_map(|(own, one)| self.sequence(name, own, one)));
    }

    /// An object with its definition, and what was altered.
    fn defined(
        &self,
        kind: &'static str,
        made: &Made,
        name: &str,
        definition: &Definition,
    ) -> SchemaObject {
        let rest = self.words(&definition.words);
        let gap = if rest.starts_with('(') && kind == "function" { "" } else { " " };
        let mut statement = format!("CREATE {} {name}{gap}{rest}", definition.noun);
        if !definition.labels.is_empty() {
            let quoted = |label: &String| format!("'{}'", label.replace('\'', "''"));
            let labels: Vec<String> = definition.labels.iter().map(quoted).collect();
            statement = format!("{statement} ({})", labels.join(", "));
        }
        let mut object = self.object(kind, made, name.to_owned(), statement.trim_end().to_owned());
        object.parts = self.settings(made, &definition.noun, name, definition);
        doubted(object, definition)
    }

    /// What was altered of an object.
    fn settings(
        &self,
        made: &Made,
        noun: &str,
        name: &str,
        definition: &Definition,
    ) -> Vec<SchemaObject> {
        let noun = noun.trim_start_matches("UNLOGGED ").trim_start_matches("UNIQUE ");
        let setting = |(_, words): &(_, Words)| {
            let statement = format!("ALTER {noun} {name} {}", self.words(words));
            self.object("setting", made, name.to_owned(), statement)
        };
        definition.settings.iter().map(setting).collect()
    }

    fn table(&self, schema: &str, name: &str, table: &Relation) -> Option<SchemaObject> {
        let definition = self.definition(&table.made, "")?;
        let shown = qualified(schema, name);
        let statement = format!("CREATE {} {shown}", definition.noun);
        let mut object = self.object("table", &table.made, shown.clone(), statement);
        object.rest = self.words(&definition.words);
        let mut columns: Vec<_> = table.columns.objects.iter().collect();
        sort_by(&mut columns, |(one, first), (other, second)| {
            first.number.cmp(&second.number).then_with(|| one.cmp(other))
        });
        object.parts.extend(columns.iter().map(|(name, one)| self.column(name, &one.made)));
        // What a table inherits besides columns is not followed, and its parents show it.
        let inherits = !table.parents.is_empty();
        let more = match (table.columns.open, table.constraints.open && !inherits) {
            (true, _) => Some("it may have other columns"),
            (false, true) => Some("it may have other constraints"),
            (false, false) => None,
        };
        object.unknown = object.unknown.or(more.map(str::to_owned));
        object = doubted(object, definition);
        let constraints = table.constraints.sorted();
        let constraint = |(name, one): &(&String, &super::relation::Constraint)| {
            let definition = self.definition(&one.made, "")?;
            let words = self.words(&definition.words);
            let is_not_null = words.starts_with("NOT NULL");
            let object = || self.object("constraint", &one.made, identifier(name), words);
            (!is_not_null).then(|| doubted(object(), definition))
        };
        object.parts.extend(constraints.iter().filter_map(constraint));
        object.parts.extend(self.hanging(&shown, table));
        object.parts.extend(self.settings(&table.made, &definition.noun, &shown, definition));
        for (name, one) in columns {
            let Some(column) = self.definition(&one.made, name) else { continue };
            let noun = format!("{} {shown} ALTER COLUMN", definition.noun);
            object.parts.extend(self.settings(&one.made, &noun, &identifier(name), column));
        }
        Some(object)
    }

    fn column(&self, name: &str, made: &Made) -> SchemaObject {
        let Some(definition) = self.definition(made, name) else {
            let mut column = self.object("column", made, identifier(name), String::new());
            column.unknown.get_or_insert_with(|| "its type, which a query determines".to_owned());
            return column;
        };
        let mut text = self.words(&definition.words);
        if definition.not_null {
            text += " NOT NULL";
        }
        if !definition.default.is_empty() {
            text = format!("{text} {}", self.words(&definition.default));
        }
        doubted(self.object("column", made, identifier(name), text), definition)
    }

    /// The indexes, triggers and policies of a table.
    fn hanging(&self, shown: &str, table: &Relation) -> Vec<SchemaObject> {
        let mut parts = Vec::new();
        for key in table.owned.iter().filter(|key| table.has_key(&key.name) != Some(true)) {
            let Some(index) = self.catalog.relation(key) else { continue };
            let Some(definition) = self.definition(&index.made, "") else { continue };
            if index.made.sort != Sort::Index {
                continue;
            }
            let (name, words) = (identifier(&key.name), self.words(&definition.words));
            let statement = format!("CREATE {} {name} ON {shown} {words}", definition.noun);
            let mut object = self.object("index", &index.made, name, statement);
            let name = qualified(&key.schema, &key.name);
            object.parts = self.settings(&index.made, "INDEX", &name, definition);
            parts.push(doubted(object, definition));
        }
        for (kind, space) in [("trigger", &table.triggers), ("policy", &table.policies)] {
            for (name, made) in space.sorted() {
                let Some(definition) = self.definition(made, "") else { continue };
                let name = identifier(name);
                let mut object = self.defined(kind, made, &name, definition);
                let noun = kind.to_ascii_uppercase();
                object.parts =
                    self.settings(made, &noun, &format!("{name} ON {shown}"), definition);
                parts.push(object);
            }
        }
        parts
    }

    fn view(&self, schema: &str, name: &str, view: &Relation) -> Option<SchemaObject> {
        let definition = self.definition(&view.made, "")?;
        let shown = qualified(schema, name);
        let mut object = self.defined("view", &view.made, &shown, definition);
        object.parts.splice(0..0, self.hanging(&shown, view));
        Some(object)
    }

    fn sequence(&self, schema: &str, name: &str, sequence: &Relation) -> Option<SchemaObject> {
        let shown = qualified(schema, name);
        let known = self.definition(&sequence.made, "");
        let owner = sequence.owner.as_ref().zip(sequence.uses.first());
        let owner = owner.map(|(table, column): (&Key, &String)| {
            format!(" OWNED BY {}.{}", qualified(&table.schema, &table.name), identifier(column))
        });
        let words = known.map(|known| self.words(&known.words));
        let words = words.filter(|words| !words.is_empty()).map(|words| format!(" {words}"));
        if words.is_none() && owner.is_none() && known.is_none() {
            return None;
        }
        let (words, owner) = (words.unwrap_or_default(), owner.unwrap_or_default());
        let statement = format!("CREATE SEQUENCE {shown}{words}{owner}");
        let mut object = self.object("sequence", &sequence.made, shown.clone(), statement);
        if let Some(known) = known {
            object.parts = self.settings(&sequence.made, "SEQUENCE", &shown, known);
            object = doubted(object, known);
        }
        Some(object)
    }
}

/// The object, which is not known if a statement that may not run alters it.
fn doubted(mut object: SchemaObject, definition: &Definition) -> SchemaObject {
    if definition.is_doubted {
        object.unknown.get_or_insert_with(|| "it may have been altered".to_owned());
    }
    object
}
