//! Constraints, and the names that the server makes for them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Catalog;
use super::depend::{On, Reads, User};
use super::index::joined;
use super::key::NewKey;
use super::name::{self, Path, made};
use super::object::{How, Look, Names, Sort};
use super::relation::{Constraint, Key};
use super::schema::SEARCHED;
use crate::syntax::tree::{At, Kind};

impl Catalog {
    /// A constraint of a table, or of its `column`.
    pub(super) fn add_constraint(&mut self, key: &Key, at: At<'_>, column: Option<&str>) {
        match at.kind() {
            Kind::PRIMARY_KEY_CONSTRAINT | Kind::UNIQUE_CONSTRAINT => {
                self.add_key(key, NewKey::of(at, column));
            }
            Kind::FOREIGN_KEY_CONSTRAINT => self.add_foreign_key(key, at),
            Kind::REFERENCES_CONSTRAINT => self.add_reference(key, at, column),
            Kind::CHECK_CONSTRAINT => {
                self.expression_on(key, at);
                let columns = self.columns_in(key, at);
                let single = columns.iter().next().filter(|_| columns.len() == 1).cloned();
                self.put_constraint(key, at, columns, &single.unwrap_or_default(), "check");
            }
            Kind::EXCLUDE_CONSTRAINT => {
                self.expression_on(key, at);
                let columns = self.columns_in(key, at);
                let joined = joined(at.child(Kind::CONSTRAINT_EXCLUSION_LIST), at);
                if let Some(name) = self.put_constraint(key, at, columns.clone(), &joined, "excl") {
                    self.put_index(key, &name, columns, &at.span());
                }
            }
            Kind::GENERATED_CONSTRAINT => self.add_generated(key, at, column),
            Kind::NOT_NULL_CONSTRAINT | Kind::NULL_CONSTRAINT => {
                self.refer_columns(key, at);
                // PostgreSQL 18 has them for a table as well, with a name in any case.
                let of_table = at.child(Kind::COLUMN_NAME_REF).and_then(name::name);
                if of_table.is_some() || at.has(Kind::CONSTRAINT_NAME_CLAUSE) {
                    let name = of_table.or(column.map(str::to_owned)).unwrap_or_default();
                    self.put_constraint(key, at, [name.clone()].into(), &name, "not_null");
                }
            }
            _ => self.references(at),
        }
    }

    /// An identity of a column, which makes a sequence, or what a column is computed from.
    fn add_generated(&mut self, key: &Key, at: At<'_>, column: Option<&str>) {
        if let (Some(_), Some(column)) = (at.find(Kind::GENERATED_IDENTITY), column) {
            return self.own_sequence(key, column, (at, &at.span()));
        }
        self.expression_on(key, at);
        if let Some(table) = self.relation_mut(key) {
            table.computes = true;
        }
    }

    fn add_foreign_key(&mut self, key: &Key, at: At<'_>) {
        let mut lists = at.each(Kind::FOREIGN_KEY_COLUMN_LIST);
        let Some(from) = lists.next() else { return };
        self.refer_columns(key, from);
        let columns = names_in(from);
        let joined = columns.join("_");
        let name = self.put_constraint(key, at, set_of(columns), &joined, "fkey");
        let Some(table) = at.child(Kind::TABLE_NAME_REF).and_then(Path::of) else { return };
        let target = self.refer(Sort::Table, &table, false);
        let list = lists.next();
        if let (Some(target), Some(list)) = (&target, list) {
            self.refer_columns(target, list);
        }
        self.depend_key(key, name, (&table, target), list.map(names_in).unwrap_or_default());
        for action in at
            .children()
            .filter(|child| matches!(child.kind(), Kind::ON_DELETE_ACTION | Kind::ON_UPDATE_ACTION))
        {
            self.refer_columns(key, action);
        }
    }

    fn add_reference(&mut self, key: &Key, at: At<'_>, column: Option<&str>) {
        let columns = set_of(column.map(str::to_owned));
        let constraint = self.put_constraint(key, at, columns, column.unwrap_or_default(), "fkey");
        let Some(table) = at.child(Kind::TABLE_NAME_REF).and_then(Path::of) else { return };
        let target = self.refer(Sort::Table, &table, false);
        let named = at.child(Kind::COLUMN_NAME_REF);
        let column = named.and_then(name::name);
        if let (Some(target), Some(named), Some(name)) = (&target, named, &column) {
            self.refer_column(target, name, named.span());
        }
        self.depend_key(key, constraint, (&table, target), column.into_iter().collect());
    }

    /// A foreign key depends on its other table, and on the columns there.
    fn depend_key(
        &mut self,
        key: &Key,
        name: Option<String>,
        (path, target): (&Path, Option<Key>),
        columns: Vec<String>,
    ) {
        let Some(name) = name else { return };
        let mut reads = Reads { names: vec![path.name.clone()], ..Reads::default() };
        if let Some(target) = target.filter(|target| target != key) {
            let columns = columns.into_iter().map(|column| On::Column(target.clone(), column));
            reads.certain.extend(columns);
            reads.certain.push(On::Relation(target));
        }
        self.depend_all(reads, User::part(Sort::ForeignKey, key, name));
    }

    /// Notes a constraint under its name, or under the one that the server makes.
    fn put_constraint(
        &mut self,
        key: &Key,
        at: At<'_>,
        columns: BTreeSet<String>,
        joined: &str,
        label: &str,
    ) -> Option<String> {
        self.put_named(key, (at, at.child(Kind::CONSTRAINT_NAME_CLAUSE)), columns, joined, label)
    }

    /// The same with the clause that has its name.
    pub(super) fn put_named(
        &mut self,
        key: &Key,
        (at, clause): (At<'_>, Option<At<'_>>),
        columns: BTreeSet<String>,
        joined: &str,
        label: &str,
    ) -> Option<String> {
        let has_index = matches!(label, "pkey" | "key" | "excl");
        // Dropped with the table or the key that it refers to.
        let sort = if label == "fkey" { Sort::ForeignKey } else { Sort::Constraint };
        let Some(clause) = clause else {
            let spaces: &[Sort] =
                if has_index { &[Sort::Index, Sort::Constraint] } else { &[Sort::Constraint] };
            let (name, is_certain) = self.free(key, joined, label, spaces);
            if let (true, Some(table)) = (self.searched >= SEARCHED, self.relation_mut(key)) {
                table.constraints.open = true;
            }
            self.insert_constraint(key, (sort, has_index), &name, columns, &at.span());
            if let (false, Some(table)) = (is_certain, self.relation_mut(key)) {
                table.constraints.doubt(&name);
            }
            self.define_constraint(key, at, &name);
            return Some(name);
        };
        let node = clause.child(Kind::CONSTRAINT_NAME)?;
        let Some(name) = name::name(node) else {
            self.relation_mut(key)?.constraints.open = true;
            return None;
        };
        let relation = self.relation(key)?;
        let known = relation.constraints.look(&name, &self.blurs).map(|_| ());
        if known == Look::Found(()) && relation.is_sure(&self.blurs) {
            let path = Path { qualifier: None, name: name.clone(), span: node.span() };
            self.doubled_in(Sort::Constraint, &path, key);
            return None;
        }
        self.insert_constraint(key, (sort, has_index), &name, columns, &node.span());
        self.define_constraint(key, at, &name);
        Some(name)
    }

    pub(super) fn insert_constraint(
        &mut self,
        key: &Key,
        (sort, has_index): (Sort, bool),
        name: &str,
        columns: BTreeSet<String>,
        span: &Range<usize>,
    ) {
        self.born(Sort::Constraint, name, span);
        let (made, perhaps) = (self.made(sort, span), self.perhaps);
        let constraint = Constraint { made, columns, has_index };
        self.schema_mut(&key.schema).constraint_names.insert(name.to_owned());
        if let Some(relation) = self.relation_mut(key) {
            relation.constraints.gain(name.to_owned(), constraint, perhaps);
        }
    }

    /// The first name that the server tries and that is free in these spaces of the schema (`ChooseRelationName`,
    /// `ChooseConstraintName`), and whether it is certain: one before it can be free, too.
    pub(super) fn free(
        &mut self,
        key: &Key,
        joined: &str,
        label: &str,
        spaces: &[Sort],
    ) -> (String, bool) {
        let mut searched = self.searched;
        let mut doubtful = Vec::new();
        let mut name = made(&key.name, joined, label);
        for count in 1..1000 {
            match self.look_taken(key, &name, spaces, &mut searched) {
                Look::Found(()) => {}
                Look::Perhaps(()) => doubtful.push(name),
                Look::Unknown | Look::Missing => break,
            }
            name = made(&key.name, joined, &format!("{label}{count}"));
        }
        self.searched = searched;
        let is_certain = doubtful.is_empty();
        for one in doubtful.iter().chain((!is_certain).then_some(&name)) {
            self.doubt_name(key, one);
        }
        (name, is_certain)
    }

    /// What is known of a name in these spaces of the schema of a table.
    fn look_taken(&self, key: &Key, name: &str, spaces: &[Sort], searched: &mut usize) -> Look<()> {
        let Some(schema) = self.schemas.objects.get(&key.schema) else { return Look::Missing };
        let mut known = Look::Missing;
        for space in spaces {
            let look = if *space == Sort::Constraint {
                let own = schema.relations.objects.get(&key.name);
                let own = own.map(|table| table.constraints.look_at(name, &self.blurs));
                match own.filter(|own| own.there().is_some()) {
                    Some(own) => own,
                    None => schema.look_constraint(name, &self.blurs, searched),
                }
            } else {
                schema.relations.look_at(name, &self.blurs)
            };
            match look {
                Look::Found(()) => return look,
                Look::Perhaps(()) => known = look,
                Look::Unknown | Look::Missing => {}
            }
        }
        known
    }

    /// Either of several objects can have a name, or none.
    fn doubt_name(&mut self, key: &Key, name: &str) {
        if self.defines() {
            self.either.insert(name.to_owned());
        }
        self.disown(&Key { schema: key.schema.clone(), name: name.to_owned() });
        if let Some(table) = self.relation_mut(key) {
            table.constraints.open = true;
            table.constraints.doubt(name);
        }
    }

    pub(super) fn use_constraint(&mut self, key: &Key, at: At<'_>) -> Option<Path> {
        let path = at.find(Kind::CONSTRAINT_NAME_REF).and_then(Path::of)?;
        let relation = self.relation(key)?;
        let known = relation.constraints.look(&path.name, &self.blurs).map(|_| ());
        let sure = relation.is_sure(&self.blurs) && relation.parents.is_empty();
        // PostgreSQL 18 names each NOT NULL.
        let is_not_null = path.name.contains("_not_null");
        if known == Look::Missing && sure && !is_not_null && !at.has(Kind::IF_EXISTS) {
            self.missing(Sort::Constraint, &path, Some(key));
            self.relation_mut(key)?.constraints.doubt(&path.name);
        }
        Some(path)
    }

    pub(super) fn drop_constraint(&mut self, key: &Key, at: At<'_>) {
        let Some(path) = self.use_constraint(key, at) else { return self.blur(Sort::Constraint) };
        if at.has(Kind::CASCADE) {
            self.cascade_from([key.name.clone()].into());
        }
        self.allow_null(key, &path.name);
        let (gone, perhaps) = (self.gone_as(How::Dropped, &path.span), self.perhaps);
        let index = self.index_of(key, &path.name);
        let Some(relation) = self.relation_mut(key) else { return };
        relation.constraints.lose(&path.name, gone, perhaps);
        if let Some(index) = index {
            self.remove(&index, &path);
        }
    }

    /// The index that a constraint of this name has.
    fn index_of(&self, key: &Key, name: &str) -> Option<Key> {
        let index = Key { schema: key.schema.clone(), name: name.to_owned() };
        let is_its = self.relation(&index)?.owner.as_ref() == Some(key);
        (is_its && self.relation(key)?.has_key(name) != Some(false)).then_some(index)
    }

    pub(super) fn rename_constraint(&mut self, key: &Key, at: At<'_>) {
        let to = at.child(Kind::CONSTRAINT_NAME).and_then(Path::of);
        let Some((from, to)) = self.use_constraint(key, at).zip(to) else {
            return self.blur(Sort::Constraint);
        };
        let how = How::Renamed(to.name.clone());
        let (gone, perhaps) = (self.gone_as(how.clone(), &from.span), self.perhaps);
        self.born(Sort::Constraint, &to.name, &to.span);
        let index = self.index_of(key, &from.name);
        let Some(relation) = self.relation_mut(key) else { return };
        if perhaps {
            relation.constraints.doubt(&from.name);
            relation.constraints.open = true;
            return self.blur(Sort::Index);
        }
        if let Some(constraint) = relation.constraints.take(&from.name, gone) {
            relation.constraints.put(to.name.clone(), constraint);
            self.schema_mut(&key.schema).constraint_names.insert(to.name.clone());
        }
        if let Some(index) = index {
            self.rename(&index, &Key { name: to.name.clone(), ..index.clone() }, how, &to);
        }
    }

    /// Notes the name of a domain's constraint.
    pub(super) fn put_domain_constraint(&mut self, of: &(String, String), at: At<'_>) {
        let given = at.child(Kind::CONSTRAINT_NAME_CLAUSE);
        let given = given.and_then(|at| at.child(Kind::CONSTRAINT_NAME)).and_then(name::name);
        let key = Key { schema: of.0.clone(), name: of.1.clone() };
        let name = given.unwrap_or_else(|| self.free(&key, "", "check", &[Sort::Constraint]).0);
        self.schema_mut(&of.0).constraint_names.insert(name.clone());
        let is_certain = !self.perhaps;
        if let Some(domain) = self.type_mut(of) {
            domain.constraints.insert(name, is_certain);
        }
    }

    /// An action of `ALTER DOMAIN`.
    pub(super) fn alter_domain_constraint(&mut self, of: &(String, String), action: At<'_>) {
        if action.kind() == Kind::ADD_CONSTRAINT {
            let checks = action.each(Kind::CHECK_CONSTRAINT);
            return checks.for_each(|check| self.put_domain_constraint(of, check));
        }
        if let (Kind::SET_NOT_NULL | Kind::DROP_NOT_NULL, false, Some(domain)) =
            (action.kind(), self.perhaps, self.type_mut(of))
        {
            domain.is_narrow = action.kind() == Kind::SET_NOT_NULL;
        }
        if !matches!(action.kind(), Kind::DROP_CONSTRAINT | Kind::RENAME_CONSTRAINT) {
            return;
        }
        let from = action.child(Kind::CONSTRAINT_NAME_REF).and_then(name::name);
        let to = action.child(Kind::CONSTRAINT_NAME).and_then(name::name);
        self.schema_mut(&of.0).constraint_names.extend(to.clone());
        let perhaps = self.perhaps;
        let Some(domain) = self.type_mut(of) else { return };
        let was = from.and_then(|from| domain.constraints.remove_entry(&from));
        domain.constraints.extend(was.filter(|_| perhaps).map(|(from, _)| (from, false)));
        domain.constraints.extend(to.map(|to| (to, !perhaps)));
    }

    /// The columns of a table that an expression names.
    pub(super) fn columns_in(&self, key: &Key, at: At<'_>) -> BTreeSet<String> {
        let named =
            at.all().filter(|node| matches!(node.kind(), Kind::NAME_REF | Kind::COLUMN_NAME_REF));
        let named = named.filter_map(name::name);
        set_of(named.filter(|name| self.look_column(key, name).there().is_some()))
    }
}

/// A set of few names: `collect` would sort them first, which takes longer.
pub(super) fn set_of(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    let mut set = BTreeSet::new();
    set.extend(names);
    set
}

pub(super) fn names_in(list: At<'_>) -> Vec<String> {
    let named = list.every(Kind::COLUMN_NAME_REF);
    named.filter_map(name::name).collect()
}
