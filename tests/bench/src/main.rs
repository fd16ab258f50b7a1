//! Measures this library beside refinery, sqlx and `diesel_migrations`, in one run, and writes the page.
//!
//! ```sh
//! cargo run --release --manifest-path tests/bench/Cargo.toml -- [--quick] [SECTION ...]
//! cargo run --release --manifest-path tests/bench/Cargo.toml -- page
//! ```
//!
//! Sections are named below; all of them unless some are named. Each keeps what it measured below the
//! target folder; the page (`docs/benchmarks.md`) is written from the last run of each. `page` measures
//! nothing and writes the page alone; `prepare` builds the programs only.

mod crates;
mod setup;
mod machine;
mod page;
mod peer;
mod program;
mod proxy;
mod record;
mod sections;
mod set;

use std::process::{Command, ExitCode};
use std::time::Instant;

use record::Recorder;
use sections::{Extent, Section};
use setup::Setup;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, words): (Vec<_>, Vec<_>) =
        arguments.iter().partition(|argument| argument.starts_with("--"));
    let extent = match options[..] {
        [] => Extent::Full,
        [option] if option == "--quick" => Extent::Quick,
        _ => return usage(),
    };
    let words: Vec<&str> = words.into_iter().map(String::as_str).collect();
    match words[..] {
        ["page"] => page::write(),
        ["prepare"] => sections::prepare(extent),
        _ => {
            let named: Vec<_> = words.iter().map(|word| Section::named(word)).collect();
            if named.iter().any(Option::is_none) {
                return usage();
            }
            let named: Vec<Section> = named.into_iter().flatten().collect();
            match (&named[..], options.first()) {
                ([one], _) => measure(*one, extent).await,
                ([], option) => each_by_itself(&Section::ALL, option),
                (several, option) => each_by_itself(several, option),
            }
            page::write();
        }
    }
    ExitCode::SUCCESS
}

/// Measures each in a process of its own: the memory of one would be that of those before it, too.
fn each_by_itself(sections: &[Section], option: Option<&&String>) {
    let program = std::env::current_exe().expect("this program");
    for section in sections {
        let mut command = Command::new(&program);
        let status = command.args(option).arg(section.name()).status().expect("this program");
        assert!(status.success(), "{} failed", section.name());
    }
}

async fn measure(section: Section, extent: Extent) {
    // Timers of this process, and so of the proxy, are kept to the microsecond where the system lets it.
    let _ = std::fs::write("/proc/self/timerslack_ns", "1");
    let begun = Instant::now();
    eprintln!("== {}", section.name());
    let setup = Setup::start().await;
    let circumstances = machine::circumstances(&setup, extent.name()).await;
    let mut recorder = Recorder::begin(section.name(), &circumstances);
    section.measure(&setup, extent, &mut recorder).await;
    recorder.finish();
    eprintln!("== {} took {:.0} s", section.name(), begun.elapsed().as_secs_f64());
}

fn usage() -> ExitCode {
    let names = Section::ALL.map(Section::name).join(" ");
    eprintln!("arguments: [--quick] [page | prepare | SECTION ...], of these sections: {names}");
    ExitCode::from(2)
}
