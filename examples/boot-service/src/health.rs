//! Answers an orchestrator: is the process alive, and may it have requests.
//! A [`Database`] goes in, routes come out, which a service of yours can take as they are.
//! It keeps no answer on purpose: a reading is one message, and an old one would be untrue.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use migrate_runtime::{ErrorKind, Migrator, State as MigrationState, StatusRow};
use serde_json::{Value, json};

use crate::MIGRATIONS;
use crate::database::Database;
use crate::failure::Failure;
use crate::routes::in_time;

/// `/health/live`, and `/health/ready`, which is `/healthz` as well.
pub(crate) fn routes() -> Router<Arc<Database>> {
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/healthz", get(ready))
}

/// 200 whatever the database does: to start this process again would not mend that.
async fn live() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// 200 while ledger and set agree, 503 otherwise, with what is pending or what they disagree in.
///
/// A ledger that is ahead of the set is fine: while a newer release rolls out, it has migrated and
/// the older one still serves.
async fn ready(
    State(database): State<Arc<Database>>,
) -> Result<(StatusCode, Json<Value>), Failure> {
    let reading = in_time(async {
        let client = database.client().await?;
        Ok(Migrator::new(&MIGRATIONS).status(&client).await?)
    });
    let status = match reading.await {
        Ok(status) => status,
        Err(Failure::Migrate(drift)) if matches!(drift.kind(), ErrorKind::Drift { .. }) => {
            let body = json!({ "status": "drift", "problem": drift.to_string() });
            return Ok((StatusCode::SERVICE_UNAVAILABLE, Json(body)));
        }
        Err(failure) => return Err(failure),
    };
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

/// Its file, where it is still to be applied, wholly or in part.
fn pending(row: &StatusRow) -> Option<&str> {
    matches!(row.state, MigrationState::Pending | MigrationState::Unfinished { .. })
        .then_some(row.filename.as_str())
}
