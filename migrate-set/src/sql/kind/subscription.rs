//! Decides which forms of SUBSCRIPTION PostgreSQL refuses in a transaction: those that change a replication slot
//! on the publisher, or that ask it for its tables.

use super::Command;

/// The keywords of a form that is refused (verified on PostgreSQL 13, 15 and 18; 13 allows a refresh).
pub(super) fn outside_transaction(words: &Command<'_, '_>) -> Option<&'static str> {
    let off = |option: &str| {
        value(words, option).is_some_and(|value| {
            ["FALSE", "OFF", "NO", "0", "'FALSE'", "'OFF'"]
                .iter()
                .any(|no| value.eq_ignore_ascii_case(no))
        })
    };
    match words.at(0) {
        "CREATE" => (!off("CONNECT") && !off("CREATE_SLOT")).then_some("CREATE SUBSCRIPTION"),
        "DROP" => Some("DROP SUBSCRIPTION"),
        _ => {
            let action = words.head.iter().skip(3);
            let action: Vec<&str> = action.map(String::as_str).take(2).collect();
            match action.as_slice() {
                ["REFRESH", ..] => Some("ALTER SUBSCRIPTION ... REFRESH"),
                ["SET" | "ADD" | "DROP", "PUBLICATION"] if !off("REFRESH") => {
                    Some("ALTER SUBSCRIPTION ... PUBLICATION with a refresh")
                }
                ["SET", "("] if value(words, "FAILOVER").is_some() => {
                    Some("ALTER SUBSCRIPTION ... SET (failover)")
                }
                ["SET", "("] if value(words, "TWO_PHASE").is_some() => {
                    Some("ALTER SUBSCRIPTION ... SET (two_phase)")
                }
                _ => None,
            }
        }
    }
}

/// Whether a statement leaves a subscription without a slot, so that it can be dropped in a transaction.
pub(super) fn drops_slot(words: &Command<'_, '_>) -> bool {
    words.at(1) == "SUBSCRIPTION"
        && value(words, "SLOT_NAME").is_some_and(|name| name.eq_ignore_ascii_case("NONE"))
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
