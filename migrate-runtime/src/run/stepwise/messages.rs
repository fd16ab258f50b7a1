//! The messages of a non-transactional migration. Its progress is recorded with the user and the role that
//! the run started with, even if the migration has changed them.

use migrate_set::plan::Cause;
use migrate_set::sql::alone::Alone;
use migrate_set::sql::kind::SessionEffect;

use super::work::{Noted, Work, at};
use crate::context::{Context, Table};
use crate::outcome::Error;
use crate::run::action::Action;
use crate::run::callouts::{self, Messages};
use crate::run::hold::has_escapes;
use crate::sql::{Extent, Place, Session, Terms, same_encoding, session};
use crate::wire::{BEGIN, BEGIN_EXPLICIT, Message, Part};

/// The condition that the entry of `action` is as it was when its step was planned.
pub(super) fn as_planned(cx: &Context<'_>, action: Action<'_>, cause: Cause) -> String {
    match action {
        Action::Apply(migration) => {
            cx.ledger.as_planned((migration.kind(), migration.version()), cause)
        }
        Action::Undo(undo) => {
            cx.ledger.as_planned((undo.entry.kind, &undo.entry.version), Cause::Changed)
        }
    }
}

impl<'w> Work<'w, '_> {
    pub(super) fn beginning(&self, table: Table) -> Message {
        let (cx, script) = (self.cx, self.action.script());
        let mut message = Message::new();
        cx.wire.begin(&mut message);
        let has_escapes = has_escapes(script, cx.schema());
        message.push(Part::Guard, &self.terms().session_guard(has_escapes));
        if table == Table::Missing {
            for sql in cx.creation() {
                message.push(Part::Create, &sql);
            }
        }
        if self.can_change_session() {
            message.push(Part::Save, &session::select(script));
        }
        let position = self.tally.position;
        let as_planned = as_planned(cx, self.action, self.cause);
        message.push(Part::Guard, &self.terms().condition_guard(position, &as_planned));
        if let (Action::Apply(migration), true) = (self.action, self.is_recorded_first()) {
            let down = self.down_sql.as_deref();
            let extent = Extent::Started(self.progress(self.noted));
            let mut running = self.tally.running.clone();
            running.begin(migration);
            let place = Place { position: position + 1, digests: running.to_string() };
            let sql = cx.ledger.record(migration, down, &place, extent);
            message.push(Part::Record { step: 0 }, &sql);
        } else if let (Action::Apply(migration), Some(_)) =
            (self.action, self.table_of_unnamed(self.resumed_at()))
        {
            message.push(Part::Look, &cx.ledger.recorded_indexes(migration));
        }
        message.push(Part::Control, "COMMIT");
        message
    }

    /// Whether the script does, or hooks can. Through a pooler, another session would be restored than the one
    /// that hooks had.
    fn can_change_session(&self) -> bool {
        let by_hooks = !self.hold.is_pooled && callouts::are_around_each(self.cx);
        by_hooks || self.action.script().session() != SessionEffect::Keeps
    }

    pub(super) fn transaction(&self, index: usize) -> Result<Messages<'w>, Error> {
        let mut messages = Messages::of(self.message());
        let (cx, script) = (self.cx, self.action.script());
        let statement = |inner| Part::Statement { step: 0, index: inner };
        if let Alone::Block(ranges) = &self.ways[index] {
            let rendered = self.rendered(index)?;
            // All but the last statement, which is the COMMIT.
            let inside = &ranges[..ranges.len().saturating_sub(1)];
            for (inner, &(start, end)) in inside.iter().enumerate() {
                let range = (rendered.origin(start), rendered.origin(end));
                messages.push_statement(cx, statement(inner), script, range)?;
            }
        } else {
            messages.push(Part::Control, self.begins());
            messages.push(Part::Control, &self.terms().limits_of_transaction());
            messages.push_statement(cx, statement(0), script, self.range(index))?;
        }
        self.push_note(messages.message(), index + 1);
        messages.push(Part::Commit { step: 0 }, "COMMIT");
        Ok(messages)
    }

    /// A message of one statement, with the token of the lock row in a comment if the run holds one.
    pub(super) fn alone(&self, sql: &str) -> Message {
        let mut message = self.message();
        message.push(Part::Statement { step: 0, index: 0 }, sql);
        message
    }

    fn message(&self) -> Message {
        let mut message = Message::new();
        if let Some(token) = self.hold.lock.token() {
            message.comment(token);
        }
        message
    }

    /// Records that the statements before `index` took effect, and whether that one is in flight.
    pub(super) fn push_note(&self, message: &mut Message, index: usize) {
        let ledger = &self.cx.ledger;
        let (from, is_end) = (self.noted.done, index == self.ways.len());
        let before = self.started.elapsed().as_millis();
        let sql = match self.action {
            Action::Apply(migration) if is_end => {
                let (down, last) = (self.down_sql.as_deref(), self.place(0));
                ledger.finish(migration, down, (from, before), &last)
            }
            Action::Apply(migration) => {
                ledger.progress(migration, from, self.progress(at(index, &self.ways)))
            }
            Action::Undo(undo) if is_end => ledger.end_found("undone", &undo.entry, &self.place(1)),
            Action::Undo(_) => return message.push(Part::Check { step: 0 }, &same_encoding()),
        };
        self.push_noted(message, &sql);
    }

    /// The digests when the migration is applied or undone, for the row so far after the last one.
    fn place(&self, after: i64) -> Place {
        let mut running = self.tally.running.clone();
        self.action.count(self.cx.migrator.set, &mut running);
        Place { position: self.tally.position + after, digests: running.to_string() }
    }

    fn push_noted(&self, message: &mut Message, sql: &str) {
        if let Some(session) = &self.session {
            message.push(Part::Control, &session.act_as_before());
        }
        message.push(Part::Record { step: 0 }, &self.terms().note(sql));
    }

    pub(super) fn ending(&self, applied: bool) -> Message {
        let mut message = Message::new();
        if applied && !self.finished {
            message.push(Part::Control, self.begins());
            self.push_note(&mut message, self.ways.len());
            message.push(Part::Control, "COMMIT");
        } else if let (Action::Apply(migration), false, true) =
            (self.action, applied, self.noted.in_flight && !self.is_unknown)
        {
            // The server answered, so the outcome is known, and the statement is no longer in flight.
            message.push(Part::Control, self.begins());
            let to = self.progress(Noted { in_flight: false, ..self.noted });
            let sql = self.cx.ledger.progress(migration, self.noted.done, to);
            self.push_noted(&mut message, &sql);
            message.push(Part::Control, "COMMIT");
        }
        for sql in self.restores() {
            self.push_restore(&mut message, &sql);
        }
        if let Some(unlock) = self.unlock() {
            message.push(Part::Unlock, &unlock);
        }
        message
    }

    pub(super) fn push_restore(&self, message: &mut Message, sql: &str) {
        message.push(Part::Control, self.begins());
        message.push(Part::Restore { step: 0 }, sql);
        message.push(Part::Control, "COMMIT");
    }

    /// The statement that releases the session's lock; `None` if the lock is a row.
    pub(super) fn unlock(&self) -> Option<String> {
        self.hold.lock.token().is_none().then(|| self.cx.ledger.unlock())
    }

    /// The statements that restore the session.
    pub(super) fn restores(&self) -> Vec<String> {
        let session = self.session.as_ref().map(Session::restore);
        self.limits.clone().into_iter().chain(session).collect()
    }

    /// The terms for guards, as of now.
    pub(super) fn terms(&self) -> Terms<'_> {
        self.hold.terms(self.cx)
    }

    /// The statement that begins a transaction of the library after statements of the migration.
    pub(super) fn begins(&self) -> &'static str {
        if self.session.is_some() { BEGIN_EXPLICIT } else { BEGIN }
    }
}
