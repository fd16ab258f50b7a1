//! Decides which forms of SUBSCRIPTION PostgreSQL refuses in a transaction: those that change a replication slot
//! on the publisher, or that ask it for its tables.

use super::Command;

/// The keywords of a form that is refused: PostgreSQL 13 allows a refresh, later ones do not. Whether `DROP` is
/// refused depends on the subscription, which has a slot or has none.
pub(super) fn outside_transaction(words: &Command<'_, '_>) -> Option<&'static str> {
    let off = |option: &str| {
        value(words, option).is_some_and(|value| {
            ["FALSE", "OFF", "NO", "0", "'FALSE'", "'OFF'"]
                .iter()
                .any(|no| value.eq_ignore_ascii_case(no))
        })
    };
    if words.at(0) == "CREATE" {
        return (!off("CONNECT") && !off("CREATE_SLOT")).then_some("CREATE SUBSCRIPTION");
    }
    match (words.at(3), words.at(4)) {
        ("REFRESH", _) => Some("ALTER SUBSCRIPTION ... REFRESH"),
        ("SET" | "ADD" | "DROP", "PUBLICATION") if !off("REFRESH") => {
            Some("ALTER SUBSCRIPTION ... PUBLICATION with a refresh")
        }
        ("SET", "(") if value(words, "FAILOVER").is_some() => {
            Some("ALTER SUBSCRIPTION ... SET (failover)")
        }
        // Only where it is turned off, the slot changes at once.
        ("SET", "(") if off("TWO_PHASE") => Some("ALTER SUBSCRIPTION ... SET (two_phase)"),
        _ => None,
    }
}

/// The value of an option in parentheses: a word, or `TRUE` without one.
fn value<'t>(words: &Command<'_, 't>, option: &str) -> Option<&'t str> {
    let mut rest =
        words.all().skip_while(|word| *word != "(").skip_while(|w| !w.eq_ignore_ascii_case(option));
    rest.next()?;
    match rest.next() {
        Some("=") => rest.next(),
        _ => Some("TRUE"),
    }
}
