//! Keeps account of a run: what it applied, undid and skipped, and what things are called.
//! Deeds and plans go in, the run's [`Report`] grows.
//! It sends nothing on purpose.

use std::collections::HashSet;
use std::ptr;
use std::time::Duration;

use migrate_set::set::{Migration, Script};
use migrate_set::sql::placeholder::RenderError;
use tracing::{Span, debug, info};

use crate::deed::Deed;
use crate::error::ErrorKind;
use crate::event::Event;
use crate::execute::{Run, Todo};
use crate::hook::Subject;
use crate::report::{Applied, Report, SkipReason, Skipped};
use crate::{spans, waiting};

impl<'r> Run<'r> {
    /// Notes that a migration was applied or undone.
    pub(crate) fn done(&mut self, deed: Deed<'_>, duration: Duration) {
        // Whoever we waited for has let go, and whoever blocked us.
        self.wait = waiting::FIRST_WAIT;
        self.tries = 0;
        self.at = Span::none();
        let [version, name, filename] = deed.texts();
        let ms = duration.as_millis();
        let list = match deed {
            Deed::Apply(_) => {
                info!(version = &*version, name = &*name, ms, "migration applied");
                &mut self.report.applied
            }
            Deed::Undo(_) => {
                info!(version = &*version, name = &*name, ms, "migration undone");
                &mut self.report.undone
            }
        };
        let applied = Applied { version, name, filename, duration };
        self.migrator.listeners.tell(&Event::Finished(&applied));
        list.push(applied);
    }

    /// Tells whoever listens that a migration begins.
    pub(crate) fn starts(&mut self, deed: Option<&Deed<'_>>) {
        if let Some(deed) = deed {
            self.at = spans::migration(&self.path_of(deed.script()), *deed);
            self.migrator.listeners.tell(&Event::Started(Subject::of(*deed)));
        }
    }

    /// Tells `tracing` that a statement of the migration has been run.
    pub(crate) fn ran(&self, index: usize) {
        debug!(parent: &self.at, statement = index + 1, "statement completed");
    }

    /// Notes in the span of the run what it did.
    pub(crate) fn record(&self) {
        let Report { applied, undone, messages, .. } = &self.report;
        let span = Span::current();
        span.record("migrate.applied", applied.len());
        span.record("migrate.undone", undone.len());
        span.record("migrate.messages", messages);
    }

    /// Notes what an operator should know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        info!(note, "noted");
        self.report.notes.push(note);
    }

    /// Notes at the end what was there before, and what others did meanwhile.
    pub(crate) fn finish(&mut self, todo: Todo<'r>) {
        let ours: HashSet<&str> = self.report.applied.iter().map(|a| &*a.version).collect();
        // Both are in the order of the set, which is that of their places in memory.
        let mut at_start = self.at_start.take().unwrap_or_default().into_iter().peekable();
        let skipped = |migration: &'r Migration| {
            let is_past = |before: &&Migration| ptr::from_ref(*before) < ptr::from_ref(migration);
            while at_start.next_if(is_past).is_some() {}
            let was_there = at_start.next_if(|before| ptr::eq(*before, migration)).is_some();
            let reason =
                if was_there { SkipReason::AlreadyApplied } else { SkipReason::AppliedMeanwhile };
            (!ours.contains(migration.version().as_str())).then(|| Skipped {
                version: migration.version().clone().into(),
                name: migration.shared_name(),
                reason,
            })
        };
        self.report.skipped = todo.applied.into_iter().filter_map(skipped).collect();
        self.report.ahead = todo.ahead;
        self.report.lock = self.lock;
        let Report { applied, skipped, messages, .. } = &self.report;
        info!(
            applied = applied.len(),
            skipped = skipped.len(),
            messages,
            "migrations are up to date"
        );
    }

    /// What writing the entry of a migration is called in messages.
    pub(crate) fn recording(&self, deed: Deed<'_>) -> String {
        let (file, ledger) = (self.path_of(deed.script()), self.ledger.shown());
        format!("{file}: recording version {} in `{ledger}`", deed.version())
    }

    /// A placeholder of `script` that cannot be replaced.
    pub(crate) fn placeholder_error(&self, script: &Script, error: &RenderError) -> ErrorKind {
        ErrorKind::Placeholder {
            file: self.path_of(script),
            position: script.position(error.at()),
            problem: error.to_string(),
        }
    }

    /// A script's file as messages name it.
    pub(crate) fn path_of(&self, script: &Script) -> String {
        self.migrator.set.path_of(script.filename())
    }
}
