//! Statements that change rows: the columns that they name, and those that they return.

use super::Catalog;
use super::name::{self, Path};
use super::object::Sort;
use super::query::{Columns, Item, Scope, Source, is_query};
use super::relation::Key;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    /// The table that a statement changes.
    fn changed(&mut self, at: At<'_>) -> (Item, Option<Key>) {
        let named = at.child(Kind::RELATION_NAME_REF).or_else(|| at.child(Kind::RELATION_NAME));
        let named = named.or_else(|| at.child(Kind::TABLE_RELATION_NAME));
        let is_ref = |kind| matches!(kind, Kind::RELATION_NAME_REF | Kind::TABLE_NAME_REF);
        let node = named.and_then(|named| named.all().find(|one| is_ref(one.kind())));
        let path = node.and_then(Path::of);
        let key = path.as_ref().and_then(|path| self.refer(Sort::Table, path, false));
        let given = at.child(Kind::OPTIONAL_AS_ALIAS);
        let given = given.or_else(|| at.child(Kind::REQUIRED_AS_ALIAS));
        let alias = given.and_then(|given| given.child(Kind::TABLE_ALIAS)).and_then(name::name);
        let source = key.clone().map_or(Source::Open, Source::Relation);
        (Item { alias: alias.or(path.map(|path| path.name)), source }, key)
    }

    /// The columns before the values of INSERT, and before each `=` of SET.
    fn assigned(&mut self, at: At<'_>, key: Option<&Key>) {
        let Some(key) = key else { return };
        for target in at.every(Kind::COLUMN_TARGET) {
            let named = target.child(Kind::COLUMN_NAME_REF);
            if let Some((node, name)) = named.and_then(|node| Some((node, name::name(node)?))) {
                self.refer_column(key, &name, node.span());
            }
        }
    }

    pub(super) fn insert(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let (item, key) = self.changed(at);
        if let Some(list) = at.child(Kind::COLUMN_TARGET_LIST) {
            self.assigned(list, key.as_ref());
        }
        match at.children().find(|child| is_query(child.kind())) {
            // The names of its columns, of which there can be many, are not needed.
            Some(rows) if rows.kind() == Kind::VALUES && !rows.has(Kind::WITH_CLAUSE) => {
                self.rows(rows, &Scope::within(&scope));
            }
            query => drop(query.map(|query| self.query(query, &scope))),
        }
        let excluded = Item { alias: Some("excluded".to_owned()), source: item.source.clone() };
        scope.items.push(item);
        if let Some(clause) = at.child(Kind::ON_CONFLICT_CLAUSE) {
            if let (Some(name), Some(key)) = (clause.find(Kind::CONFLICT_ON_CONSTRAINT), &key) {
                self.use_constraint(key, name);
            }
            if let Some(index) = clause.child(Kind::CONFLICT_ON_INDEX) {
                self.expression(index, &scope);
            }
            scope.items.push(excluded);
            if let Some(set) = clause.child(Kind::CONFLICT_DO_UPDATE_SET) {
                self.assigned(set, key.as_ref());
                self.expression(set, &scope);
            }
            scope.items.pop();
        }
        self.returning(at, scope)
    }

    pub(super) fn update(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let (item, key) = self.changed(at);
        scope.items.push(item);
        if let Some(from) = at.child(Kind::FROM_CLAUSE) {
            self.from(from, &mut scope);
        }
        if let Some(set) = at.child(Kind::SET_CLAUSE) {
            self.assigned(set, key.as_ref());
            self.expression(set, &scope);
        }
        if let Some(condition) = at.child(Kind::WHERE_CLAUSE) {
            self.expression(condition, &scope);
        }
        self.returning(at, scope)
    }

    pub(super) fn delete(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let (item, _) = self.changed(at);
        scope.items.push(item);
        if let Some(using) = at.child(Kind::USING_CLAUSE) {
            self.from(using, &mut scope);
        }
        if let Some(condition) = at.child(Kind::WHERE_CLAUSE) {
            self.expression(condition, &scope);
        }
        self.returning(at, scope)
    }

    pub(super) fn merge(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let (item, key) = self.changed(at);
        scope.items.push(item);
        if let Some(using) = at.child(Kind::USING_ON_CLAUSE) {
            self.from(using, &mut scope);
        }
        let skip = [Kind::WITH_CLAUSE, Kind::USING_ON_CLAUSE, Kind::RETURNING_CLAUSE];
        for clause in at.children().filter(|clause| !skip.contains(&clause.kind())) {
            match clause.kind() {
                Kind::MERGE_WHEN_MATCHED
                | Kind::MERGE_WHEN_NOT_MATCHED_SOURCE
                | Kind::MERGE_WHEN_NOT_MATCHED_TARGET => {
                    self.assigned(clause, key.as_ref());
                    self.expression(clause, &scope);
                }
                _ => {}
            }
        }
        scope.merged = true;
        self.returning(at, scope)
    }

    fn returning(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let Some(clause) = at.child(Kind::RETURNING_CLAUSE) else { return Columns::Open };
        let Some(list) = clause.child(Kind::TARGET_LIST) else { return Columns::Open };
        let columns = self.targets(list, &scope);
        // The rows before and after, of PostgreSQL 18.
        let named = clause.every(Kind::TABLE_ALIAS);
        scope.records = named.filter_map(name::name).collect();
        scope.records.extend(["old".to_owned(), "new".to_owned()]);
        self.expression(list, &scope);
        columns
    }
}
