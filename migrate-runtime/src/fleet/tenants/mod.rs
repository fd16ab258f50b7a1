//! Migrates many schemas of one database, each with its own ledger. The same call continues an
//! interrupted run, because it skips schemas that are up to date.

mod compare;
mod connection;
mod last_rows;
mod report;

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

pub use connection::AsClient;
pub use report::{Failure, Progress, TenantsReport};

use tokio_postgres::Client;

use crate::context::Context;
use crate::migrator::Migrator;
use crate::outcome::{Error, Report};
use crate::stale::check_embed;
use compare::{Comparison, compare, find};
use last_rows::LastRows;

/// Migrates many schemas, each as one [`Migrator`] would.
///
/// ```no_run
/// use migrate_runtime::tenants::Tenants;
/// use migrate_runtime::{Migrations, Migrator};
/// # async fn boot<P, C, E, F>(
/// #     migrations: &Migrations, schemas: Vec<String>, get: F,
/// # ) -> Result<(), Box<dyn std::error::Error>>
/// # where
/// #     F: Fn() -> P,
/// #     P: Future<Output = Result<C, E>>,
/// #     C: std::ops::DerefMut<Target = tokio_postgres::Client>,
/// #     E: std::error::Error + 'static,
/// # {
/// let migrator = Migrator::new(migrations);
/// let tenants = Tenants::new(&migrator).concurrency(8);
/// // `get` is `|| pool.get()` of deadpool, bb8 or any other pool.
/// let report = tenants.run(schemas, get, |progress| println!("{progress}")).await?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Tenants<'m, 's> {
    migrator: &'m Migrator<'s>,
    concurrency: usize,
}

/// How many schemas are migrated at a time by default.
const DEFAULT_CONCURRENCY: usize = 4;

impl<'m, 's> Tenants<'m, 's> {
    /// Tenants that are migrated with the options of `migrator`, except its schemas: each tenant's
    /// ledger is in the tenant's own schema.
    pub fn new(migrator: &'m Migrator<'s>) -> Self {
        Tenants { migrator, concurrency: DEFAULT_CONCURRENCY }
    }

    /// How many schemas are migrated at a time, each with a client of its own; four by default, at
    /// least one.
    #[must_use]
    pub fn concurrency(mut self, schemas: usize) -> Self {
        self.concurrency = schemas.max(1);
        self
    }

    /// Migrates those of `schemas` that are not up to date.
    ///
    /// It reads 200 ledgers per message, after one message that finds them. More than 200 are read over several
    /// clients: as many as schemas are migrated at a time, at most four. If a schema fails, the others are still
    /// migrated; the report lists the failures. `progress` is called once after the ledgers are read, and once for
    /// every schema that is not up to date. Duplicate names are ignored.
    ///
    /// # Errors
    /// [`Failure`] if the ledgers cannot be found, because there is no client or the server does not
    /// answer; nothing was changed.
    ///
    /// # Cancel safety
    /// As [`Migrator::run`], for every schema by itself.
    pub async fn run<F, P, C, E, D>(
        &self,
        schemas: impl IntoIterator<Item = impl Into<String>>,
        connect: F,
        progress: impl FnMut(Progress<'_, E>),
    ) -> Result<TenantsReport<E>, Failure<E>>
    where
        F: Fn() -> P,
        P: Future<Output = Result<C, E>>,
        C: AsClient<D>,
    {
        let began = Instant::now();
        check_embed(self.migrator.set).map_err(|stale| Failure::Run(stale.into()))?;
        let mut client = connect().await.map_err(Failure::Connect)?;
        let schemas = schemas.into_iter().map(Into::into).collect();
        let found = self.compare(client.client(), schemas, &connect).await.map_err(Failure::Run)?;
        drop(client);
        let ongoing = Mutex::new(Ongoing::new(found, progress));
        let workers = lock(&ongoing).queue.len().min(self.concurrency);
        all((0..workers).map(|_| self.work(&ongoing, &connect)), || false).await;
        let mut report = ongoing.into_inner().unwrap_or_else(PoisonError::into_inner).report;
        report.elapsed = began.elapsed();
        Ok(report)
    }

    /// Finds what has to be done, over `client` and further ones.
    async fn compare<F, P, C, E, D>(
        &self,
        client: &Client,
        schemas: Vec<String>,
        connect: &F,
    ) -> Result<Comparison, Error>
    where
        F: Fn() -> P,
        P: Future<Output = Result<C, E>>,
        C: AsClient<D>,
    {
        let cx = Context::new(self.migrator, client);
        let schemas = find(&cx, schemas).await?;
        let rows = Mutex::new(LastRows::of(self.migrator, &schemas.known));
        let readers = lock(&rows).readers().min(self.concurrency);
        let mut first = Some(&cx);
        let readers = (0..readers).map(|_| self.read(&rows, first.take(), connect));
        // A pool can have no other client until this one is back.
        all(readers, || lock(&rows).is_read()).await;
        let LastRows { settled, messages, .. } =
            rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut found = compare(&cx, schemas, &settled).await;
        found.messages += messages;
        Ok(found)
    }

    /// Reads last rows, over a client of its own unless this is the first reader. Without a client it reads none, and
    /// the first reader reads what the others leave.
    async fn read<F, P, C, E, D>(
        &self,
        rows: &Mutex<LastRows<'_>>,
        first: Option<&Context<'_>>,
        connect: &F,
    ) where
        F: Fn() -> P,
        P: Future<Output = Result<C, E>>,
        C: AsClient<D>,
    {
        if let Some(cx) = first {
            LastRows::read(rows, cx).await;
        } else if let Ok(mut client) = connect().await {
            LastRows::read(rows, &Context::new(self.migrator, client.client())).await;
        }
    }

    /// Migrates one schema after the other.
    async fn work<F, P, C, E, D, O>(&self, ongoing: &Mutex<Ongoing<E, O>>, connect: &F)
    where
        F: Fn() -> P,
        P: Future<Output = Result<C, E>>,
        C: AsClient<D>,
        O: FnMut(Progress<'_, E>),
    {
        let mut idle: Option<C> = None;
        loop {
            let Some(schema) = lock(ongoing).queue.next() else { return };
            let taken = match idle.take() {
                Some(client) => Ok(client),
                None => connect().await,
            };
            let outcome = match taken {
                Err(error) => Err(Failure::Connect(error)),
                Ok(mut client) => {
                    let run = self.migrator.of_tenant(&schema).run(client.client()).await;
                    // After a failure the client returns to its pool, which checks whether it still
                    // works.
                    idle = run.is_ok().then_some(client);
                    run.map_err(Failure::Run)
                }
            };
            lock(ongoing).take(schema, outcome);
        }
    }
}

/// The schemas that are left, and the report so far.
struct Ongoing<E, O> {
    queue: std::vec::IntoIter<String>,
    report: TenantsReport<E>,
    done: usize,
    progress: O,
}

impl<E, O: FnMut(Progress<'_, E>)> Ongoing<E, O> {
    fn new(found: Comparison, mut progress: O) -> Self {
        let Comparison { up_to_date, pending, drifted, messages } = found;
        progress(Progress::Compared { up_to_date: up_to_date.len(), pending: pending.len() });
        let failed: Vec<(String, Failure<E>)> =
            drifted.into_iter().map(|(schema, error)| (schema, Failure::Run(error))).collect();
        for (schema, failure) in &failed {
            progress(Progress::Failed { schema, failure });
        }
        let report = TenantsReport {
            up_to_date,
            migrated: Vec::new(),
            failed,
            messages,
            elapsed: std::time::Duration::ZERO,
        };
        Ongoing { queue: pending.into_iter(), report, done: 0, progress }
    }

    fn take(&mut self, schema: String, outcome: Result<Report, Failure<E>>) {
        self.done += 1;
        match outcome {
            Ok(report) => {
                let (done, left) = (self.done, self.queue.len());
                (self.progress)(Progress::Migrated {
                    schema: &schema,
                    report: &report,
                    done,
                    left,
                });
                self.report.messages += report.messages;
                self.report.migrated.push((schema, report));
            }
            Err(failure) => {
                (self.progress)(Progress::Failed { schema: &schema, failure: &failure });
                self.report.messages += failure.messages();
                self.report.failed.push((schema, failure));
            }
        }
    }
}

/// Never held over an `await`.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs all of the futures side by side in this task, so that dropping this one drops them all, until they end or all is
/// done.
async fn all<F: Future<Output = ()>>(futures: impl Iterator<Item = F>, is_done: impl Fn() -> bool) {
    let mut running: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    poll_fn(|context| {
        running.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if running.is_empty() || is_done() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Migrator<'_> {
    /// The migrator of one tenant.
    fn of_tenant(&self, schema: &str) -> Self {
        Migrator { ledger_schema: None, ..self.clone() }.schema(schema)
    }
}
