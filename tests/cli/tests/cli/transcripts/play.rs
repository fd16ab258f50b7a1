//! Plays a transcript: runs its commands in a shell, and records their output.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::{env, fmt::Write as _};

use migrate_tests::cargo::program;
use migrate_tests::database::{FreshDatabase, value};
use regex::Regex;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// What depends on the machine and the time, and what is shown in its place. Compiled once: in a debug build each takes
/// milliseconds.
static FIXED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rules = [
        (r"\bon (?:the socket in \S+ for port \d+|\S+:\d+)", "on db.example:5432"),
        (r"width:\d+%", "width:50%"),
        (r"\d{4}-\d\d-\d\d-\d{6}", "2026-01-02-030405"),
        (r#""server": "[^"]*""#, r#""server": "db.example:5432""#),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-01-02 03:04:05"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "2026-01-02T03:04:05.678901Z"),
        (r#"_ms": \d+"#, r#"_ms": 7"#),
        // A column of durations is as wide as the longest.
        (r"(\S)  +took(  |\n)", "$1  took$2"),
        (r"(\S)  +(?:\d+ ms|\d+\.\d\d s)(  |\n)", "$1  7 ms$2"),
        (r"(03:04:05) {4,}(\S)", "$1        $2"),
        (r"\d+ ms|\d+\.\d\d s\b", "7 ms"),
        (r"\b[0-9a-f]{64}\b", "[SHA-256]"),
    ];
    rules.map(|(pattern, fixed)| (Regex::new(pattern).expect("a regex"), fixed)).into()
});

/// The folder and the database of a transcript.
struct Stage {
    folder: TempDir,
    database: FreshDatabase,
    /// Finds the role's name.
    user: Regex,
}

/// A folder with the migrations of this package's service.
fn furnished() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (from, to) = (
        Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations"),
        folder.path().join("migrations"),
    );
    fs::create_dir(&to).expect("a folder");
    for file in fs::read_dir(from).expect("the migrations") {
        let file = file.expect("a file");
        fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
    }
    folder
}

/// The script with the output that its commands print now.
pub(crate) fn play(script: &str) -> String {
    let runtime = Runtime::new().expect("a runtime");
    let stage = runtime.block_on(async {
        let database = FreshDatabase::create().await;
        let user = value(&database.connect().await, "SELECT current_user").await;
        // The role can be `postgres`, with which the name of a tool begins.
        let user = format!(r"\b{}([^-\w]|$)", regex::escape(&user));
        Stage { folder: furnished(), database, user: Regex::new(&user).expect("a regex") }
    });
    let mut played = String::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("$ ") {
            let mut command = rest.to_owned();
            played.extend([line, "\n"]);
            while let Some(more) = lines.next_if(|line| line.starts_with("> ")) {
                played.extend([more, "\n"]);
                command.extend(["\n", &more[2..]]);
            }
            played += &stage.run(&command);
        } else if line.starts_with("## ") {
            // An empty line precedes a heading.
            let gap = if played.is_empty() { "" } else { "\n" };
            let _ = writeln!(played, "{gap}{line}");
        }
    }
    played
}

impl Stage {
    /// The output of `command`, and its exit code if that is not 0.
    fn run(&self, command: &str) -> String {
        let programs = [PathBuf::from(env!("CARGO_BIN_EXE_service")), program("migrate")];
        let paths = programs.map(|program| program.parent().expect("a folder").to_owned());
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(paths.into_iter().chain(env::split_paths(&path)));
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &format!("exec 2>&1\n{command}")]).current_dir(self.folder.path());
        shell.env_clear().env("PATH", path.expect("a path")).env("HOME", self.folder.path());
        shell.env("DATABASE_URL", self.database.url()).stdin(Stdio::null());
        let output = shell.output().expect("a shell");
        let mut text = String::from_utf8(output.stdout).expect("UTF-8");
        match output.status.code() {
            Some(0) => {}
            code => {
                let _ = writeln!(text, "? {}", code.expect("an exit code"));
            }
        }
        self.fixed(&text)
    }

    /// Replaces what depends on the machine and the time.
    fn fixed(&self, text: &str) -> String {
        let folder = fs::canonicalize(self.folder.path()).expect("the folder");
        let text = text.replace(&*folder.to_string_lossy(), "/work");
        let text = text.replace(&*self.folder.path().to_string_lossy(), "/work");
        let manifest = env!("CARGO_MANIFEST_DIR");
        let text = text.replace(manifest, "/src");
        let text = text.replace(self.database.name(), "app");
        let mut text = self.user.replace_all(&text, "me$1").into_owned();
        for (pattern, fixed) in &*FIXED {
            text = pattern.replace_all(&text, *fixed).into_owned();
        }
        text
    }
}
