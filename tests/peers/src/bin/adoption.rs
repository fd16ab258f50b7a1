//! Has refinery, sqlx and diesel migrate a database, then takes their tables over and looks whether
//! what was verified could be, and whether the next run applies only what is pending.
//! It fails when a real ledger is not taken over as promised; it prints the rows it met.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "without a server or its own files there is nothing to look at"
)]

use std::fs;
use std::path::Path;

use diesel::{Connection, PgConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use migrate_runtime::adopt::Adopt;
use migrate_runtime::source::{SetOptions, from_folder};
use migrate_runtime::{ErrorKind, Migrator};
use migrate_testing::Server;
use sqlx::postgres::PgConnectOptions;
use tempfile::TempDir;
use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// Two that the other tool applies, of which one was written on Windows, and one that we apply.
const TEXTS: [&str; 3] = [
    "CREATE TABLE a (id int);\n",
    "-- b's own\r\nCREATE TABLE b (id int);\r\n",
    "CREATE TABLE c (id int);\n",
];

#[tokio::main]
async fn main() {
    let server = Server::from_env().expect("a server");
    let maintenance = connect(&server.url_for("postgres")).await;
    for tool in [Adopt::Refinery, Adopt::Sqlx, Adopt::Diesel] {
        let name = tool.name();
        let database = format!("adoption_{name}_{}", std::process::id());
        maintenance.batch_execute(&format!("CREATE DATABASE {database}")).await.expect(name);
        let url = server.url_for(&database);
        look_at(tool, &url).await;
        let drop = format!("DROP DATABASE {database} WITH (FORCE)");
        maintenance.batch_execute(&drop).await.expect(name);
    }
}

async fn look_at(tool: Adopt, url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let name = tool.name();
    write(tool, &folder, 0..2);
    match tool {
        Adopt::Refinery => by_refinery(folder.path(), url).await,
        Adopt::Sqlx => by_sqlx(folder.path(), url).await,
        _ => by_diesel(folder.path().to_owned(), url.to_owned()).await,
    }
    let mut client = connect(url).await;
    println!("{name}: {}", rows(&client, tool).await.join("; "));
    write(tool, &folder, 2..3);
    let set = from_folder(folder.path(), &SetOptions::default()).expect("a set");
    let migrator = Migrator::new(&set);
    let before = rows(&client, tool).await;
    let report = migrator.adopt(&mut client, tool).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    println!("{name}: {report}");
    assert_eq!(report.amended.len(), 2, "{name}");
    assert_eq!(report.notes.is_empty(), tool.algorithm().is_some(), "{name}: {:?}", report.notes);
    let again = migrator.adopt(&mut client, tool).await.expect("again");
    assert!(again.amended.is_empty(), "{name}");
    assert_eq!(rows(&client, tool).await, before, "{name}");
    let run = migrator.run(&mut client).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(run.applied.len(), 1, "{name}");
    migrator.verify(&client).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    refuse_an_edit(tool, &folder, &mut client).await;
}

/// A real checksum does not match an edited text.
async fn refuse_an_edit(tool: Adopt, folder: &TempDir, client: &mut Client) {
    if tool.algorithm().is_none() {
        return;
    }
    fs::write(folder.path().join(path(tool, 0)), "CREATE TABLE a (id bigint);\n").expect("a file");
    let set = from_folder(folder.path(), &SetOptions::default()).expect("a set");
    let migrator = Migrator::new(&set).table("other_ledger");
    let error = migrator.adopt(client, tool).await.expect_err("an edited text");
    let ErrorKind::Adoption { obstacles, .. } = error.kind() else { panic!("{error}") };
    assert_eq!(obstacles.0.len(), 1, "{error}");
    println!("{error}");
}

async fn by_refinery(folder: &Path, url: &str) {
    let migrations = refinery::load_sql_migrations(folder).expect("refinery's files");
    let mut client = connect(url).await;
    refinery::Runner::new(&migrations).run_async(&mut client).await.expect("refinery");
}

async fn by_sqlx(folder: &Path, url: &str) {
    let migrator = sqlx::migrate::Migrator::new(folder).await.expect("sqlx's files");
    let pool = sqlx::PgPool::connect_with(options_of_sqlx(url)).await.expect("a connection");
    migrator.run(&pool).await.expect("sqlx");
    pool.close().await;
}

/// sqlx reads no address whose host is empty, which that of a socket is.
fn options_of_sqlx(url: &str) -> PgConnectOptions {
    let config: Config = url.parse().expect("an address");
    let options = PgConnectOptions::new_without_pgpass()
        .port(config.get_ports().first().copied().unwrap_or(5432))
        .username(config.get_user().expect("a user"))
        .database(config.get_dbname().expect("a database"));
    let options = match config.get_password() {
        Some(password) => options.password(&String::from_utf8_lossy(password)),
        None => options,
    };
    match &config.get_hosts()[0] {
        Host::Tcp(host) => options.host(host),
        Host::Unix(folder) => options.socket(folder),
    }
}

/// It blocks, so it has a thread of its own.
async fn by_diesel(folder: std::path::PathBuf, url: String) {
    let run = move || {
        let mut connection = PgConnection::establish(&url).expect("a connection");
        let set = FileBasedMigrations::from_path(folder).expect("diesel's files");
        connection.run_pending_migrations(set).expect("diesel");
    };
    tokio::task::spawn_blocking(run).await.expect("diesel's thread");
}

fn path(tool: Adopt, index: usize) -> String {
    let name = ["a", "b_of_windows", "c"][index];
    let number = index + 1;
    match tool {
        Adopt::Refinery => format!("V{number}__{name}.sql"),
        Adopt::Sqlx => format!("{number:04}_{name}.sql"),
        _ => format!("2024-01-0{number}-000000-0000_{name}/up.sql"),
    }
}

fn write(tool: Adopt, folder: &TempDir, which: std::ops::Range<usize>) {
    for index in which {
        let file = folder.path().join(path(tool, index));
        fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        fs::write(file, TEXTS[index]).expect("a file");
    }
}

async fn connect(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.expect("a connection");
    tokio::spawn(connection);
    client
}

async fn rows(client: &Client, tool: Adopt) -> Vec<String> {
    let sql = format!("SELECT t::text FROM {} t ORDER BY 1", tool.default_table());
    let messages = client.simple_query(&sql).await.expect("the rows");
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    };
    messages.into_iter().filter_map(row).collect()
}
