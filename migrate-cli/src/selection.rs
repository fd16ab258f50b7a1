//! Which of several sets a verb is for.

use std::collections::HashSet;

use clap::Args;
use migrate_runtime::set::Sets;
use migrate_runtime::{Migrator, internal};

use crate::error::VerbError;
use crate::verbs::Verb;

#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Run")]
pub(crate) struct Selection {
    /// Only the set of this module, of several
    #[arg(long, value_name = "MODULE", global = true, hide_short_help = true)]
    set: Option<String>,
}

impl Selection {
    /// Those of `all` that the verb is for, in their order.
    pub(crate) fn of<T>(
        &self,
        all: Vec<T>,
        module: impl Fn(&T) -> &str,
        verb: &Verb,
    ) -> Result<Vec<T>, VerbError> {
        let modules = all.iter().map(&module).collect::<Vec<_>>().join(", ");
        let is_it = |one: &T| self.set.as_deref().is_none_or(|chosen| chosen == module(one));
        let most = if verb.is_for_no_set() { 1 } else { usize::MAX };
        let chosen: Vec<T> = all.into_iter().filter(is_it).take(most).collect();
        match (&self.set, chosen.len()) {
            (Some(module), 0) => Err(VerbError::Usage {
                what: format!("no set has the module `{module}`: there is {modules}"),
                help: "name one of these with `--set`",
            }),
            (None, 2..) if verb.is_for_one_set() => Err(VerbError::Usage {
                what: format!(
                    "`{}`, as it is given, is for one set, and there are several: {modules}",
                    verb.name()
                ),
                help: "name the module of one with `--set`",
            }),
            _ => Ok(chosen),
        }
    }
}

/// Refuses two sets that would use the same entries of one ledger.
pub(crate) fn check_modules(sets: &[Migrator<'_>]) -> Result<(), VerbError> {
    let mut ledgers = HashSet::new();
    for set in sets {
        if !ledgers.insert((module(set), internal::ledger_table(set))) {
            return Err(VerbError::Usage {
                what: format!("two sets have the module `{}` in one ledger", module(set)),
                help: "give one of them another: `--dir MODULE=FOLDER`, or \
                       `embed_migrations!(.., module = \"..\")`",
            });
        }
    }
    Ok(())
}

/// The module of a set.
pub(crate) fn module<'m>(migrator: &'m Migrator<'_>) -> &'m str {
    internal::set(migrator).module()
}

/// The modules of the sets, in their order.
pub(crate) fn modules(sets: &Sets<'_>) -> Vec<String> {
    sets.iter().map(|migrator| module(migrator).to_owned()).collect()
}
