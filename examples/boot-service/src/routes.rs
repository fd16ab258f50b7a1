//! Answers requests: the service's migrations, its rooms, and its health (`health`).
//! Each handler reads the shared [`Database`] and returns JSON; a failure is a 503 with its text.
//! No handler changes the schema, and each has a time limit.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use migrate_runtime::Migrator;
use migrate_runtime::status::{State as MigrationState, StatusRow};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::MIGRATIONS;
use crate::database::Database;
use crate::failure::{Failure, chain};
use crate::health;

/// How long a request waits for the database.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Every route of the service.
pub(crate) fn routes(database: Arc<Database>) -> Router {
    Router::new()
        .route("/migrations", get(migrations))
        .route("/rooms", get(rooms))
        .merge(health::routes())
        .with_state(database)
}

/// Compares ledger and set, one row per migration.
async fn migrations(State(database): State<Arc<Database>>) -> Result<Json<Value>, Failure> {
    let status = in_time(async {
        let client = database.client().await?;
        Ok(Migrator::new(&MIGRATIONS).status(&client).await?)
    })
    .await?;
    Ok(Json(status.migrations.iter().map(migration).collect()))
}

fn migration(row: &StatusRow) -> Value {
    let (at, by, duration) = match &row.state {
        MigrationState::Applied { at, by, duration } => (Some(at), Some(by), Some(duration)),
        MigrationState::Ahead { at, by } => (Some(at), Some(by), None),
        _ => (None, None, None),
    };
    json!({
        "version": row.version,
        "name": row.name,
        "file": row.filename,
        "state": row.state.as_str(),
        "applied_at": at,
        "applied_by": by,
        "duration_ms": duration.and_then(|duration| u64::try_from(duration.as_millis()).ok()),
    })
}

/// The rooms, with the number of confirmed bookings to come.
async fn rooms(State(database): State<Arc<Database>>) -> Result<Json<Value>, Failure> {
    let sql = "SELECT building, code, seats, equipment, upcoming FROM room_occupancy \
               ORDER BY building, code";
    let rows = in_time(async { Ok(database.client().await?.query(sql, &[]).await?) }).await?;
    let rooms = rows.iter().map(|row| -> Result<Value, tokio_postgres::Error> {
        Ok(json!({
            "building": row.try_get::<_, String>("building")?,
            "room": row.try_get::<_, String>("code")?,
            "seats": row.try_get::<_, i32>("seats")?,
            "equipment": row.try_get::<_, Vec<String>>("equipment")?,
            "upcoming_bookings": row.try_get::<_, i64>("upcoming")?,
        }))
    });
    Ok(Json(Value::Array(rooms.collect::<Result<_, _>>()?)))
}

/// The result of `work`, unless it takes too long.
///
/// # Errors
/// [`Failure::Slow`], and those of `work`.
pub(crate) async fn in_time<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    timeout(ANSWER_LIMIT, work).await.unwrap_or(Err(Failure::Slow))
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "status": "unavailable", "problem": chain(&self) });
        (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
    }
}
