//! Decides whether an unfinished migration can go on: whether what took effect is still the beginning of its text.

use crate::checksum::{canonical_text, sha256};
use crate::ledger::Entry;
use crate::set::{Ends, Migration, Script, TransactionMode};
use crate::sql::{lexer::lex, split::split};

/// The words of [`manner`].
pub(crate) const MANNERS: [&str; 2] = ["no-transaction", "function"];

/// How a migration runs, in the words of its directives; `None` in one transaction, without a function. For a squash
/// file, how the last of what it replaces ran.
///
/// The ledger has it, because a directive is a comment, which no checksum covers.
pub fn manner(migration: &Migration) -> Option<&'static str> {
    match migration.replaces().last() {
        Some(last) => last.manner(),
        None => manner_of(migration.up()),
    }
}

/// The same of a script.
pub fn manner_of(script: &Script) -> Option<&'static str> {
    let [no_transaction, function] = MANNERS;
    match (script.transaction(), script.ends()) {
        (TransactionMode::NonTransactional, _) => Some(no_transaction),
        (TransactionMode::Transactional, Ends::WithFunction) => Some(function),
        (TransactionMode::Transactional, Ends::WithSql) => None,
    }
}

/// The digests of the first statement of a script, of the first two, and so on: each of the digest before it
/// and the canonical text of one more.
pub fn digests(script: &Script) -> Vec<String> {
    let mut digests = Vec::with_capacity(script.statements().len());
    let mut before = String::new();
    for (start, end) in script.statements() {
        let sql = &script.text()[start..end];
        let statements = split(sql, &lex(sql)).map(|parts| canonical_text(sql, &parts));
        before = sha256(&(before + &statements.unwrap_or_default()));
        digests.push(before.clone());
    }
    digests
}

/// Whether a run can continue the unfinished `entry` with the text of `migration`: nothing took effect, or what
/// did, and the statement whose outcome is unknown, is its beginning and runs outside a transaction.
pub(crate) fn continues(migration: &Migration, entry: &Entry) -> bool {
    let done = entry.progress.unwrap_or_default() as usize;
    let Some(digest) = entry.beginning() else { return done == 0 };
    // The digest includes a statement in flight.
    let digests = digests(migration.up());
    let own = digests.iter().skip(done.saturating_sub(1)).take(if done == 0 { 1 } else { 2 });
    manner(migration) == entry.manner() && own.into_iter().any(|own| own == digest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::set::Script;
    use crate::sql::kind::SessionEffect;

    fn script(text: &str) -> Script {
        let tokens = lex(text);
        let statements = split(text, &tokens).unwrap_or_default();
        let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        let ranges = statements.iter().map(|one| [narrow(one.start()), narrow(one.end())]);
        let (ranges, mode) = (ranges.collect(), TransactionMode::NonTransactional);
        Script::new("1_a.sql", text.to_owned(), ranges, vec![], mode, SessionEffect::Keeps)
    }

    /// A changed vector would make every unfinished migration drift: add, never edit.
    #[test]
    fn frozen_vectors() {
        assert_eq!(
            digests(&script("-- head\nvacuum t; vacuum/**/ u;")),
            [
                "916cbc4ef9f33cd74bb6158c2a5b21866e310d95f6152db8763d11f5f92ca3e0",
                "60bdb96337be3714821e3bb4de8e59d4bcb1c87717d364235144712f608c5fbe",
            ]
        );
        assert!(digests(&script("")).is_empty());
    }

    #[test]
    fn digest_is_of_all_statements_up_to_it() {
        let of = |text: &str| digests(&script(text));
        let (one, other) = (of("vacuum t; vacuum u"), of("vacuum t; vacuum v; vacuum u"));
        assert_eq!(one[0], other[0]);
        assert!(!other[1..].contains(&one[1]));
        assert_ne!(of("VACUUM t; vacuum u")[1], one[1]);
    }
}
