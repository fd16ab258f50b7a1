//! Squashes real folders with the program `migrate`, and compares a fresh database of each with one that the old files
//! make: `pg_dump` with rows, and whether both sets find all applied in both.
//!
//! ```sh
//! cargo build -p migrate-cli && cargo run -p migrate-tests --bin squash -- FOLDER ...
//! ```
//!
//! Each database has a server of its own, so that a set can create roles; the server of the new file gets those of the
//! old ones, as the note of the program asks for. A folder that is no set, that the server refuses, that needs a file
//! `FOLDER.before.sql`, or that the program does not squash is left out with the reason.

use std::path::Path;
use std::process::{self, Command, ExitCode};
use std::time::Duration;
use std::{env, fs, io};

use migrate_runtime::set::Kind;
use migrate_runtime::source::from_folder;
use migrate_runtime::{Migrations, Migrator};
use migrate_set::schema::as_restored;
use migrate_tests::both_ways::{difference, ordered};
use migrate_tests::database::{FreshDatabase, comparable};
use migrate_tests::folders::{Count, each};
use migrate_tests::sets::lenient;
use tokio_postgres::error::SqlState;

#[tokio::main]
async fn main() -> ExitCode {
    let (mut differ, mut named) = (0, 0);
    let show = |name: &str, Squashed { difference, notes, figures }| match difference {
        Some(found) if notes.is_empty() => {
            differ += 1;
            println!("{name}: DIFFERS\n{found}");
        }
        difference => {
            named += usize::from(difference.is_some());
            let same = if difference.is_some() { "differs as named" } else { "same" };
            println!("{name}: {same}, {figures}");
            for note in notes {
                println!("  {note}");
            }
        }
    };
    let Count { sets, left_out } = each(result, show).await;
    println!("{sets} sets: {differ} differ, {named} as named; {left_out} folders are left out");
    if differ == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Squashed {
    difference: Option<String>,
    /// What the program named.
    notes: Vec<String>,
    figures: String,
}

/// What a run leaves.
struct Left {
    database: FreshDatabase,
    dump: String,
    took: Duration,
}

async fn result(folder: &str) -> Result<Squashed, String> {
    if Path::new(&format!("{folder}.before.sql")).exists() {
        return Err("needs what is there before".to_owned());
    }
    let old = from_folder(folder, &lenient()).map_err(|error| error.to_string())?;
    let one = left(&old, FreshDatabase::on_own_server().await).await?;
    let database = FreshDatabase::on_own_server().await;
    let copy = env::temp_dir().join(format!("migrate-squash-{}", process::id()));
    let work = copy.join("migrations");
    copy_folder(Path::new(folder), &work).map_err(|error| error.to_string())?;
    let squashed = squash(&work, &old, &database);
    let new = from_folder(&work, &lenient());
    fs::remove_dir_all(&copy).map_err(|error| error.to_string())?;
    let (notes, new) = (squashed?, new.map_err(|error| error.to_string())?);
    copy_roles(&one.database, &database).await?;
    let other = left(&new, database).await?;
    let mut found = difference(&one.dump, &other.dump);
    for (set, left) in [(&old, &other), (&new, &one)] {
        let ran = Migrator::new(set).run(&mut left.database.connect().await).await;
        let ran = ran.map_err(|error| error.to_string())?;
        if (ran.applied.len(), ran.messages) != (0, 1) {
            found.get_or_insert(format!("{} were applied again", ran.applied.len()));
        }
    }
    let figures = format!(
        "{} files before and {} after, {:.2} s before and {:.2} s after",
        old.len(),
        new.len(),
        one.took.as_secs_f64(),
        other.took.as_secs_f64()
    );
    Ok(Squashed { difference: found, notes, figures })
}

async fn left(set: &Migrations, database: FreshDatabase) -> Result<Left, String> {
    let ran = Migrator::new(set).run(&mut database.connect().await).await;
    let report = ran.map_err(|error| error.to_string())?;
    let dump = database.pg_dump_with_rows(&["--no-owner", "--exclude-table=*.migration_ledger"]);
    // As they are after a restore.
    let dump = ordered(&as_restored(dump.ok_or("pg_dump is too old")?));
    Ok(Left { database, dump, took: report.elapsed })
}

/// Creates the roles of one server on another, which the new file does not do.
async fn copy_roles(from: &FreshDatabase, to: &FreshDatabase) -> Result<(), String> {
    let output = from.program("pg_dumpall").arg("--roles-only").output();
    let dump = output.map_err(|error| error.to_string())?.stdout;
    let client = to.connect().await;
    for statement in comparable(&String::from_utf8_lossy(&dump)).lines() {
        match client.batch_execute(statement).await {
            Err(error) if error.code() != Some(&SqlState::DUPLICATE_OBJECT) => {
                return Err(format!("{statement}: {error}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Runs the program, and returns its notes.
fn squash(work: &Path, set: &Migrations, database: &FreshDatabase) -> Result<Vec<String>, String> {
    let last = set.iter().rfind(|one| one.kind() == Kind::Versioned).ok_or("nothing to squash")?;
    let program = env::current_exe().map_err(|error| error.to_string())?.with_file_name("migrate");
    let mut command = Command::new(program);
    command.args(["squash", "--to", last.version().as_str(), "--dir"]).arg(work);
    command.args(["--database-url", database.url(), "--down", "unchecked", "--empty", "allow"]);
    command.args(["--duplicates", "by_name", "--syntax", "off", "--names", "off"]);
    let output = command.output().map_err(|error| error.to_string())?;
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let notes = said.lines().filter(|line| line.starts_with("note: ")).map(str::to_owned);
    if said.contains("Created ") { Ok(notes.collect()) } else { Err(errors.into_owned()) }
}

fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() {
            copy_folder(&path, &to.join(name))?;
        } else {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
