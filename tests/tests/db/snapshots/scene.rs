//! One database, one client, and the text of all that the client sends.

use std::path::Path;
use std::{env, fs};

use migrate_runtime::Migrator;
use migrate_tests::database::FreshDatabase;
use migrate_tests::proxy::CountingProxy;
use tokio_postgres::Client;

/// The SQL that a situation sends, and the file that it must match.
pub struct Scene {
    name: &'static str,
    text: String,
    pub database: FreshDatabase,
    pub proxy: CountingProxy,
    pub client: Client,
}

impl Scene {
    pub async fn new(name: &'static str) -> Scene {
        let (database, proxy, client) = CountingProxy::connected().await;
        Scene { name, text: String::new(), database, proxy, client }
    }

    /// Leaves out what was sent since the last section.
    pub fn forget(&self) {
        self.proxy.reset();
    }

    /// Adds a section with what was sent since the last one.
    pub fn take(&mut self, heading: &str) {
        self.text.extend(["===== ", heading, "\n"]);
        for message in self.proxy.messages() {
            let sql = stable(&message.sql);
            let sql = sql.replace(self.database.name(), "<database>");
            self.text.extend(["----- ", &message.tag.to_string(), "\n", &sql, "\n"]);
        }
        self.proxy.reset();
    }

    /// Compares the sections with the file.
    pub fn check(self) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/db/snapshots/sql");
        let path = folder.join(self.name).with_extension("txt");
        let user = self.database.config().get_user().expect("a user").to_owned();
        let sent = self.text.replace(&format!("'{user}'"), "'<user>'");
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, sent).expect("a snapshot");
            return;
        }
        let expected = fs::read_to_string(&path).expect("a snapshot; UPDATE=1 writes it");
        let first = sent.lines().zip(expected.lines()).find(|(sent, expected)| sent != expected);
        assert!(sent == expected, "{}: what is sent differs: {first:#?}", path.display());
    }

    /// The key of the advisory lock, from the message that takes it.
    pub async fn lock_key(&mut self, migrator: &Migrator<'_>) -> String {
        migrator.trial(&mut self.client).await.expect("a trial");
        let queries = self.proxy.queries();
        let (_, key) = queries
            .iter()
            .find_map(|sql| sql.split_once("pg_try_advisory_xact_lock("))
            .expect("a message with the lock");
        key.split(')').next().expect("a key").to_owned()
    }
}

/// The SQL without what differs from run to run.
fn stable(sql: &str) -> String {
    let sql =
        between(sql, "saved pg_catalog.json := ", ";\n  changed pg_catalog.record;", "<session>");
    // Settings that only a superuser sees can have backslashes.
    let sql = sql.replace("DO E'\nDECLARE", "DO '\nDECLARE");
    let sql = between(&sql, "pg_backend_pid() OPERATOR(pg_catalog.=) ", " THEN", "<pid>");
    let sql = between(&sql, ", execution_ms = ", " OPERATOR(pg_catalog.+) ", "<ms>");
    let sql = numbers_before(
        &sql,
        " OPERATOR(pg_catalog.-) (EXTRACT(epoch FROM pg_catalog.clock_timestamp() ",
    );
    tokens(&sql)
}

/// Replaces the text between `start` and the `end` after it.
fn between(text: &str, start: &str, end: &str, by: &str) -> String {
    let mut pieces = text.split(start);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out += start;
        match piece.split_once(end) {
            Some((_, rest)) => out += &[by, end, rest].concat(),
            None => out += piece,
        }
    }
    out
}

/// Replaces the digits right before `end`.
fn numbers_before(text: &str, end: &str) -> String {
    let pieces: Vec<&str> = text.split(end).collect();
    let last = pieces.len() - 1;
    let cut = |(index, piece): (usize, &&str)| {
        let without = piece.trim_end_matches(|c: char| c.is_ascii_digit());
        if index == last || without.len() == piece.len() {
            (*piece).to_owned()
        } else {
            format!("{without}<ms>")
        }
    };
    pieces.iter().enumerate().map(cut).collect::<Vec<_>>().join(end)
}

/// Replaces words of 32 hexadecimal digits.
fn tokens(text: &str) -> String {
    let mut out = String::new();
    let mut word = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() {
            word.push(c);
            continue;
        }
        let is_token = word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
        out += if is_token { "<token>" } else { &word };
        out.push(c);
        word.clear();
    }
    out.truncate(out.len() - 1);
    out
}
