//! The schema that sets make, read from a database that is created for it and dropped again, on the server of the
//! address.

use clap::Args;
use migrate_runtime::internal::{DatabasePlace, schema_text, set};
use migrate_runtime::run_in_order;
use migrate_runtime::schema::SchemaScope;
use migrate_runtime::set::Sets;

use super::cluster::{Created, Creation};
use super::database::Server;
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

/// The schema that the sets make in an empty database, for a verb.
pub(super) async fn schema_of_sets(
    cx: &Connector<'_>,
    verb: &str,
    scope: &SchemaScope,
) -> Result<(DatabasePlace, String), VerbError> {
    let (client, place) = cx.connect(&cx.target()?, None).await?;
    let server = Server::of(client, place.clone());
    let sets = cx.sets.iter().map(set);
    let creations: Vec<Creation> = sets.flat_map(|set| Creation::all(set, set)).collect();
    let text = server.leaving_nothing(&creations, async |created| {
        let read = async |name: &str| read_scratch(cx, name, scope, created).await;
        server.scratch(verb, read).await
    });
    Ok((place, text.await?))
}

async fn read_scratch(
    cx: &Connector<'_>,
    name: &str,
    scope: &SchemaScope,
    created: &mut Created,
) -> Result<String, VerbError> {
    let (mut client, _) = cx.connect(&cx.target()?.of_database(name), None).await?;
    let sets: Sets<'_> = cx.sets.iter().cloned().collect();
    let ran = run_in_order(&sets, &mut client).await;
    for migrator in &sets {
        created.add(migrator, &client).await;
    }
    ran.map_err(|failed| VerbError::Migrate(*failed.error))?;
    schema_text(&client, scope, &cx.ledgers()).await.map_err(unreadable)
}
