//! Waits for a server that is not there yet: it tries again while only that is the matter.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};
use tokio_postgres::Client;

use super::peer::Peer;
use super::reach::Failure;
use super::server::DatabasePlace;
use super::target::Target;
use super::way::Way;
use crate::outcome::ConnectError;

/// The pauses between two tries grow from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

impl Target {
    /// Connects, and runs the connection as a task; returns the server that answered, and the way to it, too. With a
    /// limit it tries again until then while no server is there, and `tell` gets one line with what it waits for.
    ///
    /// # Errors
    /// Why each server is not the one.
    pub async fn connect_within(
        &self,
        limit: Option<Duration>,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<(Client, DatabasePlace, Way), ConnectError> {
        let (client, place, peer) = self.reach_within(limit, tell).await?;
        let way = Way::new(&client, self.clone(), peer);
        Ok((client, place, way))
    }

    /// The same, with the address of the server.
    pub(super) async fn reach_within(
        &self,
        limit: Option<Duration>,
        tell: &(dyn Fn(&str) + Sync),
    ) -> Result<(Client, DatabasePlace, Peer), ConnectError> {
        let connector = self.connector()?;
        let limit = limit.filter(|limit| !limit.is_zero());
        // A time that the clock cannot reach is unlimited.
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let mut pause = FIRST_PAUSE;
        let mut last: Vec<(&DatabasePlace, Failure)> = Vec::new();
        loop {
            let is_first = last.is_empty();
            let tried = Box::pin(self.try_all(&connector));
            let failures = match end {
                None => tried.await,
                Some(end) => match timeout_at(end, tried).await {
                    Ok(result) => result,
                    Err(_) if is_first => Err(self.all_slow(limit.unwrap_or_default())),
                    Err(_) => Err(last),
                },
            };
            let failures = match failures {
                Ok(connected) => return Ok(connected),
                Err(failures) => failures,
            };
            let is_over = end.is_some_and(|end| Instant::now() >= end);
            let can_pass = failures.iter().all(|(_, failure)| failure.can_pass());
            let Some(limit) = limit.filter(|_| can_pass && !is_over) else {
                return Err(ConnectError::refused(failures, limit.filter(|_| can_pass)));
            };
            if is_first {
                tell(&ConnectError::waiting(&failures, limit));
            }
            last = failures;
            let left = end.map_or(pause, |end| end.saturating_duration_since(Instant::now()));
            sleep(pause.min(left)).await;
            pause = LAST_PAUSE.min(pause * 2);
        }
    }

    /// No server has answered in this time.
    fn all_slow(&self, limit: Duration) -> Vec<(&DatabasePlace, Failure)> {
        self.servers.iter().map(|server| (&server.place, Failure::Slow(limit))).collect()
    }
}
