//! The folder of migrations and how its files are read: the arguments of `embed_migrations!` as
//! options.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser, ValueParser};
use migrate_runtime::Migrations;
use migrate_runtime::internal::DEFAULT_MODULE;
use migrate_runtime::set::Layout;
use migrate_source::check::{
    Begins, Checked, Choice, Down, Duplicates, Empty, Links, Lints, Objects, SetOptions,
    SourceErrors, SourceFile, Syntax, check, check_and_describe,
};
use migrate_source::discover::{committed, discover};
use migrate_source::names::{Dialects, NameOptions};
use migrate_source::schema::SetSchema;

use crate::error::VerbError;

/// The default folder.
const DEFAULT_FOLDER: &str = "migrations";

/// A folder of migrations and how it is read: the arguments of
/// [`embed_migrations!`](migrate_runtime::embed_migrations) as options.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Folder")]
pub struct Folder {
    /// The folder of migrations, or `MODULE=FOLDER`; several run in their order [default: the
    /// embedded one, else `migrations`]
    #[arg(long = "dir", value_name = "FOLDER", global = true, value_parser = dir())]
    dirs: Vec<Dir>,
    /// The history file [default: `migrations.history` next to the folder `migrations`]
    #[arg(long, value_name = "FILE", global = true)]
    history_file: Option<PathBuf>,
    /// The name that distinguishes the set from others in one ledger [default: default]
    #[arg(long, value_name = "NAME", global = true, hide_short_help = true)]
    module: Option<String>,
    /// How the files are named [default: detected]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Layout::WORDS))]
    layout: Option<Layout>,
    /// Read `x.postgres.sql` and ignore other databases' files
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Dialects::WORDS))]
    dialect: Option<Dialects>,
    /// Whether down scripts are required [default: optional]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Down::WORDS))]
    down: Option<Down>,
    /// How to treat several migrations of one version [default: refuse]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Duplicates::WORDS))]
    duplicates: Option<Duplicates>,
    /// How to treat an up script without a statement [default: refuse]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Empty::WORDS))]
    empty: Option<Empty>,
    /// Whether statements are checked against PostgreSQL's grammar [default: check]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Syntax::WORDS))]
    syntax: Option<Syntax>,
    /// How to report names of tables, columns and the like that no migration made [default: deny]
    #[arg(long = "names", global = true, hide_short_help = true, value_parser = choice(Objects::WORDS))]
    objects: Option<Objects>,
    /// What is in the database before the first migration [default: inferred]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Begins::WORDS))]
    begins: Option<Begins>,
    /// How to report statements that hold locks for long or break the running version [default:
    /// off]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Lints::WORDS))]
    lints: Option<Lints>,
    /// Whether links in the folder can lead out of it [default: inside]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(Links::WORDS))]
    links: Option<Links>,
}

/// Parses one of these words to its value.
pub(crate) fn choice<T>(known: &'static [(&'static str, T)]) -> ValueParser
where
    T: Copy + Send + Sync + 'static,
{
    let words = PossibleValuesParser::new(known.iter().map(|(word, _)| *word));
    let value = move |word: String| {
        known.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or("unknown")
    };
    words.try_map(value).into()
}

/// One `--dir`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Dir {
    module: Option<String>,
    path: PathBuf,
}

fn dir() -> ValueParser {
    let named = |dir: Dir| {
        let is_named = !dir.path.as_os_str().is_empty();
        if is_named { Ok(dir) } else { Err("expected the path of a folder") }
    };
    OsStringValueParser::new().map(Dir::of).try_map(named).into()
}

impl Dir {
    /// What precedes a `=` is a module, unless it is a path.
    fn of(value: OsString) -> Self {
        let parts = value.to_str().and_then(|text| text.split_once('='));
        match parts.filter(|(module, _)| !module.contains(std::path::is_separator)) {
            Some((module, path)) => Dir { module: Some(module.to_owned()), path: path.into() },
            None => Dir { module: None, path: value.into() },
        }
    }
}

/// A folder that was found, and how it is read.
pub(crate) struct Located {
    pub(crate) path: PathBuf,
    /// Its name in messages.
    pub(crate) shown: String,
    pub(crate) history: PathBuf,
    pub(crate) options: SetOptions,
}

impl Folder {
    /// This for each folder that is named, in their order.
    pub(crate) fn each(&self) -> Vec<Folder> {
        let one = |dir: &Dir| Folder { dirs: vec![dir.clone()], ..self.clone() };
        if self.dirs.is_empty() { vec![self.clone()] } else { self.dirs.iter().map(one).collect() }
    }

    /// The folder, `migrations` unless another is named.
    pub(crate) fn dir(&self) -> &Path {
        self.dirs.first().map_or(Path::new(DEFAULT_FOLDER), |dir| &dir.path)
    }

    /// The module of its set.
    pub(crate) fn module(&self) -> &str {
        self.named_module().unwrap_or(DEFAULT_MODULE)
    }

    fn named_module(&self) -> Option<&str> {
        self.dirs.first().and_then(|dir| dir.module.as_deref()).or(self.module.as_deref())
    }

    /// Whether one folder is named.
    pub(crate) fn names_one(&self) -> bool {
        self.dirs.len() == 1
    }

    /// Whether a history file is named.
    pub(crate) fn names_history(&self) -> bool {
        self.history_file.is_some()
    }

    /// How the files are read.
    pub(crate) fn options(&self) -> SetOptions {
        SetOptions {
            module: self.module().to_owned(),
            names: NameOptions { layout: self.layout, dialects: self.dialect.unwrap_or_default() },
            down: self.down.unwrap_or_default(),
            duplicates: self.duplicates.unwrap_or_default(),
            empty: self.empty.unwrap_or_default(),
            syntax: self.syntax.unwrap_or_default(),
            objects: self.objects.unwrap_or_default(),
            begins: self.begins.unwrap_or_default(),
            lints: self.lints.unwrap_or_default(),
            links: self.links.unwrap_or_default(),
        }
    }

    /// The folder that is named, else that of the embedded `set`, else `migrations`. An option that was
    /// not given is taken from `set`, as far as a set remembers it.
    pub(crate) fn locate(&self, set: Option<&Migrations>) -> Result<Located, VerbError> {
        let (path, shown) = match (self.dirs.len(), set) {
            (0, Some(set)) => {
                let origin = set.origin().ok_or_else(|| VerbError::Usage {
                    what: "a release build does not remember its folder of migrations".to_owned(),
                    help: "name it with `--dir`",
                })?;
                (PathBuf::from(origin.folder), set.folder().to_owned())
            }
            (2.., _) => {
                return Err(VerbError::Usage {
                    what: "`--dir` names several folders, and the set has one".to_owned(),
                    help: "name one folder",
                });
            }
            _ => (self.dir().to_owned(), self.dir().to_string_lossy().into_owned()),
        };
        let history = self.history_file.clone().unwrap_or_else(|| {
            // Not `set_extension`, which would replace the part of a folder's name after a dot.
            let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
            name.push(".history");
            path.with_file_name(name)
        });
        let mut options = self.options();
        if let (Some(set), None) = (set, self.named_module()) {
            set.module().clone_into(&mut options.module);
        }
        options.names.layout = self.layout.or(set.map(Migrations::layout));
        Ok(Located { path, shown, history, options })
    }
}

impl Located {
    /// The set in the folder.
    pub(crate) fn read(&self) -> Result<Checked, SourceErrors> {
        check(&self.shown, &self.files()?, &self.options)
    }

    /// The same, and the schema that it makes.
    pub(crate) fn read_and_describe(&self) -> Result<(Checked, SetSchema), SourceErrors> {
        check_and_describe(&self.shown, &self.files()?, &self.options)
    }

    fn files(&self) -> Result<Vec<SourceFile>, SourceErrors> {
        discover(&self.path, &self.shown, self.options.links)
    }

    /// The name of the history file in messages, and its text; `None` if there is none.
    pub(crate) fn read_history(&self) -> Result<(String, Option<String>), SourceErrors> {
        let shown = self.history.to_string_lossy().into_owned();
        let text = committed(&self.history, &shown)?;
        Ok((shown, text))
    }
}
