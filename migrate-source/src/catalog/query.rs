//! Queries: what is in scope, and the columns that a query returns.

use super::Catalog;
use super::depend::On;
use super::name::{self, Path};
use super::object::Sort;
use super::relation::Key;
use crate::syntax::tree::{At, Kind, any_of};

/// The columns of a query or a relation, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Columns {
    /// Not all are known.
    #[default]
    Open,
    Known(Vec<String>),
}

impl Columns {
    /// These columns, the first of them under the names of a list.
    pub(super) fn renamed(self, list: Option<At<'_>>) -> Columns {
        let Some(list) = list else { return self };
        let named = list.every(Kind::COLUMN_NAME);
        let named: Option<Vec<String>> = named.map(name::name).collect();
        match (self, named) {
            (Columns::Known(mut columns), Some(named)) if named.len() <= columns.len() => {
                columns.splice(..named.len(), named);
                Columns::Known(columns)
            }
            _ => Columns::Open,
        }
    }
}

/// What an alias stands for.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Relation(Key),
    Columns(Columns),
    Open,
}

/// A table of a query.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) alias: Option<String>,
    pub(super) source: Source,
}

/// What the names in an expression can mean.
#[derive(Debug, Clone, Default)]
pub(super) struct Scope<'o> {
    pub(super) items: Vec<Item>,
    /// The names of `WITH`.
    pub(super) tables: Vec<(String, Columns)>,
    /// Names without a table: variables, and the output columns of a query.
    pub(super) names: Vec<String>,
    /// Whether columns of two tables are one.
    pub(super) merged: bool,
    /// Whether there can be more than this.
    pub(super) open: bool,
    /// Names before a dot that can have any column.
    pub(super) records: Vec<String>,
    /// Whether it is a body, in which any name before a dot can be a variable.
    pub(super) is_body: bool,
    pub(super) outer: Option<&'o Scope<'o>>,
}

impl<'o> Scope<'o> {
    /// A scope of which nothing is known.
    pub(super) fn open() -> Scope<'o> {
        Scope { open: true, ..Scope::default() }
    }

    pub(super) fn within(outer: &'o Scope<'o>) -> Scope<'o> {
        Scope { outer: Some(outer), ..Scope::default() }
    }

    /// This scope and those around it.
    pub(super) fn chain(&self) -> impl Iterator<Item = &Scope<'_>> {
        let first: &Scope<'_> = self;
        std::iter::successors(Some(first), |scope| scope.outer)
    }

    fn table(&self, name: &str) -> Option<Columns> {
        let found = |scope: &Scope<'_>| {
            scope.tables.iter().rev().find(|(known, _)| known == name).map(|(_, c)| c.clone())
        };
        self.chain().find_map(found)
    }
}

impl Catalog {
    /// Checks a query, and returns its columns.
    pub(super) fn query(&mut self, at: At<'_>, outer: &Scope<'_>) -> Columns {
        let mut scope = Scope::within(outer);
        if let Some(with) = at.child(Kind::WITH_CLAUSE) {
            self.with(with, &mut scope);
        }
        match at.kind() {
            Kind::SELECT | Kind::SELECT_INTO => self.select(at, scope),
            Kind::COMPOUND_SELECT => self.compound(at, scope),
            Kind::VALUES => self.values(at, scope),
            Kind::INSERT => self.insert(at, scope),
            Kind::UPDATE => self.update(at, scope),
            Kind::DELETE => self.delete(at, scope),
            Kind::MERGE => self.merge(at, scope),
            Kind::TABLE => {
                let node = at.find(Kind::RELATION_NAME_REF);
                match node.map(|node| self.source(node, &scope)) {
                    Some((_, Source::Relation(key))) => self.columns_of(&key),
                    Some((_, Source::Columns(columns))) => columns,
                    _ => Columns::Open,
                }
            }
            Kind::PAREN_SELECT => {
                let query = at.children().find(|child| is_query(child.kind()));
                query.map(|query| self.query(query, &scope)).unwrap_or_default()
            }
            _ => Columns::Open,
        }
    }

    /// What the rows of VALUES name.
    pub(super) fn rows(&mut self, at: At<'_>, scope: &Scope<'_>) {
        at.children().for_each(|part| self.expression(part, scope));
    }

    fn values(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let row = at.find(Kind::ROW);
        let count = row.map_or(0, |row| row.children().count());
        let names: Vec<String> = (1..=count).map(|number| format!("column{number}")).collect();
        for part in at.children() {
            scope.names = match part.kind() {
                Kind::ORDER_BY_CLAUSE => names.clone(),
                _ => Vec::new(),
            };
            self.expression(part, &scope);
        }
        Columns::Known(names)
    }

    /// The tables of `WITH`.
    pub(super) fn with(&mut self, at: At<'_>, scope: &mut Scope<'_>) {
        let tables: Vec<At<'_>> = at.each(Kind::WITH_TABLE).collect();
        let name = |table: &At<'_>| table.child(Kind::CTE_NAME).and_then(name::name);
        if at.says(Kind::RECURSIVE_KW) {
            scope.tables.extend(tables.iter().filter_map(name).map(|name| (name, Columns::Open)));
        }
        for table in tables {
            let query = table.children().find(|child| is_query(child.kind()));
            let columns = query.map(|query| self.query(query, scope)).unwrap_or_default();
            let adds = table.has(Kind::SEARCH_CLAUSE) || table.has(Kind::CYCLE_CLAUSE);
            let columns = columns.renamed(table.child(Kind::COLUMN_LIST));
            let columns = if adds { Columns::Open } else { columns };
            scope.tables.extend(name(&table).map(|name| (name, columns)));
        }
    }

    /// The parts of `UNION` and the like; `WITH` is written in the first of them.
    fn compound(&mut self, at: At<'_>, mut scope: Scope<'_>) -> Columns {
        let (mut parts, mut rest) = (Vec::new(), vec![at]);
        while let Some(node) = rest.pop() {
            if node.kind() == Kind::COMPOUND_SELECT {
                let queries = node.children().filter(|child| is_query(child.kind()));
                rest.extend(queries.collect::<Vec<_>>().into_iter().rev());
            } else {
                parts.push(node);
            }
        }
        if let Some(with) = parts.first().and_then(|first| first.child(Kind::WITH_CLAUSE)) {
            self.with(with, &mut scope);
        }
        let mut columns = None;
        for part in parts {
            let found = match part.kind() {
                Kind::SELECT => {
                    // The order is that of the whole, by the names of the first part.
                    self.select_part(part, Scope::within(&scope), false)
                }
                _ => self.query(part, &scope),
            };
            columns.get_or_insert(found);
        }
        columns.unwrap_or_default()
    }

    pub(super) fn select(&mut self, at: At<'_>, scope: Scope<'_>) -> Columns {
        self.select_part(at, scope, true)
    }

    /// A `SELECT`; `ordered` if its ORDER BY is its own.
    fn select_part(&mut self, at: At<'_>, mut scope: Scope<'_>, ordered: bool) -> Columns {
        if let Some(from) = at.child(Kind::FROM_CLAUSE) {
            self.from(from, &mut scope);
        }
        let list = at.child(Kind::SELECT_CLAUSE).and_then(|clause| clause.child(Kind::TARGET_LIST));
        let columns = list.map(|list| self.targets(list, &scope)).unwrap_or_default();
        let named = list.into_iter().flat_map(At::children);
        let named: Vec<String> = named.filter_map(super::expression::output).collect();
        for part in at.children() {
            match part.kind() {
                Kind::WITH_CLAUSE | Kind::FROM_CLAUSE | Kind::INTO_CLAUSE => {}
                Kind::ORDER_BY_CLAUSE if !ordered => {}
                Kind::ORDER_BY_CLAUSE | Kind::GROUP_BY_CLAUSE => {
                    let before = std::mem::replace(&mut scope.names, named.clone());
                    self.expression(part, &scope);
                    scope.names = before;
                }
                Kind::SELECT_CLAUSE => {
                    if let Some(distinct) = part.child(Kind::DISTINCT_CLAUSE) {
                        let before = std::mem::replace(&mut scope.names, named.clone());
                        self.expression(distinct, &scope);
                        scope.names = before;
                    }
                    if let Some(list) = list {
                        self.expression(list, &scope);
                    }
                }
                _ => self.expression(part, &scope),
            }
        }
        columns
    }

    /// The tables of FROM, and the conditions between them.
    pub(super) fn from(&mut self, at: At<'_>, scope: &mut Scope<'_>) {
        let mut conditions = Vec::new();
        let mut walk = at.all();
        while let Some(node) = walk.next() {
            match node.kind() {
                Kind::ON_CLAUSE | Kind::JOIN_USING_CLAUSE => {
                    scope.merged |= node.kind() == Kind::JOIN_USING_CLAUSE;
                    conditions.push(node);
                    walk.leave(node);
                }
                Kind::JOIN => scope.merged |= node.says(Kind::NATURAL_KW),
                // Joins in parentheses.
                Kind::PAREN_FROM_ITEM
                    if node.has(Kind::PAREN_EXPR) && !node.has(Kind::FROM_ALIAS) => {}
                kind if is_query(kind) => {
                    self.query(node, scope);
                    walk.leave(node);
                }
                kind if is_from_item(kind) => {
                    let item = self.item(node, scope);
                    scope.items.push(item);
                    walk.leave(node);
                }
                _ => {}
            }
        }
        for condition in conditions {
            if condition.kind() == Kind::ON_CLAUSE {
                self.expression(condition, scope);
                continue;
            }
            if let Some(alias) = condition.find(Kind::TABLE_ALIAS).and_then(name::name) {
                scope.items.push(Item { alias: Some(alias), source: Source::Open });
            }
            for column in condition.every(Kind::COLUMN_NAME_REF) {
                self.use_name(column, scope);
            }
        }
    }

    fn item(&mut self, at: At<'_>, scope: &Scope<'_>) -> Item {
        let given = at.child(Kind::FROM_ALIAS);
        let alias = given.and_then(|given| given.child(Kind::TABLE_ALIAS)).and_then(name::name);
        let list = given.and_then(|given| given.child(Kind::COLUMN_LIST));
        let typed = given.and_then(|given| given.child(Kind::COLUMN_DEF_LIST));
        if let Some(node) = at.child(Kind::RELATION_NAME_REF) {
            let (name, source) = self.source(node, scope);
            if let Some(sample) = at.child(Kind::TABLESAMPLE_CLAUSE) {
                self.references(sample);
            }
            let source = match (list, source) {
                (None, source) => source,
                (list, Source::Relation(key)) => {
                    Source::Columns(self.columns_of(&key).renamed(list))
                }
                (list, Source::Columns(columns)) => Source::Columns(columns.renamed(list)),
                (_, Source::Open) => Source::Open,
            };
            return Item { alias: alias.or(name), source };
        }
        let query = at.children().find(|child| is_query(child.kind()));
        if let Some(query) = query {
            let columns = self.query(query, scope).renamed(list);
            return Item { alias, source: Source::Columns(columns) };
        }
        self.expression(at, scope);
        let listed = |list: At<'_>| list.every(Kind::COLUMN_NAME).map(name::name).collect();
        let defined: Option<Option<Vec<String>>> = typed.map(listed);
        let source = match defined {
            Some(Some(names)) if !at.says(Kind::ORDINALITY_KW) => {
                Source::Columns(Columns::Known(names))
            }
            _ => Source::Open,
        };
        let called = || {
            let call = at.child(Kind::CALL_EXPR)?;
            name::parts(call.children().next()?)?.pop()
        };
        Item { alias: alias.or_else(called), source }
    }

    /// What a name in FROM means: a table of WITH, or a relation.
    pub(super) fn source(&mut self, node: At<'_>, scope: &Scope<'_>) -> (Option<String>, Source) {
        let Some(path) = Path::of(node) else {
            self.note_name(None);
            return (None, Source::Open);
        };
        let name = Some(path.name.clone());
        if let (None, Some(columns)) = (&path.qualifier, scope.table(&path.name)) {
            return (name, Source::Columns(columns));
        }
        self.note_name(Some(&path.name));
        let found = self.refer(Sort::Table, &path, false);
        if let Some(key) = &found {
            self.note(|| On::Relation(key.clone()));
        }
        (name, found.map_or(Source::Open, Source::Relation))
    }
}

/// Whether a node is that of a query, also of one that changes rows.
pub(super) fn is_query(kind: Kind) -> bool {
    matches!(
        kind,
        any_of![
            SELECT, SELECT_INTO, COMPOUND_SELECT, PAREN_SELECT, VALUES, TABLE, INSERT, UPDATE,
            DELETE, MERGE
        ]
    )
}

fn is_from_item(kind: Kind) -> bool {
    matches!(
        kind,
        any_of![
            RELATION_FROM_ITEM, FUNCTION_FROM_ITEM, PAREN_FROM_ITEM, JSON_TABLE_FROM_ITEM,
            GRAPH_TABLE_FROM_ITEM, XML_TABLE_FROM_ITEM, EXPR_FROM_ITEM, ROWS_FROM_ITEM
        ]
    )
}
