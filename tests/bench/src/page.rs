//! The page: one table a section, the targets with whether they are met, and how it was measured.
//! The last run of each section goes in, `docs/benchmarks.md` comes out. A section that was never
//! measured is named as missing, and so is a target that needs it.

mod table;
mod tables;
mod targets;

use std::fmt::Write as _;
use std::fs;

use crate::crates::repository;
use crate::machine::version;
use crate::record::Record;
use crate::sections::Section;

const COMMAND: &str = "cargo run --release --manifest-path tests/bench/Cargo.toml";

/// Writes the page anew.
pub fn write() {
    let path = repository().join("docs/benchmarks.md");
    fs::write(&path, page()).expect("a page to write");
    eprintln!("wrote {}", path.display());
}

fn page() -> String {
    let mut page = format!(
        "# Benchmarks\n\nWritten by this command, which measures this library and its peers side by \
         side in one run; every number and every verdict is computed from what it measured:\n\n\
         ```sh\n{COMMAND}\n```\n\nSections can be named behind `--`, `--quick` measures less, and `page` \
         writes this page from the last run of each section.\n\n## Targets\n\n{}\n{}",
        targets::table(),
        setting()
    );
    for section in Section::ALL {
        let (title, how) = explained(section);
        let _ = write!(page, "\n## {title}\n\n{how}\n\n");
        match Record::read(section.name()) {
            Some(record) => {
                let of =
                    |key: &str| record.circumstances.get(key).map_or("unknown", String::as_str);
                let (mode, date, load) = (of("mode"), of("date"), of("load"));
                let table = tables::of(section, &record);
                let _ = writeln!(page, "{table}\nA {mode} run of {date}; load before it {load}.");
            }
            None => page.push_str("Not measured yet.\n"),
        }
    }
    page
}

fn setting() -> String {
    let record = Section::ALL.iter().rev().find_map(|section| Record::read(section.name()));
    let circumstances = record.unwrap_or_default().circumstances;
    let of = |key: &str| circumstances.get(key).map_or("unknown", String::as_str);
    let versions = ["refinery", "sqlx", "diesel_migrations", "tokio-postgres"]
        .map(|package| format!("{package} {}", version(package)));
    format!(
        "\n## What was measured on\n\n{}; {}, a throwaway server of default settings on the same \
         machine ({}); {}; {}. Each library is used as its documentation shows it, by a program of its \
         own that embeds the set, built with the release profile; each boot is a process of its own. \
         The libraries take turns, in another order each time. A cell is the median of its \
         repetitions; in brackets, how many times longer than this library's.\n\nA *turn* is a message \
         of the client that makes the server answer `ReadyForQuery` (`Query` or `Sync`); connecting is \
         left out, in turns as in time. Turns and bytes are counted on the wire by a proxy, which also \
         makes the round trip: it delivers every chunk half a round trip after it came, however many \
         are under way.\n",
        of("machine"),
        of("server"),
        of("settings"),
        of("rustc"),
        versions.join(", ")
    )
}

/// A section's title, and how it is measured.
const fn explained(section: Section) -> (&'static str, &'static str) {
    match section {
        Section::Proxy => (
            "The proxy itself",
            "`SELECT 1` through the proxy, less the round trip that it makes, against the same over \
             the server's own socket. Behind 20 ms client and server have slept, and wake later, with \
             or without a proxy.",
        ),
        Section::Boot => (
            "Nothing pending",
            "Migrating a database that is up to date. At 0 ms the time is that over the server's own \
             socket, without the proxy. diesel_migrations waits for three round trips (two more of its \
             turns belong to connecting), so that nothing can be more than three times as fast far \
             away. refinery is left out of the largest set, whose program takes the compiler too long.",
        ),
        Section::Apply => (
            "A fresh database",
            "Applying the whole set. The floors are the same text in one transaction, without a \
             ledger: by `psql -f` (less the time for an empty file) and as one message. At 20 ms the \
             peers run side by side, this library alone.",
        ),
        Section::Replicas => (
            "32 replicas at once",
            "Processes that boot at one moment with 200 migrations, until the last is up. One that \
             fails is started again at once; the table says how many failed.",
        ),
        Section::Build => (
            "One migration more",
            "`cargo check` of a crate after one migration was added to its folder, and, in brackets \
             behind it, when nothing was.",
        ),
        Section::Clean => (
            "A clean build",
            "`cargo build` of a small service with ten migrations, from nothing, development profile.",
        ),
        Section::Size => (
            "Size of the program",
            "Optimised and stripped. *Library*: the program with ten migrations, less their SQL, \
             against one on tokio-postgres without any library. *Set*: what each set adds to the \
             program with ten migrations beyond its SQL.",
        ),
        Section::Tenants => (
            "Many tenants",
            "Schemas with a ledger each, by `Tenants` with eight connections; two migrations, then a \
             third. No peer has a call for it.",
        ),
        Section::Growth => (
            "Long ledgers",
            "Nothing pending, against the ledger's length: entries of the set's own module, and of \
             another one beside a set of ten.",
        ),
        Section::TestDatabase => (
            "A database for a test",
            "By `migrate_testing::TestDatabase`, on the server that it shares among tests (in memory, without \
             waiting for the disk): 200 migrations applied to an empty database, against a clone of one \
             that has them; making the database and connecting to it included. The next clone is made \
             while a test works.",
        ),
    }
}
