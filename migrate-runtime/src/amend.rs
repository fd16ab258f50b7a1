//! Changes the ledger alone, on purpose: a baseline, an accepted edit, a forgotten entry, what another
//! tool applied.
//! A run and what the caller wants go in; one transaction of ledger changes goes out, each beside
//! a row that says who did it and when.
//! It runs no migration on purpose, and no flag of `run` leads here.

use migrate_set::name::Kind;
use migrate_set::plan::{Cause, Policy, Tolerance, plan};
use migrate_set::set::Migration;
use migrate_set::version::Version;

use crate::adopt::Adoption;
use crate::error::ErrorKind;
use crate::execute::{Attempt, Run, Table};
use crate::ledger::{Contents, Extent, Reading};
use crate::locking::{self, Purpose};
use crate::protocol::{self, Message};
use crate::report::Amended;
use crate::transactional::{self, BEGIN, Part};

/// What is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Amendment {
    /// The migrations of the set up to this version count as applied.
    Baseline(Version),
    /// Edited migrations count as what was applied: the named one, or all.
    Accept(Option<Version>),
    /// The entry of this version goes.
    Forget(Version),
    /// What another tool's table says was applied counts as applied.
    Adopt(Adoption),
}

/// One change: its statements, from a position on, and whom it is about.
pub(crate) struct Change {
    pub(crate) sql: Vec<String>,
    pub(crate) amended: Amended,
}

impl Run<'_> {
    /// Reads, decides and changes.
    pub(crate) async fn try_to_amend(
        &mut self,
        amendment: &Amendment,
    ) -> Result<Attempt, ErrorKind> {
        let contents = self.read(Reading::Entries).await?;
        let table = if contents.exists { Table::Exists } else { Table::Missing };
        let mut notes = Vec::new();
        let changes = match amendment {
            Amendment::Baseline(version) => self.baseline(contents, version)?,
            Amendment::Accept(version) => self.accept(contents, version.as_ref())?,
            Amendment::Forget(version) => self.forget(contents, version)?,
            Amendment::Adopt(adoption) => {
                let (changes, said) = self.adopt(&contents, adoption).await?;
                notes = said;
                changes
            }
        };
        if changes.is_empty() {
            self.note_all(notes);
            return Ok(Attempt::Done);
        }
        match self.enter(table).await? {
            Attempt::Done => {}
            other => return Ok(other),
        }
        let table = if self.claim.is_some() { Table::Exists } else { table };
        let attempt = self.amend(changes, table).await?;
        if matches!(attempt, Attempt::Done) {
            self.note_all(notes);
        }
        Ok(attempt)
    }

    fn note_all(&mut self, notes: Vec<String>) {
        for note in notes {
            self.note(note);
        }
    }

    /// Every migration up to `version` that has no entry gets one, without a checksum: nothing ran
    /// that could have one.
    fn baseline(
        &self,
        contents: Contents<'_>,
        version: &Version,
    ) -> Result<Vec<Change>, ErrorKind> {
        let set = self.migrator.set;
        let versioned = || set.iter().filter(|migration| migration.kind() == Kind::Versioned);
        if !versioned().any(|migration| migration.version() == version) {
            return Err(ErrorKind::UnknownVersion { version: version.to_string() });
        }
        let lenient = Policy { out_of_order: Tolerance::Allow, ..self.migrator.policy };
        let plan =
            plan(set, contents.entries, &lenient).map_err(|drift| ErrorKind::Drift { drift })?;
        let new = plan.steps.into_iter().filter(|step| step.cause == Cause::New);
        let new = new.map(|step| step.migration).filter(|migration| {
            migration.kind() == Kind::Versioned && migration.version() <= version
        });
        let change = |(migration, position): (&Migration, i64)| {
            let down = self.down_sql(migration)?;
            let down = down.as_deref();
            let sql = vec![self.ledger.record(migration, down, position, Extent::Nothing)];
            Ok(Change { sql, amended: amended(migration) })
        };
        new.zip(self.last_position + 1..).map(change).collect()
    }

    /// The checksums of edited migrations become those of the set.
    fn accept(
        &self,
        contents: Contents<'_>,
        version: Option<&Version>,
    ) -> Result<Vec<Change>, ErrorKind> {
        let lenient = Policy {
            edited: Tolerance::Allow,
            out_of_order: Tolerance::Allow,
            missing: Tolerance::Allow,
            ahead: Tolerance::Allow,
        };
        let plan = plan(self.migrator.set, contents.entries, &lenient)
            .map_err(|drift| ErrorKind::Drift { drift })?;
        let applied = plan.applied.iter().filter(|(migration, _)| {
            migration.kind() == Kind::Versioned && version.is_none_or(|v| migration.version() == v)
        });
        let applied: Vec<_> = applied.collect();
        if let (Some(version), true) = (version, applied.is_empty()) {
            return Err(self.no_entry(version));
        }
        let edited = applied.into_iter().filter(|(migration, entry)| {
            entry.checksum.as_deref() != Some(migration.checksum().to_string().as_str())
        });
        let change = |((migration, entry), position): (&(&Migration, _), i64)| {
            let down = self.down_sql(migration)?;
            let sql = vec![
                self.ledger.tell("accepted", entry, position),
                self.ledger.accept(migration, down.as_deref(), entry),
            ];
            Ok(Change { sql, amended: amended(migration) })
        };
        edited.zip(self.last_position + 1..).map(change).collect()
    }

    fn forget(&self, contents: Contents<'_>, version: &Version) -> Result<Vec<Change>, ErrorKind> {
        let entry = contents.entries.into_iter().find(|entry| entry.version == *version);
        let Some(entry) = entry else { return Err(self.no_entry(version)) };
        let sql = vec![self.ledger.remove("forgotten", &entry, self.last_position + 1)];
        let (version, name) = (entry.version.to_string(), entry.name);
        Ok(vec![Change { sql, amended: Amended { version, name, filename: entry.filename } }])
    }

    fn no_entry(&self, version: &Version) -> ErrorKind {
        ErrorKind::NoEntry { ledger: self.ledger.shown(), version: version.to_string() }
    }

    /// Sends the changes in one transaction.
    async fn amend(&mut self, changes: Vec<Change>, table: Table) -> Result<Attempt, ErrorKind> {
        let mut message = Message::new();
        message.push(Part::Control, BEGIN);
        if table == Table::Missing {
            transactional::push_ledger(self, &mut message);
        }
        let position = self.last_position;
        message.push(Part::Guard, &locking::guard(self, Purpose::Amend { position }));
        for sql in changes.iter().flat_map(|change| &change.sql) {
            message.push(Part::Record { step: 0 }, sql);
        }
        message.push(Part::Commit { step: 0 }, "COMMIT");
        self.report.messages += 1;
        let outcome = protocol::send(self.client, &message, &mut |_, _| {}).await;
        let Some(failure) = outcome.failure else {
            self.report.amended.extend(changes.into_iter().map(|change| change.amended));
            return Ok(Attempt::Done);
        };
        self.end_transaction(&failure.error, outcome.completed).await;
        if let Some(attempt) = locking::turned_away(&failure) {
            return Ok(attempt);
        }
        let doing = transactional::doing(self, failure.part, &[]);
        Err(self.database_error(doing, failure.error).await)
    }
}

pub(crate) fn amended(migration: &Migration) -> Amended {
    Amended {
        version: migration.version().to_string(),
        name: migration.name().to_owned(),
        filename: migration.filename().to_owned(),
    }
}
