//! Writes the pages from the last run of each section: `docs/benchmarks.md` for users, and `TARGETS.md`
//! for those who change the library. A section without a run is named as missing.

mod summary;
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

/// Writes both pages.
pub fn write() {
    for (name, text) in
        [("docs/benchmarks.md", page()), ("tests/bench/TARGETS.md", targets::page())]
    {
        let path = repository().join(name);
        fs::write(&path, text).expect("a page to write");
        eprintln!("wrote {}", path.display());
    }
}

fn page() -> String {
    let mut page = format!(
        "# Benchmarks\n\nHow long boots, runs and builds take with this library, refinery, sqlx and \
         diesel_migrations. In brackets: how many times longer than with this library. Below 1, the other \
         library is faster.\n\n{}\nThe round trip between service and database makes the largest \
         difference, because this library sends one or three messages where the others send some for each \
         migration.\n\nEvery number on this page is computed from what this command measured:\n\n\
         ```sh\n{COMMAND}\n```\n\nName sections after `--` to measure only these; `--quick` measures \
         less; `page` only writes this page again from the last run of each section. The targets that the \
         project sets itself are in [TARGETS](../tests/bench/TARGETS.md).\n{}",
        summary::table(),
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
        "\n## How it is measured\n\n{}; {}, a throwaway server with default settings on the same \
         machine ({}); {}; {}. Each library is used as its documentation shows, in a program of its own \
         that embeds the set, built with the release profile. Each boot is a process of its own. The \
         libraries take turns, in a different order each time. A cell is the median of its repetitions.\
         \n\nA *turn* is a message of the client that makes the server answer `ReadyForQuery` (`Query` or \
         `Sync`). Connecting counts neither in turns nor in time. A proxy counts turns and bytes on the \
         wire, and also makes the round trip: it delivers each chunk half a round trip after it arrived, \
         and any number of chunks can be under way.\n",
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
            "`SELECT 1` through the proxy, minus the round trip that it makes, compared with the same \
             query over the server's own socket. After 20 ms client and server are asleep and take longer \
             to wake, with or without a proxy.",
        ),
        Section::Boot => (
            "Nothing pending",
            "A boot on a database that is up to date. At 0 ms the time is measured over the server's own \
             socket, without the proxy. diesel_migrations waits for three round trips (two more of its \
             turns belong to connecting), so nothing can be more than three times as fast as it at a long \
             round trip. refinery is left out for the largest set, because its program takes too long to \
             compile.",
        ),
        Section::Apply => (
            "A fresh database",
            "Applying the whole set. `one message` and `psql` are lower bounds: the same text in one \
             transaction and without a ledger (the table that records what ran), as one message and with \
             `psql -f` (minus the time for an empty file). `one by one` is this library with a transaction \
             for each migration. At 20 ms the other libraries are measured at the same time, this one \
             alone.",
        ),
        Section::Replicas => (
            "32 replicas at once",
            "Processes with 200 migrations that boot at the same moment, until the last is up. A process \
             that fails is started again immediately. When the first one is up, all is committed.",
        ),
        Section::Build => (
            "Adding a migration",
            "`cargo check` of a crate after one migration was added to its folder; in brackets, `cargo \
             check` when nothing was changed.",
        ),
        Section::Clean => (
            "A clean build",
            "`cargo build` of a small service with ten migrations, from an empty target folder, \
             development profile, nothing incremental, as cargo compiles released dependencies; the last \
             column is migrate-runtime with `default-features = false`.",
        ),
        Section::Size => (
            "Size of the program",
            "Optimised and stripped. *Library*: the program with ten migrations, minus their SQL, compared \
             with a program on tokio-postgres without a migration library. diesel_migrations uses the \
             shared library libpq instead of tokio-postgres, which is not counted. *Set*: what each set \
             adds to the program with ten migrations, minus its SQL.",
        ),
        Section::Tenants => (
            "Many tenants",
            "Schemas with a ledger each, migrated by `Tenants` with eight connections: two migrations, \
             then a third; and with ledgers of 200 migrations. *Memory* is the peak of the process's \
             resident memory, with what the benchmark itself has. The other libraries have no call for this.",
        ),
        Section::Growth => (
            "Long ledgers",
            "Nothing pending, by the length of the ledger: entries of the set's own module, and entries of \
             another module next to a set of ten.",
        ),
        Section::TestDatabase => (
            "A database for a test",
            "`TestDatabase` on the throwaway server that tests share (in memory, without waiting for the \
             disk): 200 migrations applied to an empty database, also with a transaction for each \
             (`one by one`), compared with a clone of one that has them, and with the first clone of a set, \
             which waits for its template. Creating the database and connecting to it are included. The \
             next clone is made while a test works.",
        ),
    }
}
