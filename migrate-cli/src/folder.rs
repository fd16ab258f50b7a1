//! The verbs that need no database: `create`, `freeze`, `check`, `completions`. They check a folder with
//! the same code as the build.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::{Args as _, Command};
use clap_complete::Shell;
use migrate_set::set::Migrations;
use migrate_source::check::{Checked, Problem, SourceError, SourceErrors, check as check_set};
use migrate_source::create::{CreateOptions, create as write_files};
use migrate_source::discover::{discover, history};
use migrate_source::history_file::{self, HistoryProblem};

use super::args::{Args, Check, Create, Folder, Freeze};
use super::exit::Exit;
use super::fault::Fault;
use super::json::{Body, ProblemBody};
use super::page::{Answer, counted, deed};
use super::paint::warning;

pub(super) fn create(verb: &Create, set: Option<&Migrations>) -> Result<Answer, Fault> {
    let (folder, _) = located(&verb.folder, set)?;
    let history = history_path(&verb.folder, &folder);
    let names = verb.folder.options_like(set).names;
    let options = CreateOptions { names, history: Some(history) };
    let created =
        write_files(&folder, &verb.description.join(" "), &options).map_err(Fault::Create)?;
    let files: Vec<String> =
        created.files.iter().map(|file| file.to_string_lossy().into_owned()).collect();
    let text = files.iter().map(|file| deed("Created", file)).collect();
    let migration_version = created.version.to_string();
    Ok(Answer { exit: Exit::Fine, text, body: Body::Created { migration_version, files } })
}

pub(super) fn freeze(verb: &Freeze, set: Option<&Migrations>) -> Result<Answer, Fault> {
    let (folder, shown) = located(&verb.folder, set)?;
    let Checked { set, .. } = read(&folder, &shown, &verb.folder, set)?;
    let path = history_path(&verb.folder, &folder);
    let file = path.to_string_lossy().into_owned();
    let before = history(&path, &file).map_err(Fault::Set)?;
    let rewritten = history_file::compare(before.as_deref().unwrap_or_default(), &set);
    let kept = |problem: &HistoryProblem| !matches!(problem, HistoryProblem::New { .. });
    let rewritten: Vec<SourceError> = rewritten
        .into_iter()
        .filter(kept)
        .map(|problem| SourceError::of_file(&file, Problem::History(problem)))
        .collect();
    if !verb.rewrite && !rewritten.is_empty() {
        return Err(Fault::Set(SourceErrors(rewritten)));
    }
    let text = history_file::freeze(&set);
    let written = before.as_deref() != Some(&text);
    if written {
        fs::write(&path, text).map_err(|source| Fault::File { file: path, source })?;
    }
    let word = if written { "Frozen" } else { "Unchanged" };
    let text = deed(word, &format!("{} in {file}", counted(set.len(), "migration")));
    let body = Body::Frozen { file, written, migrations: set.len() };
    Ok(Answer { exit: Exit::Fine, text, body })
}

pub(super) fn check(verb: &Check, set: Option<&Migrations>) -> Result<Answer, Fault> {
    let (folder, shown) = located(&verb.folder, set)?;
    let Checked { set, warnings } = read(&folder, &shown, &verb.folder, set)?;
    let path = history_path(&verb.folder, &folder);
    let file = path.to_string_lossy();
    let frozen = history(&path, &file).map_err(Fault::Set)?;
    // The history file is optional, unless one is named.
    if frozen.is_some() || verb.folder.history_file().is_some() {
        history_file::check(&file, frozen.as_deref(), &set).map_err(Fault::Set)?;
    }
    let mut text: String = warnings.iter().map(|said| warning(&said.to_string())).collect();
    let against = if frozen.is_some() { format!(" and {file}") } else { String::new() };
    text += &deed("Checked", &format!("{} in {shown}{against}", counted(set.len(), "migration")));
    let warnings = ProblemBody::all(&SourceErrors(warnings));
    let body = Body::Checked { folder: shown, migrations: set.len(), warnings };
    Ok(Answer { exit: Exit::Fine, text, body })
}

/// The folder, and its name in messages.
fn located(folder: &Folder, set: Option<&Migrations>) -> Result<(PathBuf, String), Fault> {
    folder.of(set).ok_or_else(|| Fault::Usage {
        what: "a release build does not remember its folder of migrations".to_owned(),
        help: "name it with `--dir`",
    })
}

fn read(
    folder: &Path,
    shown: &str,
    options: &Folder,
    set: Option<&Migrations>,
) -> Result<Checked, Fault> {
    let files = discover(folder, shown).map_err(Fault::Set)?;
    check_set(shown, &files, &options.options_like(set)).map_err(Fault::Set)
}

/// The history file that is named, else `migrations.history` next to `migrations`.
fn history_path(options: &Folder, folder: &Path) -> PathBuf {
    if let Some(file) = options.history_file() {
        return file.to_owned();
    }
    // Not `set_extension`, which would replace the part of a folder's name after a dot.
    let mut name = folder.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".history");
    folder.with_file_name(name)
}

/// The completion script of a shell, for the program under the name that it was called by.
pub(super) fn completions(shell: Shell, set: Option<&Migrations>) -> Answer {
    let words: Vec<String> =
        env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    let program = words.first().map_or("migrate", |path| {
        Path::new(path).file_stem().and_then(|stem| stem.to_str()).unwrap_or("migrate")
    });
    // The words before the verb are the service's: `myservice migrate completions bash`.
    let above: Vec<&String> =
        words.iter().skip(1).take_while(|word| *word != "completions").collect();
    let above = above.into_iter().filter(|word| !word.starts_with('-'));
    let mut above: Vec<String> = above.cloned().collect();
    above.insert(0, program.to_owned());
    let innermost = above.pop().unwrap_or_default();
    let command = Args::augment_args(Command::new(innermost));
    // Only the binary `migrate` has the folder's options before the verb.
    let command = if set.is_some() { command } else { Folder::augment_args(command) };
    let mut command = above
        .into_iter()
        .rev()
        .fold(command, |command, name| Command::new(name).subcommand(command));
    let name = program.to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let body = Body::Script { shell: shell.to_string(), script: script.clone() };
    Answer { exit: Exit::Fine, text: script, body }
}
