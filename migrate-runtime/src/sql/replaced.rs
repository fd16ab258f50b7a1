//! Writes the entries of what a squash file replaces.

use migrate_set::checksum::ALGORITHM;
use migrate_set::name::Kind;
use migrate_set::set::Migration;
use migrate_set::squash::Replaced;

use super::entry::{COLUMNS, Extent, null};
use super::ledger::Ledger;
use super::literal::literal;
use super::operator::{ADD, EQ, require};

impl Ledger {
    /// Records what the squash file `migration` replaces before its own version, at the positions after `last`, or
    /// raises `division_by_zero` unless all are written; `None` if that is nothing.
    ///
    /// The file's own row follows in the same transaction, so that no row here is ever the last: they need no digests.
    pub(crate) fn record_replaced(
        &self,
        migration: &Migration,
        last: i64,
        extent: Extent<'_>,
    ) -> Option<String> {
        let replaced = migration.replaces_before();
        if replaced.is_empty() {
            return None;
        }
        let texts = |value: &dyn Fn(&Replaced) -> String| {
            let values = replaced.iter().map(value).collect::<Vec<_>>().join(", ");
            format!("pg_catalog.unnest(ARRAY[{values}]::pg_catalog.text[])")
        };
        let lists = [
            texts(&|one| literal(one.version().as_str())),
            texts(&|one| literal(one.name())),
            texts(&|one| literal(one.filename())),
            texts(&|one| literal(&one.checksum().to_string())),
            texts(&|one| one.manner().map_or_else(null, literal)),
        ];
        let checksum = if extent == Extent::Nothing { "NULL" } else { "v.checksum" };
        Some(format!(
            "WITH w AS (INSERT INTO {} ({COLUMNS}) SELECT {}, v.version, {}, v.name, v.filename, {checksum}, {}, {last} {ADD} v.n, \
             pg_catalog.clock_timestamp(), 0, session_user, NULL, NULL, v.ran, NULL FROM ROWS FROM ({}) \
             WITH ORDINALITY AS v (version, name, filename, checksum, ran, n) RETURNING 1) \
             SELECT {} AS are_kept FROM w",
            self.quoted,
            literal(&self.module),
            literal(Kind::Versioned.as_str()),
            literal(ALGORITHM),
            lists.join(", "),
            require(&format!("pg_catalog.count(*) {EQ} {}", replaced.len()))
        ))
    }
}
