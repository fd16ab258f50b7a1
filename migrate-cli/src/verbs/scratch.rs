//! The schema that sets make, read from a database that is created for it and dropped again, on the server of the
//! address.

use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;
use migrate_runtime::internal::{
    DatabasePlace, Target, literal, query, quoted_identifier, schema_text,
};
use migrate_runtime::run_in_order;
use migrate_runtime::schema::SchemaScope;
use migrate_runtime::set::Sets;
use tokio_postgres::error::SqlState;

use super::server::Connector;
use crate::error::VerbError;

/// Which objects belong to a schema.
#[derive(Args, Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub(crate) struct ScopeArgs {
    /// Privileges too, and default privileges
    #[arg(long)]
    with_grants: bool,
    /// No partitions
    #[arg(long)]
    without_partitions: bool,
    /// No extensions
    #[arg(long)]
    without_extensions: bool,
    /// No comments
    #[arg(long)]
    without_comments: bool,
    /// Only this schema of the database, and others that are named; it can end with `*`
    #[arg(long, value_name = "NAME")]
    only_schema: Vec<String>,
    /// Not this schema of the database, such as `tenant_*`
    #[arg(long, value_name = "NAME")]
    without_schema: Vec<String>,
}

/// An option that is given or not.
type Choice = fn(SchemaScope) -> SchemaScope;

impl ScopeArgs {
    pub(super) fn scope(&self) -> SchemaScope {
        let choices: [(bool, Choice); 4] = [
            (self.with_grants, SchemaScope::with_grants),
            (self.without_partitions, SchemaScope::without_partitions),
            (self.without_extensions, SchemaScope::without_extensions),
            (self.without_comments, SchemaScope::without_comments),
        ];
        let given = choices.into_iter().filter(|(given, _)| *given);
        let scope = given.fold(SchemaScope::new(), |scope, (_, choose)| choose(scope));
        let scope = self.only_schema.iter().fold(scope, SchemaScope::only_schema);
        self.without_schema.iter().fold(scope, SchemaScope::without_schema)
    }
}

/// The error of a server that does not answer with its catalogs.
pub(super) fn unreadable(source: tokio_postgres::Error) -> VerbError {
    let help = "check the server's message; the role must be able to read the system catalogs";
    VerbError::Server { what: "read the schema".to_owned(), help, source }
}

/// The schema that the sets make in an empty database.
pub(super) async fn schema_of_sets(
    cx: &Connector<'_>,
    scope: &SchemaScope,
) -> Result<(DatabasePlace, String), VerbError> {
    let target = cx.target()?;
    let (client, place) = cx.connect(&target, None).await?;
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let name = format!("migrate_schema_{}_{nanos}", process::id());
    let quoted = quoted_identifier(&name);
    let failed = |doing: &str, source: tokio_postgres::Error| VerbError::Server {
        what: format!("{doing} a database for the schema of the set"),
        help: match source.code() {
            Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                "use a role with CREATEDB, or another server; or compare with a schema file, which needs none"
            }
            _ => "change what the server's message names",
        },
        source,
    };
    let create = format!("CREATE DATABASE {quoted} TEMPLATE template0");
    query(&client, &create).await.map_err(|error| failed("create", error))?;
    let comment = literal("created by `migrate schema`; it can be dropped");
    let noted = query(&client, &format!("COMMENT ON DATABASE {quoted} IS {comment}")).await;
    let read = match noted {
        Ok(_) => read_scratch(cx, target.of_database(&name), scope).await,
        Err(error) => Err(failed("comment on", error)),
    };
    let dropped = query(&client, &format!("DROP DATABASE {quoted} WITH (FORCE)")).await;
    let text = read?;
    dropped.map_err(|error| failed("drop", error))?;
    Ok((place, text))
}

async fn read_scratch(
    cx: &Connector<'_>,
    target: Target,
    scope: &SchemaScope,
) -> Result<String, VerbError> {
    let (mut client, _) = cx.connect(&target, None).await?;
    let sets: Sets<'_> = cx.sets.iter().cloned().collect();
    let ran = run_in_order(&sets, &mut client).await;
    ran.map_err(|failed| VerbError::Migrate(*failed.error))?;
    schema_text(&client, scope, &cx.ledgers()).await.map_err(unreadable)
}
