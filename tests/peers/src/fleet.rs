//! The parent's side: starts replicas as real processes, commands them, and waits with a limit.
//! A replica that hangs is killed, as an orchestrator of containers would; so is one that failed in a
//! [`boot`], as a service that cannot migrate ends. None is started again.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;

use crate::address::Address;
use crate::peer::{Peer, Tuning};
use crate::replica::{self, Command, READY, RunEnd};

/// How long a run may take before it counts as hung.
pub const LIMIT: Duration = Duration::from_secs(20);

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What the replica printed.
    Reported(RunEnd),
    /// Nothing came within [`LIMIT`]; the process was killed.
    Hung,
    /// The process ended by itself: a panic.
    Ended,
}

impl Outcome {
    /// Whether the run succeeded.
    pub fn is_up(&self) -> bool {
        *self == Outcome::Reported(RunEnd::Up)
    }

    /// The tool's text of a failure.
    pub fn error(&self) -> Option<&str> {
        match self {
            Outcome::Reported(RunEnd::Failed(text)) => Some(text),
            _ => None,
        }
    }

    /// One word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Outcome::Reported(RunEnd::Up) => "up",
            Outcome::Reported(RunEnd::Failed(_)) => "fails",
            Outcome::Reported(RunEnd::Dropped) => "dropped",
            Outcome::Hung => "hangs",
            Outcome::Ended => "panics",
        }
    }
}

/// One replica process, killed with this value.
pub struct Replica {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    /// The last set that it was sent.
    folder: PathBuf,
}

impl Replica {
    /// Starts one and waits until it takes commands; it has not connected yet.
    pub async fn start(peer: Peer, tuning: Tuning, address: &Address) -> Replica {
        let program = std::env::current_exe().expect("the path of this program");
        let mut command = tokio::process::Command::new(program);
        command.arg("replica").args(replica::arguments(peer, tuning, address));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.kill_on_drop(true).spawn().expect("a replica");
        let input = child.stdin.take().expect("its input");
        let output = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut replica = Replica { child, input, output, folder: PathBuf::new() };
        let line = replica.output.next_line().await.expect("its first line");
        assert_eq!(line.as_deref(), Some(READY));
        replica
    }

    /// Applies the folder.
    pub async fn run(&mut self, folder: &Path) -> Outcome {
        self.begin(folder).await;
        self.outcome().await
    }

    /// Begins to apply the folder.
    pub async fn begin(&mut self, folder: &Path) {
        folder.clone_into(&mut self.folder);
        self.send(&Command::Run(folder.to_owned())).await;
    }

    /// Drops the run that has begun.
    pub async fn drop_run(&mut self) -> Outcome {
        self.send(&Command::Drop).await;
        self.outcome().await
    }

    /// What becomes of the run that has begun.
    async fn outcome(&mut self) -> Outcome {
        match timeout(LIMIT, self.output.next_line()).await {
            Ok(Ok(Some(line))) => Outcome::Reported(self.without_folder(&line)),
            Ok(_) => Outcome::Ended,
            Err(_) => {
                self.kill().await;
                Outcome::Hung
            }
        }
    }

    /// The end of a run in a line, without the folder, which differs from run to run.
    fn without_folder(&self, line: &str) -> RunEnd {
        match RunEnd::parse(line).expect("an outcome") {
            RunEnd::Failed(text) => {
                RunEnd::Failed(text.replace(&format!("{}/", self.folder.display()), ""))
            }
            end => end,
        }
    }

    /// Kills the process, as SIGKILL does.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("a process to kill");
    }

    async fn send(&mut self, command: &Command) {
        // A process that ended is seen when its outcome is asked for.
        let _ = self.input.write_all(command.line().as_bytes()).await;
    }
}

/// What became of replicas that booted at the same moment.
pub struct Fleet {
    /// One outcome a replica, and how long it took.
    outcomes: Vec<(Outcome, Duration)>,
    /// Those that came up; they keep their connections.
    serving: Vec<Replica>,
}

/// Boots so many replicas at the same moment and waits for all of them.
pub async fn boot(
    (peer, tuning): (Peer, Tuning),
    address: &Address,
    folder: &Path,
    count: usize,
) -> Fleet {
    let mut replicas = Vec::new();
    for _ in 0..count {
        replicas.push(Replica::start(peer, tuning, address).await);
    }
    let begin = Instant::now();
    let mut boots = Vec::new();
    for mut replica in replicas {
        let folder = folder.to_owned();
        boots.push(tokio::spawn(async move {
            let outcome = replica.run(&folder).await;
            let took = begin.elapsed();
            if !outcome.is_up() {
                replica.kill().await;
            }
            (outcome, took, replica)
        }));
    }
    let mut fleet = Fleet { outcomes: Vec::new(), serving: Vec::new() };
    for boot in boots {
        let (outcome, took, replica) = boot.await.expect("a boot");
        if outcome.is_up() {
            fleet.serving.push(replica);
        }
        fleet.outcomes.push((outcome, took));
    }
    fleet
}

impl Fleet {
    /// How many there were.
    pub fn len(&self) -> usize {
        self.outcomes.len()
    }

    /// How many came up.
    pub fn up(&self) -> usize {
        self.serving.len()
    }

    /// How many hung until they were killed.
    pub fn hung(&self) -> usize {
        self.outcomes.iter().filter(|(outcome, _)| *outcome == Outcome::Hung).count()
    }

    /// How many ended in a panic.
    pub fn ended(&self) -> usize {
        self.outcomes.iter().filter(|(outcome, _)| *outcome == Outcome::Ended).count()
    }

    /// The texts of those that failed.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.outcomes.iter().filter_map(|(outcome, _)| outcome.error())
    }

    /// When the last of those that came up did.
    pub fn last_up(&self) -> Option<Duration> {
        self.outcomes.iter().filter(|(outcome, _)| outcome.is_up()).map(|(_, took)| *took).max()
    }
}
