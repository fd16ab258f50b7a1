//! Names of objects in SQL, such as tables and columns: where a set begins, and what is found about them.

use std::ops::Range;

use migrate_set::remedy::{Remedy, Term};

/// What is in the database before the first migration of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Begins {
    /// Nothing, if the set makes what it uses from its first migration on; otherwise objects that the
    /// set does not know.
    #[default]
    Inferred,
    /// Nothing but what a new database has.
    Nothing,
    /// Objects that the set does not know: a name that it never made is no mistake.
    Existing,
}

/// What is known of a down script without a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Undoing {
    /// It leaves every object as it was before the up script, as far as its definition is followed.
    Undoes,
    /// It certainly leaves an object that was not there before, or one that was there is missing or
    /// different.
    Differs,
    /// It names something that certainly is not there when it runs.
    Fails,
    /// Not enough is known.
    Unknown,
}

/// A name that nothing made, or that is made twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectProblem {
    /// Its bytes in the file.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// The label of the place.
    pub label: String,
    /// What was meant, or what can be done.
    pub help: String,
    /// Whether it can be there before the first migration.
    pub can_be_before: bool,
    /// Whether it is in the body of a function, which the server checks when it is called.
    pub is_late: bool,
}

impl ObjectProblem {
    /// What to do about it.
    pub fn remedy(&self) -> Remedy {
        let ask = self.help.ends_with('?');
        let (help, then) = (&self.help, if ask { " Otherwise" } else { "; or" });
        if self.can_be_before {
            let text =
                format!("{help}{then} set {{}} if it is there before the first migration, or ");
            Remedy::new(text + ALLOW, &[Term::BeginsExisting])
        } else {
            format!("{help}{then} {ALLOW}").into()
        }
    }
}

const ALLOW: &str = "say why not: `-- migrate:allow names because REASON`";
