//! What a run has done so far, for its report, its listeners and `tracing`.

use std::collections::{HashSet, VecDeque};
use std::ptr;
use std::time::Duration;

use migrate_set::digest::Running;
use migrate_set::ledger::Entry;
use migrate_set::name::{Direction, Kind};
use migrate_set::remedy::{Remedy, Term};
use migrate_set::set::Migration;
use tracing::{Span, debug, info};

use super::action::Action;
use super::plan::{Before, Todo};
use super::retry::Backoff;
use super::spans;
use crate::context::{Context, is_duplicate};
use crate::outcome::{Applied, Error, Event, LockKind, Report, SkipReason, Skipped, SkippedList};
use crate::sql::Extent;

/// For a repeatable migration that finds what it creates.
const REPEATED: &str = "a repeatable migration runs again whenever its text changes: write `CREATE OR REPLACE`, or \
     `DROP .. IF EXISTS` before `CREATE`";

/// For a file without placeholders, while a schema is chosen and the ledger has no entries.
const ELSEWHERE: &str = "{} does not set the `search_path`: if this belongs in that schema, write `{{tables.NAME}}` for its \
     name; if the database was set up without this ledger, record what it has with `baseline` or `adopt`";

/// For a ledger without entries.
const WITHOUT_LEDGER: &str = "if the database was set up without this ledger, record what it has: `baseline` up to a \
     version, or `adopt` if another tool applied it; otherwise fix the file";

/// What a run has done so far.
pub(crate) struct Tally<'r> {
    pub(super) report: Report,
    /// The versions in the message that was sent last, in order, without those that it applied or undid.
    pub(super) under_way: VecDeque<String>,
    /// The ledger's last position, as this run read or wrote it.
    pub(super) position: i64,
    /// The digests of the ledger after that.
    pub(super) running: Running,
    pub(super) backoff: Backoff,
    /// Whether transactional migrations get their first entry, or one that can replace another.
    pub(super) extent: Extent<'static>,
    /// What the ledger held when the run began.
    pub(super) at_start: Option<Before<'r>>,
    /// How many versioned migrations are undone, which are what a rollback counts.
    pub(super) versioned_undone: usize,
    /// Whether the next migration of a message has been reported to start.
    pub(super) goes_on: bool,
    /// Whether the hooks before the run were called.
    pub(super) hooks_called: bool,
    /// The span of the current migration.
    pub(super) at: Span,
}

impl<'r> Tally<'r> {
    pub(super) fn new(lock: LockKind) -> Self {
        Tally {
            report: Report { lock, ..Report::default() },
            under_way: VecDeque::new(),
            position: 0,
            running: Running::default(),
            backoff: Backoff::new(),
            extent: Extent::First,
            at_start: None,
            versioned_undone: 0,
            goes_on: false,
            hooks_called: false,
            at: Span::none(),
        }
    }

    /// The report so far.
    pub(super) fn report(&mut self, cx: &Context<'_>) -> &Report {
        self.report.messages = cx.wire.sent();
        &self.report
    }

    /// How many migrations are applied or undone.
    pub(super) fn count(&self) -> usize {
        self.report.applied.len() + self.report.undone.len()
    }

    /// Records that the transaction of a migration was committed, asynchronously as far as is known.
    pub(super) fn committed(&mut self, cx: &Context<'_>, action: Action<'_>, duration: Duration) {
        self.report.unconfirmed += 1;
        self.position += action.rows();
        action.count(cx.migrator.set, &mut self.running);
        self.backoff.reset();
        self.done(cx, action, duration);
    }

    /// Records that a migration was applied or undone, or has run in a trial.
    pub(super) fn done(&mut self, cx: &Context<'_>, action: Action<'_>, duration: Duration) {
        self.at = Span::none();
        self.under_way.pop_front();
        let [version, name, filename] = action.texts();
        let ms = duration.as_millis();
        let list = match action {
            Action::Apply(_) => {
                info!(version = &*version, name = &*name, ms, "migration applied");
                &mut self.report.applied
            }
            Action::Undo(undo) => {
                self.versioned_undone += usize::from(undo.entry.kind == Kind::Versioned);
                info!(version = &*version, name = &*name, ms, "migration undone");
                &mut self.report.undone
            }
        };
        let applied = Applied { version, name, filename, duration };
        cx.migrator.listeners.inform(&Event::Finished(&applied));
        list.push(applied);
    }

    /// Informs listeners that a migration starts.
    pub(super) fn starts(&mut self, cx: &Context<'_>, action: Option<&Action<'_>>) {
        if let Some(action) = action {
            self.at = spans::migration(&cx.path_of(action.script()), *action);
            cx.migrator.listeners.inform(&Event::Started(action.subject()));
        }
    }

    /// Reports to `tracing` that a statement of the migration has run.
    pub(super) fn ran(&self, index: usize) {
        debug!(parent: &self.at, statement = index + 1, "statement completed");
    }

    /// Makes asynchronous commits durable before the run ends early.
    pub(super) async fn flush(&mut self, cx: &Context<'_>) {
        if self.report.unconfirmed > 0 {
            let flushed = cx.wire.last_row(&cx.ledger.touch()).await;
            debug!(ok = flushed.is_ok(), "asynchronous commits flushed");
            // If this fails, the server may have crashed and lost its last commits.
            if flushed.is_ok() {
                self.report.unconfirmed = 0;
            }
        }
    }

    /// Completes the report with what was applied before, and what other runs applied meanwhile.
    pub(super) fn finish(&mut self, cx: &Context<'_>, todo: Todo<'r>) {
        self.report.skipped = match (self.at_start.take(), todo.applied) {
            (Some(Before::All), Before::All) => SkippedList::whole(cx.migrator.set),
            (at_start, applied) => {
                let set = cx.migrator.set;
                let at_start = at_start.map(|before| before.of(set)).unwrap_or_default();
                self.skipped(at_start, applied.of(set))
            }
        };
        self.add_ahead(&todo.ahead);
        let Report { applied, skipped, messages, .. } = self.report(cx);
        let (applied, skipped) = (applied.len(), skipped.len());
        // Most boots have nothing to do, and a fleet is as many runs as it has schemas.
        if applied == 0 {
            debug!(applied, skipped, messages, "migrations are up to date");
        } else {
            info!(applied, skipped, messages, "migrations are up to date");
        }
    }

    /// Those of `applied` that this run did not apply. Both are in the order of the set, which is that of their
    /// places in memory.
    fn skipped(&self, at_start: Vec<&'r Migration>, applied: Vec<&'r Migration>) -> SkippedList {
        let ours: HashSet<&str> = self.report.applied.iter().map(|a| &*a.version).collect();
        let mut at_start = at_start.into_iter().peekable();
        let skipped = |migration: &'r Migration| {
            let is_past = |before: &&Migration| ptr::from_ref(*before) < ptr::from_ref(migration);
            while at_start.next_if(is_past).is_some() {}
            let was_there = at_start.next_if(|before| ptr::eq(*before, migration)).is_some();
            let reason =
                if was_there { SkipReason::AlreadyApplied } else { SkipReason::AppliedMeanwhile };
            (!ours.contains(migration.version().as_str())).then(|| Skipped::new(migration, reason))
        };
        applied.into_iter().filter_map(skipped).collect()
    }

    /// Adds the entries that are newer than the set. If no version is, the set can be newer than they are, with
    /// the earlier text of a repeatable migration put back.
    fn add_ahead(&mut self, ahead: &[Entry]) {
        self.report.ahead = ahead.iter().map(|entry| entry.version.to_string()).collect();
        if ahead.iter().all(|entry| entry.kind == Kind::Repeatable) {
            for Entry { filename, version, .. } in ahead {
                self.report.note(format!(
                    "`{filename}` was not run, because another text of it replaced this one; change it, or \
                     `forget {version}` and run again"
                ));
            }
        }
    }

    /// The report of the run, or its error with the report.
    pub(super) fn close(
        mut self,
        cx: &Context<'_>,
        result: Result<(), Error>,
    ) -> Result<Report, Error> {
        self.report.elapsed = cx.started.elapsed();
        spans::ended(self.report(cx));
        match result {
            Ok(()) => Ok(self.report),
            Err(mut error) => {
                self.explain_duplicate(cx, &mut error);
                spans::failed(&Span::current(), &error);
                spans::failed(&self.at, &error);
                *error.report_mut() = self.report;
                Err(error)
            }
        }
    }

    /// Adds to the error of a run that found what it creates why it can be there.
    fn explain_duplicate(&self, cx: &Context<'_>, error: &mut Error) {
        let Some(failure) = error.failure_mut() else { return };
        let is_duplicate = failure.sqlstate.as_deref().is_some_and(is_duplicate);
        if !is_duplicate || failure.direction != Direction::Up || failure.help.is_some() {
            return;
        }
        let is_its = |one: &&Migration| one.version().to_string() == failure.version;
        let migration = cx.migrator.set.iter().find(is_its);
        let was_empty = matches!(&self.at_start, Some(Before::These(list)) if list.is_empty());
        failure.help = match migration {
            Some(one) if one.kind() == Kind::Repeatable => Some(REPEATED.into()),
            Some(one)
                if was_empty && cx.schema().is_some() && one.up().placeholders().is_empty() =>
            {
                Some(Remedy::new(ELSEWHERE, &[Term::Schema]))
            }
            _ if was_empty => Some(WITHOUT_LEDGER.into()),
            _ => None,
        };
    }
}
