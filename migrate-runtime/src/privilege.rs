//! Says which GRANT a role lacks when the server denied it something.
//! An error of the server goes in, a help with the statement that mends it comes out.
//! It grants nothing on purpose, and asks the server only behind an error.

use tokio_postgres::Client;

use crate::ledger::Ledger;
use crate::protocol;

/// The help for an error of a statement of ours; `None` where no privilege is missing.
pub(crate) async fn help(
    client: &Client,
    ledger: &Ledger,
    error: &tokio_postgres::Error,
) -> Option<String> {
    match error.code()?.code() {
        "3F000" => {
            Some("create the schema, or choose one with `.schema(..).create_schema()`".to_owned())
        }
        "42501" => {
            let row = protocol::query(client, &ledger.missing_grants()).await.ok().flatten();
            let grants = row.and_then(|row| row.get(0).map(str::to_owned));
            Some(grants.unwrap_or_else(|| OWNER.to_owned()))
        }
        // read_only_sql_transaction
        "25006" => Some(
            "connect to the primary, and look for a `default_transaction_read_only` that is on"
                .to_owned(),
        ),
        _ => None,
    }
}

/// The help for a statement of a migration that was denied something.
pub(crate) async fn help_for_statement(
    client: &Client,
    error: &tokio_postgres::Error,
    statement: &str,
) -> Option<String> {
    let db = error.as_db_error().filter(|db| db.code().code() == "42501")?;
    let row = protocol::query(client, "SELECT pg_catalog.quote_ident(current_user)").await;
    let role = row.ok().flatten().and_then(|row| row.get(0).map(str::to_owned));
    let role = role.unwrap_or_else(|| "the role".to_owned());
    let grant = denied(db.message()).and_then(|(kind, name)| grant(kind, name, statement));
    Some(match grant {
        Some(grant) => format!("{grant} TO {role}, or migrate as the owner"),
        None => OWNER.to_owned(),
    })
}

const OWNER: &str = "grant the role the privilege, or migrate as the owner";

/// What was denied: `permission denied for KIND NAME`, which a server says in its own language.
fn denied(message: &str) -> Option<(&str, &str)> {
    message.strip_prefix("permission denied for ")?.split_once(' ')
}

/// The GRANT that `statement` lacks on something of this kind.
fn grant(kind: &str, name: &str, statement: &str) -> Option<String> {
    let first = statement.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    let privileges = match kind {
        "schema" if matches!(first.as_str(), "CREATE" | "ALTER") => "USAGE, CREATE",
        "schema" | "sequence" | "type" | "language" => "USAGE",
        "database" => "CREATE",
        "function" | "procedure" => "EXECUTE",
        "table" | "view" => match first.as_str() {
            "INSERT" => "INSERT",
            "UPDATE" => "SELECT, UPDATE",
            "DELETE" => "SELECT, DELETE",
            "TRUNCATE" => "TRUNCATE",
            // A foreign key to a table of somebody else's.
            "CREATE" | "ALTER" => "SELECT, REFERENCES",
            _ => "SELECT",
        },
        _ => return None,
    };
    Some(format!(
        "GRANT {privileges} ON {} {name}",
        kind.to_ascii_uppercase().replace("VIEW", "TABLE")
    ))
}
