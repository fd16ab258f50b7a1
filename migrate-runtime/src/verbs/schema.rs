//! The schema of a database as a text, and whether it is the expected one.

use migrate_set::schema::{
    SchemaBlock, SchemaDifference, SchemaScope, compare, compose, read, write,
};
use tokio_postgres::Client;

use crate::context::Context;
use crate::migrator::Migrator;
use crate::outcome::{Error, ErrorKind};
use crate::sql::{schema, schema_row};
use crate::wire::rows;

impl Migrator<'_> {
    /// The schema of the database as a text of SQL, with a block for each object: what an empty database runs to
    /// get the same schema. It is the same on PostgreSQL 13 to 18, and does not contain the ledger, nor those of
    /// other tools.
    ///
    /// It reads the catalogs with one message. A transaction of the caller keeps its settings.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator, schema::SchemaScope};
    /// # async fn f(migrator: Migrator<'_>, client: tokio_postgres::Client) -> Result<(), Error> {
    /// println!("{}", migrator.read_schema(&client, &SchemaScope::new().without_partitions()).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Database`].
    pub async fn read_schema(&self, client: &Client, scope: &SchemaScope) -> Result<String, Error> {
        let read = schema_text(client, scope, &[self.ledger().shown()]).await;
        self.or_schema_error(client, read).await
    }

    /// Whether the schema of the database is that of a schema file, which `migrate schema` or
    /// `migrate_testing::assert_schema` wrote. The file has the scope that it was written with.
    ///
    /// It reads the catalogs with one message. A transaction of the caller keeps its settings.
    ///
    /// ```no_run
    /// # use migrate_runtime::{Error, Migrator};
    /// # async fn f(migrator: Migrator<'_>, client: tokio_postgres::Client, file: &str) -> Result<(), Error> {
    /// // `file` is include_str!("../schema.sql")
    /// if let Err(error) = migrator.verify_schema(&client, file).await {
    ///     eprintln!("{error}"); // each object that differs
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Schema`] with every difference, and [`ErrorKind::Database`].
    pub async fn verify_schema(&self, client: &Client, expected: &str) -> Result<(), Error> {
        let read = schema_differences(client, expected, &[self.ledger().shown()]).await;
        let differences = self.or_schema_error(client, read).await?;
        if differences.is_empty() { Ok(()) } else { Err(ErrorKind::Schema { differences }.into()) }
    }

    async fn or_schema_error<T>(
        &self,
        client: &Client,
        read: Result<T, tokio_postgres::Error>,
    ) -> Result<T, Error> {
        self.check_names()?;
        match read {
            Ok(read) => Ok(read),
            Err(source) => {
                let doing = "reading the schema".to_owned();
                Err(Context::reading(self, client).database_error(doing, source).await)
            }
        }
    }
}

/// The schema of the database as a text, without these ledgers.
///
/// # Errors
/// That of the server or of the connection.
pub async fn schema_text(
    client: &Client,
    scope: &SchemaScope,
    ledgers: &[String],
) -> Result<String, tokio_postgres::Error> {
    Ok(write(blocks(client, scope, ledgers).await?, scope))
}

/// How the schema of the database differs from a schema file, without these ledgers.
///
/// # Errors
/// That of the server or of the connection.
pub async fn schema_differences(
    client: &Client,
    expected: &str,
    ledgers: &[String],
) -> Result<Vec<SchemaDifference>, tokio_postgres::Error> {
    let scope = SchemaScope::of_file(expected);
    Ok(compare(read(expected), blocks(client, &scope, ledgers).await?, &scope))
}

pub(super) async fn blocks(
    client: &Client,
    scope: &SchemaScope,
    ledgers: &[String],
) -> Result<Vec<SchemaBlock>, tokio_postgres::Error> {
    let mut found = Vec::new();
    rows(client, &schema(scope, ledgers), |row| found.extend(schema_row(&row))).await?;
    Ok(compose(found))
}
