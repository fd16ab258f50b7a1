//! Notices a ledger in another schema than the chosen one, before what it has would run again.

use migrate_set::ledger::Entry;
use migrate_set::remedy::{Remedy, Term};
use migrate_set::set::Migration;
use migrate_set::sql::kind::SessionEffect;
use migrate_set::sql::placeholder::quoted_identifier;

use super::Context;
use crate::migrator::DEFAULT_SCHEMA;
use crate::outcome::{Error, ErrorKind, When};
use crate::sql::{Ledger, entry, text};
use crate::wire::is_unanswered;

impl Context<'_> {
    /// Refuses to begin a ledger if that of one other schema has entries of the set that would run again in the same
    /// place.
    pub(super) async fn refuse_elsewhere(&self) -> Result<(), Error> {
        if self.is_chosen() || !self.is_fixed() {
            return Ok(());
        }
        // If the set runs once in each of several schemas, this is another one.
        match self.schemas_elsewhere().await?.as_slice() {
            [schema] => Err(self.elsewhere(schema)),
            _ => Ok(()),
        }
    }

    /// Whether the caller named the default schema.
    fn is_chosen(&self) -> bool {
        let is_named = self.migrator.schema.is_some() || self.migrator.ledger_schema.is_some();
        is_named && self.ledger.schema == DEFAULT_SCHEMA
    }

    /// Whether the set does the same wherever its ledger is.
    fn is_fixed(&self) -> bool {
        let is_fixed = |one: &Migration| {
            one.up().placeholders().is_empty() && one.up().session() == SessionEffect::Keeps
        };
        let calls = &self.migrator.calls;
        let has_hooks = calls.has_hooks(When::BeforeRun) || calls.has_hooks(When::BeforeEach);
        !has_hooks && self.migrator.set.iter().all(is_fixed)
    }

    /// The other schemas whose ledgers have entries of the set; none if the role may not read them.
    ///
    /// # Errors
    /// If there is no answer: without one, what they have would run again.
    async fn schemas_elsewhere(&self) -> Result<Vec<String>, Error> {
        let (mut schemas, mut found) = (Vec::new(), Vec::new());
        let listed = self.migrator.with_names_checked(&self.ledger.others());
        let listed =
            self.wire.rows(&listed, |row| schemas.extend(text(&row, "tenant").map(str::to_owned)));
        if !self.is_listed(listed.await).await? || schemas.is_empty() {
            return Ok(found);
        }
        let read = self.migrator.with_names_checked(&self.ledger.read_tenants(&schemas));
        let read = self.limited(&read);
        let read = self.wire.rows(&read, |row| {
            if let (Some(schema), Ok(entry)) = (text(&row, "tenant"), entry(&row))
                && !found.iter().any(|known| known == schema)
                && self.is_of_the_set(&entry)
            {
                found.push(schema.to_owned());
            }
        });
        Ok(if self.is_listed(read.await).await? { found } else { Vec::new() })
    }

    /// Whether the server listed what other schemas have.
    async fn is_listed(&self, read: Result<(), tokio_postgres::Error>) -> Result<bool, Error> {
        match read {
            Err(source) if is_unanswered(&source) => {
                let doing = "looking for the set's ledger in other schemas".to_owned();
                Err(self.database_error(doing, source).await)
            }
            read => Ok(read.is_ok()),
        }
    }

    fn is_of_the_set(&self, entry: &Entry) -> bool {
        self.migrator.set.iter().any(|one| {
            entry.version == *one.version() && entry.checksum == Some(one.checksum().to_string())
        })
    }

    fn elsewhere(&self, schema: &str) -> Error {
        let other = Ledger::new(schema, &self.ledger.table, self.migrator.set.module());
        let own = quoted_identifier(&self.ledger.schema);
        let moves = format!("move it: `ALTER TABLE {} SET SCHEMA {own}`", other.quoted());
        let help = if self.ledger.schema == DEFAULT_SCHEMA {
            format!(
                "keep it there with {{}}, name the schema `public` so if the set runs here too, or {moves}"
            )
        } else {
            format!(
                "keep it there with {{}}, or {moves}; if the set runs once in each schema, put {own} first \
                 in the `search_path`"
            )
        };
        let help = Remedy::new(help, &[Term::LedgerSchema]);
        ErrorKind::LedgerElsewhere { ledger: self.ledger.shown(), found: other.shown(), help }
            .into()
    }
}
