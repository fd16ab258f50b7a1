//! Calls the service's own code: functions of migrations, and hooks. A transaction with such calls, or with
//! the data of a `COPY`, is several messages, any other is one.

use migrate_set::set::{Ends, Script};
use tokio_postgres::SimpleQueryRow;

use super::action::Action;
use super::tally::Tally;
use crate::context::Context;
use crate::lock::Stop;
use crate::outcome::{BoxError, Error, ErrorKind, Event, RunClient, When, chain};
use crate::sql::same_encoding;
use crate::wire::{Copy, Message, Outcome, Part, SendData, is_conflict};

/// The service's own code that is called for one migration.
#[derive(Debug, Clone, Copy)]
pub(super) enum Callout<'d> {
    /// Hooks around a migration.
    Hooks(When, Action<'d>),
    /// The function of a migration.
    Function(Action<'d>),
}

/// What comes between two messages.
#[derive(Debug)]
enum Between<'d> {
    Call(Callout<'d>),
    Copy(Copy<'d>),
}

/// One transaction with callouts or data, or many without, as messages.
#[derive(Debug)]
pub(super) struct Messages<'d> {
    before: Vec<(Message, Between<'d>)>,
    last: Message,
}

/// What is called for every completed part.
type On<'o, 'r> = &'o mut (dyn FnMut(&mut Tally<'r>, Part, Option<SimpleQueryRow>) + Send);

impl<'d> Messages<'d> {
    pub(super) fn new() -> Self {
        Messages::of(Message::new())
    }

    /// Messages that begin with `message`.
    pub(super) fn of(message: Message) -> Self {
        Messages { before: Vec::new(), last: message }
    }

    /// Adds one statement, without its `;`.
    pub(super) fn push(&mut self, part: Part, sql: &str) {
        self.last.push(part, sql);
    }

    /// Adds one statement of `script`, and its data if it is a `COPY`.
    pub(super) fn push_statement(
        &mut self,
        cx: &Context<'_>,
        part: Part,
        script: &'d Script,
        range: (usize, usize),
    ) -> Result<(), Error> {
        match script.copy(range).zip(cx.migrator.parts.find::<SendData>()) {
            None => self.push(part, &cx.rendered(script, range)?.sql),
            Some(([range, (start, end)], send)) => {
                let sql = cx.rendered(script, range)?.sql.into_owned();
                let probe = (send.probe)(&sql);
                if let (Part::Statement { step, index }, Some(probe)) = (part, probe) {
                    self.push(Part::Probe { step, index }, &probe);
                }
                let data = script.text().get(start..end).unwrap_or_default();
                self.end(Between::Copy(Copy { part, sql, data, send }));
            }
        }
        Ok(())
    }

    /// The message that is being written.
    pub(super) fn message(&mut self) -> &mut Message {
        &mut self.last
    }

    /// Ends the message that is being written with a callout, if there is something to call. The service's own
    /// code can change the session, so the next message begins with a check of it.
    pub(super) fn call(&mut self, cx: &Context<'_>, step: usize, callout: Callout<'d>) {
        let is_wanted = match callout {
            Callout::Hooks(when, _) => cx.migrator.calls.has_hooks(when),
            Callout::Function(action) => action.script().ends() == Ends::WithFunction,
        };
        if is_wanted {
            self.end(Between::Call(callout));
            self.push(Part::Check { step }, &same_encoding());
        }
    }

    fn end(&mut self, with: Between<'d>) {
        let message = std::mem::replace(&mut self.last, Message::new());
        self.before.push((message, with));
    }

    /// Sends all messages, up to the first error.
    ///
    /// # Errors
    /// That of a callout; the transaction is then rolled back.
    ///
    /// # Cancel safety
    /// If it is dropped, the connection is outside a transaction.
    pub(super) async fn send<'r>(
        self,
        cx: &Context<'r>,
        tally: &mut Tally<'r>,
        on: On<'_, 'r>,
    ) -> Result<Outcome, Stop> {
        let mut rollback = cx.wire.on_drop(Vec::new());
        let mut completed = 0;
        for (message, between) in self.before {
            let outcome = send(cx, tally, message, on).await;
            completed += outcome.completed;
            if outcome.failure.is_some() {
                rollback.disarm();
                return Ok(Outcome { completed, ..outcome });
            }
            rollback.arm(vec!["ROLLBACK".to_owned()]);
            match between {
                Between::Call(callout) => {
                    if let Err(error) = call(cx, tally, callout).await {
                        rollback.disarm();
                        // If this fails, the connection is broken, and its transaction gone.
                        let _ = cx.wire.last_row("ROLLBACK").await;
                        return Err(interrupted(cx, callout, error));
                    }
                }
                Between::Copy(copy) => {
                    if let Err(failure) = cx.wire.copy(&copy).await {
                        rollback.disarm();
                        return Ok(Outcome { completed, failure: Some(failure) });
                    }
                    on(tally, copy.part, None);
                    completed += 1;
                }
            }
        }
        let outcome = send(cx, tally, self.last, on).await;
        rollback.disarm();
        Ok(Outcome { completed: completed + outcome.completed, ..outcome })
    }
}

async fn send<'r>(
    cx: &Context<'r>,
    tally: &mut Tally<'r>,
    message: Message,
    on: On<'_, 'r>,
) -> Outcome {
    if message.is_empty() {
        return Outcome { completed: 0, failure: None };
    }
    cx.wire.send(message, &mut |part, row| on(tally, part, row)).await
}

/// Why the run stops after a callout failed: to try again if another session was the cause, otherwise
/// with the error.
fn interrupted(cx: &Context<'_>, callout: Callout<'_>, source: BoxError) -> Stop {
    let is_blocked = is_blocked(&*source);
    let detail = cx.migrator.detail(&*source);
    let error = match callout {
        Callout::Function(action) => ErrorKind::Function {
            file: cx.path_of(action.script()),
            version: action.version().to_owned(),
            detail,
            source,
        },
        Callout::Hooks(when, action) => {
            let file = Some(cx.path_of(action.script()));
            ErrorKind::Hook { when, file, detail, source }
        }
    };
    Stop::blocked_if(is_blocked, error.into())
}

/// Whether another session was the cause that a statement of the service's own code failed.
fn is_blocked(error: &(dyn std::error::Error + 'static)) -> bool {
    chain(error).any(|error| error.downcast_ref().is_some_and(is_conflict))
}

/// Whether `action` is carried out in more than one message.
pub(super) fn divide(cx: &Context<'_>, action: Action<'_>) -> bool {
    let script = action.script();
    are_needed(cx, action) || script.statements().any(|range| script.copy(range).is_some())
}

/// Whether `action` calls the service's own code.
pub(super) fn are_needed(cx: &Context<'_>, action: Action<'_>) -> bool {
    action.script().ends() == Ends::WithFunction || are_around_each(cx)
}

/// Whether hooks are called around each migration.
pub(super) fn are_around_each(cx: &Context<'_>) -> bool {
    let calls = &cx.migrator.calls;
    calls.has_hooks(When::BeforeEach) || calls.has_hooks(When::AfterEach)
}

/// Calls the service's own code.
pub(super) async fn call(
    cx: &Context<'_>,
    tally: &mut Tally<'_>,
    callout: Callout<'_>,
) -> Result<(), BoxError> {
    let calls = &cx.migrator.calls;
    let (Callout::Hooks(_, action) | Callout::Function(action)) = callout;
    let migration = Some(action.subject());
    let context = RunClient { client: cx.wire.client, migration, report: tally.report(cx) };
    match callout {
        Callout::Hooks(when, _) => calls.hooks(when, context).await,
        Callout::Function(Action::Apply(migration)) => {
            calls.function(migration.version(), context).await
        }
        // A down script has none: the build refuses them.
        Callout::Function(Action::Undo(_)) => Ok(()),
    }
}

/// Informs listeners of the plan, and calls the hooks before the run once.
pub(super) async fn begin(
    cx: &Context<'_>,
    tally: &mut Tally<'_>,
    migrations: usize,
) -> Result<(), Error> {
    if migrations == 0 {
        return Ok(());
    }
    cx.migrator.listeners.inform(&Event::Planned { migrations });
    if !tally.hooks_called {
        tally.hooks_called = true;
        around(cx, tally, When::BeforeRun).await?;
    }
    Ok(())
}

/// Calls the hooks around the whole run.
pub(super) async fn around(
    cx: &Context<'_>,
    tally: &mut Tally<'_>,
    when: When,
) -> Result<(), Error> {
    let context = RunClient { client: cx.wire.client, migration: None, report: tally.report(cx) };
    let called = cx.migrator.calls.hooks(when, context).await;
    called.map_err(|source| {
        let detail = cx.migrator.detail(&*source);
        ErrorKind::Hook { when, file: None, detail, source }.into()
    })
}
