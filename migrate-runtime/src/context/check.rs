//! Checks the options of a run, without the server.

use migrate_set::plan::{Step, Tolerance};
use migrate_set::release::Release;
use migrate_set::remedy::{Remedy, Term};
use migrate_set::set::{Ends, Script, Traits};
use migrate_set::sql::placeholder::RenderError;

use crate::migrator::{CreateSchema, DEFAULT_SCHEMA, Migrator};
use crate::outcome::{Error, ErrorKind, detail};
use crate::sql::{Ledger, Reading, checked, create_schema};

impl Migrator<'_> {
    /// All statements of `script` as they are sent.
    pub(crate) fn sql_of(&self, script: &Script) -> Result<String, Error> {
        script.sql(self.schema.as_deref()).map_err(|error| self.placeholder_error(script, &error))
    }

    /// The error of a placeholder of `script` that cannot be replaced.
    pub(crate) fn placeholder_error(&self, script: &Script, error: &RenderError) -> Error {
        ErrorKind::Placeholder {
            file: self.set.path_of(script.filename()),
            position: script.position(error.at()),
            problem: error.to_string(),
        }
        .into()
    }

    /// The ledger that the options name.
    pub(crate) fn ledger(&self) -> Ledger {
        let schema = self.ledger_schema.as_deref().or(self.schema.as_deref());
        Ledger::new(schema.unwrap_or(DEFAULT_SCHEMA), &self.table, self.set.module())
    }

    /// What a run has to read: all, if the set orders equal versions by name, because older entries are recognised
    /// by their names.
    pub(crate) fn reading(&self) -> Reading {
        let Traits { orders_by_name, digest, .. } = self.set.traits();
        // With edits allowed, only the names show that an entry is of another file.
        if orders_by_name || self.policy.edited == Tolerance::Allow {
            Reading::Entries
        } else {
            Reading::Unless(digest)
        }
    }

    /// The server's detail in an error, unless details are hidden.
    pub(crate) fn detail(&self, error: &(dyn std::error::Error + 'static)) -> Option<String> {
        detail(error).filter(|_| !self.hides_details)
    }

    /// Refuses functions that no migration asks for.
    pub(crate) fn check_functions(&self) -> Result<(), Error> {
        for version in self.calls.versions() {
            let found = self.set.iter().find(|migration| migration.version() == version);
            if found.is_none_or(|migration| migration.up().ends() != Ends::WithFunction) {
                let (version, is_known) = (version.to_string(), found.is_some());
                return Err(ErrorKind::UnwantedFunction { version, is_known }.into());
            }
        }
        Ok(())
    }

    /// The release of the option; refuses another text.
    pub(crate) fn oldest_release(&self) -> Result<Option<Release>, Error> {
        let Some(written) = self.oldest_peer.as_deref() else { return Ok(None) };
        let refused = || ErrorKind::BadRelease { written: written.to_owned() }.into();
        Release::new(written.to_owned()).ok_or_else(refused).map(Some)
    }

    /// Refuses migrations that remove what a running release uses.
    pub(crate) fn check_peer(&self, steps: &[Step<'_>]) -> Result<(), Error> {
        let Some(oldest) = self.oldest_release()? else { return Ok(()) };
        let needs = |step: &Step<'_>| {
            let after = step.migration.contract().filter(|after| **after > oldest)?;
            Some((self.set.path_of(step.migration.filename()), after.clone()))
        };
        let files: Vec<(String, Release)> = steps.iter().filter_map(needs).collect();
        match files.iter().map(|(_, after)| after).max().cloned() {
            None => Ok(()),
            Some(newest) => Err(ErrorKind::OlderPeer { oldest, newest, files }.into()),
        }
    }

    /// Refuses names that no server accepts.
    pub(crate) fn check_names(&self) -> Result<(), Error> {
        self.names().try_for_each(|(option, name)| check_name(option, name))?;
        check_unqualified(&[Term::LedgerSchema, Term::Table], &self.table)
    }

    /// The names that were given, each with its option.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&'static [Term], &str)> {
        let names: [(&'static [Term], _); 3] = [
            (&[Term::Schema], self.schema.as_deref()),
            (&[Term::LedgerSchema], self.ledger_schema.as_deref()),
            (&[Term::Table], Some(self.table.as_str())),
        ];
        names.into_iter().filter_map(|(option, name)| Some((option, name?)))
    }

    /// `query` after the check of the names that only the server can judge.
    pub(crate) fn with_names_checked(&self, query: &str) -> String {
        let names: Vec<&str> = self.names().map(|(_, name)| name).collect();
        checked(&names, query)
    }

    /// The statements that create the schemas that the caller asked for.
    pub(crate) fn schemas_to_create(&self) -> Vec<String> {
        let named = [self.schema.as_deref(), self.ledger_schema.as_deref()];
        match self.create_schema {
            CreateSchema::No => Vec::new(),
            CreateSchema::IfMissing => named.into_iter().flatten().map(create_schema).collect(),
        }
    }
}

/// How many bytes of a name a server keeps, unless it was built otherwise.
const LONGEST: usize = 63;

/// Refuses a name that no server accepts. A character is at least one byte in any encoding; the server finds the
/// other names that are too long.
pub(crate) fn check_name(option: &'static [Term], name: &str) -> Result<(), Error> {
    let problem = match name {
        "" => "is empty",
        name if name.contains('\0') => "contains a NUL byte",
        name if name.chars().count() > LONGEST => TOO_LONG,
        _ => return Ok(()),
    };
    Err(bad_name(option, problem))
}

/// What is wrong with a name that the server would truncate.
pub(super) const TOO_LONG: &str = "is longer than the 63 bytes that a server keeps";

/// Refuses `schema.table` as the name of a table: other tools read it as two names, and here a ledger of this name would
/// be another one, in which nothing is applied.
pub(crate) fn check_unqualified(options: &'static [Term], name: &str) -> Result<(), Error> {
    match name.split_once('.') {
        Some((schema, table)) if !schema.is_empty() && !table.is_empty() => {
            let help = format!("give each its own option, {{}} and {{}}: `{schema}` and `{table}`");
            let help = Remedy::new(help, options);
            Err(ErrorKind::BadName { problem: "is both, with a dot between them", help }.into())
        }
        _ => Ok(()),
    }
}

pub(super) fn bad_name(option: &'static [Term], problem: &'static str) -> Error {
    ErrorKind::BadName { problem, help: Remedy::new("give {} another name", option) }.into()
}
