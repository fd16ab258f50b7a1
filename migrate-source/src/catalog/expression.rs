//! Expressions: what their names can mean.

use super::Catalog;
use super::depend::On;
use super::function::{is_signature, signature_name};
use super::name::{self, Path};
use super::object::{Look, Sort};
use super::query::{Columns, Item, Scope, Source, is_query};
use super::relation::Key;
use crate::syntax::tree::{At, Kind, Token};

/// Values without parentheses, which the parser reads as names; sorted.
const VALUES: &[&str] = &[
    "current_catalog", "current_date", "current_role", "current_schema", "current_time",
    "current_timestamp", "current_user", "default", "localtime", "localtimestamp", "session_user",
    "system_user", "user",
];

/// Functions whose first argument is the name of a sequence.
const OF_SEQUENCES: &[&str] = &["nextval", "currval", "setval"];

impl Catalog {
    /// Checks what an expression names, or any other part of a statement.
    pub(super) fn expression(&mut self, at: At<'_>, scope: &Scope<'_>) {
        let mut walk = at.all();
        while let Some(node) = walk.next() {
            match node.kind() {
                Kind::NAME_REF => self.use_name(node, scope),
                Kind::FIELD_EXPR => {
                    self.field(node, scope);
                    walk.leave(node);
                }
                Kind::CALL_EXPR => {
                    if let Some(callee) = callee(node) {
                        self.call(node, callee, scope);
                        // What comes before it is the call itself.
                        walk.leave(callee);
                        if callee.says(Kind::NORMALIZE_KW) {
                            if let Some(text) = node.find(Kind::ARG) {
                                self.expression(text, scope);
                            }
                            // A form such as NFC, which the parser reads as a name.
                            walk.leave(node);
                        }
                    }
                }
                Kind::CAST_EXPR => self.cast(node),
                Kind::ATTRIBUTE_LIST
                | Kind::OPTION_ITEM_LIST
                | Kind::COPY_OPTION_LIST
                | Kind::EXPLAIN_OPTION_LIST
                | Kind::VACUUM_OPTION_LIST
                | Kind::PERCENT_TYPE => walk.leave(node),
                kind if is_query(kind) => {
                    self.query(node, scope);
                    walk.leave(node);
                }
                _ => self.reference(node),
            }
        }
    }

    /// Checks what a part of a statement names, without columns.
    pub(super) fn references(&mut self, at: At<'_>) {
        self.expression(at, &Scope::open());
    }

    /// A node that refers to an object by its name.
    fn reference(&mut self, node: At<'_>) {
        let sort = match node.kind() {
            Kind::TABLE_NAME_REF | Kind::RELATION_NAME_REF => Sort::Table,
            Kind::VIEW_REF => Sort::View,
            Kind::INDEX_REF => Sort::Index,
            Kind::SEQUENCE_REF => Sort::Sequence,
            Kind::PATH_TYPE | Kind::TYPE_NAME_REF | Kind::DOMAIN_REF => {
                let path = node.find(Kind::PATH_REF).and_then(Path::of);
                if let Some(path) = path {
                    self.refer_type(&path, false);
                }
                return;
            }
            Kind::SCHEMA_REF => {
                if let Some(path) = Path::of(node) {
                    self.refer_schema(&path, false);
                }
                return;
            }
            Kind::QUALIFIED_COLUMN_NAME_REF => {
                if let Some((table, column)) = Path::of_column(node)
                    && let Some(key) = self.refer(Sort::Table, &table, false)
                {
                    self.refer_column(&key, &column, node.span());
                }
                return;
            }
            kind if is_signature(kind) => {
                if let Some(path) = signature_name(node) {
                    self.refer_function(&path, false);
                }
                return;
            }
            _ => return,
        };
        if let Some(path) = Path::of(node) {
            self.refer(sort, &path, false);
        }
    }

    /// Checks an expression in which a table is in scope.
    pub(super) fn expression_on(&mut self, key: &Key, at: At<'_>) {
        let item = Item { alias: Some(key.name.clone()), source: Source::Relation(key.clone()) };
        self.expression(at, &Scope { items: vec![item], ..Scope::default() });
    }

    /// A name without a dot.
    pub(super) fn use_name(&mut self, node: At<'_>, scope: &Scope<'_>) {
        let Some(name) = name::name(node) else { return };
        if VALUES.binary_search(&name.as_str()).is_ok() || is_test(node) {
            return;
        }
        if !self.look_name(&name, scope).is_missing() {
            return self.note_column(&name, scope);
        }
        let path = Path { qualifier: None, name, span: node.span() };
        let relation = match scope.items.as_slice() {
            [Item { source: Source::Relation(key), .. }] => Some(key.clone()),
            _ => None,
        };
        let near = self.near_in(Sort::Column, &path.name, scope);
        self.missing_but(Sort::Column, &path, relation.as_ref(), near);
    }

    /// Notes the column that a name certainly means.
    fn note_column(&mut self, name: &str, scope: &Scope<'_>) {
        if self.reads.is_none() {
            return;
        }
        for scope in scope.chain() {
            if scope.open || scope.names.iter().any(|known| known == name) {
                return;
            }
            for item in &scope.items {
                match (&item.source, self.look_in_item(item, name)) {
                    (_, Look::Missing) => {}
                    (Source::Relation(key), Look::Found(())) => {
                        return self.note(|| On::Column(key.clone(), name.to_owned()));
                    }
                    _ => return,
                }
            }
        }
    }

    fn look_name(&self, name: &str, scope: &Scope<'_>) -> Look<()> {
        for scope in scope.chain() {
            let mut known = !scope.open;
            let is_alias = |item: &Item| item.alias.as_deref() == Some(name);
            let listed = scope.names.iter().chain(&scope.records).any(|known| known == name);
            if listed || scope.items.iter().any(is_alias) {
                return Look::Found(());
            }
            for item in &scope.items {
                match self.look_in_item(item, name) {
                    Look::Missing => {}
                    Look::Unknown => known = false,
                    found => return found,
                }
            }
            if !known {
                return Look::Unknown;
            }
        }
        Look::Missing
    }

    fn look_in_item(&self, item: &Item, column: &str) -> Look<()> {
        match &item.source {
            Source::Relation(key) => self.look_column(key, column),
            Source::Columns(Columns::Known(columns)) => {
                if columns.iter().any(|known| known == column) {
                    Look::Found(())
                } else {
                    Look::Missing
                }
            }
            Source::Columns(Columns::Open) | Source::Open => Look::Unknown,
        }
    }

    /// A name with a dot; what is before it can be an expression.
    fn field(&mut self, node: At<'_>, scope: &Scope<'_>) {
        let plain = node.all().all(|one| matches!(one.kind(), Kind::FIELD_EXPR | Kind::NAME_REF));
        let star = node.says(Kind::STAR);
        if !plain {
            let mut base = node;
            while let (Kind::FIELD_EXPR, Some(first)) = (base.kind(), base.children().next()) {
                base = first;
            }
            return self.expression(base, scope);
        }
        let named = if star { node.children().next() } else { Some(node) };
        let Some(mut parts) = named.and_then(name::parts) else { return };
        let column = if star { None } else { parts.pop() };
        let Some(alias) = parts.pop() else { return };
        let of_alias = |item: &&Item| item.alias.as_deref() == Some(alias.as_str());
        let found = scope.chain().find_map(|scope| scope.items.iter().find(of_alias).cloned());
        let Some(item) = found else {
            let base = node.children().next().unwrap_or(node);
            return self.unknown_alias(base, alias, &parts, scope);
        };
        let Some(column) = column else { return };
        let known = self.look_in_item(&item, &column);
        if let (Look::Found(()), Source::Relation(key)) = (known, &item.source) {
            return self.note(|| On::Column(key.clone(), column));
        }
        if !known.is_missing() || self.is_routine(&column) {
            return;
        }
        let last = node.children().last().unwrap_or(node);
        let path = Path { qualifier: None, name: column, span: last.span() };
        if let Source::Relation(key) = &item.source {
            return self.missing(Sort::Column, &path, Some(key));
        }
        let scope = Scope { items: vec![item], ..Scope::default() };
        let near = self.near_in(Sort::Column, &path.name, &scope);
        self.missing_but(Sort::Column, &path, None, near);
    }

    /// A name before a dot that no table of the query has.
    fn unknown_alias(&mut self, node: At<'_>, alias: String, before: &[String], scope: &Scope<'_>) {
        let open = scope
            .chain()
            .any(|scope| scope.open || scope.is_body || scope.records.contains(&alias));
        let unnamed =
            scope.chain().any(|scope| scope.items.iter().any(|item| item.alias.is_none()));
        let has_tables = scope.chain().any(|scope| !scope.items.is_empty());
        if !open && !unnamed && has_tables && before.is_empty() {
            self.missing(
                Sort::Alias,
                &Path { qualifier: None, name: alias, span: node.span() },
                None,
            );
        }
    }

    /// Whether the set has a function of this name: it can be written as a column.
    fn is_routine(&self, name: &str) -> bool {
        let path = Path { qualifier: None, name: name.to_owned(), span: 0..0 };
        !super::builtin::is_function(name) && !self.look_function(&path).is_missing()
    }

    /// A call of a function.
    fn call(&mut self, node: At<'_>, callee: At<'_>, scope: &Scope<'_>) {
        let Some(path) = Path::of(callee) else { return };
        let list = node.child(Kind::ARG_LIST);
        let first =
            list.and_then(|list| list.child(Kind::ARG)).and_then(|arg| arg.children().next());
        if path.name == "set_config" && path.qualifier.is_none() {
            self.set_config(node);
        }
        if let (true, Some(first)) = (OF_SEQUENCES.contains(&path.name.as_str()), first) {
            // A cast to text is looked up when it runs.
            let to = first.child(Kind::PATH_TYPE).map(At::text);
            let literal = match (first.kind(), to) {
                (Kind::LITERAL, _) => Some(first),
                (Kind::CAST_EXPR, Some(to)) if to.eq_ignore_ascii_case("regclass") => {
                    first.child(Kind::LITERAL)
                }
                _ => None,
            };
            if let Some(sequence) = literal.and_then(Path::of_string) {
                self.note_name(Some(&sequence.name));
                if let Some(key) = self.refer(Sort::Sequence, &sequence, false) {
                    self.note(|| On::Relation(key));
                }
            }
        }
        let count = list.map_or(0, |list| list.children().count());
        // A cast, or a column of a row, can be written as a call.
        let is_other = self.ranges.contains(&path.name)
            || count == 1
                && (!self.look_type(&path).is_missing()
                    || first.is_some_and(|first| first.kind() == Kind::NAME_REF && scope.open));
        if !is_other {
            self.refer_function(&path, false);
        }
        if self.runs {
            self.called(&path);
        }
    }

    /// `'t'::regclass`.
    fn cast(&mut self, node: At<'_>) {
        let to = node.child(Kind::PATH_TYPE).map(|to| to.text().to_ascii_lowercase());
        let literal = node.child(Kind::LITERAL).and_then(Path::of_string);
        if let (Some("regclass"), Some(path)) = (to.as_deref(), literal) {
            self.refer(Sort::Table, &path, false);
        }
    }

    /// The columns that a list of targets returns.
    pub(super) fn targets(&mut self, list: At<'_>, scope: &Scope<'_>) -> Columns {
        let mut columns = Vec::new();
        for target in list.each(Kind::TARGET) {
            let expression = target.children().next();
            let of_one =
                expression.filter(|one| one.kind() == Kind::FIELD_EXPR && one.says(Kind::STAR));
            let items: Vec<&Item> = match (target.says(Kind::STAR), of_one) {
                (true, _) if scope.merged => return Columns::Open,
                (true, _) => scope.items.iter().collect(),
                (false, Some(one)) => {
                    let alias = one.children().next().and_then(name::name);
                    let found = scope.items.iter().find(|item| item.alias == alias);
                    match found.filter(|_| alias.is_some()) {
                        Some(item) => vec![item],
                        None => return Columns::Open,
                    }
                }
                (false, None) => match output(target) {
                    Some(name) => {
                        columns.push(name);
                        continue;
                    }
                    None => return Columns::Open,
                },
            };
            for item in items {
                let Columns::Known(names) = self.columns_from(item) else { return Columns::Open };
                columns.extend(names);
            }
        }
        Columns::Known(columns)
    }

    /// All columns of an item of FROM, which a `*` reads.
    fn columns_from(&mut self, item: &Item) -> Columns {
        let key = match &item.source {
            Source::Relation(key) => key,
            Source::Columns(columns) => return columns.clone(),
            Source::Open => return Columns::Open,
        };
        let columns = self.columns_of(key);
        if let (Columns::Known(names), Some(reads)) = (&columns, &mut self.reads) {
            let of = |name: &String| On::Column(key.clone(), name.clone());
            reads.certain.extend(names.iter().map(of));
        }
        columns
    }
}

/// Whether a name is the last word of `IS [NOT] UNKNOWN` or `IS [NOT] DOCUMENT`, which the parser reads as a name.
fn is_test(name: At<'_>) -> bool {
    let is_word = name.says(Kind::UNKNOWN_KW) || name.says(Kind::DOCUMENT_KW);
    let kinds = || name.before().iter().rev().map(|token| token.kind);
    is_word && kinds().find(|kind| *kind != Kind::NOT_KW) == Some(Kind::IS_KW)
}

/// The name of the function in a call.
fn callee(call: At<'_>) -> Option<At<'_>> {
    let first = call.children().next()?;
    let named = matches!(first.kind(), Kind::NAME_REF | Kind::FIELD_EXPR);
    (named && call.has(Kind::ARG_LIST)).then_some(first)
}

/// The name of a column that a target makes (`FigureColname`), if it is certain.
pub(super) fn output(target: At<'_>) -> Option<String> {
    if let Some(given) = target.child(Kind::AS_NAME) {
        return given.child(Kind::COLUMN_NAME).and_then(name::name);
    }
    let mut at = target.children().next()?;
    loop {
        return match at.kind() {
            Kind::NAME_REF => {
                name::name(at).filter(|name| VALUES.binary_search(&name.as_str()).is_err())
            }
            Kind::FIELD_EXPR if !at.says(Kind::STAR) => at
                .children()
                .last()
                .filter(|last| last.kind() == Kind::NAME_REF)
                .and_then(name::name),
            Kind::CALL_EXPR => callee(at).and_then(name::parts).and_then(|mut parts| parts.pop()),
            Kind::LITERAL => {
                let first = at.tokens().first().map(|token: &Token| token.kind);
                matches!(first, Some(Kind::STRING | Kind::INT_NUMBER))
                    .then(|| "?column?".to_owned())
            }
            Kind::BIN_EXPR => Some("?column?".to_owned()),
            Kind::PAREN_EXPR => {
                at = at.children().next().filter(|inner| !is_query(inner.kind()))?;
                continue;
            }
            _ => None,
        };
    }
}
