//! Fills the server's disk in the middle of a run, at several points, and checks what is left. A run on a
//! full disk has to name SQLSTATE 53100 and, unless a statement of the library failed, the file; or it
//! has to report a broken connection if the server went down. The ledger has to be true, what was
//! reported as applied has to exist, and once there is space the next run completes.
//! Needs Linux and the right to mount; without it nothing is proved, and the exit code is 3.
//!
//! `cargo run -p migrate-tests --bin full-disk`
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a proof fails as tests do"
)]

mod disk;
mod setup;
mod server;

use std::process::ExitCode;
use std::time::Instant;

use migrate_runtime::{Error, ErrorKind, Migrator, Report};
use migrate_tests::proof::first_line;
use migrate_tests::proof::replica::confirmed;

use disk::{Disk, Here};
use server::{DiskServer, Life, Origin, Placement};
use setup::Found;

/// The exit code on a machine where this cannot be proved.
const IMPOSSIBLE: u8 = 3;

/// One case of a full disk.
#[derive(Debug, Clone, Copy)]
struct Case {
    placement: Placement,
    /// Megabytes that are free when the run begins.
    free: u64,
    /// Bytes of SQL in one message.
    chunk: usize,
}

/// Messages with a few migrations each.
const SMALL: usize = 600;
/// All transactional migrations up to the next non-transactional one in one message.
const LARGE: usize = 512 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    match disk::enter() {
        Here::Inside(disk) => prove(&disk).await,
        Here::Ended(code) => code,
        Here::Impossible(why) => {
            eprintln!("a full disk cannot be made here, so nothing is proved: {why}");
            ExitCode::from(IMPOSSIBLE)
        }
    }
}

/// Amounts of free space, each of which fails the run in a different migration, including ones outside a
/// transaction.
fn cases() -> Vec<Case> {
    let of = |placement, sizes: &[u64]| -> Vec<Case> {
        let case = |(index, free): (usize, &u64)| {
            let chunk = if index % 2 == 0 { SMALL } else { LARGE };
            Case { placement, free: *free, chunk }
        };
        sizes.iter().enumerate().map(case).collect()
    };
    [
        of(Placement::Data, &[2, 5, 6, 9, 13, 16, 19]),
        of(Placement::Wal, &[3, 6, 8, 10, 12]),
        of(Placement::Both, &[4, 12, 16, 24, 32]),
    ]
    .concat()
}

async fn prove(disk: &Disk) -> ExitCode {
    let started = Instant::now();
    let origin = Origin::create(disk);
    let (mut broken, mut count) = (0, 0);
    for case in cases() {
        count += 1;
        for rule in run(disk, &origin, case).await {
            broken += 1;
            println!("  BROKEN: {rule}");
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{count} full disks, {broken} rules broken, {seconds:.1} s");
    if broken == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// One full disk; returns the rules that did not hold.
async fn run(disk: &Disk, origin: &Origin, case: Case) -> Vec<String> {
    let mut server = DiskServer::create(disk, origin, case.placement).await;
    let set = setup::migrations();
    let migrator = Migrator::new(&set).chunk_bytes(case.chunk);
    let mut client = server.connect().await;
    disk.fill(case.free << 20);
    let result = migrator.run(&mut client).await;
    drop(client);

    disk.make_space();
    let life = server.revive().await;
    let mut client = server.connect().await;
    let found = Found::look(&client).await;
    let mut broken = found.broken();
    let Case { placement, free, chunk } = case;
    println!("{placement:?} full, {free} MB free, messages of {chunk} bytes: server {life:?}");
    broken.extend(judge(&result, life, &found));

    if let Err(error) = migrator.run(&mut client).await {
        broken.push(format!("the next run fails: {}", first_line(&error)));
    } else {
        broken.extend(Found::look(&client).await.incomplete());
    }
    broken
}

/// Prints the run's error, and compares it with what happened.
fn judge(result: &Result<Report, Error>, life: Life, found: &Found) -> Vec<String> {
    let Err(error) = result else {
        return vec!["the disk was not full: the run completed".to_owned()];
    };
    let text = error.to_string();
    println!("  error: {}", first_line(error));
    // Only a server that went down can have lost what was not confirmed.
    let applied = match (error.report(), life) {
        (Some(report), Life::WentOn) => report.applied.as_slice(),
        (Some(report), Life::WentDown) => confirmed(report),
        (None, _) => &[],
    };
    println!("  reported as applied: {}; in the ledger: {}", applied.len(), found.finished());
    let mut broken = Vec::new();
    // If a statement of the library failed, no migration did, so there is no file to name.
    let names = text.contains("migrations/0") || matches!(error.kind(), ErrorKind::Database { .. });
    let names_place = names && text.contains("SQLSTATE 53100");
    let says_lost = text.contains("connection broke") || text.contains("connection closed");
    match life {
        Life::WentOn if !names_place => broken.push(format!("no place or no 53100 in: {text}")),
        Life::WentDown if !names_place && !says_lost => {
            broken.push(format!("neither a full disk nor a broken connection in: {text}"));
        }
        _ => {}
    }
    let lost = applied.iter().filter(|applied| !found.is_finished(&applied.version));
    let lost: Vec<&str> = lost.map(|applied| &*applied.version).collect();
    if !lost.is_empty() {
        broken.push(format!("reported as applied and lost: versions {}", lost.join(", ")));
    }
    broken
}
