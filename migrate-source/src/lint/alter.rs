//! The lints of `ALTER TABLE`, action by action.

#[cfg(feature = "syntax")]
use migrate_set::sql::lexer::lex;
use migrate_set::sql::words::{TableName, Words};

use super::known::{NotNullCheck, Use};
use super::retype::{Retype, retype};
use super::{ACCESS_EXCLUSIVE, Lint, Reading};

/// Functions of PostgreSQL and its common extensions that return a different value for each row.
const VOLATILE: &[&str] = &[
    "clock_timestamp", "currval", "gen_random_bytes", "gen_random_uuid", "gen_ulid", "lastval",
    "nextval", "random", "random_normal", "timeofday", "uuid_generate_v1", "uuid_generate_v1mc",
    "uuid_generate_v4", "uuidv4", "uuidv7",
];

/// Types that imply a default of `nextval(...)` (manual, "Serial Types").
const SERIAL: &[&str] = &["SERIAL", "SERIAL2", "SERIAL4", "SERIAL8", "BIGSERIAL", "SMALLSERIAL"];

/// Instead of a new column of a domain with a constraint.
const TYPE_OF_DOMAIN: &str = "add it with the type below the domain, then ADD CONSTRAINT .. CHECK .. NOT VALID and, in \
     a later migration, VALIDATE CONSTRAINT";

impl Reading<'_> {
    /// `[ IF EXISTS ] [ ONLY ] name [ * ] action [, ... ]`
    pub(super) fn alter(&mut self, mut words: Words<'_>) {
        words.eat("IF EXISTS");
        if words.next_are("ALL IN TABLESPACE") {
            words.skip_all();
            return self.found(Lint::TableRewritten, words.span());
        }
        let alone = words.eat("ONLY");
        let Some(table) = words.name() else { return };
        words.eat("*");
        let is_new = self.is_new(&table);
        let has_no_rows = alone && self.known.is_partitioned(&table);
        let actions = words.split_at_commas();
        let dropped: Vec<String> = actions.iter().filter_map(dropped).collect();
        for mut action in actions {
            if action.eat("ATTACH PARTITION") {
                self.attach(&table, action);
            } else if is_new {
                self.rename_new(&table, action);
            } else if !(has_no_rows && action.next_are("ADD")) {
                self.action(&table, action, &dropped);
            }
        }
    }

    /// A new table is also new under its new name.
    fn rename_new(&mut self, table: &TableName, mut action: Words<'_>) {
        if action.eat("RENAME TO")
            && let Some(last) = action.identifier()
        {
            self.script.created.add(table.renamed(last));
        }
    }

    /// One action, of an `ALTER TABLE` that drops these constraints.
    fn action(&mut self, table: &TableName, mut action: Words<'_>, dropped: &[String]) {
        if action.eat("ADD") {
            self.add(table, action);
        } else if action.eat("ALTER") {
            action.eat("COLUMN");
            self.alter_column(table, action, dropped);
        } else if action.eat("DROP") {
            let other = action.next_are("CONSTRAINT");
            action.eat("COLUMN");
            action.eat("IF EXISTS");
            self.lose(table, action, if other { None } else { Some(Lint::ColumnDropped) });
        } else if action.eat("RENAME") {
            self.rename(table, action);
        } else if action.eat("VALIDATE CONSTRAINT") {
            self.script.validated.add(table.clone());
        } else if action.eat("SET") {
            self.set_storage(table, action);
        }
    }

    fn rename(&mut self, table: &TableName, mut action: Words<'_>) {
        if action.next_are("CONSTRAINT") {
        } else if action.eat("TO") {
            action.skip_all();
            self.found(Lint::TableRenamed, action.span());
        } else {
            action.eat("COLUMN");
            self.lose(table, action, Some(Lint::ColumnRenamed));
        }
    }

    /// A column, next in `action`, that the running version can no longer find.
    fn lose(&mut self, table: &TableName, mut action: Words<'_>, lint: Option<Lint>) {
        let (Some(lint), Some(column)) = (lint, action.identifier()) else { return };
        if !self.has_added(table, &column) {
            let use_ = Use::of_drop(&action);
            action.skip_all();
            self.found(lint, action.span());
            if lint == Lint::ColumnDropped {
                self.still_read(table, Some(&column), &action, use_);
            }
        }
    }

    fn has_added(&self, table: &TableName, column: &str) -> bool {
        self.script.added.get(column).is_some_and(|tables| tables.may_have(table))
    }

    fn alter_column(&mut self, table: &TableName, mut action: Words<'_>, dropped: &[String]) {
        let Some(column) = action.identifier() else { return };
        if action.eat_any(&["TYPE", "SET DATA TYPE"]) {
            if !self.has_added(table, &column) {
                self.change_type(table, &column, action, dropped);
            }
        } else if action.eat("SET NOT NULL") {
            self.set_not_null(table, &column, action, dropped);
        }
    }

    /// `TYPE type [ COLLATE collation ] [ USING expression ]`
    fn change_type(
        &mut self,
        table: &TableName,
        column: &str,
        mut action: Words<'_>,
        dropped: &[String],
    ) {
        let start = action.span().end;
        let using = action.find("USING").map(|using| using.span().end);
        let collate = action.find("COLLATE").map(|collate| collate.span().end);
        action.skip_all();
        let end = action.span().end;
        let part = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default();
        let new = part(start, collate.or(using).unwrap_or(end)).to_owned();
        let converts = using.is_some_and(|using| !is_cast(part(using, end), column, &new));
        let lint = Lint::ColumnTypeChange;
        let old = self.known.type_of(table, column);
        match old.as_deref().map(|old| (old, retype(old, &new))) {
            Some((_, Retype::Keeps)) if !converts && collate.is_none() => {
                self.done_again(table, column, &action, dropped);
            }
            Some((old, Retype::Rewrites)) => {
                let message = format!(
                    "the change from {old} to {} rewrites the table while reads and writes are blocked, and \
                     can break the running version",
                    new.trim()
                );
                self.locked(lint, &message, ACCESS_EXCLUSIVE, action.span());
            }
            _ => self.found(lint, action.span()),
        }
        self.still_read(table, Some(column), &action, Use::Retyped);
    }

    /// The rows stay, but what computes something from the column is made anew from all of them
    /// (`CheckIndexCompatible`, `ATPostAlterTypeParse`).
    fn done_again(
        &mut self,
        table: &TableName,
        column: &str,
        action: &Words<'_>,
        dropped: &[String],
    ) {
        let again = self.known.done_again(table, column, dropped);
        if !again.is_empty() {
            let message = format!(
                "this type keeps the rows as they are, but {} while reads and writes are blocked",
                again.join(" and ")
            );
            self.locked(Lint::ColumnTypeChange, &message, ACCESS_EXCLUSIVE, action.span());
        }
    }

    fn set_not_null(
        &mut self,
        table: &TableName,
        column: &str,
        mut action: Words<'_>,
        dropped: &[String],
    ) {
        action.skip_all();
        let lint = Lint::SetNotNull;
        match self.known.not_null_check(table, column) {
            // The server relies on a validated CHECK (column IS NOT NULL) and scans nothing.
            NotNullCheck::Valid(names) if names.iter().any(|name| !dropped.contains(name)) => {}
            NotNullCheck::Valid(names) => {
                let message = format!(
                    "all rows are scanned while reads and writes are blocked, because the same ALTER TABLE first \
                     drops constraint `{}`",
                    names.join("`, `")
                );
                self.locked(lint, &message, ACCESS_EXCLUSIVE, action.span());
            }
            NotNullCheck::NotValid(name) => {
                let message = format!(
                    "constraint `{name}` is not valid yet, so that all rows are scanned while reads and \
                     writes are blocked"
                );
                self.locked(lint, &message, ACCESS_EXCLUSIVE, action.span());
            }
            NotNullCheck::Unknown if self.script.validated.may_have(table) => {}
            NotNullCheck::Unknown | NotNullCheck::None => self.found(lint, action.span()),
        }
    }

    /// Reports what reads a table or column that is dropped or gets another type.
    pub(super) fn still_read(
        &mut self,
        table: &TableName,
        column: Option<&str>,
        place: &Words<'_>,
        use_: Use,
    ) {
        let what = if column.is_some() { "column" } else { "table" };
        for reader in self.known.readers(table, column) {
            let message = match use_ {
                Use::Dropped => {
                    format!("{reader} reads this {what}, so that the server refuses to drop it")
                }
                Use::Cascaded => format!("{reader} reads this {what}, and CASCADE drops it too"),
                Use::Retyped => {
                    format!("{reader} reads this {what}, so that the server refuses another type")
                }
            };
            self.script.found(Lint::StillRead, place.span(), message);
        }
    }

    fn add(&mut self, table: &TableName, mut action: Words<'_>) {
        let named = action.eat("CONSTRAINT");
        if named {
            action.identifier();
        }
        let (refers, excludes) = (action.next_are("FOREIGN KEY"), action.next_are("EXCLUDE"));
        let lint = if action.next_are("CHECK") || refers {
            (!action.have("NOT VALID")).then_some(Lint::ConstraintNotValid)
        } else if action.next_are("UNIQUE") || action.next_are("PRIMARY KEY") {
            (!action.have("USING INDEX")).then_some(Lint::UniqueWithoutIndex)
        } else if action.next_are("NOT NULL") {
            (!action.have("NOT VALID")).then_some(Lint::SetNotNull)
        } else if excludes {
            Some(Lint::UniqueWithoutIndex)
        } else if named {
            None
        } else {
            return self.add_column(table, action);
        };
        if let Some(lint) = lint {
            action.skip_all();
            // Both tables.
            let lock = if refers { "a SHARE ROW EXCLUSIVE" } else { ACCESS_EXCLUSIVE };
            self.locked(lint, lint.message(), lock, action.span());
            if excludes {
                // No index that is there can become one.
                self.help(Lint::TableRewritten.help());
            } else {
                self.help_constraint(table, lint, refers);
            }
        }
    }

    fn add_column(&mut self, table: &TableName, mut action: Words<'_>) {
        action.eat("COLUMN");
        action.eat("IF NOT EXISTS");
        let Some(column) = action.identifier() else { return };
        let lints = column_lints(&action);
        self.script.added.entry(column).or_default().add(table.clone());
        let refers = action.have("REFERENCES");
        let is_filled = lints.contains(&Lint::VolatileDefault);
        let volatile = if is_filled { None } else { self.volatile_default(&action) };
        let is_rewritten = !is_filled && volatile.is_none() && self.is_constrained(&action);
        action.skip_all();
        for lint in lints {
            self.found(lint, action.span());
            self.help_constraint(table, lint, refers);
        }
        if let Some(function) = volatile {
            let message = format!(
                "function `{function}` is VOLATILE, so the table is rewritten while reads and writes are blocked"
            );
            self.locked(Lint::VolatileDefault, &message, ACCESS_EXCLUSIVE, action.span());
        }
        if is_rewritten {
            let message = "the table is rewritten while reads and writes are blocked, because the type of this column is \
                           a domain with a constraint";
            self.locked(Lint::TableRewritten, message, ACCESS_EXCLUSIVE, action.span());
            self.help(TYPE_OF_DOMAIN);
        }
    }

    /// The function of the set in the default of a new column for which the server calls it row by row.
    fn volatile_default(&self, column: &Words<'_>) -> Option<String> {
        default_of(column)?.calls().find(|name| self.known.is_volatile(name))
    }

    /// Whether a domain with a constraint is next. The server writes even a NULL of it into each row
    /// (`ATExecAddColumn`).
    fn is_constrained(&self, column: &Words<'_>) -> bool {
        let mut rest = column.clone();
        let name = rest.name();
        let is_array = rest.next_are("[") || rest.next_are("ARRAY");
        !is_array && name.is_some_and(|name| self.known.is_constrained(&name))
    }
}

/// The constraint that an action drops. The server does that before it sets anything, in whichever order the actions
/// are written (`AlterTablePass`).
fn dropped(action: &Words<'_>) -> Option<String> {
    let mut action = action.clone();
    if !action.eat("DROP CONSTRAINT") {
        return None;
    }
    action.eat("IF EXISTS");
    action.identifier()
}

/// The default of a new column, and what follows it.
fn default_of<'t>(column: &Words<'t>) -> Option<Words<'t>> {
    // ON DELETE SET DEFAULT does not give a default.
    column.find("DEFAULT").filter(|default| !default.follow("SET"))
}

/// Whether SQL calls a function that returns a different value for each row.
#[cfg(feature = "syntax")]
pub(crate) fn is_volatile(sql: &str) -> bool {
    let tokens: Vec<_> = lex(sql).into_iter().filter(|token| !token.is_trivia()).collect();
    calls_volatile(&Words::of_tokens(sql, &tokens))
}

fn calls_volatile(words: &Words<'_>) -> bool {
    let mut calls = words.calls();
    calls.any(|name| VOLATILE.contains(&name.as_str()))
}

/// The lints for a new column, whose type and constraints are next in `column`.
fn column_lints(column: &Words<'_>) -> Vec<Lint> {
    let mut lints = Vec::new();
    let default = default_of(column);
    let serial = SERIAL.iter().any(|serial| column.next_are(serial));
    let generated = column.find("GENERATED");
    let virtual_ = generated
        .as_ref()
        .is_some_and(|generated| !generated.have("IDENTITY") && !generated.have("STORED"));
    let filled = serial || generated.is_some();
    let required = column.have("NOT NULL") || column.have("PRIMARY KEY");
    if required && !filled && default.as_ref().is_none_or(is_null) {
        lints.push(Lint::NotNullWithoutDefault);
    }
    if (filled && !virtual_) || default.as_ref().is_some_and(calls_volatile) {
        lints.push(Lint::VolatileDefault);
    }
    // parse_utilcmd.c, `transformFKConstraints`: a column that is NULL in all rows is not checked. A CHECK is.
    let has_values = filled || default.as_ref().is_some_and(|default| !is_null(default));
    if column.have("CHECK") || has_values && column.have("REFERENCES") {
        lints.push(Lint::ConstraintNotValid);
    }
    if column.have("UNIQUE") || column.have("PRIMARY KEY") {
        lints.push(Lint::UniqueWithoutIndex);
    }
    lints
}

/// Whether the expression of USING only casts the column to its new type.
fn is_cast(using: &str, column: &str, new: &str) -> bool {
    let words = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_whitespace() && *c != '"').collect();
        text.to_ascii_lowercase()
    };
    let (using, new) = (words(using), words(new));
    let cast = using.strip_prefix("using").unwrap_or(&using);
    cast == format!("{column}::{new}") || cast == column || cast == format!("cast({column}as{new})")
}

fn is_null(default: &Words<'_>) -> bool {
    default.next_are("DEFAULT NULL")
}
