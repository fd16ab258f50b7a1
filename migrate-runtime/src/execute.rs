//! Carries out a run: read, plan, apply, and again when another replica was quicker.
//! A migrator and a client go in, a [`Report`] or an [`Error`] with the partial report comes out.
//! What goes into a message is `transactional`'s business, what runs outside one
//! `nontransactional`'s; nothing here decides what is pending.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

use migrate_core::ledger::Entry;
use migrate_core::plan::{Plan, Step, plan};
use migrate_core::set::{Migration, Script};
use migrate_core::sql::directive::TransactionMode;
use migrate_core::sql::placeholder::RenderError;
use tokio_postgres::Client;
use tracing::{debug, info};

use crate::error::Error;
use crate::ledger::{Contents, Ledger};
use crate::migrator::Migrator;
use crate::protocol;
use crate::report::{Applied, Report, SkipReason, Skipped};
use crate::{nontransactional, transactional};

/// The first wait for another replica, and the longest; jitter takes or adds up to a half.
const FIRST_WAIT: Duration = Duration::from_millis(20);
const LONGEST_WAIT: Duration = Duration::from_millis(500);

/// A run under way.
pub(crate) struct Run<'r> {
    pub(crate) migrator: &'r Migrator<'r>,
    pub(crate) client: &'r Client,
    pub(crate) ledger: Ledger,
    pub(crate) report: Report,
    /// The ledger's last position, as read or as written by this run.
    pub(crate) last_position: i64,
    /// Whether this run committed something that a crash of the server could still take back.
    pub(crate) unflushed: bool,
    wait: Duration,
    /// What the ledger held when the run began.
    at_start: Option<HashSet<String>>,
}

/// How an attempt to apply ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// All that was asked for is applied.
    Done,
    /// The ledger has moved since it was read.
    Moved,
    /// Another replica holds the lock.
    Busy,
}

/// Whether the ledger's table is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Exists,
    Missing,
}

/// What follows a group of transactional migrations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// Nothing: its last commit is the run's, and synchronous.
    OfRun,
    /// A non-transactional migration, whose own commits are synchronous.
    OfGroup,
}

/// Applies what is pending.
pub(crate) async fn run(migrator: &Migrator<'_>, client: &Client) -> Result<Report, Error> {
    let started = Instant::now();
    let report = attempts(Run::new(migrator, client)).await;
    match report {
        Ok(report) => Ok(Report { elapsed: started.elapsed(), ..report }),
        Err(error) => Err(error.after(started.elapsed())),
    }
}

/// Reads, plans and applies, until nothing is pending.
async fn attempts(mut run: Run<'_>) -> Result<Report, Error> {
    let mut last = Attempt::Done;
    loop {
        let contents = run.read().await?;
        let exists = contents.exists;
        let plan = run.plan(contents)?;
        let attempt = run.apply(&plan.steps, exists).await?;
        match attempt {
            Attempt::Done => return Ok(run.finish(&plan)),
            Attempt::Moved if last != Attempt::Moved => {
                debug!("the ledger has moved, reading it again");
            }
            // A ledger that is never as it was read (behind a pooler that reads elsewhere) must
            // not be asked without a pause and for ever.
            Attempt::Moved | Attempt::Busy => run.wait().await?,
        }
        last = attempt;
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
            unflushed: false,
            wait: FIRST_WAIT,
            at_start: None,
        }
    }

    /// Reads the ledger: one message.
    pub(crate) async fn read(&mut self) -> Result<Contents, Error> {
        self.report.messages += 1;
        crate::migrator::read(self.client, &self.ledger)
            .await
            .map_err(|error| error.with_report(&self.report))
    }

    /// Decides what runs, and that all of it can be written, before anything does.
    fn plan(&mut self, contents: Contents) -> Result<Plan<'r>, Error> {
        self.last_position = contents.last_position;
        let plan =
            plan(self.migrator.set, contents.entries, &self.migrator.policy).map_err(|report| {
                Error::Drift { drift: report, report: Box::new(self.report.clone()) }
            })?;
        self.at_start.get_or_insert_with(|| {
            plan.applied.iter().map(|(migration, _)| migration.version().to_string()).collect()
        });
        for step in &plan.steps {
            self.check_placeholders(step.migration)?;
        }
        Ok(plan)
    }

    fn check_placeholders(&self, migration: &Migration) -> Result<(), Error> {
        let scripts = std::iter::once(migration.up()).chain(migration.down());
        for script in scripts.filter(|script| !script.placeholders().is_empty()) {
            let sql = script.sql(self.migrator.schema.as_deref());
            sql.map_err(|error| self.placeholder_error(script, &error))?;
        }
        Ok(())
    }

    /// Applies `steps` in order: runs of transactional ones together, the others one by one.
    async fn apply(&mut self, steps: &[Step<'_>], exists: bool) -> Result<Attempt, Error> {
        let mut table = if exists { Table::Exists } else { Table::Missing };
        let mut rest = steps;
        while let Some(first) = rest.first() {
            let attempt;
            if is_transactional(first) {
                let end = rest.iter().position(|step| !is_transactional(step));
                let (group, behind) = rest.split_at(end.unwrap_or(rest.len()));
                let last = if behind.is_empty() { Last::OfRun } else { Last::OfGroup };
                attempt = transactional::apply(self, group, last, table).await?;
                rest = behind;
            } else {
                attempt = nontransactional::apply(self, *first, table).await?;
                rest = &rest[1..];
            }
            table = Table::Exists;
            if attempt != Attempt::Done {
                return Ok(attempt);
            }
        }
        Ok(Attempt::Done)
    }

    /// Sleeps a little, or gives up at the deadline.
    async fn wait(&mut self) -> Result<(), Error> {
        let left = self.migrator.deadline.saturating_sub(self.report.waited);
        if left.is_zero() {
            return Err(Error::Busy {
                ledger: self.ledger.shown(),
                waited: self.report.waited,
                report: Box::new(self.report.clone()),
            });
        }
        // A hasher with random keys is all the randomness that jitter needs.
        let random = RandomState::new().hash_one(self.report.messages) % 1024;
        let factor = 0.5 + f64::from(u32::try_from(random).unwrap_or(512)) / 1024.0;
        let pause = self.wait.mul_f64(factor).min(left);
        debug!(?pause, "another replica holds the lock, waiting");
        tokio::time::sleep(pause).await;
        self.report.waited += pause;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(())
    }

    /// Notes that a migration was applied.
    pub(crate) fn applied(&mut self, migration: &Migration, duration: Duration) {
        self.last_position += 1;
        // Whoever we waited for has let go.
        self.wait = FIRST_WAIT;
        let (version, name) = (migration.version().to_string(), migration.name().to_owned());
        info!(version, name, ms = duration.as_millis(), "migration applied");
        let filename = migration.filename().to_owned();
        self.report.applied.push(Applied { version, name, filename, duration });
    }

    /// Makes asynchronous commits durable before the run ends early.
    pub(crate) async fn flush(&mut self) {
        if std::mem::take(&mut self.unflushed) {
            self.report.messages += 1;
            // A failure here changes nothing that can be said: the first error is the one to tell.
            let flushed = protocol::query(self.client, &self.ledger.touch()).await;
            debug!(ok = flushed.is_ok(), "asynchronous commits flushed");
        }
    }

    fn finish(mut self, plan: &Plan<'_>) -> Report {
        let ours: HashSet<&str> = self.report.applied.iter().map(|a| a.version.as_str()).collect();
        let at_start = self.at_start.unwrap_or_default();
        let skipped = |(migration, entry): &(&Migration, Entry)| {
            let version = migration.version().to_string();
            let at = entry.applied_at.clone();
            let reason = if at_start.contains(&version) {
                SkipReason::AlreadyApplied { at }
            } else {
                SkipReason::AppliedMeanwhile { at }
            };
            let name = migration.name().to_owned();
            (!ours.contains(version.as_str())).then_some(Skipped { version, name, reason })
        };
        self.report.skipped = plan.applied.iter().filter_map(skipped).collect();
        self.report.ahead = plan.ahead.iter().map(|entry| entry.version.to_string()).collect();
        let Report { applied, skipped, messages, .. } = &self.report;
        info!(
            applied = applied.len(),
            skipped = skipped.len(),
            messages,
            "migrations are up to date"
        );
        self.report
    }

    /// The down script as the ledger keeps it, for the run's schema.
    pub(crate) fn down_sql(&self, migration: &Migration) -> Result<Option<String>, Error> {
        let Some(down) = migration.down() else { return Ok(None) };
        let sql = down.sql(self.migrator.schema.as_deref());
        sql.map(Some).map_err(|error| self.placeholder_error(down, &error))
    }

    /// A placeholder of `script` that cannot be replaced.
    pub(crate) fn placeholder_error(&self, script: &Script, error: &RenderError) -> Error {
        Error::Placeholder {
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

fn is_transactional(step: &Step<'_>) -> bool {
    step.migration.up().transaction() == TransactionMode::Transactional
}
