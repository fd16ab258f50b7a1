//! What the lints ask about the schema before a statement.

use migrate_set::sql::words::{TableName, Words};

/// The schema before a statement, as far as it is known: nothing is, without a catalog.
pub(crate) trait Knowledge {
    /// Whether the migration of the statement made the table.
    fn is_new(&self, _: &TableName) -> Option<bool> {
        None
    }

    /// Whether the table is partitioned, so that its rows are in other tables.
    fn is_partitioned(&self, _: &TableName) -> bool {
        false
    }

    /// Whether a table has a valid CHECK of the columns by which the other one is partitioned.
    fn has_check(&self, _: &TableName, _: &TableName) -> Option<bool> {
        None
    }

    /// The default partition of a table, if it is not new and has no such CHECK.
    fn unchecked_default(&self, _: &TableName) -> Option<String> {
        None
    }

    /// Whether the type is a domain with a constraint.
    fn is_constrained(&self, _: &TableName) -> bool {
        false
    }

    /// Whether all functions of a name are of the set, and the server calls each of them row by row.
    fn is_volatile(&self, _: &str) -> bool {
        false
    }

    /// The type of a column.
    fn type_of(&self, _: &TableName, _: &str) -> Option<String> {
        None
    }

    /// The constraint that a column is not null.
    fn not_null_check(&self, _: &TableName, _: &str) -> NotNullCheck {
        NotNullCheck::Unknown
    }

    /// The indexes that are built again and the constraints that are checked again if a column gets a type that
    /// leaves its rows as they are, each with where it was made, without these constraints.
    fn done_again(&self, _: &TableName, _: &str, _: &[String]) -> Vec<String> {
        Vec::new()
    }

    /// The views that read a table or a column of it, each with where it was made.
    fn readers(&self, _: &TableName, _: Option<&str>) -> Vec<String> {
        Vec::new()
    }
}

/// A constraint `CHECK (column IS NOT NULL)`.
#[cfg_attr(not(feature = "syntax"), allow(dead_code, reason = "only a catalog knows them"))]
pub(crate) enum NotNullCheck {
    Unknown,
    None,
    /// The constraint of this name is not valid yet.
    NotValid(String),
    /// All constraints of these names are valid.
    Valid(Vec<String>),
}

/// What a statement does to something that is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Use {
    Dropped,
    Cascaded,
    Retyped,
}

impl Use {
    /// What the words of a `DROP` do.
    pub(crate) fn of_drop(words: &Words<'_>) -> Use {
        if words.have("CASCADE") { Use::Cascaded } else { Use::Dropped }
    }
}

/// Without a catalog, nothing is known.
pub(crate) struct Nothing;

impl Knowledge for Nothing {}
