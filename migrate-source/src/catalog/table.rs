//! Tables: what makes and alters them.

use migrate_set::sort::sort_by;

use super::Catalog;
use super::key::{OF_COLUMN, OF_TABLE, adds_key};
use super::name::{self, Path};
use super::object::{Object, Sort};
use super::query::Columns;
use super::relation::{Column, Key, Relation};
use crate::syntax::tree::{At, Kind};

/// The name of the table of a statement that alters it, or makes an index on it.
pub(super) fn altered_table(at: At<'_>) -> Option<At<'_>> {
    at.child(Kind::TABLE_RELATION_NAME)?.child(Kind::TABLE_NAME_REF)
}

/// Whether a statement makes a temporary object.
pub(super) fn is_temporary(at: At<'_>) -> bool {
    at.has(Kind::TEMP)
}

impl Catalog {
    pub(super) fn create_table(&mut self, at: At<'_>) {
        let Some(path) = at.child(Kind::TABLE_NAME).and_then(Path::of) else {
            return self.blur_relations();
        };
        let key = self.make(at, Sort::Table, &path, is_temporary(at));
        // The server looks nothing up for a table that is there.
        let conditional = at.has(Kind::IF_NOT_EXISTS);
        if key.is_none() && conditional {
            return;
        }
        // Nor for one that was not seen.
        let made = key.as_ref().and_then(|key| self.relation(key));
        let can_be_there = conditional && made.is_some_and(|table| table.columns.open);
        let before = std::mem::replace(&mut self.is_skipped, can_be_there);
        self.table_clauses(key.as_ref(), at);
        self.is_skipped = before;
    }

    /// What a table is besides its name.
    fn table_clauses(&mut self, key: Option<&Key>, at: At<'_>) {
        for clause in at.children() {
            if matches!(clause.kind(), Kind::PARTITION_OF | Kind::INHERITS) {
                self.inherit_all(key, clause);
            }
        }
        if let Some(of) = at.child(Kind::OF_TYPE) {
            self.references(of);
            self.open_columns(key);
        }
        self.has_dependent_tables |=
            at.has(Kind::OF_TYPE) || at.kind() == Kind::CREATE_FOREIGN_TABLE;
        if let Some(list) = at.child(Kind::TABLE_ARG_LIST) {
            self.table_parts(key, list);
        }
        if let (Some(key), Some(by)) = (key, at.child(Kind::PARTITION_BY)) {
            self.expression_on(key, by);
            let columns = self.columns_in(key, by);
            if let Some(table) = self.relation_mut(key) {
                table.partitioned_by = Some(columns);
            }
        }
        if let Some(table) = key.and_then(|key| self.relation_mut(key)) {
            table.is_default = at.has(Kind::PARTITION_DEFAULT);
        }
        self.define_table(key, at);
    }

    /// The parents that a clause names.
    fn inherit_all(&mut self, key: Option<&Key>, clause: At<'_>) {
        for path in clause.each(Kind::TABLE_NAME_REF).filter_map(Path::of) {
            let parent = self.refer(Sort::Table, &path, false);
            if let Some(key) = key {
                self.inherit(key, parent);
            }
        }
    }

    /// The columns and constraints of a table; checks what they name if the table is there already.
    fn table_parts(&mut self, key: Option<&Key>, list: At<'_>) {
        for part in list.children() {
            match (part.kind(), key) {
                (Kind::COLUMN, Some(key)) => self.declare_column(key, part),
                (Kind::LIKE_CLAUSE, key) => self.like(key, part),
                _ => {}
            }
        }
        let mut constraints = Vec::new();
        for part in list.children() {
            match (part.kind(), key) {
                (Kind::COLUMN, Some(key)) => constraints.extend(self.column_parts(key, part)),
                (Kind::LIKE_CLAUSE, _) => {}
                (_, Some(_)) => constraints.push((part, None)),
                (_, None) => self.references(part),
            }
        }
        if let Some(key) = key {
            self.add_constraints(key, &constraints, OF_TABLE);
        }
    }

    /// `LIKE table`: its columns now.
    fn like(&mut self, key: Option<&Key>, clause: At<'_>) {
        let Some(path) = clause.child(Kind::RELATION_NAME_REF).and_then(Path::of) else {
            return self.open_columns(key);
        };
        let source = self.refer(Sort::Table, &path, false);
        let Some(key) = key else { return };
        let columns = source.as_ref().map_or(Columns::Open, |source| self.columns_of(source));
        match columns {
            Columns::Known(names) => {
                for name in names {
                    self.put_column(key, &name, &path.span);
                    self.copy_column(source.as_ref(), key, &name, clause);
                }
            }
            Columns::Open => self.open_columns(Some(key)),
        }
        // Its constraints and indexes have names that the server makes.
        if clause.children().any(|option| option.kind() == Kind::INCLUDING_PROPERTY)
            && let Some(relation) = self.relation_mut(key)
        {
            relation.constraints.open = true;
            relation.computes = true;
            self.derived.insert(key.name.clone());
        }
    }

    pub(super) fn open_columns(&mut self, key: Option<&Key>) {
        if let Some(relation) = key.and_then(|key| self.relation_mut(key)) {
            relation.columns.open = true;
        }
    }

    /// Makes a table that inherits from `parent`; one that is not known can have any column.
    fn inherit(&mut self, key: &Key, parent: Option<Key>) {
        let perhaps = self.perhaps;
        if let Some(parent) = parent.as_ref().and_then(|parent| self.relation_mut(parent)) {
            parent.children.push(key.clone());
        }
        if let Some(relation) = self.relation_mut(key) {
            relation.columns.open |= parent.is_none();
            relation.doubts_parents |= perhaps;
            relation.parents.extend(parent);
            // The constraints and triggers of the parent have names that the server makes.
            relation.constraints.open = true;
            relation.triggers.open = true;
        }
        // So have its indexes, now and later.
        self.derived.insert(key.name.clone());
    }

    /// A table no longer inherits, and keeps its columns.
    fn disinherit(&mut self, key: &Key, parent: &Key) {
        let perhaps = self.perhaps;
        if let Some(relation) = self.relation_mut(parent) {
            relation.children.retain(|child| perhaps || child != key);
        }
        if let Some(relation) = self.relation_mut(key) {
            relation.parents.retain(|known| perhaps || known != parent);
            relation.doubts_parents |= perhaps;
            relation.open();
        }
    }

    /// `CREATE TABLE AS` and `SELECT INTO`.
    pub(super) fn create_table_as(&mut self, at: At<'_>, name: At<'_>, columns: Columns) {
        let Some(path) = Path::of(name) else { return self.blur_relations() };
        let Some(key) = self.make(at, Sort::Table, &path, is_temporary(at)) else { return };
        self.define_table(Some(&key), at);
        let written = at.child(Kind::COLUMN_LIST).or_else(|| at.child(Kind::TABLE_ARG_LIST));
        self.set_columns(&key, columns.renamed(written), &path.span);
    }

    /// Gives a relation these columns.
    pub(super) fn set_columns(
        &mut self,
        key: &Key,
        columns: Columns,
        span: &std::ops::Range<usize>,
    ) {
        match columns {
            Columns::Known(names) => {
                for name in names {
                    self.put_column(key, &name, span);
                }
            }
            Columns::Open => self.open_columns(Some(key)),
        }
    }

    pub(super) fn put_column(&mut self, key: &Key, name: &str, span: &std::ops::Range<usize>) {
        let made = self.made(Sort::Column, span);
        if let Some(relation) = self.relation_mut(key) {
            let number = relation.columns.objects.len();
            relation.columns.put(name.to_owned(), Column { made, number });
        }
    }

    pub(super) fn alter_table(&mut self, at: At<'_>) {
        let Some(node) = altered_table(at) else { return };
        let Some(path) = Path::of(node) else { return self.blur_relations() };
        let key = self.refer(Sort::Table, &path, at.has(Kind::IF_EXISTS));
        self.alter_relation(at, key, &path);
    }

    /// The actions of `ALTER TABLE` and the like.
    pub(super) fn alter_relation(&mut self, at: At<'_>, key: Option<Key>, path: &Path) {
        let skip = [Kind::TABLE_RELATION_NAME, Kind::IF_EXISTS, Kind::VIEW_REF];
        let actions = at.children().filter(|child| !skip.contains(&child.kind()));
        let Some(mut key) = key else {
            actions.for_each(|action| self.alter_unknown(action, path));
            return;
        };
        // The server drops first, then adds columns, then keys, then other constraints (tablecmds.c, `AT_PASS_*`).
        let actions: Vec<At<'_>> = actions.collect();
        for action in &actions {
            match action.kind() {
                Kind::DROP_COLUMN => self.drop_column(&key, *action),
                Kind::DROP_CONSTRAINT => self.drop_constraint(&key, *action),
                _ => {}
            }
        }
        let added = actions.iter().filter(|action| action.kind() == Kind::ADD_COLUMN);
        let added: Vec<(At<'_>, bool)> =
            added.filter_map(|action| Some((*action, self.add_column(&key, *action)?))).collect();
        for (action, is_certain) in added {
            // The server looks at nothing of a column that is there.
            let before = self.perhaps;
            self.perhaps |= !is_certain;
            let constraints = self.column_parts(&key, action);
            self.add_constraints(&key, &constraints, OF_COLUMN);
            self.perhaps = before;
        }
        let (keys, others): (Vec<_>, Vec<_>) = actions.into_iter().partition(adds_key);
        for action in keys.into_iter().chain(others) {
            self.alter(&mut key, action, at);
        }
    }

    /// An action that neither drops nor adds a column.
    fn alter(&mut self, key: &mut Key, action: At<'_>, at: At<'_>) {
        match action.kind() {
            Kind::ADD_COLUMN | Kind::DROP_COLUMN | Kind::DROP_CONSTRAINT => {}
            Kind::ALTER_COLUMN => self.alter_column(key, action),
            Kind::RENAME_COLUMN => self.rename_column(key, action),
            Kind::ADD_CONSTRAINT => {
                action.children().for_each(|one| self.add_constraint(key, one, None));
            }
            Kind::RENAME_CONSTRAINT => self.rename_constraint(key, action),
            Kind::VALIDATE_CONSTRAINT | Kind::ALTER_CONSTRAINT => {
                if let Some(path) = self.use_constraint(key, action) {
                    self.redefine_constraint(key, &path.name, action);
                }
            }
            Kind::TABLE_RENAME_TO | Kind::VIEW_RENAME_TO => {
                *key = self.rename_to(key, action).unwrap_or_else(|| key.clone());
            }
            Kind::SET_SCHEMA => *key = self.move_to(key, at).unwrap_or_else(|| key.clone()),
            Kind::ATTACH_PARTITION => self.attach(key, action),
            Kind::DETACH_PARTITION => {
                if let Some(child) = self.named_table(action) {
                    self.disinherit(&child, key);
                }
            }
            Kind::INHERIT_TABLE => {
                let parent = self.named_table(action);
                self.inherit(key, parent);
                self.define_setting(self.relation_id(key), action, None);
            }
            Kind::NO_INHERIT_TABLE => {
                if let Some(parent) = self.named_table(action) {
                    self.disinherit(key, &parent);
                }
                self.define_setting(self.relation_id(key), action, None);
            }
            Kind::SPLIT_PARTITION | Kind::MERGE_PARTITIONS => self.blur_relations(),
            Kind::OF_TYPE => {
                self.has_dependent_tables = true;
                self.open_columns(Some(key));
            }
            _ if action.find(Kind::INDEX_REF).is_some() => {
                self.use_index_of(key, action);
                self.define_setting(self.relation_id(key), action, Some(key));
            }
            _ => self.table_triggers(key, action),
        }
    }

    /// The table that an action or a statement names.
    pub(super) fn named_table(&mut self, action: At<'_>) -> Option<Key> {
        let path = action.find(Kind::TABLE_NAME_REF).and_then(Path::of)?;
        self.refer(Sort::Table, &path, false)
    }

    fn attach(&mut self, key: &Key, action: At<'_>) {
        let Some(child) = self.named_table(action) else { return };
        self.inherit(&child, Some(key.clone()));
        if let Some(child) = self.relation_mut(&child) {
            child.open();
            child.is_default = action.has(Kind::PARTITION_DEFAULT);
        }
    }

    /// An action on a table of which nothing is known.
    fn alter_unknown(&mut self, action: At<'_>, path: &Path) {
        let renamed = action.child(Kind::TABLE_NAME).or_else(|| action.child(Kind::VIEW));
        let moved = self.moved(action);
        let to = match (action.kind(), moved) {
            (Kind::TABLE_RENAME_TO | Kind::VIEW_RENAME_TO, _) => {
                let to = renamed.and_then(Path::of).map(|to| to.name);
                self.target(path).zip(to)
            }
            (Kind::SET_SCHEMA, Some(to)) => Some((to.name, path.name.clone())),
            (Kind::ATTACH_PARTITION, _) => {
                if let Some(child) = self.named_table(action) {
                    self.inherit(&child, None);
                }
                None
            }
            _ => None,
        };
        if let Some((schema, name)) = to {
            let from = Key { schema: schema.clone(), name: path.name.clone() };
            self.naming.rename(&from, &Key { schema: schema.clone(), name: name.clone() });
            let made = self.made(Sort::Table, &path.span);
            let (relation, perhaps) = (Relation::unknown(made), self.perhaps);
            self.schema_mut(&schema).relations.gain(name, relation, perhaps);
        }
        if action.kind() != Kind::SET_SCHEMA {
            self.references(action);
        }
    }
}

/// The name of a column in a node.
pub(super) fn column_name(at: At<'_>, kind: Kind) -> Option<(String, std::ops::Range<usize>)> {
    let node = at.child(kind)?;
    Some((name::name(node)?, node.span()))
}

impl Relation {
    /// Its columns in their order, without those of its parents.
    pub(super) fn own_columns(&self) -> Vec<String> {
        let mut columns: Vec<(usize, &String)> =
            self.columns.objects.iter().map(|(name, column)| (column.number, name)).collect();
        sort_by(&mut columns, Ord::cmp);
        columns.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// Whether all of its own columns are known.
    pub(super) fn knows_columns(&self, blurs: &super::object::Blurs) -> bool {
        let sure = |column: &Column| {
            column.made().sure && column.made().stamp >= blurs.of_drops(Sort::Column)
        };
        self.is_sure(blurs)
            && self.columns.is_closed(blurs)
            && self.columns.objects.values().all(sure)
    }
}
