//! `squash`: replaces the first migrations by one file that makes the same database. Nothing is written before both
//! ways were compared in databases that are created for it. A run that was interrupted after it wrote the file is
//! finished by the next one.

use std::fs;
use std::path::Path;

use clap::Args;
use migrate_runtime::internal::squash::{Replaced, lines};
use migrate_runtime::internal::{DatabasePlace, Made, made, set, with_set};
use migrate_runtime::set::Kind;
use migrate_runtime::{Migration, Migrations, Migrator, Version};
use migrate_source::check::{Down, Lints, Objects, SetOptions, SourceErrors, SourceFile, check};
use migrate_source::discover::discover;
use migrate_source::history_file::{Update, update};
use migrate_source::replace::replace;

use super::beyond::beyond;
use super::cluster::{Created, Creation};
use super::database::{Maintenance, Server};
use super::replaced::{files_of, path_after, remove};
use super::server::Connector;
use crate::error::VerbError;
use crate::exit::Exit;
use crate::folder::{Folder, Located};
use crate::options::version;
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::{counted, line, notes};

/// How many rows of one table are worth a note.
const MANY_ROWS: usize = 1000;

#[derive(Args, Debug, Clone)]
pub(crate) struct Squash {
    /// The last migration to replace: its version, or its file name
    #[arg(long, value_name = "VERSION", value_parser = version())]
    to: Version,
    /// Leave the files that are replaced in the folder
    #[arg(long)]
    keep: bool,
    #[command(flatten)]
    folder: Folder,
}

/// What is replaced, and by what.
struct Squashed<'s> {
    replaced: Vec<&'s Migration>,
    file: SourceFile,
    /// The set with the file.
    set: Migrations,
    state: FileState,
    /// What the file does not do, although the replaced files do.
    left_out: Vec<String>,
    notes: Vec<String>,
}

/// Whether the squash file has to be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum FileState {
    New,
    /// It is in the folder already, with all that it replaces.
    Proved,
    /// It is in the folder already, and the first files that it replaces were removed.
    Removing,
}

/// A squash file that is in the folder with files that it replaces.
struct Begun {
    file: SourceFile,
    /// The folder without it.
    old: Migrations,
    is_whole: bool,
}

impl Squash {
    pub(super) async fn run(
        &self,
        cx: &Connector<'_>,
    ) -> Result<(DatabasePlace, Answer), VerbError> {
        let Some(migrator) = cx.sets.first() else {
            return Err(VerbError::Usage { what: "there is no set".to_owned(), help: "name one" });
        };
        let known = set(migrator);
        let located = self.folder.locate(Some(known).filter(|set| set.origin().is_some()))?;
        let files = discover(&located.path, &located.shown, located.options.links)?;
        if check(&located.shown, &files, &located.options)?.set.as_slice() != known.as_slice() {
            return Err(VerbError::Usage {
                what: format!("the set of this program is not that of `{}`", located.shown),
                help: "build it again",
            });
        }
        let version = known.named(&self.to).clone();
        let begun = Begun::find((&located, &files), known, &version);
        let replaced = match &begun {
            Some(begun) => begun.replaced(&version),
            None => replaced(known, &version)?,
        };
        let server = Server::connect(cx, &Maintenance::default()).await?;
        let bench = Bench { cx, server: &server, version };
        let squashed = match &begun {
            None => {
                let compose = |made: &Made| composed((&located, &files), replaced, made);
                bench.compared(migrator, compose).await?
            }
            Some(begun) if begun.is_whole => {
                let old = with_set(migrator, &begun.old);
                let compose = |made: &Made| Ok(begun.squashed(known, replaced, Some(made)));
                bench.compared(&old, compose).await?
            }
            Some(begun) => begun.squashed(known, replaced, None),
        };
        Ok((server.place(), self.write(&located, &squashed)?))
    }

    /// Writes the file, and removes what it replaces if that loses nothing. Each step can be the last of a process, and
    /// the same command does the rest.
    fn write(&self, located: &Located, squashed: &Squashed<'_>) -> Result<Answer, VerbError> {
        let Squashed { replaced, file, set, state, left_out, .. } = squashed;
        let path = located.path.join(&file.path);
        let keeps = self.keep || !left_out.is_empty();
        if keeps && *state == FileState::New && path.exists() {
            return Err(VerbError::Usage {
                what: format!("{} exists", path.display()),
                help: "rename it, because a file that is kept cannot have the name of the new one",
            });
        }
        let (shown, history) = located.read_history()?;
        let refused = |problems| SourceErrors::in_history(&shown, problems);
        let history = history.map(|text| update(Some(&text), set, Update::All));
        let history = history.transpose().map_err(refused)?;
        if *state == FileState::New {
            write_file(&path, &file.bytes)?;
        }
        if let Some(history) = history {
            write_file(&located.history, history.text.as_bytes())?;
        }
        let removed = if keeps { Vec::new() } else { remove(located, replaced, &file.path)? };
        Ok(answer(located, squashed, removed))
    }
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), VerbError> {
    let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
    let written = folder.and_then(|()| replace(path, bytes));
    written.map_err(|source| VerbError::File { file: path.to_owned(), source })
}

fn answer(located: &Located, squashed: &Squashed<'_>, removed: Vec<String>) -> Answer {
    let Squashed { replaced, file, state, left_out, notes: said, .. } = squashed;
    let (count, file) = (replaced.len(), format!("{}/{}", located.shown, file.path));
    let mut text = String::new();
    if *state != FileState::Removing {
        text += &line("Proved", "both ways make the same schema and rows of an empty database");
    }
    text += &line(if *state == FileState::New { "Created" } else { "Unchanged" }, &file);
    let word = if removed.is_empty() { "Kept" } else { "Removed" };
    text += &line(word, &format!("the files of {}", counted(count, "migration")));
    let mut all: Vec<String> =
        left_out.iter().map(|one| format!("not in the file: {one}")).collect();
    if !left_out.is_empty() {
        all.push(
            "add what is missing to the file by hand, and then remove the files that it replaces"
                .to_owned(),
        );
    }
    all.extend(said.iter().cloned());
    text += &notes(&all);
    let exit = if left_out.is_empty() { Exit::Fine } else { Exit::Failed };
    let replaced = replaced.iter().map(|one| one.version().to_string()).collect();
    Answer { exit, text, body: Body::Squashed { file, replaced, removed, notes: all } }
}

impl Begun {
    /// Those files can be from a run that was interrupted, or that kept them.
    fn find(
        (located, files): (&Located, &[SourceFile]),
        known: &Migrations,
        version: &Version,
    ) -> Option<Begun> {
        let mut squashes = known.iter().filter(|one| !one.replaces().is_empty());
        let squash = squashes.find(|one| one.version() == version)?;
        let (own, rest): (Vec<_>, Vec<_>) =
            files.iter().cloned().partition(|file| file.path == squash.filename());
        // What was removed is not missing.
        let (down, lints, objects) = (Down::Optional, Lints::Off, Objects::Off);
        let options = SetOptions { down, lints, objects, ..located.options.clone() };
        let old = check(&located.shown, &rest, &options).ok()?.set;
        let mut begun = Begun { file: own.into_iter().next()?, old, is_whole: false };
        let replaced = begun.replaced(version);
        let (is_none, found) = (replaced.is_empty(), Replaced::of(replaced));
        begun.is_whole = found == squash.replaces();
        (!is_none).then_some(begun)
    }

    /// What is left of that.
    fn replaced(&self, version: &Version) -> Vec<&Migration> {
        versioned(&self.old, version)
    }

    /// By `made`, what the replaced files make, if they were applied.
    fn squashed<'s>(
        &self,
        known: &Migrations,
        replaced: Vec<&'s Migration>,
        made: Option<&Made>,
    ) -> Squashed<'s> {
        let state = if made.is_some() { FileState::Proved } else { FileState::Removing };
        let left_out = made.map_or_else(Vec::new, |made| left_out(made, &replaced));
        let (file, set, notes) = (self.file.clone(), known.clone(), Vec::new());
        Squashed { replaced, file, set, state, left_out, notes }
    }
}

/// The versioned migrations up to this version.
fn versioned<'s>(set: &'s Migrations, version: &Version) -> Vec<&'s Migration> {
    let versioned = set.iter().filter(|one| one.kind() == Kind::Versioned);
    versioned.filter(|one| one.version() <= version).collect()
}

/// The migrations up to this version, if one file can replace them.
fn replaced<'s>(set: &'s Migrations, version: &Version) -> Result<Vec<&'s Migration>, VerbError> {
    let usage = |what: String, help| Err(VerbError::Usage { what, help });
    let replaced = versioned(set, version);
    match &replaced[..] {
        [.., last] if last.version() == version => {}
        _ => return usage(format!("version {version} is not in the set"), "`status` lists them"),
    }
    if let [one] = replaced[..] {
        let what = format!("up to version {version} there is only `{}`", one.filename());
        return usage(what, "name a later version");
    }
    let with_placeholders = |one: &&&Migration| !one.up().placeholders().is_empty();
    if let Some(one) = replaced.iter().find(with_placeholders) {
        return usage(
            format!(
                "`{}` has placeholders, so its schema is chosen at each run",
                set.path_of(one.filename())
            ),
            "squash up to a version before it",
        );
    }
    Ok(replaced)
}

/// Where both ways are applied.
struct Bench<'b> {
    cx: &'b Connector<'b>,
    server: &'b Server,
    /// The last version that is replaced.
    version: Version,
}

impl Bench<'_> {
    /// Applies the migrations of `old` twice, and then what `compose` makes of that; checks that both make the same.
    async fn compared<'s>(
        &self,
        old: &Migrator<'_>,
        compose: impl FnOnce(&Made) -> Result<Squashed<'s>, VerbError>,
    ) -> Result<Squashed<'s>, VerbError> {
        let set = set(old);
        let creations = Creation::all(set, versioned(set, &self.version));
        let first = async |created: &mut Created| self.made_by(old, created).await;
        let made = self.server.leaving_nothing(&creations, first).await?;
        // The new file can need the roles that the old ones create, and does not create them itself, or only if it was
        // changed by hand.
        let then = async |created: &mut Created| {
            let unsteady = made.differing(&self.made_by(old, created).await?);
            let mut squashed = compose(&made)?;
            squashed.notes.extend(unsteady.iter().map(|table| unsteady_note(table)));
            let new = with_set(old, &squashed.set);
            if !Creation::all(&squashed.set, versioned(&squashed.set, &self.version)).is_empty() {
                self.server.drop_created(created).await?;
            }
            compare(&made, &self.made_by(&new, created).await?, &unsteady)?;
            Ok(squashed)
        };
        self.server.leaving_nothing(&creations, then).await
    }

    /// What a run makes of a new database.
    async fn made_by(
        &self,
        migrator: &Migrator<'_>,
        created: &mut Created,
    ) -> Result<Made, VerbError> {
        let (cx, migrator) = (self.cx, migrator.clone().to(self.version.clone()));
        let work = async |name: &str| {
            let (mut client, _) = cx.connect(&cx.target()?.of_database(name), None).await?;
            let ran = migrator.run(&mut client).await;
            created.add(&migrator, &client).await;
            ran?;
            made(&client, &cx.ledgers()).await.map_err(hidden)
        };
        self.server.scratch("squash", work).await
    }
}

fn unsteady_note(table: &str) -> String {
    format!(
        "two runs of the replaced files do not leave the same in {table}; the file has what the first left"
    )
}

/// The error of a server that does not answer with its catalogs and rows.
fn hidden(source: tokio_postgres::Error) -> VerbError {
    let what = "read what the migrations made".to_owned();
    let help = "check the server's message; a role with BYPASSRLS can read rows that a policy hides from their owner";
    VerbError::Server { what, help, source }
}

/// The file, and the set with it instead of what it replaces.
fn composed<'s>(
    (located, files): (&Located, &[SourceFile]),
    replaced: Vec<&'s Migration>,
    made: &Made,
) -> Result<Squashed<'s>, VerbError> {
    let list = lines(&Replaced::of(replaced.iter().copied()));
    let head = "--\n-- What these make of an empty database, written by `migrate squash`.\n";
    let text = [&list, head, &made.script()].concat();
    let path = replaced.last().map(|last| path_after(last)).unwrap_or_default();
    let file = SourceFile::new(path, text);
    let gone: Vec<String> = replaced.iter().flat_map(|one| files_of(one)).collect();
    let is_left = |one: &&SourceFile| one.path != file.path && !gone.contains(&one.path);
    let mut rest: Vec<SourceFile> = files.iter().filter(is_left).cloned().collect();
    rest.push(file.clone());
    let set = check(&located.shown, &rest, &located.options)?.set;
    let many = made.tables().filter(|(_, rows)| *rows > MANY_ROWS);
    let notes = many
        .map(|(table, rows)| format!("{table} has {rows} rows, which are all in the file"))
        .collect();
    let left_out = left_out(made, &replaced);
    Ok(Squashed { replaced, file, set, state: FileState::New, left_out, notes })
}

/// What the replaced files do, and a squash file does not.
fn left_out(made: &Made, replaced: &[&Migration]) -> Vec<String> {
    let mut left_out = made.left_out.clone();
    left_out.extend(replaced.iter().flat_map(|one| beyond(one)));
    left_out
}

/// Whether both are the same, apart from the tables whose rows are never the same.
fn compare(old: &Made, new: &Made, unsteady: &[String]) -> Result<(), VerbError> {
    let found = old.schema_differences(new);
    let tables = old.differing(new).into_iter().filter(|table| !unsteady.contains(table));
    let found =
        found.iter().map(ToString::to_string).chain(tables.map(|table| format!("rows of {table}")));
    let found: Vec<String> = found.take(5).collect();
    if found.is_empty() {
        return Ok(());
    }
    Err(VerbError::Unproved {
        what: format!("one file does not make what the migrations make: {}", found.join("; ")),
        help: "nothing was changed; squash up to a version before the one that makes this",
    })
}
