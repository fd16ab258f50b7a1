//! Runs this library and its peers through the same cases, side by side, and prints what each did.
//! The program is its own replica: `replica PEER TUNING FOLDER PORT DATABASE` is the child process that
//! migrates. No cell of the table is written by hand, and only a broken promise of ours fails the run.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a case without its server, its pooler or its compiler can only fail"
)]

mod address;
mod files;
mod peer;
mod replica;
mod fleet;
mod lab;
mod pooler;
mod project;
mod index;
mod cell;
mod cases;
mod page;

use std::process::ExitCode;

use cases::Case;
use lab::Lab;
use page::{Form, Page};
use peer::Peer;

const USAGE: &str = "usage: migrate-peers [--markdown] [--rounds N] [--case NAME]...";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(("replica", rest)) = arguments.split_first().map(|(a, b)| (a.as_str(), b)) {
        replica::serve(rest).await;
        return ExitCode::SUCCESS;
    }
    let Some(choice) = Choice::parse(&arguments) else {
        let names: Vec<&str> = Case::ALL.iter().map(|case| case.name()).collect();
        eprintln!("{USAGE}\ncases: {}", names.join(", "));
        return ExitCode::from(2);
    };
    compare(choice).await
}

/// What the command line asks for.
struct Choice {
    form: Form,
    rounds: usize,
    cases: Vec<Case>,
}

impl Choice {
    fn parse(arguments: &[String]) -> Option<Choice> {
        let mut choice = Choice { form: Form::Plain, rounds: 3, cases: Vec::new() };
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(argument) = arguments.next() {
            match argument {
                "--markdown" => choice.form = Form::Markdown,
                "--rounds" => {
                    choice.rounds = arguments.next()?.parse().ok().filter(|n| *n > 0)?;
                }
                "--case" => choice.cases.push(Case::named(arguments.next()?)?),
                _ => return None,
            }
        }
        if choice.cases.is_empty() {
            choice.cases = Case::ALL.to_vec();
        }
        Some(choice)
    }
}

/// Runs the cases, prints the page, and lists which promises of ours did not hold.
async fn compare(choice: Choice) -> ExitCode {
    let lab = Lab::start(choice.rounds).await;
    let mut page = Page::new(&lab).await;
    for case in choice.cases {
        let mut cells = Vec::new();
        for peer in Peer::ALL {
            eprintln!("{} / {}", case.name(), peer.name());
            cells.push(case.observe(&lab, peer).await);
        }
        page.push(case, cells);
    }
    print!("{}", page.show(choice.form));
    let broken = page.broken();
    for promise in &broken {
        eprintln!("broken promise of this library: {promise}");
    }
    if broken.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
