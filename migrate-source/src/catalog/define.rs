//! Keeps what statements say about objects besides their names, for the schema and the lints.

use std::collections::BTreeSet;

use super::Catalog;
use super::definition::{Definition, Id, Piece, Words, text};
use super::name::{self, Path};
use super::object::{Made, Object};
use super::relation::Key;
use super::types::Type;
use super::written::identifier;
use crate::syntax::tree::{At, Kind, any_of};

impl Catalog {
    /// A constraint, as one of the table.
    pub(super) fn define_constraint(&mut self, key: &Key, at: At<'_>, name: &str) {
        if !self.defines() {
            return;
        }
        let id = self.constraint_id(key, name);
        let columns = self.relation(key).and_then(|one| one.constraints.objects.get(name));
        let columns = columns.map(|one| one.columns.clone()).unwrap_or_default();
        let column = columns.first().map_or("", String::as_str);
        let words = self.constraint_words(key, at, column);
        self.define(id, Definition::new(String::new(), words));
        if matches!(at.kind(), Kind::PRIMARY_KEY_CONSTRAINT | Kind::NOT_NULL_CONSTRAINT) {
            self.set_not_null(key, columns, true);
        }
    }

    fn set_not_null(&mut self, key: &Key, columns: BTreeSet<String>, not_null: bool) {
        for column in columns {
            let (id, perhaps) = (self.column_id(key, &column), self.perhaps);
            match self.definition_mut(id.clone()) {
                Some(column) if column.not_null != not_null && perhaps => self.doubt_kept(id),
                Some(column) => column.not_null = not_null,
                None => {}
            }
        }
    }

    /// Without its NOT NULL of this name, if that is one, a column can be null.
    pub(super) fn allow_null(&mut self, key: &Key, name: &str) {
        let known = self.definition(self.constraint_id(key, name));
        let first = known.and_then(|known| known.words.first());
        if !matches!(first, Some(Piece::Text(text)) if text.starts_with("NOT NULL")) {
            return;
        }
        let constraint = self.relation(key).and_then(|one| one.constraints.objects.get(name));
        let columns = constraint.map(|one| one.columns.clone()).unwrap_or_default();
        self.set_not_null(key, columns, false);
    }

    fn constraint_words(&self, key: &Key, at: At<'_>, column: &str) -> Words {
        let listed = [Kind::CONSTRAINT_COLUMN_REF_LIST, Kind::FOREIGN_KEY_COLUMN_LIST];
        let has_list = listed.iter().any(|list| at.find(*list).is_some());
        let of_column = || {
            let written = identifier(column);
            let name = match self.column_id(key, column) {
                Some(id) => Piece::Name(id, written),
                None => Piece::Text(written),
            };
            [Piece::Text("(".to_owned()), name, Piece::Text(")".to_owned())]
        };
        let head = match at.kind() {
            Kind::REFERENCES_CONSTRAINT => "FOREIGN KEY ",
            Kind::PRIMARY_KEY_CONSTRAINT if !has_list => "PRIMARY KEY ",
            Kind::UNIQUE_CONSTRAINT if !has_list => "UNIQUE ",
            _ => return self.written_without_name(at, key),
        };
        let mut words = text(head);
        words.extend(of_column());
        let rest = match at.kind() {
            Kind::REFERENCES_CONSTRAINT => self.written_without_name(at, key),
            _ => at
                .child(Kind::INDEX_PARAMETERS)
                .map(|at| self.written(at, Some(key)))
                .unwrap_or_default(),
        };
        if !rest.is_empty() {
            words.push(Piece::Text(" ".to_owned()));
            words.extend(rest);
        }
        words
    }

    /// The words of a constraint without its name; the columns of a key are those of the other table.
    pub(super) fn written_without_name(&self, at: At<'_>, key: &Key) -> Words {
        let start = at.child(Kind::CONSTRAINT_NAME_CLAUSE).map_or(0, |name| name.range().end);
        self.written_from(at, start, Some(key))
    }

    pub(super) fn constraint_id(&self, key: &Key, name: &str) -> Option<Id> {
        Id::of(&self.relation(key)?.constraints.objects.get(name)?.made, "")
    }

    /// `VALIDATE CONSTRAINT`, and alterations.
    pub(super) fn redefine_constraint(&mut self, key: &Key, name: &str, action: At<'_>) {
        let id = self.constraint_id(key, name);
        if action.kind() != Kind::VALIDATE_CONSTRAINT {
            return self.define_setting(id, action, Some(key));
        }
        if self.perhaps {
            return self.doubt_kept(id);
        }
        let definition = self.definition_mut(id);
        if let Some(Piece::Text(last)) = definition.and_then(|one| one.words.last_mut()) {
            *last = last.trim_end_matches("NOT VALID").trim_end().to_owned();
        }
    }

    /// An index, by what follows its name.
    pub(super) fn define_index(&mut self, table: &Key, name: String, at: At<'_>) {
        if !self.defines() {
            return;
        }
        let id = self.relation_id(&Key { schema: table.schema.clone(), name });
        let start = at.child(Kind::TABLE_RELATION_NAME).map_or(0, |table| table.range().end);
        let words = self.written_from(at, start, Some(table));
        self.define(id, Definition::new(noun(at, at.child(Kind::INDEX)), words));
    }

    /// A key that an index becomes: it has the columns of the index.
    pub(super) fn define_key_of_index(
        &mut self,
        key: &Key,
        at: At<'_>,
        name: &str,
        index: Option<&Key>,
    ) {
        let index = index.and_then(|index| self.relation_id(index));
        let Some(columns) = self.definition(index).map(|index| index.words.clone()) else { return };
        let is_primary = at.kind() == Kind::PRIMARY_KEY_CONSTRAINT;
        let mut words = text(if is_primary { "PRIMARY KEY " } else { "UNIQUE " });
        words.extend(columns);
        let id = self.constraint_id(key, name);
        self.define(id, Definition::new(String::new(), words));
    }

    /// What follows the name of a relation in the statement that makes it.
    pub(super) fn define_relation(&mut self, key: Option<&Key>, at: At<'_>, name: Kind) {
        let id = key.and_then(|key| self.relation_id(key));
        if let Some(name) = at.child(name) {
            self.define_rest(id, at, name, None);
        }
    }

    /// What a table is besides its parts.
    pub(super) fn define_table(&mut self, key: Option<&Key>, at: At<'_>) {
        let Some(key) = key.filter(|_| self.defines()) else { return };
        let mut words = Words::new();
        for part in at.children() {
            let is_rest = matches!(
                part.kind(),
                any_of![
                    PARTITION_OF,
                    PARTITION_BY,
                    INHERITS,
                    OF_TYPE,
                    WITH_PARAMS,
                    PARTITION_FOR_VALUES_FROM,
                    PARTITION_FOR_VALUES_IN,
                    PARTITION_FOR_VALUES_WITH,
                    PARTITION_DEFAULT,
                    SERVER_CLAUSE
                ]
            );
            if is_rest {
                words.extend(text(" "));
                words.extend(self.written(part, Some(key)));
            }
        }
        let id = self.relation_id(key);
        let is_into = at.kind() == Kind::INTO_CLAUSE;
        let noun = if is_into { "TABLE".to_owned() } else { noun(at, at.child(Kind::TABLE_NAME)) };
        self.define(id, Definition::new(noun, words));
    }

    /// What follows the name of a function in the statement that makes it.
    pub(super) fn function_as(&self, at: At<'_>, name: Option<At<'_>>) -> Definition {
        let Some(name) = name.filter(|_| self.defines()) else { return Definition::default() };
        Definition::new(noun(at, Some(name)), self.written_from(at, name.range().end, None))
    }

    pub(super) fn define_function(&mut self, path: &Path, signature: &str, as_is: Definition) {
        let id = self.routine_made(path).and_then(|made| Id::of(made, signature));
        self.define(id, as_is);
    }

    /// The options of `ALTER FUNCTION`.
    pub(super) fn redefine_options(&mut self, path: &Path, signature: &str, at: At<'_>) {
        let id = self.routine_made(path).and_then(|made| Id::of(made, signature));
        let mut options = at.children().filter(|child| child.kind() == Kind::FUNC_OPTION_LIST);
        match options.next() {
            Some(options) if self.definition(id.clone()).is_some() => {
                self.define_setting(id, options, None);
            }
            // Its owner, or a function of which the arguments are not given.
            _ => self.misses_some = true,
        }
    }

    /// The functions of a name, distinguished by these parts, have another one, which can be that of others too.
    pub(super) fn redefine_functions(&mut self, old: &Made, path: &Path, parts: &[String]) {
        let Some(new) = self.routine_made(path).copied() else { return };
        for part in parts {
            self.redefine(Id::of(old, part), Id::of(&new, part));
        }
    }

    /// `ALTER POLICY`.
    pub(super) fn redefine_policy(&mut self, key: &Key, name: &str, at: At<'_>) {
        let made = self.relation(key).and_then(|table| table.policies.objects.get(name));
        let id = made.and_then(|made| Id::of(made, ""));
        let parts = [Kind::ALTER_POLICY_TO, Kind::USING_EXPR_CLAUSE, Kind::WITH_CHECK_EXPR_CLAUSE];
        for part in at.children().filter(|part| parts.contains(&part.kind())) {
            self.define_setting(id.clone(), part, Some(key));
        }
    }

    /// The actions of `ALTER INDEX` and `ALTER SEQUENCE` but another name.
    pub(super) fn define_settings(&mut self, key: Option<&Key>, at: At<'_>) {
        let Some(id) = key.and_then(|key| self.relation_id(key)) else { return };
        for action in at.children().filter(|action| !is_naming(action.kind())) {
            self.define_setting(Some(id.clone()), action, None);
        }
    }

    /// What follows the name of an object in the statement that makes it.
    pub(super) fn define_rest(
        &mut self,
        id: Option<Id>,
        at: At<'_>,
        name: At<'_>,
        on: Option<&Key>,
    ) {
        if self.defines() {
            let words = self.written_from(at, name.range().end, on);
            self.define(id, Definition::new(noun(at, Some(name)), words));
        }
    }

    /// An alteration of an object that is kept as it is written.
    pub(super) fn define_setting(&mut self, id: Option<Id>, action: At<'_>, on: Option<&Key>) {
        if !self.defines() {
            return;
        }
        if action.kind() == Kind::OWNER_TO {
            return self.doubt_definition(id);
        }
        if self.perhaps {
            return self.doubt_kept(id);
        }
        let words = self.written(action, on);
        let Some(definition) = self.definition_mut(id) else { return };
        set(&mut definition.settings, action.kind(), words);
    }

    /// The grants on tables change, or those on what is not followed.
    pub(super) fn doubt_grants(&mut self, at: At<'_>) {
        let is_table = |kind| matches!(kind, Kind::TABLE_NAME_REF | Kind::RELATION_NAME_REF);
        let tables = at.all().filter(|node| is_table(node.kind())).filter_map(Path::of);
        let tables: Vec<Path> = tables.collect();
        self.misses_some |= tables.is_empty();
        for table in tables {
            let key = self.look_relation(&table).there();
            self.doubt_definition(key.and_then(|key| self.relation_id(&key)));
        }
    }

    /// The values of an enum, or what else a type is.
    pub(super) fn define_type(&mut self, of: &(String, String), at: At<'_>, name: Option<At<'_>>) {
        let id = self.type_of(of).and_then(|found| Id::of(found.made(), ""));
        let Some(name) = name.filter(|_| self.defines()) else { return };
        let Some(list) = at.child(Kind::ENUM_TYPE) else {
            return self.define_rest(id, at, name, None);
        };
        let labels = list.all().filter(|node| node.kind() == Kind::VARIANT);
        let labels = labels.filter_map(|label| label.children().next().and_then(name::string));
        let labels = labels.collect();
        let noun = noun(at, Some(name));
        self.define(id, Definition { labels, ..Definition::new(noun, text("AS ENUM")) });
    }

    /// `ADD VALUE label BEFORE | AFTER neighbour`, and `RENAME VALUE`.
    pub(super) fn define_label(&mut self, of: &(String, String), action: At<'_>) {
        let id = self.type_of(of).and_then(|found| Id::of(found.made(), ""));
        if self.perhaps {
            return self.doubt_kept(id);
        }
        let mut literals = action.children().filter(|child| child.kind() == Kind::LITERAL);
        let Some(label) = literals.next().and_then(name::string) else { return };
        let renamed = literals.next().and_then(name::string);
        let beside = |kind| {
            let literal = action.child(kind).and_then(|at| at.child(Kind::LITERAL));
            literal.and_then(name::string)
        };
        let (before, after) = (beside(Kind::BEFORE_VALUE), beside(Kind::AFTER_VALUE));
        let Some(definition) = self.definition_mut(id) else { return };
        let labels = &mut definition.labels;
        let place = |wanted: &String| labels.iter().position(|label| label == wanted);
        if let Some(renamed) = renamed {
            if let Some(at) = place(&label) {
                labels[at] = renamed;
            }
            return;
        }
        let at = before.as_ref().and_then(place).or_else(|| Some(place(after.as_ref()?)? + 1));
        if !labels.contains(&label) {
            labels.insert(at.unwrap_or(labels.len()), label);
        }
    }

    fn type_of(&self, (schema, name): &(String, String)) -> Option<&Type> {
        self.schemas.objects.get(schema)?.types.objects.get(name)
    }
}

/// The words between CREATE and the name of an object.
fn noun(at: At<'_>, name: Option<At<'_>>) -> String {
    let end = name.map_or(usize::MAX, |name| name.range().start);
    let words =
        at.tokens().iter().take_while(|token| token.start() < end && token.kind != Kind::ON_KW);
    let left_out = |kind: Kind| {
        matches!(
            kind,
            any_of![CREATE_KW, OR_KW, REPLACE_KW, IF_KW, NOT_KW, EXISTS_KW, CONCURRENTLY_KW]
        )
    };
    let words = words.filter(|token| !left_out(token.kind));
    let words: Vec<String> = words.map(|token| at.text_of(*token).to_ascii_uppercase()).collect();
    words.join(" ")
}

/// Whether a part of an ALTER statement only names something.
fn is_naming(kind: Kind) -> bool {
    matches!(
        kind,
        any_of![
            INDEX_REF, SEQUENCE_REF, IF_EXISTS, INDEX_RENAME_TO, SEQUENCE_RENAME_TO, SET_SCHEMA,
            OWNER_TO
        ]
    )
}

/// Replaces an alteration of the same kind; one that takes back another removes it.
pub(super) fn set(settings: &mut Vec<(Kind, Words)>, kind: Kind, words: Words) {
    let (kind, is_off) = match kind {
        Kind::DISABLE_RLS => (Kind::ENABLE_RLS, true),
        Kind::NO_FORCE_RLS => (Kind::FORCE_RLS, true),
        kind => (kind, false),
    };
    settings.retain(|(known, written)| {
        *known != kind || !matches!(kind, Kind::ENABLE_RLS | Kind::FORCE_RLS) && *written != words
    });
    if !is_off {
        settings.push((kind, words));
    }
}
