//! Columns, also those of parents.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Catalog;
use super::depend::{On, User};
use super::key::Written;
use super::name::{self, Path};
use super::object::{How, Look, Names, Sort};
use super::query::Columns;
use super::relation::{Column, Key};
use super::table::column_name;
use super::types::is_type;
use crate::syntax::tree::{At, Kind};

/// Whether every table has a column of this name (the manual, section 5.6).
fn is_system(name: &str) -> bool {
    matches!(name, "tableoid" | "ctid" | "xmin" | "xmax" | "cmin" | "cmax" | "oid")
}

/// How many parents of parents are followed.
const DEPTH: usize = 32;

impl Catalog {
    /// What is known of a column of a relation.
    pub(super) fn look_column(&self, key: &Key, name: &str) -> Look<()> {
        if is_system(name) { Look::Unknown } else { self.look_inherited(key, name, DEPTH) }
    }

    fn look_inherited(&self, key: &Key, name: &str, depth: usize) -> Look<()> {
        let Some(relation) = self.relation(key) else { return Look::Unknown };
        let own = relation.columns.look(name, &self.blurs).map(|_| ());
        if let Look::Found(()) | Look::Perhaps(()) = own {
            let sure = relation.is_sure(&self.blurs) && own == Look::Found(());
            return if sure { own } else { Look::Perhaps(()) };
        }
        let mut known = own == Look::Missing && relation.is_sure(&self.blurs) && depth > 0;
        for parent in relation.parents.iter().filter(|_| depth > 0) {
            match self.look_inherited(parent, name, depth - 1) {
                Look::Missing => {}
                Look::Unknown => known = false,
                _ if relation.doubts_parents => return Look::Perhaps(()),
                found => return found,
            }
        }
        if known { Look::Missing } else { Look::Unknown }
    }

    /// The columns of a relation in their order.
    pub(super) fn columns_of(&self, key: &Key) -> Columns {
        match self.relation(key) {
            Some(relation)
                if relation.parents.is_empty() && relation.knows_columns(&self.blurs) =>
            {
                Columns::Known(relation.own_columns())
            }
            _ => Columns::Open,
        }
    }

    /// A use of a column of a relation.
    pub(super) fn refer_column(&mut self, key: &Key, name: &str, span: Range<usize>) {
        if self.look_column(key, name).is_missing() {
            let path = Path { qualifier: None, name: name.to_owned(), span: span.clone() };
            self.missing(Sort::Column, &path, Some(key));
            self.adopt_column(key, name, &span);
        }
    }

    /// Uses of the columns in a list.
    pub(super) fn refer_columns(&mut self, key: &Key, list: At<'_>) {
        for node in list.all() {
            if node.kind() == Kind::COLUMN_NAME_REF
                && let Some(name) = name::name(node)
            {
                self.refer_column(key, &name, node.span());
            }
        }
    }

    fn adopt_column(&mut self, key: &Key, name: &str, span: &Range<usize>) {
        if self.may_not_run() {
            return;
        }
        let made =
            super::object::Made { place: None, sure: false, ..self.made(Sort::Column, span) };
        if let Some(relation) = self.relation_mut(key) {
            let number = relation.columns.objects.len();
            relation.columns.put(name.to_owned(), Column { made, number });
        }
    }

    /// Makes a column of a new table.
    pub(super) fn declare_column(&mut self, key: &Key, at: At<'_>) {
        let Some((name, span)) = column_name(at, Kind::COLUMN_NAME) else {
            return self.open_columns(Some(key));
        };
        let own = self.relation(key).filter(|relation| !relation.parents.is_empty());
        let known = self.look_column(key, &name);
        // It is merged with that of a parent, and stays if that goes; a partition only says more of it.
        let merges = own.is_some_and(|own| !own.columns.objects.contains_key(&name))
            && at.children().any(|part| is_type(part.kind()));
        if known == Look::Found(()) && own.is_none() {
            let path = Path { qualifier: None, name: name.clone(), span: span.clone() };
            self.doubled_in(Sort::Column, &path, key);
        }
        if merges || known == Look::Missing || known == Look::Unknown {
            self.born_column(key, &name, &span);
            self.put_column(key, &name, &span);
        }
    }

    /// What a column's declaration names and makes, once all columns are there; returns its constraints, which are added
    /// last.
    pub(super) fn column_parts<'t>(&mut self, key: &Key, at: At<'t>) -> Vec<Written<'t>> {
        let mut constraints = Vec::new();
        let Some((column, span)) = column_name(at, Kind::COLUMN_NAME) else { return constraints };
        self.define_column(key, &column, at);
        for part in at.children() {
            match part.kind() {
                Kind::COLUMN_NAME | Kind::IF_NOT_EXISTS => {}
                kind if is_type(kind) => {
                    self.column_type(key, &column, part, &span);
                }
                Kind::DEFAULT_CONSTRAINT => self.column_needs(key, &column, part),
                _ => constraints.push((part, Some(column.clone()))),
            }
        }
        constraints
    }

    /// What the type or the default of a column names.
    pub(super) fn column_needs(&mut self, key: &Key, column: &str, at: At<'_>) {
        let ((), reads) = self.reading(|catalog| catalog.references(at));
        self.depend_all(reads, User::part(Sort::Column, key, column));
    }

    /// Adds a column, and returns whether that is certain; `None` if it is there already.
    pub(super) fn add_column(&mut self, key: &Key, at: At<'_>) -> Option<bool> {
        let Some((name, span)) = column_name(at, Kind::COLUMN_NAME) else {
            self.open_columns(Some(key));
            return None;
        };
        self.born_column(key, &name, &span);
        let (look, conditional) = (self.look_column(key, &name), at.has(Kind::IF_NOT_EXISTS));
        if look == Look::Found(()) {
            if !conditional {
                let path = Path { qualifier: None, name, span };
                self.doubled_in(Sort::Column, &path, key);
            }
            return None;
        }
        self.put_column(key, &name, &span);
        Some(!conditional || look.is_missing())
    }

    pub(super) fn drop_column(&mut self, key: &Key, at: At<'_>) {
        let Some((name, span)) = column_name(at, Kind::COLUMN_NAME_REF) else {
            return self.blur(Sort::Column);
        };
        if !at.has(Kind::IF_EXISTS) {
            self.refer_column(key, &name, span.clone());
        }
        let path = Path { qualifier: None, name: name.clone(), span: span.clone() };
        let on = On::Column(key.clone(), name.clone());
        if at.has(Kind::CASCADE) {
            self.drop_users(&on, &path);
            self.cascade_from([key.name.clone()].into());
            self.doubt_generated(key);
            for sort in [Sort::Trigger, Sort::Policy] {
                self.blur_drops(sort);
            }
        } else {
            self.refuse_drop(Sort::Column, &on, &path, &[]);
        }
        self.take_column(key, &name, How::Dropped, &span);
        self.drop_with_column(key, &name, &span);
    }

    /// What goes with a column that is dropped: sequences, indexes and constraints, and perhaps those of children.
    fn drop_with_column(&mut self, key: &Key, name: &str, span: &Range<usize>) {
        let Some(relation) = self.relation(key) else { return };
        let (children, owned) = (relation.children.clone(), relation.owned.clone());
        for owned in owned {
            if self.relation(&owned).is_some_and(|one| one.uses.contains(name)) {
                let path = Path { qualifier: None, name: owned.name.clone(), span: span.clone() };
                self.remove(&owned, &path);
            }
        }
        let (gone, perhaps) = (self.gone_as(How::Dropped, span), self.perhaps);
        if let Some(relation) = self.relation_mut(key) {
            let hanging = relation.constraints.objects.iter();
            let hanging = hanging.filter(|(_, one)| one.columns.contains(name));
            for one in hanging.map(|(name, _)| name.clone()).collect::<Vec<_>>() {
                relation.constraints.lose(&one, gone.clone(), perhaps);
            }
        }
        self.doubt_column_of(children, name);
    }

    /// The columns of a table and of its children that are computed from others can be gone, with what hangs on them.
    fn doubt_generated(&mut self, key: &Key) {
        if !self.relation(key).is_some_and(|table| table.computes) {
            return;
        }
        for key in self.with_children(vec![key.clone()]) {
            let Some(table) = self.relation_mut(&key) else { continue };
            table.columns.objects.values_mut().for_each(|one| one.made.sure = false);
            table.constraints.objects.values_mut().for_each(|one| one.made.sure = false);
            for owned in table.owned.clone() {
                self.doubt(&owned);
            }
        }
    }

    /// What hangs on a column of these and of their children can be gone with that of their parent.
    fn doubt_column_of(&mut self, children: Vec<Key>, name: &str) {
        for key in self.with_children(children) {
            let Some(child) = self.relation_mut(&key) else { continue };
            child.columns.doubt(name);
            child.constraints.open = true;
            self.doubt_owned(&key, name, &[Sort::Index, Sort::Sequence]);
        }
    }

    /// Those of these tables that are there, and all that inherit from them, each once.
    fn with_children(&self, mut rest: Vec<Key>) -> BTreeSet<Key> {
        let mut all = BTreeSet::new();
        while let Some(key) = rest.pop() {
            if let Some(table) = self.relation(&key).filter(|_| all.insert(key.clone())) {
                rest.extend(table.children.iter().cloned());
            }
        }
        all
    }

    /// What of these kinds hangs on a column can be gone.
    fn doubt_owned(&mut self, key: &Key, column: &str, sorts: &[Sort]) {
        let owned = self.relation(key).map(|relation| relation.owned.clone());
        for owned in owned.unwrap_or_default() {
            if self
                .relation(&owned)
                .is_some_and(|one| sorts.contains(&one.made.sort) && one.uses.contains(column))
            {
                self.doubt(&owned);
            }
        }
    }

    /// Takes a column out of a table.
    fn take_column(
        &mut self,
        key: &Key,
        name: &str,
        how: How,
        span: &Range<usize>,
    ) -> Option<Column> {
        let (gone, perhaps) = (self.gone_as(how, span), self.perhaps);
        let relation = self.relation_mut(key)?;
        if perhaps {
            relation.columns.doubt(name);
            return None;
        }
        relation.columns.take(name, gone)
    }

    pub(super) fn rename_column(&mut self, key: &Key, at: At<'_>) {
        let names = column_name(at, Kind::COLUMN_NAME_REF).zip(column_name(at, Kind::COLUMN_NAME));
        let Some(((from, span), (to, to_span))) = names else { return self.blur(Sort::Column) };
        self.refer_column(key, &from, span.clone());
        self.born_column(key, &to, &to_span);
        if let Look::Found(()) = self.look_column(key, &to) {
            let path = Path { qualifier: None, name: to.clone(), span: to_span.clone() };
            self.doubled_in(Sort::Column, &path, key);
            return;
        }
        let before = self.column_id(key, &from);
        let old = self.take_column(key, &from, How::Renamed(to.clone()), &span);
        let number = old.as_ref().map(|column| column.number);
        if let Some(old) = old {
            self.rename_needed(key, &from, &to, old.made.stamp);
        }
        let (made, perhaps) = (self.made(Sort::Column, &to_span), self.perhaps);
        if let Some(relation) = self.relation_mut(key) {
            let number = number.unwrap_or(relation.columns.objects.len());
            relation.columns.gain(to.clone(), Column { made, number }, perhaps);
        }
        self.rename_with_column(key, &from, &to);
        let now = self.column_id(key, &to);
        if perhaps {
            let definition = self.definition(before).cloned().unwrap_or_default();
            return self.define(now, definition);
        }
        self.redefine(before, now);
    }

    /// What uses a column uses it under its new name; that of a child is uncertain.
    fn rename_with_column(&mut self, key: &Key, from: &str, to: &str) {
        let perhaps = self.perhaps;
        let rename = |columns: &mut BTreeSet<String>| {
            if columns.contains(from) {
                columns.insert(to.to_owned());
            }
            if !perhaps {
                columns.remove(from);
            }
        };
        let Some(relation) = self.relation_mut(key) else { return };
        relation.constraints.objects.values_mut().for_each(|one| rename(&mut one.columns));
        relation.partitioned_by.iter_mut().for_each(rename);
        let (children, owned) = (relation.children.clone(), relation.owned.clone());
        for one in owned {
            if let Some(one) = self.relation_mut(&one) {
                rename(&mut one.uses);
            }
        }
        for child in children {
            if let Some(child) = self.relation_mut(&child) {
                child.columns.doubt(from);
            }
        }
    }

    pub(super) fn alter_column(&mut self, key: &Key, at: At<'_>) {
        let Some((name, span)) = column_name(at, Kind::COLUMN_NAME_REF) else { return };
        self.refer_column(key, &name, span.clone());
        self.renew(key, &name);
        // What becomes of the same column of those that inherit it is not followed.
        let children = self.relation(key).map(|relation| relation.children.clone());
        for child in children.unwrap_or_default() {
            self.doubt_kept(self.column_id(&child, &name));
        }
        for action in at.children() {
            self.redefine_column(key, &name, action);
            match action.kind() {
                Kind::SET_TYPE => {
                    if let Some(to) = action.children().find(|part| is_type(part.kind())) {
                        self.column_needs(key, &name, to);
                    }
                    self.expression_on(key, action);
                }
                Kind::SET_DEFAULT => self.column_needs(key, &name, action),
                Kind::ADD_GENERATED => self.own_sequence(key, &name, (action, &span)),
                // Its sequence goes with it; one that the column owns otherwise is kept.
                Kind::DROP_IDENTITY => self.doubt_owned(key, &name, &[Sort::Sequence]),
                _ => self.references(action),
            }
        }
    }

    /// A column is altered: it may no longer depend on what it did.
    fn renew(&mut self, key: &Key, name: &str) {
        let stamp = self.stamp;
        if self.look_column(key, name) == Look::Found(())
            && let Some(relation) = self.relation_mut(key)
            && let Some(column) = relation.columns.objects.get_mut(name)
        {
            column.made.stamp = stamp;
        }
    }
}
