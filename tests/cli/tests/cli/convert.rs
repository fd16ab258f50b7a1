//! `convert`: each tool's folder becomes one of ours that leaves the same database, and into which the ledger that the
//! tool wrote before is adopted, verified where the tool has a checksum.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_runtime::adopt::{Adopt, AnyTable};
use migrate_runtime::{ErrorKind, Migrations, Migrator};
use migrate_tests::both_ways::{Way, left};
use migrate_tests::cargo::program;
use migrate_tests::database::{FreshDatabase, server, value};
use migrate_tests::predecessors::{ALL, Predecessor};
use tempfile::TempDir;

/// The tools whose migrations are not SQL.
const OTHERS: [Adopt; 3] = [Adopt::SeaOrm, Adopt::Alembic, Adopt::Django];

fn all() -> impl Iterator<Item = &'static Predecessor> {
    ALL.iter().filter(|from| !OTHERS.contains(&from.tool))
}

/// The files of the set of a tool.
fn files(from: &Predecessor) -> Vec<(String, String)> {
    fn below(folder: &Path, path: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = format!("{path}{}", entry.file_name().to_str().expect("UTF-8"));
            if entry.path().is_dir() {
                below(&entry.path(), &format!("{name}/"), found);
            } else {
                found.push((name, fs::read_to_string(entry.path()).expect("a text")));
            }
        }
    }
    let set = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(from.set.folder());
    let mut found = Vec::new();
    below(&set, "", &mut found);
    found.sort();
    found
}

/// The same files as the tool has them.
fn of_tool(from: &Predecessor) -> Vec<(String, String)> {
    let files = files(from);
    let stem = |path: &str| path.strip_suffix(".sql").expect("an ending").to_owned();
    match from.name {
        "drizzle" => {
            let entry = |(path, _): &(String, String)| format!("{{\"tag\": \"{}\"}}", stem(path));
            let entries: Vec<String> = files.iter().map(entry).collect();
            let journal = format!("{{\"entries\": [{}]}}", entries.join(","));
            files.into_iter().chain([("meta/_journal.json".to_owned(), journal)]).collect()
        }
        "sqitch" => {
            let name = |path: &str| stem(path).split_once('_').expect("a name").1.to_owned();
            let mut plan = "%syntax-version=1.0.0\n%project=app\n\n".to_owned();
            let mut found = Vec::new();
            for (path, text) in files {
                let change = name(&path);
                let _ = writeln!(plan, "{change} 2024-01-01T00:00:00Z A <a@b> # {change}");
                found.push((format!("revert/{change}.sql"), format!("DROP TABLE {change};\n")));
                found.push((format!("deploy/{change}.sql"), text));
            }
            found.into_iter().chain([("sqitch.plan".to_owned(), plan)]).collect()
        }
        "liquibase" => {
            let mut changelog = "--liquibase formatted sql\n".to_owned();
            for (path, text) in files {
                let _ = write!(changelog, "\n--changeset alice:{}\n{text}", stem(&path));
            }
            vec![("changelog.sql".to_owned(), changelog)]
        }
        "graphile-migrate" => {
            let committed = |(path, text)| (format!("committed/{path}"), text);
            let current = ("current.sql".to_owned(), "-- Enter migration here\n".to_owned());
            files.into_iter().map(committed).chain([current]).collect()
        }
        _ => files,
    }
}

/// The folder of the tool, and the one that `convert` made of it.
struct Folders {
    _both: TempDir,
    new: PathBuf,
}

fn converted(from: &Predecessor, edit: impl Fn(String) -> String) -> Folders {
    let both = tempfile::tempdir().expect("a folder");
    let (old, new) = (both.path().join("old"), both.path().join("new"));
    for (path, text) in of_tool(from) {
        let file = old.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    let name = if from.name == "drizzle1" { "drizzle" } else { from.name };
    let mut command = Command::new(program("migrate"));
    command.arg("convert").arg(&old).arg("--to").arg(&new).args(["--from", name]);
    let output = command.output().expect("a run");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    assert_eq!(output.status.code(), Some(0), "{name}: {text}");
    for file in fs::read_dir(&new).expect("the new folder") {
        let path = file.expect("a file").path();
        let text = fs::read_to_string(&path).expect("a text");
        fs::write(&path, edit(text)).expect("a file");
    }
    Folders { _both: both, new }
}

fn set_of(folder: &Path) -> Migrations {
    let options = migrate_runtime::source::SetOptions::default();
    migrate_runtime::source::from_folder(folder, &options)
        .unwrap_or_else(|errors| panic!("{errors}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn folder_of_each_tool_leaves_the_same_database_when_it_is_converted() {
    assert_eq!(all().count(), 27);
    for from in all() {
        let folders = converted(from, |text| text);
        let set = set_of(&folders.new);
        assert_eq!(set.len(), from.set.len(), "{}", from.name);
        let left = async |set| left(FreshDatabase::create().await, set, Way::Apart, "").await;
        let (old, new) = (left(from.set).await, left(&set).await);
        assert_eq!((&old.error, &new.error), (&None, &None), "{}", from.name);
        assert!(old.dump.contains("CREATE TABLE"), "{}: {}", from.name, old.dump);
        assert_eq!(old.dump, new.dump, "{}", from.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ledger_of_each_tool_is_adopted_into_the_converted_folder() {
    for from in all() {
        let folders = converted(from, |text| text);
        from.goes_on(&set_of(&folders.new)).await;
    }
}

/// The comment's checksum is that of the old file, so it is bound to the text that was made of it.
#[tokio::test(flavor = "multi_thread")]
async fn edit_of_a_converted_file_is_refused() {
    for from in all().filter(|from| from.tool.algorithm().is_some()) {
        let folders = converted(from, |text| {
            let lead = text.split_inclusive('\n').take_while(|line| line.starts_with("--"));
            let (comments, sql) = text.split_at(lead.map(str::len).sum());
            format!("{comments}SELECT 1;\n{sql}")
        });
        let set = set_of(&folders.new);
        let (_database, mut client) = FreshDatabase::connected().await;
        from.leave(&client).await;
        let error = Migrator::new(&set).adopt(&mut client, from.adoption()).await;
        let error = error.expect_err(from.name);
        let ErrorKind::Adoption { obstacles, .. } = error.kind() else {
            panic!("{}: {error}", from.name)
        };
        // A checksum of Atlas is over all files so far.
        let edited = if from.tool == Adopt::Atlas { 1 } else { from.applied };
        assert_eq!(obstacles.0.len(), edited, "{error}");
        let text = "the set has another text than the one that was converted";
        assert!(error.to_string().contains(text), "{error}");
    }
}

/// The comment leads to a file, so its name is free: here each gets the number of another.
#[tokio::test(flavor = "multi_thread")]
async fn converted_file_that_was_renamed_is_found() {
    let of_tool = |from: &&Predecessor| ["goose", "golang-migrate", "sqitch"].contains(&from.name);
    for from in all().filter(of_tool) {
        let folders = converted(from, |text| text);
        let mut names: Vec<_> = fs::read_dir(&folders.new).expect("the new folder").collect();
        names.sort_by_key(|file| file.as_ref().map(fs::DirEntry::file_name).ok());
        for (number, file) in (2..).zip(names).collect::<Vec<_>>().into_iter().rev() {
            let path = file.expect("a file").path();
            fs::rename(&path, path.with_file_name(format!("{number}.sql"))).expect("a name");
        }
        let set = set_of(&folders.new);
        let (_database, mut client) = FreshDatabase::connected().await;
        from.leave(&client).await;
        let report = Migrator::new(&set).adopt(&mut client, from.adoption()).await;
        let report = report.unwrap_or_else(|error| panic!("{}: {error}", from.name));
        let versions: Vec<&str> = report.amended.iter().map(|one| &*one.version).collect();
        assert_eq!(versions, ["2", "3"][..from.applied], "{}", from.name);
    }
}

/// The table of a tool that is not known by name has names of files.
#[tokio::test(flavor = "multi_thread")]
async fn ledger_of_umzug_is_adopted_by_its_files() {
    let both = tempfile::tempdir().expect("a folder");
    let (old, new) = (both.path().join("old"), both.path().join("new"));
    fs::create_dir(&old).expect("a folder");
    for day in ["01", "02"] {
        let text = format!("CREATE TABLE a{day} ();");
        fs::write(old.join(format!("2024.01.{day}T00.00.00.a.sql")), text).expect("a file");
    }
    let mut command = Command::new(program("migrate"));
    let output = command.arg("convert").arg(&old).arg("--to").arg(&new).output().expect("a run");
    assert!(output.status.success(), "{output:?}");
    let set = set_of(&new);
    let (_database, mut client) = FreshDatabase::connected().await;
    let left = "CREATE TABLE \"SequelizeMeta\" (name varchar(255) PRIMARY KEY); \
                INSERT INTO \"SequelizeMeta\" VALUES ('2024.01.01T00.00.00.a.sql')";
    client.batch_execute(left).await.expect("a table");
    let meta = AnyTable::new("SequelizeMeta").key("name");
    let report = Migrator::new(&set).adopt(&mut client, meta).await.expect("adopted");
    let versions: Vec<&str> = report.amended.iter().map(|one| &*one.version).collect();
    assert_eq!(versions, ["20240101000000"]);
}

/// The exit code and the output of `convert --prove` for one file of goose, with `pg_dump` in the folder `path`.
fn proof(database: &FreshDatabase, sql: &str, path: &Path) -> (Option<i32>, String) {
    let both = tempfile::tempdir().expect("a folder");
    fs::create_dir(both.path().join("old")).expect("a folder");
    let text = format!("-- +goose Up\n{sql}\n");
    fs::write(both.path().join("old/1_a.sql"), text).expect("a file");
    let mut command = Command::new(program("migrate"));
    command.args(["convert", "old", "--to", "new", "--prove"]).current_dir(both.path());
    command.env("DATABASE_URL", database.url()).env("PATH", path);
    let output = command.output().expect("a run");
    let text = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    (output.status.code(), text)
}

#[tokio::test(flavor = "multi_thread")]
async fn proof_runs_both_folders_and_shows_what_differs() {
    let database = FreshDatabase::create().await;
    let programs = server().bin("pg_dump").and_then(|program| Some(program.parent()?.to_owned()));
    let programs = programs.unwrap_or_else(|| "/usr/bin".into());
    let check = |sql: &str, path: &Path, code: i32, expected: &str| {
        let (found, text) = proof(&database, sql, path);
        assert_eq!(found, Some(code), "{sql}: {text}");
        assert!(text.contains(expected), "{sql}: {text}");
    };
    let table = "CREATE TABLE a (id int);";
    // The packages of scripts/get-postgres.sh bring no pg_dump, and an older one refuses the server.
    if database.pg_dump(&[]).is_none() {
        return check(table, &programs, 1, "error: `pg_dump` ");
    }
    let same = "Proved the old files and the new folder leave the same database";
    check(table, &programs, 0, same);
    check(&format!("{table}\nCREATE INDEX CONCURRENTLY i ON a (id);"), &programs, 0, same);
    let role = format!("{table}\nCREATE ROLE {0};\nGRANT SELECT ON a TO {0};", database.name());
    check(&role, &programs, 0, same);
    let pid = format!("{table}\nINSERT INTO a VALUES (pg_backend_pid());");
    check(&pid, &programs, 0, "two runs of the old files differ in 1 line of the dump");
    let ledger =
        format!("{table}\nINSERT INTO a SELECT 1 FROM pg_tables WHERE tablename ~ 'ledger';");
    check(&ledger, &programs, 1, "the new folder leaves another database than the old files: `");
    check("CREATE TABEL a ();", &programs, 1, "not proved, because the new folder is not valid");
    let missing = "DO $$ BEGIN EXECUTE 'SELECT * FROM nowhere'; END $$;";
    check(missing, &programs, 1, "error: cannot run 1_a.sql: relation \"nowhere\" does not exist");
    check(table, Path::new("/nowhere"), 1, "error: `pg_dump` cannot be run: ");
    let copy = format!("{table}\nCOPY a FROM stdin;\n1\n\\.\n");
    check(&copy, &programs, 1, "error: 1_a.sql has data for COPY");
    let left = "SELECT count(*) FROM pg_database WHERE datname LIKE 'migrate_convert_%'";
    assert_eq!(value(&database.connect().await, left).await, "0");
}
