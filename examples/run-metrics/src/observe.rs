//! The metrics of runs, through the facade `metrics`. You can copy this file into your service.
//!
//! Names end in their unit, counters in `_total`. Neither versions nor files are labels: each would be a new time
//! series, and the log and the ledger have them.

use metrics::{Unit, counter, gauge, histogram};
use metrics::{describe_counter, describe_gauge, describe_histogram};
use migrate_runtime::{Error, Event, Migrations, Migrator, Report};

const RUNS: &str = "migrate_runs_total";
const RUN_DURATION: &str = "migrate_run_duration_seconds";
const WAIT_DURATION: &str = "migrate_run_wait_duration_seconds";
const MIGRATION_DURATION: &str = "migrate_migration_duration_seconds";
const APPLIED: &str = "migrate_migrations_applied_total";
const RETRIES: &str = "migrate_retries_total";
const PENDING: &str = "migrate_migrations_pending";
const AHEAD: &str = "migrate_versions_ahead";

/// Describes all metrics to the recorder, which must be installed before.
pub(crate) fn describe() {
    describe_counter!(RUNS, Unit::Count, "Runs, by outcome: ok, or the code of the error");
    describe_histogram!(RUN_DURATION, Unit::Seconds, "How long a run took");
    describe_histogram!(
        WAIT_DURATION,
        Unit::Seconds,
        "How long a run waited for others and for locks"
    );
    describe_histogram!(MIGRATION_DURATION, Unit::Seconds, "How long a migration took");
    describe_counter!(APPLIED, Unit::Count, "Migrations that were applied");
    describe_counter!(RETRIES, Unit::Count, "Migrations undone because of a lock, and tried again");
    describe_gauge!(PENDING, Unit::Count, "Migrations that this run has still to apply");
    describe_gauge!(AHEAD, Unit::Count, "Versions in the ledger that this binary does not know");
}

/// A migrator for `set` that records the progress of its runs.
pub(crate) fn migrator(set: &'static Migrations) -> Migrator<'static> {
    let module = set.module();
    Migrator::new(set).on(move |event| match event {
        Event::Planned { migrations } => {
            gauge!(PENDING, "module" => module).set(number(*migrations));
        }
        Event::Finished(migration) => {
            gauge!(PENDING, "module" => module).decrement(1);
            counter!(APPLIED, "module" => module).increment(1);
            histogram!(MIGRATION_DURATION, "module" => module).record(migration.duration);
        }
        Event::Retrying { .. } => counter!(RETRIES, "module" => module).increment(1),
        _ => {}
    })
}

/// Records how a run of `set` ended.
pub(crate) fn record(set: &'static Migrations, result: &Result<Report, Error>) {
    let module = set.module();
    let outcome = result.as_ref().map_or_else(Error::code, |_| "ok");
    counter!(RUNS, "module" => module, "outcome" => outcome).increment(1);
    if let Some(report) = result.as_ref().map_or_else(|error| error.report(), Some) {
        histogram!(RUN_DURATION, "module" => module).record(report.elapsed);
        histogram!(WAIT_DURATION, "module" => module).record(report.waited);
    }
    if let Ok(report) = result {
        gauge!(PENDING, "module" => module).set(0);
        gauge!(AHEAD, "module" => module).set(number(report.ahead.len()));
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
