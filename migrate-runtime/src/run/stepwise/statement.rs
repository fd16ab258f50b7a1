//! Sends the statements one by one: in a transaction together with the record of its progress if
//! possible, otherwise between two such records.

use migrate_set::sql::alone::{Alone, prepares_session};
use tracing::Instrument as _;

use super::outcome::took_effect;
use super::work::{Work, at};
use crate::boxed::boxed;
use crate::lock::Stop;
use crate::outcome::Error;
use crate::run::action::Action;
use crate::run::explain::is_blocked;
use crate::run::tally::Tally;
use crate::sql::invalid_index::{Attempted, look};
use crate::sql::{InvalidIndex, Waits, column, same_index};
use crate::wire::{Failure, Message, Outcome, Part, is_conflict, is_unanswered};

/// How one statement ended.
enum Ended {
    /// It took effect.
    Done,
    /// It must be sent again, in another way.
    Again,
}

impl Work<'_, '_> {
    /// Runs the statements that have not taken effect yet.
    pub(super) async fn statements(&mut self) -> Result<(), Stop> {
        let first = self.noted.done as usize;
        self.prepare_session(first).await?;
        let mut index = first;
        while index < self.ways.len() {
            let ended = if self.ways[index].is_atomic() {
                self.atomic(index).await?
            } else {
                self.outside(index).await?
            };
            match ended {
                Ended::Done => index += 1,
                Ended::Again => {}
            }
        }
        Ok(())
    }

    /// Repeats the statements that set up the session, which an earlier run sent in another session.
    async fn prepare_session(&mut self, first: usize) -> Result<(), Error> {
        for index in 0..first.min(self.ways.len()) {
            let sql = self.rendered(index)?.sql;
            if !prepares_session(&sql) {
                continue;
            }
            let mut message = Message::new();
            message.push(Part::Statement { step: 0, index: 0 }, &sql);
            if let Err((failure, _)) = self.send(message, &mut |_, _| {}).await {
                return Err(self.failed(index, failure).await);
            }
        }
        Ok(())
    }

    /// Sends a statement, or a transaction block of the file, in one transaction with the record that it
    /// ran.
    async fn atomic(&mut self, index: usize) -> Result<Ended, Stop> {
        self.announce(index, Attempted::No).await?;
        self.is_unknown = false;
        let messages = self.transaction(index)?;
        let span = self.span(index)?;
        let mut on = |_: &mut Tally<'_>, _, _| {};
        let sent = messages.send(self.cx, self.tally, &mut on);
        let Outcome { completed, failure } = boxed(sent.instrument(span)).await?;
        let Some(mut failure) = failure else {
            self.noted = at(index + 1, &self.ways);
            self.finished = index + 1 == self.ways.len();
            return Ok(Ended::Done);
        };
        self.cx.wire.end_transaction(&failure.error, completed).await;
        if failure.error.as_db_error().is_none() {
            // The server answers after the whole message, so any part of it may have run.
            failure.part = Some(Part::Statement { step: 0, index: usize::MAX });
        }
        match failure.error.code().map_or("", |code| code.code()) {
            // active_sql_transaction, invalid_transaction_termination: it cannot run in one.
            "25001" | "2D000" => {
                self.ways[index] = Alone::Bare;
                Ok(Ended::Again)
            }
            _ => Err(self.stopped(index, failure).await),
        }
    }

    /// Sends a statement that cannot run in a transaction.
    async fn outside(&mut self, index: usize) -> Result<Ended, Stop> {
        let resumed = self.is_continued() && index == self.resumed_at();
        let unknown = resumed && self.is_unknown;
        let is_built = self.is_built(index, resumed, unknown).await?;
        self.is_unknown = false;
        if is_built {
            return Ok(Ended::Done);
        }
        let sql = self.rendered(index)?.sql;
        let span = self.span(index)?;
        let Err(failure) = self.send_alone(&sql).instrument(span).await else {
            return Ok(Ended::Done);
        };
        let code = failure.error.code().map_or("", |code| code.code());
        if unknown && took_effect(&self.ways[index], code) {
            let note =
                format!("statement {} had already taken effect, and was not repeated", index + 1);
            self.tally.report.note(note);
            return Ok(Ended::Done);
        }
        // object_not_in_prerequisite_state: an earlier attempt was interrupted.
        if let (Alone::Detaches { finalize }, "55000") = (&self.ways[index], code) {
            match self.send_alone(finalize).await {
                Ok(()) => {
                    let note = format!("statement {} was finished with FINALIZE", index + 1);
                    self.tally.report.note(note);
                    return Ok(Ended::Done);
                }
                Err(failure) if is_unanswered(&failure.error) => {
                    return Err(self.stopped(index, failure).await);
                }
                // It was not that.
                Err(_) => {}
            }
        }
        Err(self.stopped(index, failure).await)
    }

    /// Whether an earlier attempt built the index of a statement; removes an INVALID one that it left.
    async fn is_built(&mut self, index: usize, resumed: bool, unknown: bool) -> Result<bool, Stop> {
        let indexes = self.indexes.take().filter(|_| unknown);
        let attempted = if resumed { Attempted::Before(indexes.as_deref()) } else { Attempted::No };
        while let Some(found) = self.announce(index, attempted).await? {
            match found {
                InvalidIndex { valid: true, .. } => {
                    if self.is_asked_for(index, &found, unknown).await? && unknown {
                        let name = found.name;
                        let note =
                            format!("index {name} was already built, and was not built again");
                        self.tally.report.note(note);
                        return Ok(true);
                    }
                    break;
                }
                InvalidIndex { in_use: true, .. } => return Err(Stop::Busy),
                invalid => self.remove(&invalid).await?,
            }
        }
        Ok(false)
    }

    /// Whether a valid index `found` is the one that the statement builds: if that is needed, because the server
    /// compares only names, and if the role can make a temporary table. A question that has no answer stops the run
    /// where an answer would decide: the server would refuse an index that is already built.
    async fn is_asked_for(
        &mut self,
        index: usize,
        found: &InvalidIndex,
        unknown: bool,
    ) -> Result<bool, Stop> {
        let Alone::Builds { table, copy, on_copy, keeps_any, .. } = &self.ways[index] else {
            return Ok(false);
        };
        if !(unknown || *keeps_any) {
            return Ok(false);
        }
        let mut message = Message::new();
        message.push(Part::Control, self.begins());
        message.push(Part::Control, &same_index::copy(table, copy));
        message.push(Part::Control, on_copy);
        message.push(Part::Look, &same_index::is_same(&found.oid, copy));
        message.push(Part::Control, "ROLLBACK");
        let mut same = None;
        let sent = self
            .send(message, &mut |part, row| {
                if part == Part::Look {
                    same = row.and_then(|row| column(&row, "same"));
                }
            })
            .await;
        let name = &found.name;
        if let Err((Failure { error, .. }, completed)) = sent {
            self.cx.wire.end_transaction(&error, completed).await;
            if unknown && is_unanswered(&error) {
                let is_blocked = is_conflict(&error);
                let doing =
                    format!("comparing index {name} with the one of statement {}", index + 1);
                return Err(Stop::blocked_if(
                    is_blocked,
                    self.cx.database_error(doing, error).await,
                ));
            }
        }
        let same = same.as_deref() == Some("t");
        if *keeps_any && !same {
            let note = format!(
                "index {name} is not known to be the one of statement {}, and IF NOT EXISTS keeps it",
                index + 1
            );
            self.tally.report.note(note);
        }
        Ok(same)
    }

    /// Why statement number `index` failed, which is tried again if another session held a lock. A rollback
    /// has no record of what it did, so only its first statement is. A procedure may have committed
    /// before it failed, so it is not.
    async fn stopped(&self, index: usize, failure: Failure) -> Stop {
        let commits = |sql: &str| {
            ["CALL", "DO"].iter().any(|word| {
                sql.get(..word.len()).is_some_and(|first| first.eq_ignore_ascii_case(word))
            })
        };
        let is_procedure = self.ways[index] == Alone::Bare
            && self.rendered(index).is_ok_and(|rendered| commits(&rendered.sql));
        let again = !is_procedure && (matches!(self.action, Action::Apply(_)) || index == 0);
        let is_blocked = again && is_blocked(&failure);
        Stop::blocked_if(is_blocked, self.failed(index, failure).await)
    }

    /// Records which statement runs next, sets its limits, and looks for an index that an earlier attempt
    /// left.
    async fn announce(
        &mut self,
        index: usize,
        attempted: Attempted<'_>,
    ) -> Result<Option<InvalidIndex>, Error> {
        let message = self.announcement(index, attempted);
        if message.is_empty() {
            return Ok(None);
        }
        let (mut found, mut limits) = (None, None);
        let result = self
            .send(message, &mut |part, row| match part {
                Part::Look => found = row.as_ref().and_then(InvalidIndex::of),
                Part::Limit => limits = row.as_ref().and_then(|row| column(row, "put_back")),
                _ => {}
            })
            .await;
        self.limits = limits;
        self.arm();
        if let Err((failure, completed)) = result {
            self.cx.wire.end_transaction(&failure.error, completed).await;
            return Err(self.failed(index, failure).await);
        }
        self.noted = at(index, &self.ways);
        Ok(found)
    }

    fn announcement(&mut self, index: usize, attempted: Attempted<'_>) -> Message {
        let mut message = Message::new();
        // The progress of a rollback is not recorded.
        if matches!(self.action, Action::Apply(_)) && self.noted != at(index, &self.ways) {
            message.push(Part::Control, self.begins());
            self.push_note(&mut message, index);
            message.push(Part::Control, "COMMIT");
        }
        if let Some(limits) = self.limits.take() {
            message.push(Part::Control, &limits);
        }
        let alone = &self.ways[index];
        // A transaction of the library contains its limits; a pooler may use another session.
        if *alone != Alone::Atomic
            && !self.hold.is_pooled
            && let Some(limits) = self.terms().limits_of_session(self.waits(alone))
        {
            message.push(Part::Limit, &limits);
        }
        if let Some(look) = look(alone, attempted) {
            message.push(Part::Look, &look);
        }
        message
    }

    fn waits(&self, alone: &Alone) -> Waits {
        match alone.is_concurrent() {
            false => Waits::Limited,
            true if self.action.script().text().contains("lock_timeout") => Waits::AsItSets,
            true => Waits::Unlimited,
        }
    }

    async fn remove(&mut self, index: &InvalidIndex) -> Result<(), Stop> {
        let name = &index.name;
        if let Err(source) = self.cx.wire.last_row(&index.drop()).await {
            let is_blocked = is_conflict(&source);
            let doing = format!("dropping the INVALID index {name}");
            return Err(Stop::blocked_if(is_blocked, self.cx.database_error(doing, source).await));
        }
        let note = format!("dropped the INVALID index {name}, which an earlier attempt had left");
        self.tally.report.note(note);
        Ok(())
    }

    async fn send_alone(&self, sql: &str) -> Result<(), Failure> {
        let message = self.alone(sql);
        self.send(message, &mut |_, _| {}).await.map_err(|(failure, _)| failure)
    }
}
