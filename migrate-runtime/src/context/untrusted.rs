//! Why a table is not one to read or write: asked after the check in its message refused it.

use migrate_set::remedy::{Remedy, Term};
use migrate_set::text::escaped;
use tokio_postgres::SimpleQueryRow;

use super::Context;
use super::check::{TOO_LONG, bad_name};
use crate::boxed::{Boxed, boxed};
use crate::outcome::{Error, ErrorKind};
use crate::sql::{ENCODING_NAME, Ledger, column, is_too_long, text, what_is_wrong};
use crate::wire::{self, is_unanswered};

impl Context<'_> {
    /// The error of a check that refused this table, or a name; `None` where nothing is wrong by now.
    pub(crate) fn untrusted<'f>(
        &'f self,
        names: &'f [(&'static [Term], &'f str)],
        table: (&'f str, &'f str),
    ) -> Boxed<'f, Option<Error>> {
        boxed(async move {
            match self.found_untrusted(names, table).await {
                Ok(found) => found,
                Err(source) if is_unanswered(&source) => {
                    let doing = format!("looking at the table `{}.{}`", table.0, table.1);
                    let (detail, held_by, help) = (None, Vec::new(), None);
                    Some(ErrorKind::Database { doing, detail, held_by, help, source }.into())
                }
                Err(_) => None,
            }
        })
    }

    async fn found_untrusted(
        &self,
        names: &[(&'static [Term], &str)],
        (schema, table): (&str, &str),
    ) -> Result<Option<Error>, tokio_postgres::Error> {
        let Some(encoding) = self.row(ENCODING_NAME).await? else { return Ok(None) };
        let encoding = text(&encoding, 0).unwrap_or_default();
        if encoding != "UTF8" {
            return Ok(Some(ErrorKind::Encoding { encoding: encoding.to_owned() }.into()));
        }
        for (option, name) in names.iter().filter(|(_, name)| !name.is_ascii()) {
            let sql = format!("SELECT {}", is_too_long(name));
            if self.row(&sql).await?.is_some_and(|row| text(&row, 0) == Some("t")) {
                return Ok(Some(bad_name(option, TOO_LONG)));
            }
        }
        let Some(row) = self.row(&what_is_wrong(schema, table)).await? else { return Ok(None) };
        let owner = column(&row, "owner").unwrap_or_default();
        let quoted = Ledger::new(schema, table, "").quoted().to_owned();
        let found = problem(&row, &owner, &escaped(&quoted));
        let table = format!("{schema}.{table}");
        Ok(found.map(|(problem, help)| ErrorKind::Untrusted { table, owner, problem, help }.into()))
    }

    /// The error of a ledger that was not one to read.
    pub(super) async fn refused_ledger(&self) -> Error {
        let Ledger { schema, table, .. } = &self.ledger;
        let names: Vec<_> = self.migrator.names().collect();
        let found = self.untrusted(&names, (schema, table)).await;
        found.unwrap_or_else(|| {
            let (table, owner) = (self.ledger.shown(), String::new());
            let problem = "was replaced while it was read".to_owned();
            ErrorKind::Untrusted { table, owner, problem, help: "run again".into() }.into()
        })
    }

    async fn row(&self, sql: &str) -> Result<Option<SimpleQueryRow>, tokio_postgres::Error> {
        wire::query(self.wire.client, sql).await
    }
}

/// What is wrong with the table that SQL writes as `quoted`, and what to do.
fn problem(row: &SimpleQueryRow, owner: &str, quoted: &str) -> Option<(String, Remedy)> {
    let name = |column: &str| text(row, column).map(escaped);
    let (owner, role) = (escaped(owner), name("role").unwrap_or_default());
    let is = |column: &str| text(row, column) == Some("t");
    if let Some(kind) = other_kind(row) {
        let names = &[Term::Table, Term::Schema];
        let help = Remedy::new("drop it, or choose another name with {} or {}", names);
        return Some((format!("is {kind} owned by role `{owner}`"), help));
    }
    if !is("is_trusted") {
        return Some(of_another_role(&owner, &role));
    }
    for (column, what) in [("triggers", "trigger"), ("rules", "rule")] {
        if let Some(names) = name(column) {
            let has =
                format!("of role `{owner}` has the {what} {names}, which would run as `{role}`");
            return Some((has, format!("drop the {what}").into()));
        }
    }
    let help = if owner == role {
        format!("ALTER TABLE {quoted} NO FORCE ROW LEVEL SECURITY")
    } else {
        format!("ALTER TABLE {quoted} DISABLE ROW LEVEL SECURITY, or connect as its owner")
    };
    let hides = || format!("of role `{owner}` has row security, which hides rows from `{role}`");
    is("row_security").then(|| (hides(), help.into()))
}

/// A table whose `owner` is not trusted.
fn of_another_role(owner: &str, role: &str) -> (String, Remedy) {
    let help = format!(
        "if `{owner}` can be trusted, make `{role}` its owner (ALTER TABLE .. OWNER TO), or connect as `{owner}`; \
         otherwise drop it, and let only the migrator create in the schema"
    );
    (format!("is owned by role `{owner}`, whose code in it would run as `{role}`"), help.into())
}

/// What the relation is, if it is not a table.
fn other_kind(row: &SimpleQueryRow) -> Option<&'static str> {
    match text(row, "kind") {
        Some("r") => None,
        Some("v") => Some("a view,"),
        Some("m") => Some("a materialized view,"),
        Some("f") => Some("a foreign table,"),
        Some("p") => Some("a partitioned table,"),
        _ => Some("not a table, and"),
    }
}

/// The error of a guard that found another encoding, which its message ends with.
pub(super) fn encoding_error(source: &tokio_postgres::Error) -> Error {
    let message = source.as_db_error().map_or("", |db| db.message());
    let encoding = message.rsplit(' ').next().unwrap_or_default().to_owned();
    ErrorKind::Encoding { encoding }.into()
}
