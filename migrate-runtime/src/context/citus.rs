//! Adapts a run to Citus, which a read has found: on a worker it ends, on the coordinator its messages are sent in
//! pieces.

use super::Context;
use crate::outcome::{Error, ErrorKind, Report};
use crate::sql::{CITUS_NODE, column, text};

impl Context<'_> {
    /// Makes sure that this server is the coordinator: one message, once in a run, before anything is written.
    pub(crate) async fn join_citus(&self, report: &mut Report) -> Result<(), Error> {
        if self.wire.spreads() {
            return Ok(());
        }
        match self.wire.last_row(CITUS_NODE).await {
            Err(source) => {
                Err(self.database_error("reading the nodes of Citus".to_owned(), source).await)
            }
            Ok(Some(row)) if text(&row, "is_coordinator") != Some("t") => {
                Err(ErrorKind::CitusWorker { coordinator: column(&row, "coordinator") }.into())
            }
            Ok(_) => {
                self.wire.spread();
                report.note(NOTE);
                Ok(())
            }
        }
    }
}

const NOTE: &str = "Citus: commits wait for the disk; if the coordinator crashes, rows that a migration wrote to a \
     single shard can be there although it has no entry";
