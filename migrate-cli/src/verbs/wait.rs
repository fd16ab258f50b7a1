//! `wait`: ends when the database can be used.

use std::time::{Duration, Instant};

use migrate_runtime::internal::DatabasePlace;

use super::server::Connector;
use crate::error::VerbError;
use crate::output::Answer;
use crate::output::json::{Body, millis};
use crate::output::text::line;

/// How long it waits, unless `--wait` sets another limit.
const LIMIT: Duration = Duration::from_secs(60);

pub(super) async fn wait(connector: &Connector<'_>) -> Result<(DatabasePlace, Answer), VerbError> {
    let begun = Instant::now();
    let (_, place) = connector.connect(&connector.target()?, Some(LIMIT)).await?;
    let text = line("Ready", &place.to_string());
    Ok((place, Answer::new(text, Body::Ready { waited_ms: millis(begun.elapsed()) })))
}
