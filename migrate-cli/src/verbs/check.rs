//! `check`: checks a folder and its history file as the build does, whether a service's set is that of the
//! folder, and whether it can live together with that of another branch.

use std::path::Path;

use clap::Args;
use migrate_runtime::{Error, Migrations, internal};
use migrate_source::check::branches::{Branch, check_branches};
use migrate_source::check::{Checked, Down, Lints, Objects, SetOptions, SourceFile, Syntax, check};
use migrate_source::discover::{compare_history, discover};

use crate::error::VerbError;
use crate::folder::{Folder, Located};
use crate::git::{self, Parted};
use crate::output::Answer;
use crate::output::json::{Body, ProblemBody};
use crate::output::style::{WARNING, titled};
use crate::output::text::{counted, line};

#[derive(Args, Debug, Clone)]
pub(crate) struct Check {
    /// Check that the migrations can live together with those of this branch: a commit of git, or a folder
    #[arg(long, value_name = "COMMIT|FOLDER")]
    pub(super) against: Option<String>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

impl Check {
    pub(super) fn is_of_one_folder(&self) -> bool {
        let is_folder = self.against.as_ref().is_some_and(|other| Path::new(other).is_dir());
        self.folder.names_one() || self.folder.names_history() || is_folder
    }

    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let located = self.folder.locate(set)?;
        let embedded = set;
        let Checked { set, warnings, .. } = located.read()?;
        if let Some(embedded) = embedded {
            internal::compare_sets(embedded, &set, located.shown.clone()).map_err(Error::from)?;
        }
        let (file, frozen) = located.read_history()?;
        // The history file is optional, unless one is named.
        if frozen.is_some() || self.folder.names_history() {
            compare_history((&located.history, &file), frozen.as_deref(), &set)?;
        }
        if let Some(other) = &self.against {
            against(&located, &set, other)?;
        }
        let mut text: String = warnings
            .iter()
            .map(|found| titled("warning", WARNING, &format!("{found:#}")))
            .collect();
        let history = if frozen.is_some() { format!(" and {file}") } else { String::new() };
        let against = self.against.as_ref().map(|other| format!(", against {other}"));
        let (migrations, folder) = (set.len(), located.shown);
        text += &line(
            "Checked",
            &format!(
                "{} in {folder}{history}{}",
                counted(migrations, "migration"),
                against.unwrap_or_default()
            ),
        );
        let (warnings, against) = (ProblemBody::all(&warnings), self.against.clone());
        Ok(Answer::new(text, Body::Checked { folder, migrations, against, warnings }))
    }
}

/// Checks the set of a folder against that of another branch: the same folder at a commit, or another folder.
fn against(located: &Located, set: &Migrations, other: &str) -> Result<(), VerbError> {
    // What is wrong with the other branch by itself is not to be fixed here.
    let options = SetOptions {
        syntax: Syntax::Off,
        objects: Objects::Off,
        lints: Lints::Off,
        down: Down::Unchecked,
        ..located.options.clone()
    };
    let read = |files: &[SourceFile], shown: &str| match files {
        [] => Ok(None),
        files => check(shown, files, &options).map(|checked| Some(checked.set)),
    };
    let path = Path::new(other);
    let (shown, files, base) = if path.is_dir() {
        (other.to_owned(), discover(path, other, options.links)?, None)
    } else {
        let Parted { path, files, base } = git::read(&located.path, other)?;
        (format!("{other}:{}", path.trim_end_matches('/')), files, Some(base))
    };
    let theirs = read(&files, &shown)?;
    let base = base.map(|base| read(&base, &shown)).transpose()?;
    // The root of a repository has no name.
    let prefix = if shown.ends_with([':', '/']) { shown } else { shown + "/" };
    let branch = Branch {
        name: other,
        prefix: &prefix,
        migrations: theirs.as_ref().map_or(&[], Migrations::as_slice),
        base: base.as_ref().map(|base| base.as_ref().map_or(&[][..], Migrations::as_slice)),
    };
    Ok(check_branches(set, branch, &located.options)?)
}
