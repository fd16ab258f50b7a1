//! A run: read, plan, lock, apply, report, and again if it had to stop.

mod goal;
mod plan;
mod restart;
mod undo;
mod edits;
mod trial;
mod retry;
mod cut;
mod unanswered;
mod hold;
mod tally;
mod groups;
mod guards;
mod batch;
mod shared;
mod explain;
mod stepwise;
mod callouts;
mod locate;
mod action;
mod spans;

use migrate_set::set::Traits;
use tokio_postgres::Client;
use tracing::{Instrument as _, Span};

use crate::boxed::{Boxed, boxed};
use crate::context::Context;
use crate::lock::Stop;
use crate::migrator::{Migrator, Part, Parts};
use crate::outcome::{Error, ErrorKind, Report};
use crate::wire::SEND_DATA;
use cut::{END_EARLY, EndEarly};
pub use edits::Edited;
pub(crate) use edits::{Accept, Baseline, Forget};
use goal::At;
pub(crate) use goal::Goal;
use hold::Hold;
pub(crate) use plan::{begins_again, script, up_to_date};
use stepwise::OUTSIDE;
use tally::Tally;
pub(crate) use trial::TryOut;
pub(crate) use unanswered::watched;
pub(crate) use undo::{Then, Undo, again};

/// The parts that a set with these traits needs. It is inlined into the service, where the traits are constants, so the
/// service does not link the others.
#[inline]
pub(crate) fn parts(traits: Traits) -> Parts {
    let data = traits.has_data.then_some(&SEND_DATA as Part);
    let outside = traits.runs_outside.then_some(&OUTSIDE as Part);
    Parts([data, outside, None])
}

/// These parts and the one that ends a run early.
pub(crate) fn ended_early(Parts([data, outside, _]): Parts) -> Parts {
    Parts([data, outside, Some(&END_EARLY)])
}

/// All parts, for scripts that are not the set's.
pub(crate) const ALL: Parts = Parts([Some(&SEND_DATA), Some(&OUTSIDE), Some(&END_EARLY)]);

/// Carries out a run; returns its report, or its error with the report of what it did before.
pub(crate) fn run<'r>(
    migrator: &'r Migrator<'_>,
    client: &'r Client,
    goal: &'r dyn Goal,
) -> Boxed<'r, Result<Report, Error>> {
    let cx = Context::new(migrator, client);
    let span = spans::run(migrator.set.module(), &cx.ledger.shown(), goal.word());
    let run = async move {
        check(migrator).inspect_err(|error| spans::failed(&Span::current(), error))?;
        let mut hold = Hold::new(&cx);
        let mut tally = Tally::new(hold.lock.kind());
        let reached = boxed(reach(&cx, &mut hold, &mut tally, goal));
        let result = match migrator.parts.find() {
            Some(EndEarly(short)) => {
                let ended = short(&cx, reached).await;
                ended.settle(&cx, &mut hold, &mut tally).await
            }
            None => watched(&cx, reached).await,
        };
        tally.close(&cx, result)
    };
    boxed(run.instrument(span))
}

/// Checks what can be checked without the database.
pub(crate) fn check(migrator: &Migrator<'_>) -> Result<(), Error> {
    let asked = migrator.interrupt.as_ref();
    if asked.is_some_and(|asked| asked.0.was_requested()) {
        return Err(ErrorKind::Interrupted { unknown: Vec::new() }.into());
    }
    migrator.check_names()?;
    migrator.check_functions()?;
    migrator.oldest_release().map(drop)
}

/// Repeats attempts until one reaches the goal, and releases what it holds, also after an error.
async fn reach<'r>(
    cx: &Context<'r>,
    hold: &mut Hold<'r>,
    tally: &mut Tally<'r>,
    goal: &dyn Goal,
) -> Result<(), Error> {
    let result = loop {
        let Err(stop) = goal.attempt(At { cx, hold, tally }).await else { break Ok(()) };
        if let Err(error) = boxed(retry::prepare(cx, hold, tally, stop)).await {
            break Err(error);
        }
    };
    hold.release(cx, tally, result).await
}

/// Applies pending migrations.
pub(crate) struct Apply;

impl Goal for Apply {
    fn word(&self) -> &'static str {
        "run"
    }

    fn attempt<'a, 'r: 'a>(&'a self, at: At<'a, 'r>) -> Boxed<'a, Result<(), Stop>> {
        boxed(apply(at))
    }
}

/// Reads the ledger, plans, takes the lock, applies what is pending, and reports.
async fn apply(At { cx, hold, tally }: At<'_, '_>) -> Result<(), Stop> {
    let (todo, table) = restart::read(cx, hold, tally).await?;
    // A run keeps what it has reached at its deadline.
    if cx.migrator.deadline.is_none() {
        hold.lock.may_share();
    }
    if tally.backoff.others_are_applying(tally.position, todo.steps.len()) {
        return Err(Stop::Busy);
    }
    groups::carry_out(cx, hold, tally, &todo.work(), table).await?;
    tally.finish(cx, todo);
    Ok(())
}
