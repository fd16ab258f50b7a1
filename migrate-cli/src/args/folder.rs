//! The folder of migrations and how its files are read: the arguments of `embed_migrations!` as
//! options.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser, ValueParser};
use migrate_set::name::Layout;
use migrate_set::set::Migrations;
use migrate_source::check::{Down, Duplicates, Empty, Lints, SetOptions, Syntax};
use migrate_source::names::{Dialects, NameOptions};

/// The default folder.
const DEFAULT_FOLDER: &str = "migrations";

/// A folder of migrations and how it is read: the arguments of
/// [`embed_migrations!`](migrate_runtime::embed_migrations) as options.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Folder")]
pub struct Folder {
    /// The folder of migrations [default: the embedded one, else `migrations`]
    #[arg(long, value_name = "FOLDER", global = true)]
    dir: Option<PathBuf>,
    /// The history file [default: `migrations.history` next to the folder `migrations`]
    #[arg(long, value_name = "FILE", global = true)]
    history_file: Option<PathBuf>,
    /// The name that distinguishes the set from others in one ledger [default: default]
    #[arg(long, value_name = "NAME", global = true, hide_short_help = true)]
    module: Option<String>,
    /// How the files are named [default: detected]
    #[arg(long, global = true, hide_short_help = true, value_parser = layout())]
    layout: Option<Layout>,
    /// Read `x.postgres.sql` and ignore other databases' files
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(&DIALECTS))]
    dialect: Option<Dialects>,
    /// Whether down scripts are required [default: optional]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(&DOWN))]
    down: Option<Down>,
    /// How to treat several migrations of one version [default: refuse]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(&DUPLICATES))]
    duplicates: Option<Duplicates>,
    /// How to treat an up script without a statement [default: refuse]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(&EMPTY))]
    empty: Option<Empty>,
    /// Whether statements are checked against PostgreSQL's grammar [default: check]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(&SYNTAX))]
    syntax: Option<Syntax>,
    /// How to report statements that hold locks for long or break the running version [default:
    /// off]
    #[arg(long, global = true, hide_short_help = true, value_parser = choice(&LINTS))]
    lints: Option<Lints>,
}

const DIALECTS: [(&str, Dialects); 1] = [("postgres", Dialects::PostgresOnly)];
const DOWN: [(&str, Down); 3] =
    [("optional", Down::Optional), ("required", Down::Required), ("unchecked", Down::Unchecked)];
const DUPLICATES: [(&str, Duplicates); 2] =
    [("refuse", Duplicates::Refuse), ("by_name", Duplicates::ByName)];
const EMPTY: [(&str, Empty); 2] = [("refuse", Empty::Refuse), ("allow", Empty::Allow)];
const SYNTAX: [(&str, Syntax); 2] = [("check", Syntax::Check), ("off", Syntax::Off)];
const LINTS: [(&str, Lints); 3] =
    [("deny", Lints::Deny), ("warn", Lints::Warn), ("off", Lints::Off)];

/// Parses one of these words to its value.
pub(super) fn choice<T>(known: &'static [(&'static str, T)]) -> ValueParser
where
    T: Copy + Send + Sync + 'static,
{
    let words = PossibleValuesParser::new(known.iter().map(|(word, _)| *word));
    let value = move |word: String| {
        known.iter().find(|(known, _)| *known == word).map(|(_, value)| *value).ok_or("unknown")
    };
    words.try_map(value).into()
}

fn layout() -> ValueParser {
    let words = PossibleValuesParser::new(Layout::ALL.iter().map(|layout| layout.as_str()));
    words.try_map(|word| word.parse::<Layout>()).into()
}

impl Folder {
    /// The folder, `migrations` unless another is named.
    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FOLDER))
    }

    /// The folder, and its name in messages; that of `set` if none is named.
    pub(crate) fn of(&self, set: Option<&Migrations>) -> Option<(PathBuf, String)> {
        let shown = |path: &Path| path.to_string_lossy().into_owned();
        match (&self.dir, set) {
            (Some(dir), _) => Some((dir.clone(), shown(dir))),
            (None, None) => Some((self.dir(), DEFAULT_FOLDER.to_owned())),
            (None, Some(set)) => {
                let origin = set.origin()?;
                Some((PathBuf::from(origin.folder), set.folder().to_owned()))
            }
        }
    }

    /// The history file, if one is named.
    pub(crate) fn history_file(&self) -> Option<&Path> {
        self.history_file.as_deref()
    }

    /// How the files are read.
    pub(crate) fn options(&self) -> SetOptions {
        let plain = SetOptions::default();
        SetOptions {
            module: self.module.clone().unwrap_or(plain.module),
            names: NameOptions { layout: self.layout, dialects: self.dialect.unwrap_or_default() },
            down: self.down.unwrap_or_default(),
            duplicates: self.duplicates.unwrap_or_default(),
            empty: self.empty.unwrap_or_default(),
            syntax: self.syntax.unwrap_or_default(),
            lints: self.lints.unwrap_or_default(),
        }
    }

    /// How the files are read; an option that was not given is taken from `set`, as far as a set
    /// remembers it.
    pub(crate) fn options_like(&self, set: Option<&Migrations>) -> SetOptions {
        let mut options = self.options();
        if let (Some(set), None) = (set, &self.module) {
            set.module().clone_into(&mut options.module);
        }
        if let (Some(set), None) = (set, self.layout) {
            options.names.layout = Some(set.layout());
        }
        options
    }
}
