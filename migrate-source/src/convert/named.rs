//! Reads the folders of tools that have the order of their migrations in the names of files.

use std::collections::{BTreeMap, HashSet};

use migrate_set::name::split::dotted_moment;
use migrate_set::name::{Direction, Kind, TransactionMark};
use migrate_set::set::TransactionMode;
use migrate_set::version::Version;

use super::piece::{Part, Piece, parts};
use super::text::has_statements;
use super::{Original, Read, Source, Tool, Trouble, Troubles};
use crate::check::{SourceFile, runs_outside};
use crate::names::{Classified, ClassifiedFile, Dialects, Name, NameError, NameOptions, classify};

/// The migrations, in the order of their versions.
pub(super) fn read(source: &Source<'_>, tool: &Tool) -> Result<Read, Troubles> {
    let mut left = Vec::new();
    let (files, paths): (Vec<&SourceFile>, Vec<String>) = source
        .files
        .iter()
        .filter_map(|file| Some((file, renamed(source, tool, file, &mut left)?)))
        .unzip();
    let options = NameOptions { layout: tool.layout, dialects: Dialects::PostgresOnly };
    let classified = classify(&paths, &options);
    let mut fatal = Vec::new();
    for error in &classified.errors {
        let (what, help) = (error.to_string(), error.help().to_string());
        let trouble = source.about(error.file(), what, help);
        match error {
            NameError::Language { .. } | NameError::ScriptConfig { .. } => left.push(trouble),
            _ => fatal.push(trouble),
        }
    }
    let reader = Reader { source, tool, files: &files, outside: outside(&files, &classified) };
    let mut scripts = Vec::new();
    for file in &classified.files {
        match reader.script(file) {
            Ok(script) => scripts.push(script),
            Err(troubles) => fatal.extend(troubles.0),
        }
    }
    if !fatal.is_empty() {
        return Err(Troubles(fatal));
    }
    let pieces = paired(scripts, source, &mut left);
    Ok(Read { pieces, left })
}

/// The path of a file as its name is to be read; `None` if it is no migration.
fn renamed(
    source: &Source<'_>,
    tool: &Tool,
    file: &SourceFile,
    left: &mut Vec<Trouble>,
) -> Option<String> {
    let path = file.path.as_str();
    match tool.name {
        // Its `U` files are migrations too.
        "refinery" => Some(match path.strip_prefix('U') {
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit()) => format!("V{rest}"),
            _ => path.to_owned(),
        }),
        "umzug" => {
            let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
            let moment = name.strip_suffix(".sql").and_then(dotted_moment);
            Some(moment.map_or_else(
                || path.to_owned(),
                |(moment, rest)| {
                    let gap = if rest.is_empty() { "" } else { "_" };
                    let down = if folder == "down" { ".down" } else { "" };
                    format!("{moment}{gap}{rest}{down}.sql")
                },
            ))
        }
        "graphile-migrate" => committed(source, file, left),
        _ => Some(path.to_owned()),
    }
}

/// The path of a committed migration of graphile-migrate, in a folder of these or in the one above it.
fn committed(source: &Source<'_>, file: &SourceFile, left: &mut Vec<Trouble>) -> Option<String> {
    const FOLDER: &str = "committed/";
    let path = file.path.as_str();
    if !source.files.iter().any(|file| file.path.starts_with(FOLDER)) {
        return Some(path.to_owned());
    }
    if path.starts_with("current") && has_statements(&String::from_utf8_lossy(&file.bytes)) {
        let help = "commit it and convert again, or move its statements to a new migration";
        left.push(source.about(path, "is not committed, so it is not a migration yet", help));
    }
    path.strip_prefix(FOLDER).map(str::to_owned)
}

/// The folders whose `metadata.toml` has no transaction.
fn outside(files: &[&SourceFile], classified: &Classified) -> HashSet<String> {
    let off =
        classified.sidecars.iter().filter(|sidecar| runs_outside(&files[sidecar.index].bytes));
    off.map(|sidecar| sidecar.folder.clone()).collect()
}

struct Reader<'r> {
    source: &'r Source<'r>,
    tool: &'r Tool,
    files: &'r [&'r SourceFile],
    outside: HashSet<String>,
}

/// One file, read.
struct Script<'r> {
    file: &'r SourceFile,
    name: &'r Name,
    up: Option<Part>,
    down: Option<Part>,
}

impl<'r> Reader<'r> {
    fn script(&self, file: &'r ClassifiedFile) -> Result<Script<'r>, Troubles> {
        let (source, name) = (self.files[file.index], &file.name);
        let folder = source.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_outside =
            name.transaction == TransactionMark::Autocommit || self.outside.contains(folder);
        let said = if is_outside {
            TransactionMode::NonTransactional
        } else {
            TransactionMode::Transactional
        };
        let (up, down) = parts(self.source, source, self.tool, name.direction, said)?;
        Ok(Script { file: source, name, up, down })
    }
}

/// The migrations of these files: each up script with the down script of its version.
fn paired(scripts: Vec<Script<'_>>, source: &Source<'_>, left: &mut Vec<Trouble>) -> Vec<Piece> {
    let is_down = |script: &Script<'_>| script.name.direction == Some(Direction::Down);
    let (mut downs, mut ups): (Vec<_>, Vec<_>) = scripts.into_iter().partition(is_down);
    // Repeatable migrations have no version, and come last.
    ups.sort_by(|one, other| {
        let (one_version, other_version) = (&one.name.version, &other.name.version);
        let order = other_version.is_some().cmp(&one_version.is_some());
        order
            .then_with(|| one_version.cmp(other_version))
            .then_with(|| one.file.path.cmp(&other.file.path))
    });
    // Of several of one version, the first is popped first.
    let mut of_version: BTreeMap<&Option<Version>, Vec<usize>> = BTreeMap::new();
    for (at, down) in downs.iter().enumerate().rev().filter(|(_, down)| down.down.is_some()) {
        of_version.entry(&down.name.version).or_default().push(at);
    }
    let mut pieces = Vec::with_capacity(ups.len());
    for script in ups {
        let at = of_version.get_mut(&script.name.version).and_then(Vec::pop);
        let beside = at.and_then(|at| downs.get_mut(at)?.down.take());
        pieces.extend(piece(script, beside));
    }
    for down in downs.iter().filter(|down| down.down.is_some()) {
        let help = "add the up script, or remove the file";
        left.push(source.about(&down.file.path, "undoes a version that has no up script", help));
    }
    pieces
}

fn piece(script: Script<'_>, beside: Option<Part>) -> Option<Piece> {
    let Script { file, name, up, down } = script;
    let original = Original {
        file: file.path.clone(),
        version: name.version.as_ref().map(|version| version.as_str().to_owned()),
        name: name.slug.clone(),
        key: None,
        text: String::from_utf8_lossy(&file.bytes).into_owned(),
    };
    let down = down.or(beside).filter(|down| !down.text.is_empty());
    Some(Piece { original, kind: name.kind, up: up?, down })
}

impl Piece {
    /// One whose order is not in its name.
    pub(super) fn of_stem(stem: &str, original: Original, up: Part, down: Option<Part>) -> Piece {
        let path = format!("{}.sql", stem.replace('/', "_"));
        let options = NameOptions {
            layout: Some(migrate_set::name::Layout::Numeric),
            ..NameOptions::default()
        };
        let read = classify(&[path], &options);
        let name = read.files.first().map(|file| &file.name).filter(|_| read.errors.is_empty());
        let version =
            name.and_then(|name| name.version.as_ref()).map(|version| version.as_str().to_owned());
        let name = name.map_or_else(|| stem.to_owned(), |name| name.slug.clone());
        let down = down.filter(|down| !down.text.is_empty());
        Piece { original: Original { version, name, ..original }, kind: Kind::Versioned, up, down }
    }
}
