//! Processes of releases of different age that run verbs at the same time, some of which are killed: whatever they do,
//! the ledger says what the database has. A seed decides the verbs.

use std::collections::BTreeSet;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use migrate_tests::cargo::program;
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::proof::dice::Dice;
use tempfile::TempDir;
use tokio_postgres::Client;

use crate::folder;

/// How many migrations the releases have.
const RELEASES: [u32; 3] = [3, 5, 6];

/// Those that run outside a transaction.
const OUTSIDE: [u32; 2] = [2, 5];

const ROUNDS: usize = 12;

/// The time limit for what takes a fraction of a second on an idle machine.
const LIMIT: Duration = Duration::from_secs(30);

const VERBS: [&[&str]; 16] = [
    &["up"],
    &["up"],
    &["up"],
    &["up"],
    &["up", "--to", "2"],
    &["up", "--only", "3", "--allow-out-of-order"],
    &["down", "--yes"],
    &["down", "--yes"],
    &["down", "--yes", "--steps", "2"],
    &["down", "--yes", "--to", "1"],
    &["down", "--yes", "--all"],
    &["redo", "--yes"],
    &["redo", "--yes"],
    &["repair", "accept", "--all", "--yes"],
    &["status"],
    &["verify"],
];

/// The exit codes of a verb that was not killed: done, refused, pending, drift.
const ENDS: [i32; 4] = [0, 1, 3, 4];

const APPLIED: &str = "SELECT coalesce(string_agg(version, ' '), '') FROM migration_ledger \
     WHERE kind = 'versioned' AND ended_position = 0 AND progress IS NULL";

const TABLES: &str = "SELECT coalesce(string_agg(substr(tablename, 2), ' '), '') FROM pg_tables \
     WHERE schemaname = 'public' AND tablename ~ '^t[0-9]$'";

/// How often the script of each ran, less how often it was undone.
const RAN: &str = "SELECT coalesce(string_agg(v::text, ' '), '') FROM \
     (SELECT v, sum(d) AS d FROM ran GROUP BY v HAVING sum(d) <> 0) r WHERE d = 1";

const ODD: &str = "SELECT count(*) FROM (SELECT FROM ran GROUP BY v HAVING sum(d) NOT IN (0, 1)) r";

/// The sessions of processes that were killed, until the server notices.
const BUSY: &str = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
     AND pid <> pg_backend_pid()";

#[tokio::test(flavor = "multi_thread")]
async fn verbs_of_several_releases_at_once_leave_a_true_ledger() {
    for (seed, lock) in [(1, "advisory"), (2, "row")] {
        let database = FreshDatabase::create().await;
        let client = database.connect().await;
        client.batch_execute("CREATE TABLE ran (v int, d int)").await.expect("a table");
        let releases = RELEASES.map(release);
        let mut dice = Dice::new(seed);
        for round in 0..ROUNDS {
            let begin = |dice: &mut Dice| {
                let release = &releases[dice.below(releases.len())];
                let verb = VERBS[dice.below(VERBS.len())];
                begin(release, &database, &[verb, &["--lock-by", lock]].concat())
            };
            let mut running: Vec<Child> =
                (0..2 + dice.below(4)).map(|_| begin(&mut dice)).collect();
            // Others wait for the lease of a row whose holder is gone.
            if lock == "advisory" && dice.chance(25) {
                thread::sleep(dice.pause(Duration::from_millis(60)));
                running[0].kill().expect("a process that has not been waited for");
            }
            for process in running {
                let ended = process.wait_with_output().expect("an end");
                let text = String::from_utf8_lossy(&ended.stderr);
                assert!(ended.status.code().is_none_or(|code| ENDS.contains(&code)), "{text}");
                assert!(!text.contains("panicked"), "{text}");
            }
            let since = Instant::now();
            while value(&client, BUSY).await != "0" {
                assert!(since.elapsed() < LIMIT, "a session is left");
            }
            check(&client, &format!("seed {seed}, round {round}")).await;
        }
        let newest = &releases[2];
        let end =
            |args: &[&str]| begin(newest, &database, args).wait_with_output().expect("an end");
        let up = end(&["up", "--allow-out-of-order", "--lock-by", lock]);
        assert!(up.status.success(), "{}", String::from_utf8_lossy(&up.stderr));
        assert!(end(&["verify"]).status.success());
        let versions = (1..=6).map(|version| version.to_string()).collect();
        assert_eq!(words(&client, TABLES).await, versions);
    }
}

/// A release with so many migrations.
fn release(count: u32) -> TempDir {
    let script = |version: u32| {
        if OUTSIDE.contains(&version) {
            return format!(
                "-- migrate:no-transaction\n-- UP\nCREATE TABLE IF NOT EXISTS t{version} (id int);\n\
                 CREATE INDEX CONCURRENTLY IF NOT EXISTS i{version} ON t{version} (id);\n\
                 -- DOWN\nDROP TABLE IF EXISTS t{version};\n"
            );
        }
        format!(
            "-- UP\nCREATE TABLE t{version} (id int);\nINSERT INTO ran VALUES ({version}, 1);\n\
             SELECT pg_sleep(0.005);\n\
             -- DOWN\nDROP TABLE t{version};\nINSERT INTO ran VALUES ({version}, -1);\n"
        )
    };
    let files: Vec<(String, String)> =
        (1..=count).map(|version| (format!("{version}_a.sql"), script(version))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, sql)| (&**name, &**sql)).collect();
    folder(&files)
}

fn begin(release: &TempDir, database: &FreshDatabase, args: &[&str]) -> Child {
    let mut command = Command::new(program("migrate"));
    command.args(args).args(["--names", "off"]).current_dir(release.path());
    command.env("DATABASE_URL", database.url()).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a process")
}

/// A migration outside a transaction can be unfinished, with its table or without.
async fn check(client: &Client, at: &str) {
    if value(client, "SELECT to_regclass('migration_ledger')").await == "NULL" {
        return;
    }
    let (applied, tables) = (words(client, APPLIED).await, words(client, TABLES).await);
    let is_inside = |version: &&String| OUTSIDE.iter().all(|one| one.to_string() != **version);
    assert!(applied.is_subset(&tables), "{at}: {applied:?} without a table, there are {tables:?}");
    let inside: BTreeSet<String> = tables.iter().filter(is_inside).cloned().collect();
    let recorded: BTreeSet<String> = applied.iter().filter(is_inside).cloned().collect();
    assert_eq!(inside, recorded, "{at}");
    assert_eq!(words(client, RAN).await, recorded, "{at}");
    assert_eq!(value(client, ODD).await, "0", "{at}");
}

async fn words(client: &Client, sql: &str) -> BTreeSet<String> {
    value(client, sql).await.split(' ').filter(|one| !one.is_empty()).map(str::to_owned).collect()
}
