//! What is missing if the server refused a statement: mostly a GRANT, otherwise what its
//! SQLSTATE means.

use migrate_set::remedy::{Remedy, Term};
use migrate_set::sql::lexer::lex;
use migrate_set::sql::quotes::unquoted;
use tokio_postgres::Client;

use super::Context;
use super::next_action::{Sent, next_action};
use crate::sql::{column, denied_among, full_name, text};
use crate::wire;

/// The help for an error of a statement of the library; `None` if nothing is known to be missing.
pub(super) async fn help(cx: &Context<'_>, error: &tokio_postgres::Error) -> Option<Remedy> {
    Some(match error.code()?.code() {
        "3F000" => Remedy::new("create the schema, or use {}", &[Term::CreateSchema]),
        // undefined_table: it was there when it was read.
        "42P01" => {
            "remove what drops, renames or moves the ledger; instead of its schema, drop what is in it".into()
        }
        "42501" => {
            let missing = cx.ledger.missing_grants(cx.use_of_ledger);
            let row = wire::query(cx.wire.client, &missing).await.ok().flatten();
            let grants = row.and_then(|row| column(&row, 0));
            grants.map_or(OWNER.into(), Remedy::from)
        }
        // undefined_object: in a statement of the library, only the language can be missing.
        "42704" if error.as_db_error().is_some_and(|db| db.message().contains("plpgsql")) => {
            "CREATE EXTENSION plpgsql; this statement is a block in it".into()
        }
        _ => return next_action(error.as_db_error()?, Sent::ByLibrary),
    })
}

/// The help for a statement of a migration; `None` if the statement itself is at fault.
pub(crate) async fn help_for_statement(
    client: &Client,
    error: &tokio_postgres::Error,
    statement: &str,
    sent: Sent,
) -> Option<Remedy> {
    let db = error.as_db_error()?;
    if db.code().code() != "42501" {
        return next_action(db, sent);
    }
    let translated;
    let found = if let Some((kind, name)) = denied(db.message()) {
        Some((kind, name))
    } else {
        translated = denied_in_any_language(client, db.message(), statement).await;
        translated.as_ref().map(|(kind, name)| (kind.as_str(), name.as_str()))
    };
    let Some((kind, name)) = found else { return Some(OWNER.into()) };
    let Some(privileges) = privileges(kind, name, statement) else { return Some(OWNER.into()) };
    let row = wire::query(client, &full_name(kind, name)).await.ok().flatten();
    let named = |name| row.as_ref().and_then(|row| text(row, name));
    let (Some(role), Some(name)) = (named("role"), named("name")) else {
        return Some(OWNER.into());
    };
    let kind = kind.to_ascii_uppercase().replace("VIEW", "TABLE");
    Some(format!("GRANT {privileges} ON {kind} {name} TO {role}, or migrate as the owner").into())
}

const OWNER: &str = "grant the role the privilege, or migrate as the owner";

/// The object of `permission denied for KIND NAME`.
fn denied(message: &str) -> Option<(&str, &str)> {
    message.strip_prefix("permission denied for ")?.split_once(' ')
}

/// The object that a message names in another language: the one word of it that names something which this role
/// lacks a privilege on. A statement that only the owner of a table may send has the same SQLSTATE.
async fn denied_in_any_language(
    client: &Client,
    message: &str,
    statement: &str,
) -> Option<(String, String)> {
    if message.starts_with("must be ") {
        return None;
    }
    let words = message.split_whitespace();
    let words: Vec<&str> = words.map(|word| word.trim_matches(['"', '«', '»', '“', '”'])).collect();
    let row = wire::query(client, &denied_among(&words)).await.ok().flatten()?;
    let (kind, name) = (column(&row, "kind")?, column(&row, "name")?);
    let is_of_owner = matches!(kind.as_str(), "table" | "view") && needs_owner(statement);
    (!is_of_owner).then_some((kind, name))
}

/// Whether a statement changes a table itself, which no GRANT allows.
fn needs_owner(statement: &str) -> bool {
    let tokens = lex(statement);
    let words = tokens.iter().filter(|token| !token.is_trivia()).map(|t| t.text(statement));
    let words: Vec<String> = words.map(str::to_ascii_uppercase).collect();
    let has = |word: &str| words.iter().any(|found| found == word);
    match words.first().map_or("", String::as_str) {
        "ALTER" => !has("REFERENCES"),
        "DROP" | "COMMENT" | "REINDEX" | "CLUSTER" | "REFRESH" | "SECURITY" => true,
        "CREATE" => has("INDEX") || has("POLICY") || has("RULE"),
        _ => false,
    }
}

/// The privileges that `statement` lacks on something of this kind and name.
fn privileges(kind: &str, name: &str, statement: &str) -> Option<&'static str> {
    let tokens = lex(statement);
    let words: Vec<&str> =
        tokens.iter().filter(|token| !token.is_trivia()).map(|t| t.text(statement)).collect();
    let has = |word: &str| words.iter().any(|found| found.eq_ignore_ascii_case(word));
    let first = words.first().map_or(String::new(), |word| word.to_ascii_uppercase());
    let changes = matches!(first.as_str(), "CREATE" | "ALTER");
    Some(match kind {
        "schema" if changes => "USAGE, CREATE",
        "schema" | "sequence" | "type" | "language" => "USAGE",
        "database" => "CREATE",
        "function" | "procedure" => "EXECUTE",
        "table" | "view" => match written(&words, name) {
            Some("INSERT") if has("RETURNING") || has("CONFLICT") => "SELECT, INSERT",
            Some("INSERT") => "INSERT",
            Some("UPDATE") => "SELECT, UPDATE",
            Some(_) => "SELECT, DELETE",
            None if first == "TRUNCATE" => "TRUNCATE",
            None if first == "LOCK" => "UPDATE",
            None if changes && has("REFERENCES") => "SELECT, REFERENCES",
            None if changes && has("TRIGGER") => "TRIGGER",
            None => "SELECT",
        },
        _ => return None,
    })
}

/// How the words of a statement write to `name`; `None` where they only read it.
fn written<'w>(words: &[&'w str], name: &str) -> Option<&'static str> {
    let is = |at: usize, word: &str| {
        words.get(at).is_some_and(|w: &&'w str| w.eq_ignore_ascii_case(word))
    };
    (0..words.len()).find_map(|at| {
        let (verb, mut target) = match () {
            () if is(at, "INSERT") && is(at + 1, "INTO") => ("INSERT", at + 2),
            () if is(at, "DELETE") && is(at + 1, "FROM") => ("DELETE", at + 2),
            () if is(at, "UPDATE") => ("UPDATE", at + 1),
            () => return None,
        };
        target += usize::from(is(target, "ONLY"));
        while is(target + 1, ".") {
            target += 2;
        }
        let written = unquoted(words.get(target)?);
        written.eq_ignore_ascii_case(name).then_some(verb)
    })
}
