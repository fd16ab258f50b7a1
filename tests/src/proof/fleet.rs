//! Replicas under a supervisor, which like an orchestrator restarts those that were killed or failed,
//! until all of them ended well. A [`Tally`] counts what happened.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::replica::{End, Outcome, UNREPORTED};

/// How long the supervisor waits before it starts a replica again.
const PAUSE: Duration = Duration::from_millis(100);

/// What happened to the replicas so far.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Processes started.
    pub starts: usize,
    /// Processes that SIGKILL ended.
    pub kills: usize,
    /// Replicas that ended successfully.
    pub finished: usize,
    /// Runs that ended because connection or server went away.
    pub faults: usize,
    /// Errors that no fault explains, and how often each occurred.
    pub errors: BTreeMap<String, usize>,
}

impl Tally {
    /// How many runs ended with an error that no fault explains.
    pub fn unexplained(&self) -> usize {
        self.errors.values().sum()
    }
}

/// Supervised replicas; dropping it kills those that still run.
#[derive(Debug)]
pub struct Fleet {
    kill: Vec<Arc<Notify>>,
    tally: Arc<Mutex<Tally>>,
    /// Dropping it aborts the supervisors, and each of them its process.
    _supervisors: JoinSet<()>,
}

impl Fleet {
    /// Starts `count` replicas together: what `command` gives for 0, 1 and so on.
    pub fn start(count: usize, command: impl Fn(usize) -> Command) -> Fleet {
        let tally = Arc::new(Mutex::new(Tally::default()));
        let mut supervisors = JoinSet::new();
        let mut kill = Vec::new();
        for index in 0..count {
            let notify = Arc::new(Notify::new());
            kill.push(Arc::clone(&notify));
            supervisors.spawn(supervise(command(index), notify, Arc::clone(&tally)));
        }
        Fleet { kill, tally, _supervisors: supervisors }
    }

    /// Kills this replica's process, if one is running.
    pub fn kill(&self, index: usize) {
        if let Some(notify) = self.kill.get(index) {
            notify.notify_waiters();
        }
    }

    /// What happened so far.
    pub fn tally(&self) -> Tally {
        locked(&self.tally).clone()
    }
}

fn locked(tally: &Mutex<Tally>) -> MutexGuard<'_, Tally> {
    tally.lock().expect("a tally without a panic")
}

/// Starts a replica again until it ends well.
async fn supervise(command: Command, kill: Arc<Notify>, tally: Arc<Mutex<Tally>>) {
    let mut command = tokio::process::Command::from(command);
    command.kill_on_drop(true);
    loop {
        locked(&tally).starts += 1;
        let mut child = command.spawn().expect("our own executable");
        let killed = tokio::select! {
            status = child.wait() => { status.expect("the replica's end"); false }
            () = kill.notified() => { child.kill().await.expect("SIGKILL"); true }
        };
        let mut line = String::new();
        let mut stdout = child.stdout.take().expect("the replica's output");
        stdout.read_to_string(&mut line).await.expect("the replica's line");
        let outcome = Outcome::read(&line);
        // One that was killed after its last line has still ended successfully.
        if note(&tally, killed, &outcome) == End::Ok {
            return;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn note(tally: &Mutex<Tally>, killed: bool, outcome: &Outcome) -> End {
    let mut tally = locked(tally);
    tally.kills += usize::from(killed);
    match outcome.end {
        End::Ok => tally.finished += 1,
        End::Fault => tally.faults += 1,
        End::Error if killed && outcome.text == UNREPORTED => {}
        End::Error => {
            // The first line of an error identifies its kind.
            let first = outcome.text.split(" / ").next().unwrap_or_default();
            *tally.errors.entry(first.to_owned()).or_default() += 1;
        }
    }
    outcome.end
}
