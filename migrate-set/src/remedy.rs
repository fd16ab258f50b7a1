//! What to do about a mistake: a text that names an option or a verb by its name in code or on a
//! command line.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What to do about a mistake, as the `help:` of an error.
///
/// `{}` names options as code does, `{:#}` as a command line does. The errors that show a remedy pass
/// the `#` on.
///
/// ```
/// use migrate_set::remedy::{Remedy, Term};
///
/// let remedy = Remedy::new("restore the file, or use {}", &[Term::AllowMissing]);
/// assert_eq!(remedy.to_string(), "restore the file, or use `.allow_missing()`");
/// assert_eq!(format!("{remedy:#}"), "restore the file, or use `--allow-missing`");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy(Arc<Vec<Way>>);

/// A text with `{}` for each of its terms. Shared, because many errors have a remedy, and what drops an `Arc` is linked
/// once.
type Way = (Cow<'static, str>, &'static [Term]);

impl Remedy {
    /// `text` has `{}` for each of `terms`, before any text that is not constant.
    pub fn new(text: impl Into<Cow<'static, str>>, terms: &'static [Term]) -> Self {
        Remedy::one((text.into(), terms))
    }

    #[inline(never)]
    fn one(way: Way) -> Self {
        Remedy(Arc::new(vec![way]))
    }

    /// This, or another way: for an option that is named after a text that is not constant.
    #[must_use]
    pub fn or(mut self, text: impl Into<Cow<'static, str>>, terms: &'static [Term]) -> Self {
        Arc::make_mut(&mut self.0).push((text.into(), terms));
        self
    }
}

impl From<&'static str> for Remedy {
    fn from(text: &'static str) -> Self {
        Remedy::new(text, &[])
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Remedy::new(text, &[])
    }
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (text, terms)) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", or ")?;
            }
            let mut texts = text.splitn(terms.len() + 1, "{}");
            f.write_str(texts.next().unwrap_or_default())?;
            for (term, text) in terms.iter().zip(texts) {
                let (code, command_line) = term.names();
                write!(f, "{}{text}", if f.alternate() { command_line } else { code })?;
            }
        }
        Ok(())
    }
}

/// What has one name in code and another on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each is the option or the verb of its name")]
pub enum Term {
    AllowEdited,
    AllowMissing,
    AllowOutOfOrder,
    RefuseAhead,
    OldestPeer,
    DownFromLedger,
    RollbackAll,
    ForgetUnfinished,
    /// Records the text of the set as what ran.
    Accept,
    /// Removes an entry.
    Forget,
    Deadline,
    WaitTimeout,
    LockRow,
    LockAdvisory,
    Schema,
    CreateSchema,
    LedgerSchema,
    Table,
    /// The table that another tool wrote.
    AdoptTable,
    /// The schema of that table.
    AdoptSchema,
    Run,
    /// On a command line the verb that creates a database, before another way; in code only that.
    CreateDatabase,
    WaitForServer,
    /// Adds new migrations to the history file, and replaces the line of the newest one.
    Freeze,
    /// Replaces any line of the history file.
    Refreeze,
    /// Writes the history file in CI, too.
    InCi,
    FollowLinks,
    /// Where a folder of migrations is named.
    Folder,
    /// The beginning of the option; the layout and a closing quote follow.
    Layout,
    DuplicatesByName,
    BeginsExisting,
    DialectPostgres,
}

impl Term {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Term::AllowEdited => ("`.allow_edited()`", "`--allow-edited`"),
            Term::AllowMissing => ("`.allow_missing()`", "`--allow-missing`"),
            Term::AllowOutOfOrder => ("`.allow_out_of_order()`", "`--allow-out-of-order`"),
            Term::RefuseAhead => ("`.refuse_ahead()`", "`--refuse-ahead`"),
            Term::OldestPeer => ("`.oldest_peer(..)`", "`--oldest-peer`"),
            Term::DownFromLedger => ("`.down_from_ledger()`", "`--down-from-ledger`"),
            Term::RollbackAll => ("`Rollback::All`", "`--all`"),
            Term::ForgetUnfinished => ("`.forget_unfinished(..)`", "`--forget-unfinished`"),
            Term::Accept => ("`accept`", "`repair accept`"),
            Term::Forget => ("`forget`", "`repair forget`"),
            Term::Deadline => ("`.deadline(..)`", "`--deadline`"),
            Term::WaitTimeout => ("`.wait_timeout(..)`", "`--wait-timeout`"),
            Term::LockRow => ("`.lock(Lock::Row)`", "`--lock-by row`"),
            Term::LockAdvisory => ("`.lock(Lock::Advisory)`", "`--lock-by advisory`"),
            Term::Schema => ("`.schema(..)`", "`--schema`"),
            Term::CreateSchema => ("`.create_schema()`", "`--create-schema`"),
            Term::LedgerSchema => ("`.ledger_schema(..)`", "`--ledger-schema`"),
            Term::Table => ("`.table(..)`", "`--table`"),
            Term::AdoptTable => ("`.table(..)`", "`--from-table`"),
            Term::AdoptSchema => ("`.schema(..)`", "`--from-schema`"),
            Term::Run => ("`run`", "`up`"),
            Term::CreateDatabase => ("", "`database create`, or "),
            Term::WaitForServer => ("`.wait_for_server(..)`", "`--wait`"),
            Term::Freeze => ("`MIGRATE_UPDATE_HISTORY=1 cargo build`", "`freeze`"),
            Term::Refreeze => {
                ("`MIGRATE_UPDATE_HISTORY=rewrite cargo build`", "`freeze --rewrite`")
            }
            Term::InCi => ("`MIGRATE_UPDATE_HISTORY=in-ci`", "`--in-ci`"),
            Term::FollowLinks => ("`links = follow`", "`--links follow`"),
            Term::Folder => (
                "name a folder; in `embed_migrations!` its path is relative to the crate's Cargo.toml",
                "name a folder with `--dir`, or go to where `migrations` is",
            ),
            Term::Layout => ("`layout = ", "`--layout "),
            Term::BeginsExisting => ("`begins = existing`", "`--begins existing`"),
            Term::DuplicatesByName => ("`duplicates = by_name`", "`--duplicates by_name`"),
            Term::DialectPostgres => ("`dialect = postgres`", "`--dialect postgres`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_after_the_terms_are_text() {
        let remedy = Remedy::new("give {}; drop \"a{}b\"".to_owned(), &[Term::Deadline]);
        assert_eq!(remedy.to_string(), "give `.deadline(..)`; drop \"a{}b\"");
        assert_eq!(format!("{remedy:#}"), "give `--deadline`; drop \"a{}b\"");
        assert_eq!(Remedy::from("keep {}".to_owned()).to_string(), "keep {}");
    }

    #[test]
    fn an_alternative_names_its_option_after_a_text_with_braces() {
        let remedy = Remedy::from("rename `{}.sql`".to_owned()).or("set {}any`", &[Term::Layout]);
        assert_eq!(remedy.to_string(), "rename `{}.sql`, or set `layout = any`");
        assert_eq!(format!("{remedy:#}"), "rename `{}.sql`, or set `--layout any`");
    }
}
