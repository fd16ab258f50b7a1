//! One process of a service: it connects, migrates, prints the [`Outcome`] in one line, and ends. Its
//! arguments are the address, the name of the set, the lock and the session's name. A proof starts its
//! own executable as a replica, because `cargo run --bin` builds only that one, and another binary could
//! be outdated.

use std::error::Error as _;
use std::fmt;
use std::os::unix::process::parent_id;
use std::process::{self, Command, Stdio};
use std::time::{Duration, Instant};

use migrate_runtime::{Applied, Error, Lock, Migrator, Report};
use tokio_postgres::{Client, Config, NoTls};

use super::script::{Name, Script};

/// The first argument of a process that is a replica and not the proof itself.
const VERB: &str = "replica";

/// The text of a replica that ended before it reported.
pub const UNREPORTED: &str = "no line of report";

/// How long a replica tries to connect, because a restarting server takes a moment.
const CONNECT_LIMIT: Duration = Duration::from_mins(1);

/// How a replica ended that was not killed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What kind of end it was.
    pub end: End,
    /// How many migrations its report lists as applied.
    pub applied: usize,
    /// The report, or the error on one line.
    pub text: String,
}

/// The kinds of end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The run is done; exit status 0.
    Ok,
    /// The connection or the server went away; a restart may succeed.
    Fault,
    /// Any other error, which no fault explains.
    Error,
}

/// The command that starts a replica of this executable.
///
/// # Panics
///
/// When this process does not know its executable.
pub fn command(address: &str, script: Name, lock: Lock, session: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("our own executable"));
    command.args([VERB, address, &format!("{script:?}"), &format!("{lock:?}"), session]);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command
}

/// Runs as a replica if the arguments are those of one, and then ends the process; otherwise returns.
///
/// # Panics
///
/// When the arguments are not those of [`command`].
pub fn run_if_asked() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [verb, address, script, lock, session] = arguments.as_slice() else { return };
    if verb != VERB {
        return;
    }
    let name = if script == "Chaos" { Name::Chaos } else { Name::Failover };
    let lock = match lock.as_str() {
        "Row" => Lock::Row,
        "Advisory" => Lock::Advisory,
        _ => Lock::Detect,
    };
    let mut config: Config = address.parse().expect("an address");
    config.application_name(session);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome = runtime.expect("a runtime").block_on(run(&config, &Script::new(name), lock));
    println!("{outcome}");
    process::exit(i32::from(outcome.end != End::Ok));
}

async fn run(config: &Config, script: &Script, lock: Lock) -> Outcome {
    let set = script.set();
    let mut client = match connected(config).await {
        Ok(client) => client,
        Err(error) => {
            let end = if is_fault_of(&error) { End::Fault } else { End::Error };
            return Outcome { end, applied: 0, text: format!("connecting: {error:?}") };
        }
    };
    match Migrator::new(&set).lock(lock).run(&mut client).await {
        Ok(report) => {
            let text = format!(
                "skipped {} messages {} waited {} ms in {} ms",
                report.skipped.len(),
                report.messages,
                report.waited.as_millis(),
                report.elapsed.as_millis()
            );
            Outcome { end: End::Ok, applied: report.applied.len(), text }
        }
        Err(error) => {
            let end = if is_fault(&error) { End::Fault } else { End::Error };
            let applied = error.report().map_or(0, |report| confirmed(report).len());
            Outcome { end, applied, text: error.to_string() }
        }
    }
}

/// How many migrations a run reports as applied, which have to survive whatever happens to the server.
pub fn confirmed(report: &Report) -> &[Applied] {
    &report.applied[..report.applied.len().saturating_sub(report.unconfirmed)]
}

/// Connects, and retries while the server is down. A run is not retried here: the supervisor restarts
/// the process.
async fn connected(config: &Config) -> Result<Client, tokio_postgres::Error> {
    let (deadline, parent) = (Instant::now() + CONNECT_LIMIT, parent_id());
    loop {
        match config.connect(NoTls).await {
            Ok((client, connection)) => {
                tokio::spawn(connection);
                return Ok(client);
            }
            // A replica that outlives its proof has to end.
            Err(error) if Instant::now() > deadline || parent_id() != parent => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

/// Whether the connection broke or an administrator ended the session (classes 08 and 57P).
pub fn is_fault(error: &Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<tokio_postgres::Error>());
    source.is_some_and(is_fault_of)
}

fn is_fault_of(source: &tokio_postgres::Error) -> bool {
    source
        .code()
        .is_none_or(|code| ["08", "57P"].iter().any(|fault| code.code().starts_with(fault)))
}

impl fmt::Display for Outcome {
    /// One line, which [`Outcome::read`] reads.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.text.lines().map(str::trim).collect();
        write!(f, "{:?} {} {}", self.end, self.applied, lines.join(" / "))
    }
}

impl Outcome {
    /// Runs what [`command`] gives to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn of(command: &mut Command) -> Outcome {
        let output = command.output().expect("our own executable");
        Outcome::read(&String::from_utf8_lossy(&output.stdout))
    }

    /// Parses a replica's line; without one the replica ended by a defect.
    pub fn read(line: &str) -> Outcome {
        let mut words = line.trim_end().splitn(3, ' ');
        let end = match words.next() {
            Some("Ok") => End::Ok,
            Some("Fault") => End::Fault,
            _ => End::Error,
        };
        let applied = words.next().and_then(|word| word.parse().ok()).unwrap_or(0);
        let text = words.next().unwrap_or(UNREPORTED).to_owned();
        Outcome { end, applied, text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_report_is_read_as_it_was_written() {
        let outcome = Outcome { end: End::Fault, applied: 7, text: "gone / away".to_owned() };
        assert_eq!(Outcome::read(&outcome.to_string()), outcome);
        assert_eq!(Outcome::read("").end, End::Error);
        assert_eq!(Outcome::read("thread panicked").end, End::Error);
    }
}
