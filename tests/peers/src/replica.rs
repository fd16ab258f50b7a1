//! The child process that migrates: commands come in by standard input, one outcome a line goes out.
//! It keeps its session between commands, as a service keeps its pool. It judges nothing and ends by
//! itself only when its input does.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::address::Address;
use crate::peer::{Peer, Session, Tuning};

/// What the parent asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Connects unless that was done, and applies the folder.
    Run(PathBuf),
    /// Drops the run that is under way.
    Drop,
}

impl Command {
    /// One line.
    pub fn line(&self) -> String {
        match self {
            Command::Run(folder) => format!("run {}\n", folder.display()),
            Command::Drop => "drop\n".to_owned(),
        }
    }

    fn parse(line: &str) -> Option<Command> {
        match line.split_once(' ') {
            Some(("run", folder)) => Some(Command::Run(folder.into())),
            None if line == "drop" => Some(Command::Drop),
            _ => None,
        }
    }
}

/// The line of a replica before it accepts commands.
pub const READY: &str = "ready";

/// How a run ended, as the replica reports it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// It succeeded.
    Up,
    /// It failed with this text.
    Failed(String),
    /// It was dropped.
    Dropped,
}

impl RunEnd {
    fn line(&self) -> String {
        match self {
            RunEnd::Up => "up".to_owned(),
            RunEnd::Failed(text) => format!("failed {}", serde_json::Value::from(text.as_str())),
            RunEnd::Dropped => "dropped".to_owned(),
        }
    }

    /// The inverse of its line.
    pub fn parse(line: &str) -> Option<RunEnd> {
        match line.split_once(' ') {
            Some(("failed", text)) => serde_json::from_str(text).ok().map(RunEnd::Failed),
            None if line == "up" => Some(RunEnd::Up),
            None if line == "dropped" => Some(RunEnd::Dropped),
            _ => None,
        }
    }
}

/// The arguments that [`serve`] reads.
pub fn arguments(peer: Peer, tuning: Tuning, address: &Address) -> Vec<String> {
    let mut arguments = vec![peer.name().to_owned(), tuning.argument()];
    arguments.extend(address.arguments());
    arguments
}

/// Does what the parent asks until the input ends.
pub async fn serve(arguments: &[String]) {
    let [peer, tuning, address @ ..] = arguments else { panic!("arguments of a replica") };
    let peer = Peer::named(peer).expect("a peer's name");
    let tuning = Tuning::parse(tuning).expect("a tuning's name");
    let address = Address::parse(address).expect("an address");
    let mut commands = commands();
    let mut session = None;
    say(READY);
    while let Some(command) = commands.recv().await {
        // A drop that crossed the end of its run has nothing to do.
        let Command::Run(folder) = command else { continue };
        let run = async {
            let open: &mut Session = match &mut session {
                Some(open) => open,
                none => none.insert(peer.connect(&address, tuning).await?),
            };
            open.migrate(&folder, tuning).await
        };
        let end = tokio::select! {
            result = run => result.map_or_else(RunEnd::Failed, |()| RunEnd::Up),
            Some(_) = commands.recv() => RunEnd::Dropped,
        };
        say(&end.line());
    }
}

fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    // A parent that is gone hears nothing, and the end of the input follows.
    let _ = writeln!(output, "{line}").and_then(|()| output.flush());
}

/// The commands, read by a thread of their own: a blocking run must not stop the reading.
fn commands() -> UnboundedReceiver<Command> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let command = Command::parse(&line).expect("a command");
            if sender.send(command).is_err() {
                break;
            }
        }
    });
    receiver
}
