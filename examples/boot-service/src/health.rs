//! Routes for an orchestrator: whether the process is alive, and whether it can serve requests.
//! You can copy them into your service. Answers are not cached: reading the state is one message, and an old
//! answer could be wrong.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use migrate_runtime::Migrator;
use migrate_runtime::status::{State as MigrationState, StatusRow};
use serde_json::{Value, json};

use crate::MIGRATIONS;
use crate::database::Database;
use crate::failure::Failure;
use crate::routes::in_time;

/// `/health/live`, and `/health/ready`, which is also `/healthz`.
pub(crate) fn routes() -> Router<Arc<Database>> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/healthz", get(ready))
}

/// Always 200, also without a database: a restart of this process would not fix the database.
async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// 200 while ledger and set agree, 503 otherwise, with the pending migrations or the differences.
///
/// A ledger that is newer than the set is fine: during a rollout the newer release has migrated, and this
/// older one still serves.
async fn ready(
    State(database): State<Arc<Database>>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let status = in_time(async {
        let client = database.client().await?;
        Ok(Migrator::new(&MIGRATIONS).status(&client).await?)
    })
    .await?;
    if let Some(drift) = &status.drift {
        let body = json!({ "status": "drift", "problem": drift.to_string() });
        return Ok((StatusCode::SERVICE_UNAVAILABLE, Json(body)));
    }
    let open: Vec<&str> = status.migrations.iter().filter_map(pending).collect();
    let (code, word) = match open.as_slice() {
        [] => (StatusCode::OK, "ok"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "pending"),
    };
    let mut body = json!({
        "status": word,
        "migrations": status.migrations.len(),
        "pending": open.len(),
    });
    if !open.is_empty() {
        body["files"] = json!(open);
    }
    Ok((code, Json(body)))
}

/// Its file, if it is pending or unfinished.
fn pending(row: &StatusRow) -> Option<&str> {
    matches!(row.state, MigrationState::Pending | MigrationState::Unfinished { .. })
        .then_some(row.filename.as_str())
}
