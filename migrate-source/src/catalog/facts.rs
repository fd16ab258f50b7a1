//! What is known of an object besides its name: types, defaults, definitions. Only the lints need it, so
//! that the other passes note nothing.

use std::collections::BTreeMap;

use super::Catalog;
use super::name::Path;
use super::object::{Made, Sort};
use super::relation::Key;
use super::spelling::{DEFAULTS, canonical, column_type, definition, option, value_of, without};
use crate::syntax::tree::{At, Kind};

/// A property of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fact {
    Type,
    Default,
    NotNull,
    Generated,
    Collation,
    /// What it is, for all objects but columns and tables.
    Definition,
    /// Whether a constraint is not valid yet.
    NotValid,
    /// Where the table that a foreign key refers to was made.
    Target,
    /// Row level security of a table.
    Security,
    Comment,
    /// Storage, statistics and other options.
    Options,
    /// Owner and grants.
    Access,
}

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Known(String),
    /// Set by the statement of this number to a value that is not known.
    Unknown(u32),
}

impl Value {
    pub(super) fn known(&self) -> Option<&str> {
        match self {
            Value::Known(text) => Some(text),
            Value::Unknown(_) => None,
        }
    }
}

/// The properties of a relation and of its parts, or of the types and functions of one name. What is not
/// noted is as the server makes it by default, if the set was seen making the object.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts(BTreeMap<(Sort, String), BTreeMap<Fact, Value>>);

impl Facts {
    pub(super) fn set(&mut self, sort: Sort, name: &str, fact: Fact, value: Value) {
        self.0.entry((sort, name.to_owned())).or_default().insert(fact, value);
    }

    pub(super) fn of(&self, sort: Sort, name: &str) -> Option<&BTreeMap<Fact, Value>> {
        self.0.get(&(sort, name.to_owned()))
    }

    pub(super) fn get(&self, sort: Sort, name: &str, fact: Fact) -> Option<&str> {
        self.of(sort, name)?.get(&fact)?.known()
    }

    pub(super) fn clear(&mut self, sort: Sort, name: &str) {
        self.0.remove(&(sort, name.to_owned()));
    }

    /// Definitions name a column by its new name.
    pub(super) fn rename_column(&mut self, from: &str, to: &str) {
        for facts in self.0.iter_mut().filter(|((sort, _), _)| *sort != Sort::Column) {
            if let Some(Value::Known(text)) = facts.1.get_mut(&Fact::Definition) {
                // Its columns are in parentheses.
                let Some((before, rest)) = text.split_once(" ( ") else { continue };
                let words = rest.split(' ').map(|word| if word == from { to } else { word });
                *text = format!("{before} ( {}", words.collect::<Vec<_>>().join(" "));
            }
        }
    }

    /// Also has these, which replace its own of the same parts.
    pub(super) fn merge(&mut self, new: Facts) {
        self.0.extend(new.0);
    }

    /// The properties of a part are those of its new name.
    pub(super) fn rename(&mut self, sort: Sort, from: &str, to: &str) {
        let facts = self.0.remove(&(sort, from.to_owned()));
        self.clear(sort, to);
        if let Some(facts) = facts {
            self.0.insert((sort, to.to_owned()), facts);
        }
    }
}

impl Catalog {
    /// The value of a property that this statement sets.
    fn value(&self, text: String) -> Value {
        if self.perhaps { Value::Unknown(self.stamp) } else { Value::Known(text) }
    }

    /// Notes a property of a part of a relation; that of the relation itself has an empty name.
    pub(super) fn note_fact(&mut self, key: &Key, part: (Sort, &str), fact: Fact, text: String) {
        if self.keeps_facts {
            let value = self.value(text);
            if let Some(relation) = self.relation_mut(key) {
                relation.facts.set(part.0, part.1, fact, value);
            }
        }
    }

    /// A property has a value that is not known.
    pub(super) fn note_unknown(&mut self, key: &Key, part: (Sort, &str), fact: Fact) {
        if self.keeps_facts {
            let value = Value::Unknown(self.stamp);
            if let Some(relation) = self.relation_mut(key) {
                relation.facts.set(part.0, part.1, fact, value);
            }
        }
    }

    /// Notes the table that a foreign key refers to.
    pub(super) fn note_target(&mut self, key: &Key, name: Option<&str>, target: Option<&Key>) {
        let place = target.and_then(|target| self.relation(target)?.made.place);
        if let (Some(name), Some(place)) = (name, place) {
            let part = (Sort::Constraint, name);
            self.note_fact(key, part, Fact::Target, format!("{}:{}", place.file, place.at));
        }
    }

    /// Notes what a column's declaration says.
    pub(super) fn note_declared(&mut self, key: &Key, name: &str, at: At<'_>) {
        if !self.keeps_facts {
            return;
        }
        let part = (Sort::Column, name);
        for one in at.children() {
            match one.kind() {
                kind if super::types::is_type(kind) => {
                    let (text, is_serial) = column_type(one);
                    self.note_fact(key, part, Fact::Type, text);
                    if is_serial {
                        self.note_fact(key, part, Fact::NotNull, "yes".to_owned());
                        self.note_fact(key, part, Fact::Default, "serial".to_owned());
                    }
                }
                Kind::DEFAULT_CONSTRAINT => {
                    self.note_fact(key, part, Fact::Default, value_of(one));
                }
                Kind::NOT_NULL_CONSTRAINT | Kind::PRIMARY_KEY_CONSTRAINT => {
                    self.note_fact(key, part, Fact::NotNull, "yes".to_owned());
                }
                Kind::GENERATED_CONSTRAINT => {
                    self.note_fact(key, part, Fact::Generated, canonical(one));
                    if one.find(Kind::GENERATED_IDENTITY).is_some() {
                        self.note_fact(key, part, Fact::NotNull, "yes".to_owned());
                    }
                }
                Kind::COLLATE => self.note_fact(key, part, Fact::Collation, canonical(one)),
                _ => {}
            }
        }
    }

    /// Notes what `ALTER COLUMN` changes.
    pub(super) fn note_altered(&mut self, key: &Key, name: &str, action: At<'_>) {
        if !self.keeps_facts {
            return;
        }
        let (fact, text) = match action.kind() {
            Kind::SET_TYPE => {
                let types = action.children().find(|one| super::types::is_type(one.kind()));
                let collation = action.child(Kind::COLLATE).map(canonical).unwrap_or_default();
                self.note_fact(key, (Sort::Column, name), Fact::Collation, collation);
                (Fact::Type, types.map(column_type).unwrap_or_default().0)
            }
            Kind::SET_DEFAULT => (Fact::Default, value_of(action)),
            Kind::DROP_DEFAULT => (Fact::Default, String::new()),
            Kind::SET_NOT_NULL => (Fact::NotNull, "yes".to_owned()),
            Kind::DROP_NOT_NULL => (Fact::NotNull, String::new()),
            Kind::ADD_GENERATED => {
                let kind = canonical(action);
                let kind = kind.trim_start_matches("add ").to_owned();
                (Fact::Generated, kind)
            }
            Kind::DROP_IDENTITY | Kind::DROP_EXPRESSION => (Fact::Generated, String::new()),
            Kind::COLUMN_NAME_REF => return,
            Kind::SET_GENERATED_OPTIONS | Kind::SET_EXPRESSION => {
                return self.note_unknown(key, (Sort::Column, name), Fact::Generated);
            }
            _ => return self.note_unknown(key, (Sort::Column, name), Fact::Options),
        };
        self.note_fact(key, (Sort::Column, name), fact, text);
    }

    /// Notes what a constraint is; a primary key makes its columns NOT NULL, and they remain so.
    pub(super) fn note_constraint(
        &mut self,
        key: &Key,
        name: &str,
        at: At<'_>,
        columns: &[String],
    ) {
        if !self.keeps_facts {
            return;
        }
        if at.kind() == Kind::PRIMARY_KEY_CONSTRAINT {
            for column in columns {
                self.note_fact(key, (Sort::Column, column), Fact::NotNull, "yes".to_owned());
            }
        }
        let part = (Sort::Constraint, name);
        self.note_fact(key, part, Fact::Definition, definition(at, columns));
        let not_valid = at.find(Kind::NOT_VALID).is_some();
        let not_valid = if not_valid { "yes" } else { "" };
        self.note_fact(key, part, Fact::NotValid, not_valid.to_owned());
    }

    /// Notes what an action of `ALTER TABLE` changes of the table itself.
    pub(super) fn note_action(&mut self, key: &Key, action: At<'_>) {
        if !self.keeps_facts {
            return;
        }
        let fact = match action.kind() {
            Kind::ENABLE_RLS | Kind::DISABLE_RLS => {
                let on = action.kind() == Kind::ENABLE_RLS;
                let text = if on { "row level security" } else { "" };
                return self.note_fact(key, (Sort::Table, ""), Fact::Security, text.to_owned());
            }
            Kind::VALIDATE_CONSTRAINT => {
                let name = action.find(Kind::CONSTRAINT_NAME_REF).and_then(super::name::name);
                let Some(name) = name else { return };
                return self.note_fact(
                    key,
                    (Sort::Constraint, &name),
                    Fact::NotValid,
                    String::new(),
                );
            }
            Kind::ALTER_CONSTRAINT => {
                let name = action.find(Kind::CONSTRAINT_NAME_REF).and_then(super::name::name);
                let Some(name) = name else { return };
                return self.note_unknown(key, (Sort::Constraint, &name), Fact::Definition);
            }
            Kind::OWNER_TO => Fact::Access,
            Kind::ADD_COLUMN
            | Kind::DROP_COLUMN
            | Kind::ADD_CONSTRAINT
            | Kind::DROP_CONSTRAINT
            | Kind::ALTER_COLUMN
            | Kind::RENAME_COLUMN
            | Kind::RENAME_CONSTRAINT
            | Kind::TABLE_RENAME_TO
            | Kind::VIEW_RENAME_TO
            | Kind::SET_SCHEMA => return,
            _ => Fact::Options,
        };
        self.note_unknown(key, (Sort::Table, ""), fact);
    }
}

impl Catalog {
    /// Notes what an index is, without its name.
    pub(super) fn note_index(&mut self, index: &Key, at: At<'_>) {
        if self.keeps_facts {
            let skip = [Kind::INDEX, Kind::TABLE_RELATION_NAME, Kind::IF_NOT_EXISTS];
            let text = without(at, &skip).replace(" concurrently", "");
            let text = text.replace(" using btree", "").replace(" asc", "");
            self.note_fact(index, (Sort::Index, ""), Fact::Definition, text);
        }
    }

    /// Notes what a view or a sequence is, without its name.
    pub(super) fn note_whole(&mut self, key: &Key, sort: Sort, at: At<'_>) {
        if self.keeps_facts {
            let skip = [Kind::VIEW, Kind::SEQUENCE, Kind::IF_NOT_EXISTS, Kind::OR_REPLACE];
            self.note_fact(key, (sort, ""), Fact::Definition, without(at, &skip));
        }
    }

    /// Notes what a trigger or a policy is, without its name, which is in a node of this kind.
    pub(super) fn note_part(&mut self, key: &Key, part: (Sort, &str), at: At<'_>, named: Kind) {
        if self.keeps_facts {
            let text = without(at, &[named, Kind::OR_REPLACE]);
            self.note_fact(key, part, Fact::Definition, text.replace("procedure", "function"));
        }
    }

    /// What a function is, without its name; blanks in its body do not count.
    pub(super) fn routine(&self, at: At<'_>) -> Value {
        let skip = [
            Kind::FUNCTION_NAME,
            Kind::PROCEDURE_NAME,
            Kind::AGGREGATE_NAME,
            Kind::OR_REPLACE,
            Kind::FUNC_OPTION_LIST,
        ];
        let list = at.child(Kind::FUNC_OPTION_LIST);
        let mut options: Vec<String> =
            list.into_iter().flat_map(At::children).map(option).collect();
        options.retain(|option| !DEFAULTS.contains(&option.as_str()));
        options.sort_unstable();
        self.value(format!("{} {}", without(at, &skip), options.join(" ")))
    }

    /// What is known of a type that is made.
    pub(super) fn facts_of_type(&self, at: At<'_>) -> Facts {
        let mut facts = Facts::default();
        if self.keeps_facts {
            let text = match at.child(Kind::ENUM_TYPE) {
                Some(_) => "enum".to_owned(),
                None => without(at, &[Kind::TYPE_NAME, Kind::DOMAIN]),
            };
            facts.set(Sort::Type, "", Fact::Definition, self.value(text));
        }
        facts
    }

    /// Notes that the grants on tables change, or those on what is not followed.
    pub(super) fn note_access(&mut self, at: At<'_>) {
        let tables: Vec<Path> = at
            .all()
            .filter(|node| matches!(node.kind(), Kind::TABLE_NAME_REF | Kind::RELATION_NAME_REF))
            .filter_map(Path::of)
            .collect();
        self.misses_some |= tables.is_empty();
        for table in tables {
            if let Some(key) = self.look_relation(&table).there() {
                self.note_unknown(&key, (Sort::Table, ""), Fact::Access);
            }
        }
    }

    /// A type is changed in a way that is not followed.
    pub(super) fn doubt_type(&mut self, of: Option<&(String, String)>) {
        let unknown = Value::Unknown(self.stamp);
        if let (true, Some(found)) = (self.keeps_facts, of.and_then(|of| self.type_mut(of))) {
            found.facts.set(Sort::Type, "", Fact::Options, unknown);
        }
    }

    /// A function is changed in a way that is not followed.
    pub(super) fn doubt_routine(&mut self, schema: Option<&str>, name: &str) {
        let unknown = Value::Unknown(self.stamp);
        let Some(schema) = schema.filter(|_| self.keeps_facts) else { return };
        if let Some(routine) = self.schema_mut(schema).routines.objects.get_mut(name) {
            for signature in routine.signatures.clone() {
                routine.facts.set(Sort::Function, &signature, Fact::Options, unknown.clone());
            }
        }
    }
}

/// Whether what is not noted of an object is as the server makes it by default.
pub(super) fn is_seen(made: &Made, facts: Option<&BTreeMap<Fact, Value>>) -> bool {
    let has = |fact| facts.is_some_and(|facts| facts.contains_key(&fact));
    match made.sort {
        Sort::Table => made.place.is_some() && made.sure,
        Sort::Column => has(Fact::Type),
        _ => has(Fact::Definition),
    }
}
