//! Carries a transaction through several messages, with the service's own code between them.
//! Parts and pauses go in; what the server answered, or what a pause failed with, comes out.
//! A transaction without a pause is one message, which most are; what the parts mean is
//! `transactional`'s business.

use migrate_set::set::Ends;
use tokio_postgres::SimpleQueryRow;

use crate::deed::Deed;
use crate::error::ErrorKind;
use crate::execute::{Attempt, Run};
use crate::hook::{BoxError, Context, When};
use crate::protocol::{self, Message, OnDrop, Outcome};
use crate::transactional::Part;

/// Where the service's own code is called.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pause<'d> {
    /// Hooks around a migration.
    Hooks(When, Deed<'d>),
    /// The function of a migration.
    Function(Deed<'d>),
}

/// One transaction, or many that need no pause, as messages.
#[derive(Debug)]
pub(crate) struct Dialogue<'d> {
    before: Vec<(Message<Part>, Pause<'d>)>,
    last: Message<Part>,
}

/// What is told of every completed part.
type On<'o, 'r> = &'o mut (dyn FnMut(&mut Run<'r>, Part, Option<SimpleQueryRow>) + Send);

impl<'d> Dialogue<'d> {
    pub(crate) fn new() -> Self {
        Dialogue { before: Vec::new(), last: Message::new() }
    }

    /// Adds one statement, without its `;`.
    pub(crate) fn push(&mut self, part: Part, sql: &str) {
        self.last.push(part, sql);
    }

    /// The message that is being written.
    pub(crate) fn message(&mut self) -> &mut Message<Part> {
        &mut self.last
    }

    /// Ends the message that is being written by a call of the service's own code.
    fn pause(&mut self, pause: Pause<'d>) {
        let said = std::mem::replace(&mut self.last, Message::new());
        self.before.push((said, pause));
    }

    /// Sends it all, up to the first error.
    ///
    /// # Errors
    /// That of a pause; the transaction is undone then.
    ///
    /// # Cancel safety
    /// Dropped midway it leaves the connection outside a transaction.
    pub(crate) async fn carry_on<'r>(
        &self,
        run: &mut Run<'r>,
        on: On<'_, 'r>,
    ) -> Result<Outcome<Part>, Interrupted<'d>> {
        let client = run.client;
        let mut rollback = OnDrop::new(client, Vec::new());
        let mut completed = 0;
        for (message, pause) in &self.before {
            let outcome = send(run, message, on).await;
            completed += outcome.completed;
            if outcome.failure.is_some() {
                rollback.disarm();
                return Ok(Outcome { completed, ..outcome });
            }
            rollback.arm(vec!["ROLLBACK".to_owned()]);
            if let Err(error) = run.call(*pause).await {
                rollback.disarm();
                run.report.messages += 1;
                // Should this fail, the connection is broken, and its transaction gone with it.
                let _ = protocol::query(client, "ROLLBACK").await;
                return Err(Interrupted { pause: *pause, error });
            }
        }
        let outcome = send(run, &self.last, on).await;
        rollback.disarm();
        Ok(Outcome { completed: completed + outcome.completed, ..outcome })
    }
}

async fn send<'r>(run: &mut Run<'r>, message: &Message<Part>, on: On<'_, 'r>) -> Outcome<Part> {
    if message.is_empty() {
        return Outcome { completed: 0, failure: None };
    }
    run.report.messages += 1;
    let client = run.client;
    protocol::send(client, message, &mut |part, row| on(run, part, row)).await
}

/// The service's own code failed, or wanted the run to stop.
#[derive(Debug)]
pub(crate) struct Interrupted<'d> {
    pause: Pause<'d>,
    error: BoxError,
}

impl Interrupted<'_> {
    /// What becomes of the run: it fails, or tries again where others were in the way.
    pub(crate) fn attempt(self, run: &Run<'_>) -> Result<Attempt, ErrorKind> {
        let blocked = is_blocked(&*self.error);
        let error = match self.pause {
            Pause::Function(deed) => ErrorKind::Function {
                file: run.path_of(deed.script()),
                version: deed.version().to_owned(),
                source: self.error,
            },
            Pause::Hooks(when, deed) => {
                ErrorKind::Hook { when, file: Some(run.path_of(deed.script())), source: self.error }
            }
        };
        if blocked { Ok(Attempt::Blocked(Box::new(error))) } else { Err(error) }
    }
}

/// Whether a statement of the service's own was in others' way.
fn is_blocked(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        let driver = error.downcast_ref::<tokio_postgres::Error>();
        let code = driver.and_then(tokio_postgres::Error::code).map_or("", |code| code.code());
        if protocol::is_others_doing(code) {
            return true;
        }
        next = error.source();
    }
    false
}

impl Run<'_> {
    /// Whether `deed` is carried out in more than one message.
    pub(crate) fn pauses(&self, deed: Deed<'_>) -> bool {
        let calls = &self.migrator.calls;
        deed.script().ends() == Ends::WithFunction
            || calls.has_hooks(When::BeforeEach)
            || calls.has_hooks(When::AfterEach)
    }

    /// Adds a pause to `dialogue` where something is to be called.
    pub(crate) fn pause<'d>(&self, dialogue: &mut Dialogue<'d>, pause: Pause<'d>) {
        let is_wanted = match pause {
            Pause::Hooks(when, _) => self.migrator.calls.has_hooks(when),
            Pause::Function(deed) => deed.script().ends() == Ends::WithFunction,
        };
        if is_wanted {
            dialogue.pause(pause);
        }
    }

    /// Calls the service's own code.
    pub(crate) async fn call(&self, pause: Pause<'_>) -> Result<(), BoxError> {
        let calls = &self.migrator.calls;
        let context =
            |deed| Context { client: self.client, deed: Some(deed), report: &self.report };
        match pause {
            Pause::Hooks(when, deed) => calls.hooks(when, context(deed)).await,
            Pause::Function(Deed::Apply(migration)) => {
                calls.function(migration.version(), context(Deed::Apply(migration))).await
            }
            // A down script has none: the build has seen to it.
            Pause::Function(Deed::Undo(_)) => Ok(()),
        }
    }

    /// Calls the hooks around the whole run.
    pub(crate) async fn call_around(&self, when: When) -> Result<(), ErrorKind> {
        let context = Context { client: self.client, deed: None, report: &self.report };
        let called = self.migrator.calls.hooks(when, context).await;
        called.map_err(|source| ErrorKind::Hook { when, file: None, source })
    }
}
