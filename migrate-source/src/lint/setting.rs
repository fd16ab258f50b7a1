//! The lint for settings that an author may expect to outlast their migration.

use std::ops::Range;

use migrate_set::sql::words::Words;

use super::{Lint, Script};

/// Settings in the header of a `pg_dump`, which no later file relies on. `search_path` is not in
/// the list, because without it the next file finds other tables.
const HARMLESS: &[&str] = &[
    "check_function_bodies",
    "client_encoding",
    "client_min_messages",
    "default_table_access_method",
    "default_tablespace",
    "idle_in_transaction_session_timeout",
    "lock_timeout",
    "row_security",
    "standard_conforming_strings",
    "statement_timeout",
    "transaction_timeout",
    "xmloption",
];

impl Script {
    /// Reports a statement that sets something for the session; only the first of each script.
    pub(super) fn set(&mut self, mut words: Words<'_>) {
        let place = if words.eat("SET") {
            set(words)
        } else if words.eat("SELECT") {
            set_config(&words)
        } else {
            None
        };
        if let Some(place) = place {
            self.has_set = true;
            self.found(Lint::SessionSetting, place, Lint::SessionSetting.message().to_owned());
        }
    }
}

/// `SET [ SESSION ] name { TO | = } value`, and the spellings of the standard (manual, "SET").
fn set(mut words: Words<'_>) -> Option<Range<usize>> {
    if words.eat_any(&["LOCAL", "CONSTRAINTS", "TRANSACTION"]) {
        return None;
    }
    words.eat("SESSION");
    // NAMES is client_encoding, XML OPTION is xmloption.
    if words.eat_any(&["NAMES", "XML OPTION"]) {
        return None;
    }
    words.eat("TIME");
    let name = words.identifier()?;
    let harmless = HARMLESS.contains(&name.as_str());
    while words.eat(".") {
        words.identifier()?;
    }
    let place = words.span();
    words.eat_any(&["TO", "="]);
    let back = words.next_are("DEFAULT") || (name == "role" && words.next_are("NONE"));
    (!harmless && !back).then_some(place)
}

/// The first `set_config(name, value, false)` outside parentheses that is worth reporting.
fn set_config(words: &Words<'_>) -> Option<Range<usize>> {
    let mut call = words.find("SET_CONFIG (")?.rest();
    call.eat("SET_CONFIG (");
    let arguments = call.split_at_commas();
    let name = call.literal();
    let harmless = name.is_some_and(|name| HARMLESS.contains(&name.as_str()));
    let local = arguments.get(2).is_some_and(|local| local.next_are("TRUE"));
    if harmless || local { set_config(&call) } else { Some(call.span()) }
}
