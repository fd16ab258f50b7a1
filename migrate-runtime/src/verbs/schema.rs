//! The schema of a database as a text, and whether it is the expected one.

use migrate_set::schema::{SchemaBlock, SchemaScope, compare, compose, read, write};
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
    /// It reads the catalogs with one message, outside a transaction.
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
        Ok(write(self.schema_blocks(client, scope).await?, scope))
    }

    /// Whether the schema of the database is that of a schema file, which `migrate schema` or
    /// `migrate_testing::assert_schema` wrote. The file has the scope that it was written with.
    ///
    /// It reads the catalogs with one message, outside a transaction.
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
        let scope = SchemaScope::of_file(expected);
        let found = self.schema_blocks(client, &scope).await?;
        let differences = compare(read(expected), found, &scope);
        if differences.is_empty() { Ok(()) } else { Err(ErrorKind::Schema { differences }.into()) }
    }

    async fn schema_blocks(
        &self,
        client: &Client,
        scope: &SchemaScope,
    ) -> Result<Vec<SchemaBlock>, ErrorKind> {
        self.check_names()?;
        let sql = schema(scope, &[self.ledger().shown()]);
        let mut found = Vec::new();
        match rows(client, &sql, |row| found.extend(schema_row(&row))).await {
            Ok(()) => Ok(compose(found)),
            Err(source) => Err(Context::new(self, client)
                .database_error("reading the schema".to_owned(), source)
                .await),
        }
    }
}
