//! Locates the folder and the history file of a macro call, for `migrate-source` to check. The history
//! file is the only file that the macro writes, and only if the environment requests it.

use std::path::{Path, PathBuf};
use std::{env, io};

use migrate_set::set::{Migrations, digest_of};
use migrate_source::check::{Checked, Problem, SourceError, SourceErrors, SourceFile, check};
use migrate_source::discover::{discover, history};
use migrate_source::history_file::{self, HistoryProblem, Update, Updated, is_ci};
use migrate_source::replace::replace;

use crate::input::Input;

/// The environment variable that requests an update of the history file.
pub(crate) const UPDATE_HISTORY: &str = "MIGRATE_UPDATE_HISTORY";

/// A checked set and what it was read from.
pub(crate) struct Embedded {
    /// The set.
    pub(crate) set: Migrations,
    /// The warnings.
    pub(crate) warnings: Vec<SourceError>,
    /// The absolute path of its folder.
    pub(crate) folder: String,
    /// Its files.
    pub(crate) files: Vec<Embeddable>,
    /// The crate being compiled.
    pub(crate) package: String,
    /// The absolute path of its history file.
    pub(crate) history: Option<String>,
}

/// A file that was read.
pub(crate) struct Embeddable {
    /// Relative to the folder.
    pub(crate) path: String,
    pub(crate) is_utf8: bool,
    pub(crate) digest: u64,
}

/// Reads the folder, relative to the `Cargo.toml` of the crate being compiled.
pub(crate) fn embed(input: &Input) -> Result<Embedded, SourceErrors> {
    let named = input.folder.value();
    let shown = named.trim_end_matches('/').to_owned();
    // Cargo always sets it; without it, the working directory is the best guess.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").map_or_else(PathBuf::new, PathBuf::from);
    let folder = manifest.join(&shown);
    let sources = discover(&folder, &shown, input.options.links)?;
    let Checked { set, warnings, .. } = check(&shown, &sources, &input.options)?;
    let history = match &input.history {
        None => None,
        Some(path) => Some(frozen(&manifest, &path.value(), &set)?),
    };
    let file = |source: SourceFile| Embeddable {
        is_utf8: std::str::from_utf8(&source.bytes).is_ok(),
        digest: digest_of(&source.bytes),
        path: source.path,
    };
    let files = sources.into_iter().map(file).collect();
    let folder = folder.to_string_lossy().into_owned();
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    Ok(Embedded { set, warnings, folder, files, package, history })
}

/// Compares the set with its history file, or updates the file; returns its absolute path.
fn frozen(manifest: &Path, shown: &str, set: &Migrations) -> Result<String, SourceErrors> {
    let path = manifest.join(shown);
    let before = history(&path, shown)?;
    let refused = |problem| SourceErrors(vec![SourceError::of_file(shown, problem)]);
    let word = env::var_os(UPDATE_HISTORY).unwrap_or_default();
    let request = Request::of(&word.to_string_lossy());
    let Some(Request { update, in_ci }) =
        request.map_err(|error| refused(Problem::History(error)))?
    else {
        SourceErrors::of_history(shown, history_file::compare(before.as_deref(), set))?;
        return Ok(path.to_string_lossy().into_owned());
    };
    let Updated { text, changes, .. } = history_file::update(before.as_deref(), set, update)
        .map_err(|problems| SourceErrors::in_history(shown, problems))?;
    if before.as_deref() != Some(&text) {
        write(&path, &text, in_ci).map_err(refused)?;
        eprintln!("note: `{shown}` was written, because {UPDATE_HISTORY} is set");
        for change in changes {
            eprintln!("note: `{shown}`: {change}");
        }
    }
    Ok(path.to_string_lossy().into_owned())
}

/// How the environment requests an update of the history file.
struct Request {
    update: Update,
    /// Also where the file would only be compared with itself.
    in_ci: bool,
}

impl Request {
    /// `None` if there is no request.
    fn of(words: &str) -> Result<Option<Request>, HistoryProblem> {
        let (update, in_ci) = match words {
            "" | "0" => return Ok(None),
            "1" => (Update::Newest, false),
            "in-ci" => (Update::Newest, true),
            "rewrite" => (Update::All, false),
            "rewrite,in-ci" => (Update::All, true),
            word => return Err(HistoryProblem::UnknownWord { word: word.to_owned() }),
        };
        Ok(Some(Request { update, in_ci }))
    }
}

fn write(path: &Path, text: &str, in_ci: bool) -> Result<(), Problem> {
    if !in_ci && is_ci(env::var_os("CI").as_deref()) {
        return Err(Problem::History(HistoryProblem::InCi));
    }
    let unwritable = |error: io::Error| Problem::Unwritable { reason: error.to_string() };
    replace(path, text.as_bytes()).map_err(unwritable)
}
