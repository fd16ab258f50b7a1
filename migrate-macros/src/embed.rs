//! Locates the folder, the history file and the schema file of a macro call, for `migrate-source` to check. The macro
//! writes only these two files, and only if the environment requests it.

use std::path::{Path, PathBuf};
use std::{env, io};

use migrate_set::set::{Migrations, digest_of};
use migrate_source::check::{
    Checked, Problem, SourceError, SourceErrors, SourceFile, check, check_and_describe,
};
use migrate_source::discover::{committed, compare_history, discover};
use migrate_source::history_file::{self, HistoryProblem, Update, Updated, is_ci};
use migrate_source::replace::replace;
use migrate_source::schema::SetSchema;
#[cfg(feature = "syntax")]
use migrate_source::schema_file;
use migrate_source::schema_file::SchemaFileProblem;
use syn::LitStr;

use crate::input::Input;

/// The environment variable that requests an update of the history file and the schema file.
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
    /// The absolute paths of its history file and its schema file.
    pub(crate) beside: Vec<String>,
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
    let (Checked { set, warnings, .. }, schema) = match input.schema {
        Some(_) => check_and_describe(&shown, &sources, &input.options)?,
        None => (check(&shown, &sources, &input.options)?, SetSchema::default()),
    };
    let beside = beside(input, &manifest, &folder, (&set, &schema))?;
    let file = |source: SourceFile| Embeddable {
        is_utf8: std::str::from_utf8(&source.bytes).is_ok(),
        digest: digest_of(&source.bytes),
        path: source.path,
    };
    let files = sources.into_iter().map(file).collect();
    let folder = folder.to_string_lossy().into_owned();
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    Ok(Embedded { set, warnings, folder, files, package, beside })
}

/// Compares the set with its history file and its schema file, or updates them; returns their absolute paths.
fn beside(
    input: &Input,
    manifest: &Path,
    folder: &Path,
    made: (&Migrations, &SetSchema),
) -> Result<Vec<String>, SourceErrors> {
    let (mut paths, mut errors) = (Vec::new(), Vec::new());
    let files = [(&input.history, Beside::frozen as Judge), (&input.schema, Beside::described)];
    for (path, judge) in files {
        let Some(shown) = path.as_ref().map(LitStr::value) else { continue };
        let file = Beside { path: manifest.join(&shown), shown };
        if file.is_migration_of(folder) {
            let problem = Problem::SchemaFile(SchemaFileProblem::AmongMigrations);
            errors.extend(file.refused(problem).0);
            continue;
        }
        errors.extend(judge(&file, made).err().into_iter().flat_map(|all| all.0));
        paths.push(file.path.to_string_lossy().into_owned());
    }
    if errors.is_empty() { Ok(paths) } else { Err(SourceErrors(errors)) }
}

/// A file that the set is compared with.
struct Beside {
    path: PathBuf,
    /// The path as it was given.
    shown: String,
}

/// Compares a set, or its schema, with such a file, or updates the file.
type Judge = fn(&Beside, (&Migrations, &SetSchema)) -> Result<(), SourceErrors>;

impl Beside {
    fn frozen(&self, (set, _): (&Migrations, &SetSchema)) -> Result<(), SourceErrors> {
        let before = committed(&self.path, &self.shown)?;
        let Some(request) = self.request()? else {
            return compare_history((&self.path, &self.shown), before.as_deref(), set);
        };
        let Updated { text, changes, .. } =
            history_file::update(before.as_deref(), set, request.update)
                .map_err(|problems| SourceErrors::in_history(&self.shown, problems))?;
        if before.as_deref() != Some(&text) {
            self.write(&text, &request)?;
            for change in changes {
                eprintln!("note: `{}`: {change}", self.shown);
            }
        }
        Ok(())
    }

    #[cfg(feature = "syntax")]
    fn described(&self, (_, schema): (&Migrations, &SetSchema)) -> Result<(), SourceErrors> {
        let before = committed(&self.path, &self.shown)?;
        let refused = |problem| self.refused(Problem::SchemaFile(problem));
        let Some(request) = self.request()? else {
            return schema_file::compare(before.as_deref(), schema).map_err(refused);
        };
        match schema_file::update(before.as_deref(), schema).map_err(refused)? {
            Some(text) => self.write(&text, &request),
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "syntax"))]
    fn described(&self, _: (&Migrations, &SetSchema)) -> Result<(), SourceErrors> {
        Err(self.refused(Problem::SchemaFile(SchemaFileProblem::NoGrammar)))
    }

    fn is_migration_of(&self, folder: &Path) -> bool {
        let is_sql = self.path.extension().is_some_and(|extension| extension == "sql");
        is_sql && self.path.parent() == Some(folder)
    }

    fn refused(&self, problem: Problem) -> SourceErrors {
        SourceErrors(vec![SourceError::of_file(&self.shown, problem)])
    }

    fn request(&self) -> Result<Option<Request>, SourceErrors> {
        let words = env::var_os(UPDATE_HISTORY).unwrap_or_default();
        let request = Request::of(&words.to_string_lossy());
        request.map_err(|problem| self.refused(Problem::History(problem)))
    }

    fn write(&self, text: &str, request: &Request) -> Result<(), SourceErrors> {
        if !request.in_ci && is_ci(env::var_os("CI").as_deref()) {
            return Err(self.refused(Problem::History(HistoryProblem::InCi)));
        }
        let unwritable = |error: io::Error| Problem::Unwritable { reason: error.to_string() };
        replace(&self.path, text.as_bytes()).map_err(|error| self.refused(unwritable(error)))?;
        eprintln!("note: `{}` was written, because {UPDATE_HISTORY} is set", self.shown);
        Ok(())
    }
}

/// How the environment requests an update of the history file, and of the schema file with it.
struct Request {
    update: Update,
    /// Also where a file would only be compared with itself.
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
