//! The server's verdicts, kept in a file: they depend on nothing but the files of a set.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Mutex;

use migrate_set::location::Position;
use migrate_set::set::digest_of;
use migrate_source::check::SourceFile;

/// What the server did with a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It applied the whole set.
    Taken,
    /// It refused a statement.
    Refused(Refusal),
    /// The set could not be made or run at all.
    Unjudged,
}

/// What the server refused, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) sqlstate: String,
    pub(crate) file: String,
    pub(crate) position: Option<Position>,
    pub(crate) message: String,
}

/// Verdicts by the digest of the files; new ones are appended to the file.
pub(crate) struct Verdicts {
    known: Mutex<HashMap<u64, Verdict>>,
    file: Mutex<File>,
}

impl Verdicts {
    /// Those of the file, which is created.
    ///
    /// # Panics
    ///
    /// When it cannot be written.
    pub(crate) fn open(path: &Path) -> Verdicts {
        let text = fs::read_to_string(path).unwrap_or_default();
        let known = text.lines().filter_map(parse).collect();
        let file = OpenOptions::new().create(true).append(true).open(path);
        Verdicts { known: Mutex::new(known), file: Mutex::new(file.expect("the verdicts")) }
    }

    pub(crate) fn of(&self, key: u64) -> Option<Verdict> {
        self.known.lock().expect("no panic").get(&key).cloned()
    }

    pub(crate) fn add(&self, key: u64, verdict: &Verdict) {
        let line = line(key, verdict);
        let mut file = self.file.lock().expect("no panic");
        file.write_all(line.as_bytes()).expect("the verdicts");
        self.known.lock().expect("no panic").insert(key, verdict.clone());
    }
}

/// The key of a set with these files, on a database with `before`.
pub(crate) fn key(before: &str, files: &[SourceFile]) -> u64 {
    let mut bytes = before.as_bytes().to_vec();
    for file in files {
        bytes.extend(file.path.as_bytes());
        bytes.push(0);
        bytes.extend(&file.bytes);
        bytes.push(0);
    }
    digest_of(&bytes)
}

fn line(key: u64, verdict: &Verdict) -> String {
    match verdict {
        Verdict::Taken => format!("{key:016x}\ttaken\n"),
        Verdict::Unjudged => format!("{key:016x}\tunjudged\n"),
        Verdict::Refused(refusal) => {
            let Refusal { sqlstate, file, position, message } = refusal;
            let place = position.map(|at| format!("{}\t{}", at.line, at.column));
            let place = place.unwrap_or_else(|| "0\t0".to_owned());
            let message = message.replace(['\n', '\t'], " ");
            format!("{key:016x}\t{sqlstate}\t{file}\t{place}\t{message}\n")
        }
    }
}

fn parse(line: &str) -> Option<(u64, Verdict)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let key = u64::from_str_radix(fields.first()?, 16).ok()?;
    let verdict = match fields.as_slice() {
        [_, "taken"] => Verdict::Taken,
        [_, "unjudged"] => Verdict::Unjudged,
        [_, sqlstate, file, line, column, message] => {
            let position = Position { line: line.parse().ok()?, column: column.parse().ok()? };
            Verdict::Refused(Refusal {
                sqlstate: (*sqlstate).to_owned(),
                file: (*file).to_owned(),
                position: Some(position).filter(|position| position.line > 0),
                message: (*message).to_owned(),
            })
        }
        _ => return None,
    };
    Some((key, verdict))
}
