//! What is found about the names of objects: tables, columns and the like.

use std::ops::Range;

use migrate_set::remedy::{Remedy, Term};

/// A name that nothing made, or that is made twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
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

impl Finding {
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
