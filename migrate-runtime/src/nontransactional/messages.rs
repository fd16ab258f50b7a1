//! Writes the messages of a non-transactional migration.
//! Its work so far goes in, messages come out.
//! It sends nothing on purpose. A note always follows the user and the role that the run began
//! with, whatever the migration has set.

use migrate_set::plan::Cause;
use migrate_set::sql::alone::Alone;
use migrate_set::sql::kind::SessionEffect;

use super::{Work, at};
use crate::deed::Deed;
use crate::error::ErrorKind;
use crate::execute::Table;
use crate::ledger::{Extent, Progress};
use crate::locking;
use crate::protocol::Message;
use crate::session::{self, BEGIN_WHATEVER, Session};
use crate::transactional::{BEGIN, Part, creation};

impl Work<'_, '_> {
    pub(super) fn beginning(&self, table: Table) -> Result<Message<Part>, ErrorKind> {
        let (run, script) = (&*self.run, self.deed.script());
        let mut message = Message::new();
        message.push(Part::Control, BEGIN);
        message.push(Part::Guard, &locking::session_guard(run, script));
        if table == Table::Missing {
            for sql in creation(run) {
                message.push(Part::Create, &sql);
            }
        }
        if script.session() != SessionEffect::Keeps {
            message.push(Part::Save, &session::select(script));
        }
        let position = run.last_position;
        let as_planned = match self.deed {
            Deed::Apply(migration) => run.ledger.as_planned(migration.version(), self.cause),
            Deed::Undo(undo) => run.ledger.as_planned(&undo.entry.version, Cause::Changed),
        };
        message.push(Part::Guard, &locking::condition_guard(run, position, &as_planned));
        if let (Deed::Apply(migration), true) = (self.deed, self.is_recorded_first()) {
            let down = run.down_sql(migration)?;
            let (down, extent) = (down.as_deref(), Extent::Begun(self.noted));
            let sql = run.ledger.record(migration, down, position + 1, extent);
            message.push(Part::Record { step: 0 }, &sql);
        }
        message.push(Part::Control, "COMMIT");
        Ok(message)
    }

    pub(super) fn transaction(&self, index: usize) -> Result<Message<Part>, ErrorKind> {
        let mut message = Message::new();
        if let Some(claim) = &self.run.claim {
            message.comment(&claim.token);
        }
        let statement = |inner| Part::Statement { step: 0, index: inner };
        let sql = self.rendered(index)?.sql;
        if let Alone::Block(ranges) = &self.ways[index] {
            // All but its last statement, which is the COMMIT.
            let inside = &ranges[..ranges.len().saturating_sub(1)];
            for (inner, &(start, end)) in inside.iter().enumerate() {
                message.push(statement(inner), &sql[start..end]);
            }
        } else {
            message.push(Part::Control, self.begins());
            message.push(Part::Control, &locking::limits_of_transaction(self.run));
            message.push(statement(0), &sql);
        }
        self.push_note(&mut message, index + 1);
        message.push(Part::Commit { step: 0 }, "COMMIT");
        Ok(message)
    }

    /// Notes that the statements before `index` took effect, and whether that one is in flight.
    pub(super) fn push_note(&self, message: &mut Message<Part>, index: usize) {
        let run = &*self.run;
        let (from, is_end) = (self.noted.done, index == self.ways.len());
        let before = self.started.elapsed().as_millis();
        let sql = match self.deed {
            Deed::Apply(migration) if is_end => run.ledger.finish(migration, from, before),
            Deed::Apply(migration) => run.ledger.progress(migration, from, at(index, &self.ways)),
            Deed::Undo(undo) if is_end => {
                run.ledger.remove("undone", &undo.entry, run.last_position + 1)
            }
            Deed::Undo(_) => return,
        };
        if let Some(session) = &self.session {
            message.push(Part::Control, &session.act_as_before());
        }
        message.push(Part::Record { step: 0 }, &locking::note(run, &sql));
    }

    pub(super) fn ending(&self, applied: bool) -> Message<Part> {
        let mut message = Message::new();
        if applied && !self.finished {
            message.push(Part::Control, self.begins());
            self.push_note(&mut message, self.ways.len());
            message.push(Part::Control, "COMMIT");
        } else if let (Deed::Apply(migration), false, true) =
            (self.deed, applied, self.noted.in_flight)
        {
            // It was answered, so its outcome is known: nothing of it is in flight any more.
            message.push(Part::Control, self.begins());
            if let Some(session) = &self.session {
                message.push(Part::Control, &session.act_as_before());
            }
            let to = Progress { in_flight: false, ..self.noted };
            let sql = self.run.ledger.progress(migration, self.noted.done, to);
            message.push(Part::Record { step: 0 }, &locking::note(self.run, &sql));
            message.push(Part::Control, "COMMIT");
        }
        for sql in self.restores() {
            message.push(Part::Control, self.begins());
            message.push(Part::Restore { step: 0 }, &sql);
            message.push(Part::Control, "COMMIT");
        }
        if self.run.claim.is_none() {
            message.push(Part::Unlock, &locking::unlock(self.run));
        }
        message
    }

    /// What brings the session back to what it was.
    pub(super) fn restores(&self) -> Vec<String> {
        let session = self.session.as_ref().map(Session::restore);
        self.limits.clone().into_iter().chain(session).collect()
    }

    /// Makes a dropped future release what is held by now.
    pub(super) fn arm(&mut self) {
        let unlock = self.run.claim.is_none().then(|| locking::unlock(self.run));
        self.cleanup.disarm();
        self.cleanup.arm(unlock.into_iter().chain(self.restores()).collect());
    }

    /// What begins a transaction of ours behind statements of the migration.
    pub(super) fn begins(&self) -> &'static str {
        if self.session.is_some() { BEGIN_WHATEVER } else { BEGIN }
    }
}
