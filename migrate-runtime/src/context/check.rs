//! Checks the options of a run, without the server.

use migrate_set::remedy::{Remedy, Term};
use migrate_set::set::{Ends, Script, Traits};
use migrate_set::sql::placeholder::{RenderError, quoted_identifier};

use crate::migrator::{CreateSchema, DEFAULT_SCHEMA, Migrator};
use crate::outcome::ErrorKind;
use crate::sql::{Ledger, Reading};

impl Migrator<'_> {
    /// All statements of `script` as they are sent.
    pub(crate) fn sql_of(&self, script: &Script) -> Result<String, ErrorKind> {
        script.sql(self.schema.as_deref()).map_err(|error| self.placeholder_error(script, &error))
    }

    /// The error of a placeholder of `script` that cannot be replaced.
    pub(crate) fn placeholder_error(&self, script: &Script, error: &RenderError) -> ErrorKind {
        ErrorKind::Placeholder {
            file: self.set.path_of(script.filename()),
            position: script.position(error.at()),
            problem: error.to_string(),
        }
    }

    /// The ledger that the options name.
    pub(crate) fn ledger(&self) -> Ledger {
        let schema = self.ledger_schema.as_deref().or(self.schema.as_deref());
        Ledger::new(schema.unwrap_or(DEFAULT_SCHEMA), &self.table, self.set.module())
    }

    /// What a plan has to read: names, if the set orders equal versions by name, because older entries are
    /// recognised by them; the process, if a migration outside a transaction needs its own session.
    pub(crate) fn reading(&self) -> Reading {
        let Traits { orders_by_name, has_non_transactional } = self.set.traits();
        if orders_by_name {
            Reading::Entries
        } else if has_non_transactional {
            Reading::BriefWithProcess
        } else {
            Reading::Brief
        }
    }

    /// Refuses functions that no migration asks for.
    pub(crate) fn check_functions(&self) -> Result<(), ErrorKind> {
        for version in self.calls.versions() {
            let found = self.set.iter().find(|migration| migration.version() == version);
            if found.is_none_or(|migration| migration.up().ends() != Ends::WithFunction) {
                let (version, is_known) = (version.to_string(), found.is_some());
                return Err(ErrorKind::UnwantedFunction { version, is_known });
            }
        }
        Ok(())
    }

    /// Refuses names that no server accepts.
    pub(crate) fn check_names(&self) -> Result<(), ErrorKind> {
        let names: [(&[Term], _); 3] = [
            (&[Term::Schema], self.schema.as_deref()),
            (&[Term::LedgerSchema], self.ledger_schema.as_deref()),
            (&[Term::Table], Some(self.table.as_str())),
        ];
        for (option, name) in names {
            let problem = match name {
                Some("") => "is empty",
                Some(name) if name.contains('\0') => "contains a NUL byte",
                _ => continue,
            };
            let help = Remedy::new("give {} another name", option);
            return Err(ErrorKind::BadName { problem, help });
        }
        Ok(())
    }

    /// The statements that create the schemas that the caller asked for.
    pub(crate) fn schemas_to_create(&self) -> Vec<String> {
        let named = [self.schema.as_deref(), self.ledger_schema.as_deref()];
        let create = |name| format!("CREATE SCHEMA IF NOT EXISTS {}", quoted_identifier(name));
        match self.create_schema {
            CreateSchema::No => Vec::new(),
            CreateSchema::IfMissing => named.into_iter().flatten().map(create).collect(),
        }
    }
}
