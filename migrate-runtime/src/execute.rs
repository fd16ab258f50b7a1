//! Carries out a run: read, plan, apply, and again when another replica was quicker.
//! A migrator and a client go in, a [`Report`] or an [`ErrorKind`] with the partial report comes out.
//! What goes into a message is `transactional`'s business, what runs outside one
//! `nontransactional`'s; nothing here decides what is pending.

use std::time::{Duration, Instant};

use migrate_set::plan::{Cause, Plan, Step};
use migrate_set::rollback::{NO_TRANSACTION, Target};
use migrate_set::set::{Ends, Migration, Script};
use migrate_set::sql::directive::TransactionMode;
use migrate_set::sql::kind::SessionEffect;
use tokio_postgres::Client;
use tracing::{Instrument as _, Span, debug, warn};

use crate::amend::Amendment;
use crate::boxed::{Boxed, boxed};
use crate::deed::Deed;
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::hook::When;
use crate::ledger::{Contents, Extent, Lease, Ledger, Reading};
use crate::locking::{self, Claim};
use crate::migrator::{Limit, Lock, Migrator};
use crate::protocol::{self, OnDrop};
use crate::report::{LockKind, Report};
use crate::{nontransactional, pooled, privilege, spans, transactional, waiting};

/// How much later than the server the client gives up at the deadline.
const GRACE: Duration = Duration::from_secs(1);

/// A run under way.
pub(crate) struct Run<'r> {
    pub(crate) migrator: &'r Migrator<'r>,
    pub(crate) client: &'r Client,
    pub(crate) ledger: Ledger,
    pub(crate) report: Report,
    /// The ledger's last position, as read or as written by this run.
    pub(crate) last_position: i64,
    /// What keeps other runs away.
    pub(crate) lock: LockKind,
    /// Whether the server lets this role take advisory locks, as far as is known.
    pub(crate) advisory_works: bool,
    /// The lock that is a row of the ledger, where this run holds it.
    pub(crate) claim: Option<Claim<'r>>,
    /// The same as it was read, whoever holds it.
    pub(crate) lease: Option<Lease>,
    /// What has strings read as before the run, where the run changed that.
    pub(crate) strings: Option<OnDrop<'r>>,
    /// The process that served the read of the ledger.
    backend: Option<i32>,
    /// Whether each message may be served by another session, where that matters.
    pub(crate) pooled: bool,
    pub(crate) started: Instant,
    /// How long it waits for others next.
    pub(crate) wait: Duration,
    /// Where the ledger stood, and when, as another replica turned this run away last; `None` once it
    /// applied something itself.
    pub(crate) turned_away: Option<(i64, Instant)>,
    /// How often it has tried a blocked migration again.
    pub(crate) tries: u32,
    /// What is written of a transactional migration: its first entry, unless something planned has one.
    pub(crate) extent: Extent,
    /// What the ledger held when the run began, in the order of the set.
    pub(crate) at_start: Option<Vec<&'r Migration>>,
    /// Whether the hooks before the run were called.
    begun: bool,
    /// The migration that is run, as `tracing` knows it.
    pub(crate) at: Span,
}

/// How an attempt to apply ended.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// All that was asked for is applied.
    Done,
    /// The ledger has moved since it was read.
    Moved,
    /// Another replica holds the lock.
    Busy,
    /// The server lets this role take no advisory lock.
    NoAdvisory,
    /// The session reads strings otherwise than the build did.
    Escapes,
    /// A migration was undone because somebody else held a lock, and can be tried again.
    Blocked(Box<ErrorKind>),
}

/// Whether the ledger's table is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Exists,
    Missing,
}

impl Table {
    fn of(contents: &Contents<'_>) -> Self {
        if contents.exists { Table::Exists } else { Table::Missing }
    }
}

/// What of a plan a run goes by.
#[derive(Debug, Default)]
pub(crate) struct Todo<'r> {
    /// What will run, in order.
    pub(crate) steps: Vec<Step<'r>>,
    /// What ran before, in the order of the set.
    pub(crate) applied: Vec<&'r Migration>,
    /// The versions of entries that are newer than the set.
    pub(crate) ahead: Vec<String>,
}

impl<'r> Todo<'r> {
    fn of(plan: Plan<'r>) -> Self {
        Todo {
            steps: plan.steps,
            applied: plan.applied.into_iter().map(|(migration, _)| migration).collect(),
            ahead: plan.ahead.iter().map(|entry| entry.version.to_string()).collect(),
        }
    }
}

/// What follows a group of transactional migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// Nothing: its last commit is the run's, and synchronous.
    OfRun,
    /// A non-transactional migration, whose own commits are synchronous.
    OfGroup,
}

/// What a run is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal<'g> {
    /// Nothing pending.
    Apply,
    /// So much undone.
    Undo(&'g Target),
    /// What is pending run and undone again.
    TryOut,
    /// The ledger changed, and nothing else.
    Amend(&'g Amendment),
}

impl Goal<'_> {
    /// One word for it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Goal::Apply => "run",
            Goal::Undo(_) => "rollback",
            Goal::TryOut => "trial",
            Goal::Amend(_) => "amend",
        }
    }
}

/// The statements of a plan as text.
pub(crate) fn script(migrator: &Migrator<'_>, plan: &Plan<'_>) -> Result<String, ErrorKind> {
    let schema = migrator.schema.as_deref();
    let mut text = String::new();
    for step in &plan.steps {
        let script = step.migration.up();
        let file = migrator.set.path_of(script.filename());
        let sql = script.sql(schema).map_err(|error| ErrorKind::Placeholder {
            file: file.clone(),
            position: script.position(error.at()),
            problem: error.to_string(),
        })?;
        let mode = match script.transaction() {
            TransactionMode::Transactional => "",
            TransactionMode::NonTransactional => ", outside a transaction",
        };
        let ends = match script.ends() {
            Ends::WithSql => "",
            Ends::WithFunction => "-- and then its function\n",
        };
        text += &["-- ", &file, mode, "\n", &sql, ends, "\n"].concat();
    }
    Ok(text)
}

/// The report of a set that these contents of its ledger need no run of; `None` where they do.
pub(crate) fn up_to_date(
    migrator: &Migrator<'_>,
    client: &Client,
    contents: Contents<'_>,
) -> Result<Option<Report>, ErrorKind> {
    let mut run = Run::new(migrator, client);
    let plan = run.plan(contents)?;
    if !plan.steps.is_empty() {
        return Ok(None);
    }
    run.finish(plan);
    run.report.elapsed = run.started.elapsed();
    Ok(Some(run.report))
}

/// Carries out a run.
pub(crate) fn run<'r>(
    migrator: &'r Migrator<'_>,
    client: &'r Client,
    goal: Goal<'r>,
) -> Boxed<'r, Result<Report, Error>> {
    let span = spans::run(migrator.set.module(), &migrator.ledger().shown(), goal);
    boxed(carry_out(migrator, client, goal).instrument(span))
}

async fn carry_out(
    migrator: &Migrator<'_>,
    client: &Client,
    goal: Goal<'_>,
) -> Result<Report, Error> {
    migrator.check_names()?;
    migrator.check_functions()?;
    let mut run = Run::new(migrator, client);
    let result = match migrator.deadline {
        None => run.carry_out(goal).await,
        Some(deadline) => {
            // The server keeps the deadline itself; this is for one that does not answer.
            match tokio::time::timeout(deadline + GRACE, run.carry_out(goal)).await {
                Ok(result) => result,
                Err(_) => Err(run.deadline_error(None)),
            }
        }
    };
    run.report.elapsed = run.started.elapsed();
    run.record();
    match result {
        Ok(()) => Ok(run.report),
        Err(kind) => {
            spans::failed(&Span::current(), &kind);
            spans::failed(&run.at, &kind);
            Err(Error::of_run(kind, run.report))
        }
    }
}

impl<'r> Run<'r> {
    pub(crate) fn new(migrator: &'r Migrator<'r>, client: &'r Client) -> Self {
        Run {
            migrator,
            client,
            ledger: migrator.ledger(),
            report: Report::default(),
            last_position: 0,
            lock: locking::kind(migrator.lock),
            advisory_works: true,
            claim: None,
            lease: None,
            strings: None,
            backend: None,
            pooled: false,
            started: Instant::now(),
            wait: waiting::FIRST_WAIT,
            turned_away: None,
            tries: 0,
            extent: Extent::First,
            at_start: None,
            begun: false,
            at: Span::none(),
        }
    }

    /// Reaches the goal, and gives back what it holds, whatever came of it.
    async fn carry_out(&mut self, goal: Goal<'_>) -> Result<(), ErrorKind> {
        let mut result = self.attempts(goal).await;
        if result.is_err() {
            self.flush().await;
        }
        self.leave().await;
        if self.begun {
            // The first error is the one to tell.
            let called = self.call_around(When::AfterRun).await;
            result = result.and(called);
        }
        self.give_strings_back().await;
        result
    }

    /// Attempts it until it is done.
    async fn attempts(&mut self, goal: Goal<'_>) -> Result<(), ErrorKind> {
        let mut moved = false;
        loop {
            let attempt = match goal {
                Goal::Apply => boxed(self.try_to_apply()).await?,
                Goal::Undo(target) => boxed(self.try_to_undo(target)).await?,
                Goal::TryOut => boxed(self.try_out()).await?,
                Goal::Amend(amendment) => boxed(self.try_to_amend(amendment)).await?,
            };
            let again = match attempt {
                Attempt::Done => return Ok(()),
                Attempt::Moved => {
                    debug!("the ledger has moved, reading it again");
                    true
                }
                Attempt::Busy => {
                    self.turned_away = Some((self.last_position, Instant::now()));
                    boxed(self.wait_for_others()).await?;
                    false
                }
                Attempt::NoAdvisory => {
                    self.take_row_instead()?;
                    false
                }
                Attempt::Escapes => {
                    boxed(self.take_backslashes_as_they_are()).await?;
                    false
                }
                Attempt::Blocked(error) => {
                    boxed(self.wait_to_retry(*error)).await?;
                    false
                }
            };
            // A ledger that is never as it was read (behind a pooler that reads elsewhere) must
            // not be asked without a pause and for ever.
            if again && moved {
                boxed(self.wait_for_others()).await?;
            }
            moved = again;
        }
    }

    /// Reads, plans and applies.
    async fn try_to_apply(&mut self) -> Result<Attempt, ErrorKind> {
        let (plan, table) = self.read_plan().await?;
        if self.others_are_at_work(plan.steps.len()) {
            return Ok(Attempt::Busy);
        }
        let deed = |step: &Step<'r>| (Deed::Apply(step.migration), step.cause);
        let work: Vec<_> = plan.steps.iter().map(deed).collect();
        let attempt = self.carry(&work, table).await?;
        if matches!(attempt, Attempt::Done) {
            self.finish(plan);
        }
        Ok(attempt)
    }

    /// Reads, plans, runs what can run in a transaction, and undoes it.
    async fn try_out(&mut self) -> Result<Attempt, ErrorKind> {
        let (plan, table) = self.read_plan().await?;
        let deeds = plan.steps.iter().map(|step| Deed::Apply(step.migration));
        let (inside, outside): (Vec<Deed<'_>>, Vec<Deed<'_>>) =
            deeds.partition(|deed| deed.is_transactional());
        self.begin(inside.len()).await?;
        match boxed(self.enter(table)).await? {
            Attempt::Done if inside.is_empty() => {}
            Attempt::Done => {
                let table = if self.claim.is_some() { Table::Exists } else { table };
                let attempt = transactional::try_out(self, &inside, table).await?;
                if !matches!(attempt, Attempt::Done) {
                    return Ok(attempt);
                }
            }
            other => return Ok(other),
        }
        for deed in outside {
            let file = self.path_of(deed.script());
            self.note(format!("{file} runs outside a transaction and was left out"));
        }
        Ok(Attempt::Done)
    }

    /// Tells that something will be done, and asks those who want to be asked.
    async fn begin(&mut self, migrations: usize) -> Result<(), ErrorKind> {
        if migrations > 0 {
            self.migrator.listeners.tell(&Event::Planned { migrations });
        }
        if migrations > 0 && !self.begun {
            self.begun = true;
            self.call_around(When::BeforeRun).await?;
        }
        Ok(())
    }

    /// Reads the ledger: one message.
    pub(crate) async fn read(&mut self, reading: Reading) -> Result<Contents<'r>, ErrorKind> {
        self.report.messages += 1;
        let contents =
            boxed(crate::reading::read(self.client, &self.ledger, reading, self.migrator.set))
                .await?;
        self.last_position = contents.last_position;
        self.lease.clone_from(&contents.lease);
        self.backend = contents.backend;
        Ok(contents)
    }

    /// Reads what has to be compared, and plans. Where they disagree, and where something is to be
    /// done that an earlier run began, or while somebody holds the lock that is a row, reads all that
    /// there is to say.
    async fn read_plan(&mut self) -> Result<(Todo<'r>, Table), ErrorKind> {
        let contents = self.read(self.migrator.reading()).await?;
        let (table, is_locked) = (Table::of(&contents), contents.is_locked);
        let is_unfinished = contents.is_brief && contents.entries.iter().any(|e| !e.is_finished());
        match self.plan(contents) {
            Ok(plan) if plan.steps.is_empty() || !(is_locked || is_unfinished) => Ok((plan, table)),
            Ok(_) | Err(ErrorKind::Drift { .. }) => {
                let contents = self.read(Reading::Entries).await?;
                let table = Table::of(&contents);
                Ok((self.plan(contents)?, table))
            }
            Err(error) => Err(error),
        }
    }

    /// Decides what runs, and that all of it can be written, before anything does.
    fn plan(&mut self, contents: Contents<'_>) -> Result<Todo<'r>, ErrorKind> {
        let migrator = self.migrator;
        let todo = if contents.is_settled() && migrator.limit == Limit::None {
            Todo { applied: migrator.set.iter().collect(), ..Todo::default() }
        } else {
            Todo::of(migrator.decide(contents.into_entries())?)
        };
        let is_new = todo.steps.iter().all(|step| step.cause == Cause::New);
        self.extent = if is_new { Extent::First } else { Extent::Whole };
        self.at_start.get_or_insert_with(|| todo.applied.clone());
        for step in &todo.steps {
            self.check_placeholders(step.migration)?;
            self.check_function(step.migration)?;
        }
        Ok(todo)
    }

    fn check_function(&self, migration: &Migration) -> Result<(), ErrorKind> {
        let is_given = self.migrator.calls.versions().any(|known| known == migration.version());
        if migration.up().ends() == Ends::WithFunction && !is_given {
            let (file, version) = (self.path_of(migration.up()), migration.version().to_string());
            return Err(ErrorKind::NoFunction { file, version });
        }
        Ok(())
    }

    fn check_placeholders(&self, migration: &Migration) -> Result<(), ErrorKind> {
        let scripts = std::iter::once(migration.up()).chain(migration.down());
        for script in scripts.filter(|script| !script.placeholders().is_empty()) {
            let sql = script.sql(self.migrator.schema.as_deref());
            sql.map_err(|error| self.placeholder_error(script, &error))?;
        }
        Ok(())
    }

    /// Carries out `work` in order: runs of transactional deeds together, the others one by one.
    pub(crate) async fn carry(
        &mut self,
        work: &[(Deed<'_>, Cause)],
        table: Table,
    ) -> Result<Attempt, ErrorKind> {
        if work.is_empty() {
            return Ok(Attempt::Done);
        }
        self.begin(work.len()).await?;
        let outside = work.iter().map(|(deed, _)| deed).find(|deed| !deed.is_transactional());
        boxed(self.look_for_a_pooler(outside.map(|deed| deed.script()))).await?;
        match boxed(self.enter(table)).await? {
            Attempt::Done => {}
            other => return Ok(other),
        }
        // The row that is a lock stands in a ledger that exists.
        let mut table = if self.claim.is_some() { Table::Exists } else { table };
        let mut rest = work;
        while let Some((first, cause)) = rest.first() {
            let attempt;
            if first.is_transactional() {
                let end = rest.iter().position(|(deed, _)| !deed.is_transactional());
                let (group, behind) = rest.split_at(end.unwrap_or(rest.len()));
                let last = if behind.is_empty() { Last::OfRun } else { Last::OfGroup };
                let deeds: Vec<_> = group.iter().map(|(deed, _)| *deed).collect();
                attempt = boxed(transactional::apply(self, &deeds, last, table)).await?;
                rest = behind;
            } else {
                attempt = boxed(nontransactional::apply(self, (*first, *cause), table)).await?;
                rest = &rest[1..];
            }
            table = Table::Exists;
            if !matches!(attempt, Attempt::Done) {
                return Ok(attempt);
            }
        }
        Ok(Attempt::Done)
    }

    /// Refuses what a pooled connection cannot carry, before anything runs.
    pub(crate) async fn look_for_a_pooler(
        &mut self,
        outside: Option<&Script>,
    ) -> Result<(), ErrorKind> {
        let Some(script) = outside.filter(|_| self.migrator.lock != Lock::Advisory) else {
            return Ok(());
        };
        let backend = if let Some(backend) = self.backend {
            backend
        } else {
            let sql = "SELECT pg_catalog.pg_backend_pid()";
            let asked = self.ask(sql, "asking which process serves the session").await?;
            asked.and_then(|process| process.parse().ok()).unwrap_or_default()
        };
        self.pooled = pooled::process(self.client).await.is_some_and(|process| process != backend);
        let settings = script.session() != SessionEffect::Keeps;
        if self.pooled && (self.lock == LockKind::Advisory || settings) {
            return Err(ErrorKind::Pooled { file: self.path_of(script), lock: self.lock });
        }
        Ok(())
    }

    /// Goes on with a lock that is a row of the ledger, where the server has no other.
    fn take_row_instead(&mut self) -> Result<(), ErrorKind> {
        self.advisory_works = false;
        if self.migrator.lock == Lock::Advisory {
            return Err(ErrorKind::NoAdvisoryLock { ledger: self.ledger.shown() });
        }
        if self.lock == LockKind::Advisory {
            warn!("this role can take no advisory lock, a row of the ledger is the lock instead");
            self.note("this role can take no advisory lock; a row of the ledger was the lock");
            self.lock = LockKind::Row;
        }
        Ok(())
    }

    /// Makes asynchronous commits durable before the run ends early.
    async fn flush(&mut self) {
        if self.report.unconfirmed > 0 {
            self.report.messages += 1;
            let flushed = protocol::query(self.client, &self.ledger.touch()).await;
            debug!(ok = flushed.is_ok(), "asynchronous commits flushed");
            // Where this fails the server may have crashed, and its last commits with it.
            if flushed.is_ok() {
                self.report.unconfirmed = 0;
            }
        }
    }

    /// Sends one statement of ours; the first column of its last row.
    pub(crate) async fn ask(
        &mut self,
        sql: &str,
        doing: &str,
    ) -> Result<Option<String>, ErrorKind> {
        self.report.messages += 1;
        match protocol::query(self.client, sql).await {
            Ok(row) => Ok(row.and_then(|row| row.get(0).map(str::to_owned))),
            Err(source) => Err(self.database_error(doing.to_owned(), source).await),
        }
    }

    /// The error of a statement of ours, with the GRANT that it lacks.
    pub(crate) async fn database_error(
        &mut self,
        doing: String,
        source: tokio_postgres::Error,
    ) -> ErrorKind {
        let help = boxed(privilege::help(self.client, &self.ledger, &source)).await;
        ErrorKind::Database { doing, help, source }
    }

    /// The down script as the ledger keeps it, for the run's schema.
    pub(crate) fn down_sql(&self, migration: &Migration) -> Result<Option<String>, ErrorKind> {
        let Some(down) = migration.down() else { return Ok(None) };
        let sql = down.sql(self.migrator.schema.as_deref());
        let sql = sql.map_err(|error| self.placeholder_error(down, &error))?;
        Ok(Some(match down.transaction() {
            TransactionMode::Transactional => sql,
            TransactionMode::NonTransactional => format!("{NO_TRANSACTION}{sql}"),
        }))
    }
}
