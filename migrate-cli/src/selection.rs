//! Which of several sets a verb is for.

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
    /// The sets that the verb is for, in their order.
    pub(crate) fn of<'s>(
        &self,
        sets: Sets<'s>,
        verb: &Verb,
    ) -> Result<Vec<Migrator<'s>>, VerbError> {
        let modules = modules(&sets).join(", ");
        let is_it = |migrator: &Migrator<'_>| {
            self.set.as_deref().is_none_or(|module| module == internal::set(migrator).module())
        };
        let most = if verb.is_for_no_set() { 1 } else { usize::MAX };
        let chosen: Vec<Migrator<'s>> = sets.into_iter().filter(is_it).take(most).collect();
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

/// The modules of the sets, in their order.
pub(crate) fn modules(sets: &Sets<'_>) -> Vec<String> {
    sets.iter().map(|migrator| internal::set(migrator).module().to_owned()).collect()
}
