//! Indexes, and the names that the server makes for them.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Catalog;
use super::name::{self, Path};
use super::object::{Look, Names, Sort};
use super::relation::{Key, Relation};
use super::table::altered_table;
use crate::syntax::tree::{At, Kind};

/// Whether a part of a statement that makes an index can name columns.
fn names_columns(part: At<'_>) -> bool {
    let parts = [Kind::PARTITION_ITEM_LIST, Kind::INDEX_INCLUDE_CLAUSE, Kind::WHERE_CLAUSE];
    parts.contains(&part.kind())
}

impl Catalog {
    pub(super) fn create_index(&mut self, at: At<'_>) {
        let Some(table) = altered_table(at).and_then(Path::of) else {
            return self.blur(Sort::Index);
        };
        let key = self.refer(Sort::Table, &table, false);
        self.refuse_concurrently(at, Sort::Table, &table, key.as_ref());
        let parts: Vec<At<'_>> = at.children().filter(|child| names_columns(*child)).collect();
        for part in &parts {
            match &key {
                Some(key) => self.expression_on(key, *part),
                None => self.references(*part),
            }
        }
        let named = at.child(Kind::INDEX).map(Path::of);
        let Some(key) = key else {
            if let Some(Some(name)) = named {
                self.index_of_unknown(at, &table, name);
            }
            return;
        };
        let mut columns = BTreeSet::new();
        for part in &parts {
            columns.append(&mut self.columns_in(&key, *part));
        }
        let name = match named {
            Some(Some(path)) => path,
            Some(None) => return self.blur(Sort::Index),
            None => {
                let joined = joined(parts.first().copied(), at);
                let (name, is_certain) = self.free(&key, &joined, "idx", &[Sort::Index]);
                self.put_index(&key, &name, columns, &at.span());
                if !is_certain {
                    self.schema_mut(&key.schema).relations.doubt(&name);
                }
                return self.index_made(&key, name, at);
            }
        };
        let path = Path { qualifier: Some(key.schema.clone()), ..name };
        if let Some(index) = self.make(at, Sort::Index, &path, false) {
            let name = index.name.clone();
            self.own(&key, index, columns);
            self.index_made(&key, name, at);
        }
    }

    /// `CLUSTER table USING index`.
    pub(super) fn cluster(&mut self, at: At<'_>) {
        if let Some(key) = self.named_table(at) {
            self.use_index_of(&key, at);
        }
    }

    /// The index of `CLUSTER ON` or `REPLICA IDENTITY`, which is in the schema of the table.
    pub(super) fn use_index_of(&mut self, table: &Key, at: At<'_>) {
        let Some(path) = at.find(Kind::INDEX_REF).and_then(Path::of) else { return };
        let qualifier = Some(table.schema.clone());
        self.refer(Sort::Index, &Path { qualifier, ..path }, false);
    }

    /// What `CREATE INDEX` says of the index besides its columns.
    fn index_made(&mut self, table: &Key, name: String, at: At<'_>) {
        let index = Key { schema: table.schema.clone(), name: name.clone() };
        let items = at.child(Kind::PARTITION_ITEM_LIST);
        let first = |item: At<'_>| item.children().next().map(At::kind);
        let is_column = |item: At<'_>| first(item) == Some(Kind::NAME_REF);
        let has_expression = items.is_some_and(|items| !items.children().all(is_column));
        if let Some(index) = self.relation_mut(&index) {
            index.computes = has_expression || at.has(Kind::WHERE_CLAUSE);
        }
        self.define_index(table, name, at);
    }

    pub(super) fn drop_indexes(&mut self, at: At<'_>) {
        for path in at.each(Kind::INDEX_REF).filter_map(Path::of) {
            let key = self.target(&path).map(|schema| Key { schema, name: path.name.clone() });
            let index = key.and_then(|key| self.relation(&key));
            let table = index.and_then(|index| index.owner.clone());
            self.refuse_concurrently(at, Sort::Index, &path, table.as_ref());
        }
        self.drop_relations(at, Sort::Index, Kind::INDEX_REF);
    }

    /// Refuses what the server does not do CONCURRENTLY: build an index of a partitioned table, or drop it.
    fn refuse_concurrently(&mut self, at: At<'_>, sort: Sort, path: &Path, table: Option<&Key>) {
        let table = table.filter(|table| self.look_in(table) == Look::Found(()));
        let table = table.and_then(|table| self.relation(table));
        let partitioned = table.filter(|table| table.partitioned_by.is_some());
        let place = partitioned.and_then(|table| table.made.place);
        if let Some(place) = place.filter(|_| at.says(Kind::CONCURRENTLY_KW)) {
            self.partitioned_table(sort, path, place);
        }
    }

    /// The index of a table of which nothing is known.
    fn index_of_unknown(&mut self, at: At<'_>, table: &Path, name: Path) {
        if let Some(schema) = self.target(table) {
            let path = Path { qualifier: Some(schema), ..name };
            let known = self.look_relation(&path);
            if known == Look::Unknown || known == Look::Missing {
                self.make(at, Sort::Index, &path, false);
            }
        }
    }

    /// Puts an index into the schema of its table.
    pub(super) fn put_index(
        &mut self,
        table: &Key,
        name: &str,
        columns: BTreeSet<String>,
        span: &Range<usize>,
    ) {
        let mut made = self.made(Sort::Index, span);
        // That of a constraint is as certain.
        let of = self.relation(table).and_then(|table| table.constraints.objects.get(name));
        made.sure &= of.is_none_or(|of| of.made.sure);
        let index = Key { schema: table.schema.clone(), name: name.to_owned() };
        if self.look_in(&index) == Look::Found(()) {
            let (qualifier, name) = (Some(index.schema), index.name);
            return self.doubled(Sort::Index, &Path { qualifier, name, span: span.clone() });
        }
        self.born(Sort::Index, name, span);
        self.note_named_instead_of(&table.schema, name, made);
        self.schema_mut(&table.schema).relations.put(name.to_owned(), Relation::new(made));
        self.own(table, index, columns);
    }

    /// Ties an index or a sequence to its table.
    pub(super) fn own(&mut self, table: &Key, owned: Key, columns: BTreeSet<String>) {
        self.disown(&owned);
        if let Some(relation) = self.relation_mut(&owned) {
            relation.owner = Some(table.clone());
            relation.uses = columns;
        }
        if let Some(relation) = self.relation_mut(table) {
            relation.owned.insert(owned);
        }
    }

    /// Unties it again.
    pub(super) fn disown(&mut self, key: &Key) {
        let table = self.relation_mut(key).and_then(|relation| relation.owner.take());
        if let Some(table) = table.and_then(|table| self.relation_mut(&table)) {
            table.owned.remove(key);
        }
    }

    /// Whether an index of this name can be one that the server made for a table as it did for another.
    pub(super) fn is_derived(&self, name: &str) -> bool {
        let begins = name.match_indices('_').filter_map(|(at, _)| name.get(..at));
        // A name that long is cut in the middle.
        let is_cut = name.len() + 1 >= name::LENGTH && !self.derived.is_empty();
        is_cut || begins.into_iter().any(|begin| self.derived.contains(begin))
    }

    pub(super) fn alter_index(&mut self, at: At<'_>) {
        let Some(path) = at.child(Kind::INDEX_REF).and_then(Path::of) else {
            return self.blur(Sort::Index);
        };
        let key = self.refer(Sort::Index, &path, at.has(Kind::IF_EXISTS));
        self.define_settings(key.as_ref(), at);
        if let (Some(key), Some(action)) = (&key, at.child(Kind::ATTACH_INDEX_PARTITION)) {
            return self.attach_index(key, action);
        }
        let Some(action) = at.child(Kind::INDEX_RENAME_TO) else { return };
        let Some(key) = key else {
            if let Some(to) = action.child(Kind::INDEX).and_then(Path::of) {
                self.adopt(&Path { qualifier: path.qualifier, ..to });
            }
            return;
        };
        let table = self.relation(&key).and_then(|index| index.owner.clone());
        let (to, perhaps) = (self.rename_to(&key, action), self.perhaps);
        // The constraint of an index has its name.
        if let (Some(table), Some(to)) = (table, to)
            && let Some(table) =
                self.relation_mut(&table).filter(|table| table.has_key(&key.name) == Some(true))
        {
            if perhaps {
                table.constraints.doubt(&key.name);
                table.constraints.open = true;
            } else if let Some(constraint) = table.constraints.objects.remove(&key.name) {
                table.constraints.put(to.name, constraint);
            }
        }
    }

    /// Ties the index of a partition to that of its table, which takes it along when it is dropped.
    fn attach_index(&mut self, key: &Key, action: At<'_>) {
        let path = action.child(Kind::INDEX_REF).and_then(Path::of);
        let part = path.and_then(|path| self.refer(Sort::Index, &path, false));
        let Some(part) = part.filter(|_| !self.perhaps) else { return };
        if let Some(index) = self.relation_mut(&part) {
            index.parents.push(key.clone());
        }
        if let Some(index) = self.relation_mut(key) {
            index.children.push(part);
        }
    }
}

/// The columns of an index in its name (`ChooseIndexColumnNames`): those of the list and those of INCLUDE.
pub(super) fn joined(list: Option<At<'_>>, at: At<'_>) -> String {
    let items = list.into_iter().flat_map(At::children).map(|item| {
        let first = item.children().next();
        let name = match first.map(|first| (first, first.kind())) {
            Some((node, Kind::NAME_REF)) => name::name(node),
            Some((node, Kind::CALL_EXPR)) => {
                node.children().next().and_then(name::parts).and_then(|mut parts| parts.pop())
            }
            _ => None,
        };
        name.unwrap_or_else(|| "expr".to_owned())
    });
    distinct(items.chain(included(at))).join("_")
}

/// The columns of `INCLUDE`.
pub(super) fn included(at: At<'_>) -> Vec<String> {
    let clauses = [Kind::INDEX_INCLUDE_CLAUSE, Kind::CONSTRAINT_INCLUDE_CLAUSE];
    let clauses = clauses.into_iter().filter_map(|kind| at.find(kind));
    let named = clauses.flat_map(At::all);
    let named = named.filter(|node| matches!(node.kind(), Kind::NAME_REF | Kind::COLUMN_NAME_REF));
    named.filter_map(name::name).collect()
}

/// The names, of which a repeated one has a number.
pub(super) fn distinct(bases: impl Iterator<Item = String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for base in bases {
        let mut name = base.clone();
        let mut count = 0;
        while names.contains(&name) {
            count += 1;
            name = format!("{base}{count}");
        }
        names.push(name);
    }
    names
}
