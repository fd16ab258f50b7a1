//! The lints of `ALTER TABLE`, action by action.

use migrate_set::sql::words::{TableName, Words};

use super::{Lint, Script};

/// Functions of PostgreSQL and its common extensions that return a different value for each row.
const VOLATILE: &[&str] = &[
    "clock_timestamp", "gen_random_bytes", "gen_random_uuid", "gen_ulid", "nextval", "random",
    "random_normal", "timeofday", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4",
    "uuidv4", "uuidv7",
];

/// Types that imply a default of `nextval(...)` (manual, "Serial Types").
const SERIAL: &[&str] = &["SERIAL", "SERIAL2", "SERIAL4", "SERIAL8", "BIGSERIAL", "SMALLSERIAL"];

impl Script {
    /// `[ IF EXISTS ] [ ONLY ] name [ * ] action [, ... ]`
    pub(super) fn alter(&mut self, mut words: Words<'_>) {
        words.eat("IF EXISTS");
        words.eat("ONLY");
        let Some(table) = words.name() else { return };
        words.eat("*");
        let is_new = self.created.may_have(&table);
        for action in words.split_at_commas() {
            if is_new { self.rename_new(&table, action) } else { self.action(&table, action) }
        }
    }

    /// A new table is also new under its new name.
    fn rename_new(&mut self, table: &TableName, mut action: Words<'_>) {
        if action.eat("RENAME TO")
            && let Some(last) = action.identifier()
        {
            self.created.add(table.renamed(last));
        }
    }

    fn action(&mut self, table: &TableName, mut action: Words<'_>) {
        if action.eat("ADD") {
            self.add(table, action);
        } else if action.eat("ALTER") {
            action.eat("COLUMN");
            self.alter_column(table, action);
        } else if action.eat("DROP") {
            let other = action.next_are("CONSTRAINT");
            action.eat("COLUMN");
            action.eat("IF EXISTS");
            self.lose(table, action, if other { None } else { Some(Lint::ColumnDropped) });
        } else if action.eat("RENAME") {
            self.rename(table, action);
        } else if action.eat("VALIDATE CONSTRAINT") {
            self.validated.add(table.clone());
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
            action.skip_all();
            self.found(lint, action.span());
        }
    }

    fn has_added(&self, table: &TableName, column: &str) -> bool {
        self.added.get(column).is_some_and(|tables| tables.may_have(table))
    }

    fn alter_column(&mut self, table: &TableName, mut action: Words<'_>) {
        let Some(column) = action.identifier() else { return };
        let lint = if action.eat_any(&["TYPE", "SET DATA TYPE"]) {
            if self.has_added(table, &column) {
                return;
            }
            Lint::ColumnTypeChange
        } else if action.eat("SET NOT NULL") {
            // The server relies on a validated CHECK (column IS NOT NULL) and scans nothing.
            if self.validated.may_have(table) {
                return;
            }
            Lint::SetNotNull
        } else {
            return;
        };
        action.skip_all();
        self.found(lint, action.span());
    }

    fn add(&mut self, table: &TableName, mut action: Words<'_>) {
        let named = action.eat("CONSTRAINT");
        if named {
            action.identifier();
        }
        let lint = if action.next_are("CHECK") || action.next_are("FOREIGN KEY") {
            (!action.have("NOT VALID")).then_some(Lint::ConstraintNotValid)
        } else if action.next_are("UNIQUE") || action.next_are("PRIMARY KEY") {
            (!action.have("USING INDEX")).then_some(Lint::UniqueWithoutIndex)
        } else if action.next_are("NOT NULL") {
            (!action.have("NOT VALID")).then_some(Lint::SetNotNull)
        } else if named || action.next_are("EXCLUDE") {
            None
        } else {
            return self.add_column(table, action);
        };
        if let Some(lint) = lint {
            action.skip_all();
            self.found(lint, action.span());
        }
    }

    fn add_column(&mut self, table: &TableName, mut action: Words<'_>) {
        action.eat("COLUMN");
        action.eat("IF NOT EXISTS");
        let Some(column) = action.identifier() else { return };
        let lints = column_lints(&action);
        self.added.entry(column).or_default().add(table.clone());
        action.skip_all();
        for lint in lints {
            self.found(lint, action.span());
        }
    }
}

/// The lints for a new column, whose type and constraints are next in `column`.
fn column_lints(column: &Words<'_>) -> Vec<Lint> {
    let mut lints = Vec::new();
    // ON DELETE SET DEFAULT does not give a default.
    let default = column.find("DEFAULT").filter(|default| !default.follow("SET"));
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
    let calls_volatile = |default: &Words<'_>| {
        let mut calls = default.calls();
        calls.any(|name| VOLATILE.contains(&name.as_str()))
    };
    if (filled && !virtual_) || default.as_ref().is_some_and(calls_volatile) {
        lints.push(Lint::VolatileDefault);
    }
    // parse_utilcmd.c, `transformFKConstraints`: a column that is NULL in all rows is not checked.
    let checked = column.have("REFERENCES") || column.have("CHECK");
    if checked && (filled || default.as_ref().is_some_and(|default| !is_null(default))) {
        lints.push(Lint::ConstraintNotValid);
    }
    if column.have("UNIQUE") || column.have("PRIMARY KEY") {
        lints.push(Lint::UniqueWithoutIndex);
    }
    lints
}

fn is_null(default: &Words<'_>) -> bool {
    default.next_are("DEFAULT NULL")
}
