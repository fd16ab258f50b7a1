//! Runs several sets in a given order: the service's own, and those of its libraries.

use std::error::Error as StdError;
use std::fmt;

use migrate_set::digest::Digest;
use tokio_postgres::Client;

use crate::boxed::boxed;
use crate::context::Context;
use crate::migrator::Migrator;
use crate::outcome::{Error, ErrorKind, Report};
use crate::run::{self, Apply};
use crate::sql::{Contents, Ledger, Reading, Transaction, Unread, checked};
use crate::stale::check_embed;

/// Runs the sets of `migrators` in this order; returns a report for each.
///
/// Sets that share a ledger are compared by one message, others by one each; the first report counts them. Drift in
/// any set stops all of them before anything runs, unless one of the ledgers cannot be read. A set starts when the one
/// before it is finished, whose migrations are kept even if a later set fails.
///
/// ```no_run
/// use migrate_runtime::{Migrations, Migrator, run_in_order};
/// # async fn boot(
/// #     auth: &Migrations, app: &Migrations, mut client: tokio_postgres::Client,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// // Two sets that differ in `module = ".."`, in one ledger.
/// let reports = run_in_order([&Migrator::new(auth), &Migrator::new(app)], &mut client).await?;
/// # let _ = reports;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// [`InOrderError`] with the set that failed, and the reports of those before it.
///
/// # Cancel safety
/// As [`Migrator::run`].
pub async fn run_in_order<'m, 's: 'm>(
    migrators: impl IntoIterator<Item = &'m Migrator<'s>>,
    client: &mut Client,
) -> Result<Vec<Report>, InOrderError> {
    let migrators: Vec<&Migrator<'_>> = migrators.into_iter().collect();
    boxed(in_order(&migrators, client)).await
}

/// Why one of several sets failed.
///
/// ```
/// fn show(error: &migrate_runtime::error::InOrderError) {
///     eprintln!("{error}"); // module `app`: migrations/2_b.sql:5:8: ...
///     eprintln!("{} sets before it are up to date", error.reports.len());
/// }
/// ```
#[non_exhaustive]
pub struct InOrderError {
    /// The set's module.
    pub module: String,
    /// What went wrong.
    pub error: Box<Error>,
    /// The reports of the sets before it; empty if all were refused before anything ran.
    pub reports: Vec<Report>,
}

impl fmt::Display for InOrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "module `{}`: {}", self.module, self.error)
    }
}

impl fmt::Debug for InOrderError {
    /// The text for people, because a `main` that returns the error prints this.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for InOrderError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.error.source()
    }
}

async fn in_order(
    migrators: &[&Migrator<'_>],
    client: &mut Client,
) -> Result<Vec<Report>, InOrderError> {
    for (index, migrator) in migrators.iter().enumerate() {
        check(migrator, &migrators[..index]).map_err(|error| refused(migrator, error))?;
    }
    let mut known = Vec::new();
    let (all, messages) = read_all(migrators, client).await;
    if let Some(all) = all {
        for (migrator, contents) in migrators.iter().zip(all) {
            let report = match run::up_to_date(migrator, client, contents) {
                // Drift is reported in full.
                Err(error) if error.drift().is_some() => migrator.plan(client).await.map(|_| None),
                report => report,
            };
            known.push(report.map_err(|error| refused(migrator, error))?);
        }
    }
    let mut reports = Vec::with_capacity(migrators.len());
    for (index, migrator) in migrators.iter().enumerate() {
        let report = match known.get_mut(index).and_then(Option::take) {
            Some(report) => Ok(report),
            None => run::run(migrator, client, &Apply).await,
        };
        match report {
            Ok(report) => reports.push(report),
            Err(error) => return Err(InOrderError { reports, ..refused(migrator, error) }),
        }
    }
    if let Some(first) = reports.first_mut() {
        first.messages += messages;
    }
    Ok(reports)
}

fn refused(migrator: &Migrator<'_>, error: Error) -> InOrderError {
    let (module, error) = (migrator.set.module().to_owned(), Box::new(error));
    InOrderError { module, error, reports: Vec::new() }
}

/// Refuses invalid options before any set runs, and two sets with one module in one ledger.
fn check(migrator: &Migrator<'_>, before: &[&Migrator<'_>]) -> Result<(), Error> {
    check_embed(migrator.set)?;
    run::check(migrator)?;
    let ledger = migrator.ledger();
    if before.iter().any(|other| other.ledger() == ledger) {
        let module = migrator.set.module().to_owned();
        return Err(ErrorKind::SameModule { module, ledger: ledger.shown() }.into());
    }
    Ok(())
}

/// The contents for each set, and the number of messages that read them; `None` if one cannot be read: then the runs
/// report the error.
async fn read_all<'m>(
    migrators: &[&'m Migrator<'_>],
    client: &'m Client,
) -> (Option<Vec<Contents<'m>>>, u32) {
    let ledgers: Vec<Ledger> = migrators.iter().map(|migrator| migrator.ledger()).collect();
    let digest = |(migrator, ledger)| match Migrator::reading(migrator) {
        Reading::Unless(digest) => Some((ledger, digest)),
        _ => None,
    };
    let modules: Option<Vec<(&Ledger, Digest)>> =
        migrators.iter().copied().zip(&ledgers).map(digest).collect();
    let is_one_table = ledgers.windows(2).all(|two| two[0].quoted() == two[1].quoted());
    match modules.filter(|_| is_one_table) {
        Some(modules) => (read_together(migrators, client, &modules).await, 1),
        None => read_each(migrators, client).await,
    }
}

/// The contents of one table for each set, by one message.
async fn read_together<'m>(
    migrators: &[&'m Migrator<'_>],
    client: &'m Client,
    modules: &[(&Ledger, Digest)],
) -> Option<Vec<Contents<'m>>> {
    let (one, (first, _)) = (migrators.first()?, modules.first()?);
    let cx = Context::new(one, client);
    let mut found: Vec<Contents<'m>> =
        migrators.iter().map(|migrator| Contents::against(migrator.set)).collect();
    let mut whole = true;
    let names = migrators.iter().flat_map(|migrator| migrator.names());
    let names: Vec<&str> = names.map(|(_, name)| name).collect();
    let sql = cx.limited(&checked(&names, &first.read_modules(modules)));
    let read = cx.wire.rows(&sql, |row| {
        whole &= Unread::of(&row).is_none();
        for (module, contents) in found.iter_mut().enumerate() {
            whole &= contents.take_module(&row, module).is_ok();
        }
    });
    let read = run::watched(&cx, read).await;
    whole &= found.iter().all(|contents| contents.transaction == Transaction::Own);
    (read.is_ok() && whole).then_some(found)
}

/// The contents of the ledger of each set, by a message each.
async fn read_each<'m>(
    migrators: &[&'m Migrator<'_>],
    client: &'m Client,
) -> (Option<Vec<Contents<'m>>>, u32) {
    let (mut found, mut messages) = (Vec::new(), 0);
    for migrator in migrators {
        let cx = Context::new(migrator, client);
        let read = run::watched(&cx, cx.read(migrator.reading())).await;
        messages += cx.wire.sent();
        match read {
            Ok(contents) if contents.transaction == Transaction::Own => found.push(contents),
            _ => return (None, messages),
        }
    }
    (Some(found), messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_main_is_shown_as_its_text() {
        let error = Box::new(Error::from(ErrorKind::Pending { versions: vec!["7".to_owned()] }));
        let error = InOrderError { module: "app".to_owned(), error, reports: Vec::new() };
        assert_eq!(format!("{error:?}"), error.to_string());
        assert!(error.to_string().starts_with("module `app`: "), "{error}");
    }
}
