//! What migrations create for all databases of the server: a verb that applies them to a database of its own does not
//! begin if the server has some of it already, and drops it again.

use migrate_runtime::internal::{
    ClusterKind, ClusterObject, created_for_all, literal, query, quoted_identifier, set,
};
use migrate_runtime::status::State;
use migrate_runtime::{Migration, Migrations, Migrator};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Error};

use super::database::Server;
use crate::error::VerbError;

/// An object of the whole server, and the statement that creates it.
pub(super) struct Creation {
    object: ClusterObject,
    filename: String,
    /// In messages.
    place: String,
}

impl Creation {
    /// What these migrations of a set create.
    pub(super) fn all<'m>(
        set: &Migrations,
        migrations: impl IntoIterator<Item = &'m Migration>,
    ) -> Vec<Creation> {
        let of = |migration: &'m Migration| {
            let (up, filename) = (migration.up(), migration.filename());
            let one = move |(start, end)| {
                let object = created_for_all(up.text().get(start..end)?)?;
                let place = format!("{}:{}", set.path_of(filename), up.position(start));
                Some(Creation { object, filename: filename.to_owned(), place })
            };
            up.single_statements().filter_map(one).collect::<Vec<_>>()
        };
        migrations.into_iter().flat_map(of).collect()
    }

    /// What a statement of a file creates.
    pub(super) fn by_statement(file: &str, statement: &str) -> Option<Creation> {
        let object = created_for_all(statement)?;
        Some(Creation { object, filename: file.to_owned(), place: file.to_owned() })
    }
}

/// What runs have created so far.
#[derive(Default)]
pub(super) struct Created(Vec<ClusterObject>);

impl Created {
    /// Adds what the migrations of this set that were applied create. An unfinished one is left out: what it names can
    /// be another session's.
    pub(super) async fn add(&mut self, migrator: &Migrator<'_>, client: &Client) {
        let set = set(migrator);
        let found = Creation::all(set, set);
        if found.is_empty() {
            return;
        }
        // Without an answer nothing is dropped.
        let Ok(status) = migrator.status(client).await else { return };
        let is_applied = |filename: &str| {
            let mut rows = status.migrations.iter();
            rows.any(|row| row.filename == filename && matches!(row.state, State::Applied { .. }))
        };
        let applied = found.into_iter().filter(|one| is_applied(&one.filename));
        self.0.extend(applied.map(|one| one.object));
    }

    /// Adds what a statement that took effect creates.
    pub(super) fn add_statement(&mut self, statement: &str) {
        self.0.extend(created_for_all(statement));
    }
}

impl Server {
    /// Does `work`, and drops what it has created for the whole server.
    pub(super) async fn leaving_nothing<T>(
        &self,
        creations: &[Creation],
        work: impl AsyncFnOnce(&mut Created) -> Result<T, VerbError>,
    ) -> Result<T, VerbError> {
        self.refuse_existing(creations).await?;
        let mut created = Created::default();
        let done = work(&mut created).await;
        let dropped = self.drop_created(&mut created).await;
        let done = done?;
        dropped.map(|()| done)
    }

    async fn refuse_existing(&self, creations: &[Creation]) -> Result<(), VerbError> {
        let mut found = Vec::new();
        for Creation { object, place, .. } in creations {
            let (table, column) = match object.kind {
                ClusterKind::Role => ("pg_roles", "rolname"),
                ClusterKind::Tablespace => ("pg_tablespace", "spcname"),
                ClusterKind::Database => ("pg_database", "datname"),
            };
            let sql = format!(
                "SELECT {column} FROM pg_catalog.{table} WHERE {column} OPERATOR(pg_catalog.=) {}",
                literal(&object.name)
            );
            let failed = |source| failed("look for", object, source);
            if query(self.client(), &sql).await.map_err(failed)?.is_some() {
                found.push(format!("{place}: the server already has the {object}"));
            }
        }
        if found.is_empty() { Ok(()) } else { Err(VerbError::Exists { found }) }
    }

    /// Drops what was created, the last first: the owner of a database is older than it.
    pub(super) async fn drop_created(&self, created: &mut Created) -> Result<(), VerbError> {
        let mut first = Ok(());
        for object in std::mem::take(&mut created.0).iter().rev() {
            let dropped = self.drop_object(object).await;
            first = first.and(dropped.map_err(|source| failed("drop", object, source)));
        }
        first
    }

    async fn drop_object(&self, object: &ClusterObject) -> Result<(), Error> {
        let name = quoted_identifier(&object.name);
        let sql = match object.kind {
            ClusterKind::Role => format!("DROP ROLE IF EXISTS {name}"),
            ClusterKind::Tablespace => format!("DROP TABLESPACE IF EXISTS {name}"),
            ClusterKind::Database => format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        };
        let mut dropped = query(self.client(), &sql).await;
        let depends =
            |error: &Error| error.code() == Some(&SqlState::DEPENDENT_OBJECTS_STILL_EXIST);
        if object.kind == ClusterKind::Role && dropped.as_ref().is_err_and(depends) {
            // It has privileges on what all databases share.
            query(self.client(), &format!("DROP OWNED BY {name}")).await?;
            dropped = query(self.client(), &sql).await;
        }
        dropped.map(drop)
    }
}

fn failed(doing: &str, object: &ClusterObject, source: Error) -> VerbError {
    let help = "change what the server's message names; all databases of the server share it";
    VerbError::Server { what: format!("{doing} {object}"), help, source }
}
