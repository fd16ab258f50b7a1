//! The options of a run, as `Migrator` has them. An option that is not given stays as the service set it.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{NonEmptyStringValueParser, TypedValueParser, ValueParser};
use clap::{Args, ValueEnum};
use migrate_runtime::set::Release;
use migrate_runtime::{Lock, Migrator, Version};

#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Run")]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(crate) struct Options {
    /// The schema that replaces `{{schema}}` and holds the ledger
    #[arg(long, value_name = "NAME", global = true)]
    schema: Option<String>,
    /// Create the schema, with the ledger, if it does not exist
    #[arg(long, global = true, hide_short_help = true)]
    create_schema: bool,
    /// The ledger's schema, if it is a different one
    #[arg(long, value_name = "NAME", global = true, hide_short_help = true)]
    ledger_schema: Option<String>,
    /// The ledger's table, without its schema [default: `migration_ledger`]
    #[arg(long, value_name = "NAME", global = true, hide_short_help = true)]
    table: Option<String>,
    /// Apply pending migrations that sort before applied ones
    #[arg(long, global = true, hide_short_help = true)]
    allow_out_of_order: bool,
    /// Allow applied migrations that are missing from the set
    #[arg(long, global = true, hide_short_help = true)]
    allow_missing: bool,
    /// Allow applied migrations that were edited
    #[arg(long, global = true, hide_short_help = true)]
    allow_edited: bool,
    /// Undo edited migrations by the down scripts in the ledger
    #[arg(long, global = true, hide_short_help = true)]
    down_from_ledger: bool,
    /// Run this migration (its version, or its file name) from its first statement if it stopped partway and cannot be continued
    #[arg(long, value_name = "VERSION", global = true, hide_short_help = true, value_parser = version())]
    forget_unfinished: Vec<Version>,
    /// Treat ledger entries newer than the set as drift
    #[arg(long, global = true, hide_short_help = true)]
    refuse_ahead: bool,
    /// Refuse migrations that remove what this release uses, which is the oldest that runs
    #[arg(long, value_name = "RELEASE", global = true, hide_short_help = true, value_parser = release)]
    oldest_peer: Option<String>,
    /// Leave out of errors the server's detail and context, which can contain values of rows
    #[arg(long, global = true, hide_short_help = true)]
    hide_details: bool,
    /// How long a statement waits for a lock: 500ms, 5s, 2m; 0 is unlimited
    #[arg(long, value_name = "TIME", global = true, hide_short_help = true, value_parser = time)]
    lock_timeout: Option<Duration>,
    /// How often to retry a migration that was blocked by another session's locks
    #[arg(long, value_name = "N", global = true, hide_short_help = true, value_parser = number::<u32>)]
    retries: Option<u32>,
    /// How long to wait for other runs
    #[arg(long, value_name = "TIME", global = true, hide_short_help = true, value_parser = time)]
    wait_timeout: Option<Duration>,
    /// Time limit for the whole run
    #[arg(long, value_name = "TIME", global = true, hide_short_help = true, value_parser = time)]
    deadline: Option<Duration>,
    /// What prevents two runs at the same time
    #[arg(long, value_name = "KIND", global = true, hide_short_help = true)]
    lock_by: Option<LockBy>,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
enum LockBy {
    /// Advisory locks, or a row of the ledger if the role cannot take them
    Detect,
    /// Advisory locks only
    Advisory,
    /// A row of the ledger
    Row,
}

/// An option of the migrator that is on or off.
type Switch<'s> = fn(Migrator<'s>) -> Migrator<'s>;

impl Options {
    /// The migrator with the options that were given.
    pub(crate) fn apply<'s>(&self, migrator: Migrator<'s>) -> Migrator<'s> {
        let migrator = self.schema.iter().fold(migrator, Migrator::schema);
        let migrator = self.ledger_schema.iter().fold(migrator, Migrator::ledger_schema);
        let migrator = self.table.iter().fold(migrator, Migrator::table);
        let forgets = self.forget_unfinished.iter().cloned();
        let migrator = forgets.fold(migrator, Migrator::forget_unfinished);
        let migrator = self.oldest_peer.iter().fold(migrator, Migrator::oldest_peer);
        let migrator = self.lock_timeout.into_iter().fold(migrator, Migrator::lock_timeout);
        let migrator = self.retries.into_iter().fold(migrator, Migrator::retries);
        let migrator = self.wait_timeout.into_iter().fold(migrator, Migrator::wait_timeout);
        let migrator = self.deadline.into_iter().fold(migrator, Migrator::deadline);
        let lock = self.lock_by.map(|lock| match lock {
            LockBy::Detect => Lock::Detect,
            LockBy::Advisory => Lock::Advisory,
            LockBy::Row => Lock::Row,
        });
        let migrator = lock.into_iter().fold(migrator, Migrator::lock);
        let switches: [(bool, Switch<'s>); 7] = [
            (self.create_schema, Migrator::create_schema),
            (self.allow_out_of_order, Migrator::allow_out_of_order),
            (self.allow_missing, Migrator::allow_missing),
            (self.allow_edited, Migrator::allow_edited),
            (self.down_from_ledger, Migrator::down_from_ledger),
            (self.refuse_ahead, Migrator::refuse_ahead),
            (self.hide_details, Migrator::hide_details),
        ];
        let given = switches.into_iter().filter(|(given, _)| *given);
        given.fold(migrator, |migrator, (_, switch)| switch(migrator))
    }
}

/// A migration by its version or its file name, as the library's verbs parse it.
pub(crate) fn version() -> ValueParser {
    NonEmptyStringValueParser::new().map(Version::from).into()
}

/// A release, such as `--oldest-peer` names.
fn release(text: &str) -> Result<String, &'static str> {
    let release = Release::new(text.to_owned()).ok_or("expected numbers with dots, such as 2.3")?;
    Ok(release.to_string())
}

/// A number, with an error in words of its own: the standard library's speaks of digits in strings.
pub(crate) fn number<N: FromStr>(text: &str) -> Result<N, &'static str> {
    text.parse().map_err(|_| "expected a number such as 3")
}

/// A number followed by `ms`, `s`, `m` or `h`; without a unit, seconds.
pub(crate) fn time(text: &str) -> Result<Duration, &'static str> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| "expected a time such as 500ms, 5s or 2m")?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    let time = match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" | "" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        _ => None,
    };
    time.ok_or("expected a time such as 500ms, 5s or 2m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(time("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(time("7"), Ok(Duration::from_secs(7)));
        assert_eq!(time("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(time("1h"), Ok(Duration::from_secs(3600)));
        for wrong in ["", "s", "-1s", "1.5s", "1d", "1 s", "99999999999999999h"] {
            assert!(time(wrong).is_err(), "{wrong}");
        }
    }
}
