//! Combines the files of each migration, and reports files that claim the same version, even if
//! the text of one is invalid, so that one mistake does not hide another.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use migrate_set::name::{Direction, Kind, TransactionMark, shown};
use migrate_set::set::{Migration, TransactionMode};
use migrate_set::sort::sort_by;
use migrate_set::version::Version;

use super::depends;
use super::error::SourceError;
use super::problem::Problem;
use super::script::{self, Scripts};
use super::squash::without_replaced;
use super::{Down, Duplicates, SetOptions, SourceFile};
use crate::directives::section::AlmostMarker;
use crate::lint::Lint;
use crate::names::{Classified, ClassifiedFile, Name, NameError, Sidecar};
use crate::threads;

/// How many files are worth a thread: about 3 ms in an unoptimised macro.
const SHARE: usize = 64;

/// The migrations of a set, and what else its files contain.
#[derive(Default)]
pub(super) struct Assembled {
    /// The migrations, in order.
    pub(super) migrations: Vec<Migration>,
    /// The checks that files allow, by path; only files that allow any.
    pub(super) allows: BTreeMap<String, Vec<&'static str>>,
    /// The warnings.
    pub(super) warnings: Vec<SourceError>,
}

/// The migrations that `classified` files make; mistakes go to `errors`.
pub(super) fn assemble(
    folder: &str,
    files: &[SourceFile],
    classified: &Classified,
    options: &SetOptions,
    errors: &mut Vec<SourceError>,
) -> Assembled {
    let unprefixed = |error| stem(NameError::file(error)).trim_start_matches(['V', 'v']).to_owned();
    let misnamed = classified.errors.iter().map(unprefixed).collect();
    let mut assembly = Assembly { folder, files, options, misnamed, errors };
    let claims = assembly.read_all(classified);
    let mut assembled = Assembled::default();
    let claims = without_replaced(folder, claims, assembly.errors);
    for group in groups(claims) {
        for scripts in group.iter().filter_map(|claim| Some((claim.path, claim.scripts.as_ref()?)))
        {
            let allows = allowed(scripts.1);
            if !allows.is_empty() {
                assembled.allows.insert(scripts.0.to_owned(), allows);
            }
            assembled.warnings.extend(scripts.1.warnings.iter().cloned());
        }
        assembled.migrations.extend(assembly.group(group));
    }
    if options.duplicates == Duplicates::ByName {
        assembly.reorder(&mut assembled.migrations);
    }
    let order = depends::wrong_order(folder, &assembled.migrations, classified.layout);
    assembly.errors.extend(order);
    assembled
}

/// The checks that a file allows, also those that its phase answers. The lints do not concern a squash file: it runs
/// only where nothing is yet.
fn allowed(scripts: &Scripts) -> Vec<&'static str> {
    let is_answered = |lint: &&Lint| {
        !scripts.replaces.is_empty() || scripts.contract.is_some() && lint.is_contract()
    };
    let planned = Lint::ALL.iter().filter(is_answered);
    let planned = planned.map(|lint| lint.as_str());
    scripts.allows.iter().copied().chain(planned).collect()
}

/// The files grouped by version, followed by those of repeatable migrations grouped by name.
fn groups(mut claims: Vec<Claim<'_>>) -> Vec<Vec<Claim<'_>>> {
    // Stable, and one comparison each if the files are in order, as they usually are: comparing
    // versions is the most expensive step here.
    sort_by(&mut claims, Claim::by_key);
    let mut groups: Vec<Vec<Claim<'_>>> = Vec::with_capacity(claims.len());
    for claim in claims {
        match groups.last_mut().filter(|group| group[0].by_key(&claim).is_eq()) {
            Some(group) => group.push(claim),
            None => groups.push(vec![claim]),
        }
    }
    groups
}

/// A file's name up to its first dot, without folders.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split('.').next().unwrap_or(name)
}

/// One file, its name, and what was read from it.
pub(super) struct Claim<'f> {
    pub(super) path: &'f str,
    pub(super) name: &'f Name,
    /// `None` if its text is invalid, which was reported.
    pub(super) scripts: Option<Scripts>,
}

impl Claim<'_> {
    /// The key in the ledger: a repeatable migration has no version, so its name identifies it.
    fn version(&self) -> Version {
        let repeatable = || Version::new(format!("R__{}", self.name.slug));
        self.name.version.clone().unwrap_or_else(repeatable)
    }

    /// Versioned migrations by version, then repeatable ones by name.
    fn by_key(&self, other: &Self) -> Ordering {
        match (&self.name.version, &other.name.version) {
            (Some(one), Some(other)) => one.cmp(other),
            (None, None) => self.name.slug.cmp(&other.name.slug),
            (one, other) => other.is_some().cmp(&one.is_some()),
        }
    }
}

/// Whether a `metadata.toml` (diesel) has `run_in_transaction = false`.
pub(crate) fn runs_outside(metadata: &[u8]) -> bool {
    String::from_utf8_lossy(metadata).lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let setting = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        setting == Some(("run_in_transaction", "false"))
    })
}

struct Assembly<'a> {
    folder: &'a str,
    files: &'a [SourceFile],
    options: &'a SetOptions,
    /// The stems of misnamed files, without a prefix.
    misnamed: BTreeSet<String>,
    errors: &'a mut Vec<SourceError>,
}

impl<'a> Assembly<'a> {
    fn error(&mut self, path: &str, problem: Problem) {
        self.errors.push(SourceError::of_file(shown(self.folder, path), problem));
    }

    /// The folders whose `metadata.toml` (diesel) has `run_in_transaction = false`.
    fn outside_transaction<'s>(&self, sidecars: &'s [Sidecar]) -> HashSet<&'s str> {
        let off = |sidecar: &&Sidecar| runs_outside(&self.files[sidecar.index].bytes);
        sidecars.iter().filter(off).map(|sidecar| sidecar.folder.as_str()).collect()
    }

    fn read_all(&mut self, classified: &'a Classified) -> Vec<Claim<'a>> {
        let outside = self.outside_transaction(&classified.sidecars);
        let read = |file: &'a ClassifiedFile| self.read(file.index, &file.name, &outside);
        let read = threads::map(&classified.files, SHARE, read);
        let (claims, errors): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        self.errors.extend(errors.into_iter().flatten());
        claims
    }

    fn read(
        &self,
        index: usize,
        name: &'a Name,
        outside: &HashSet<&str>,
    ) -> (Claim<'a>, Vec<SourceError>) {
        let source = &self.files[index];
        let autocommit = name.transaction == TransactionMark::Autocommit
            || source.path.match_indices('/').any(|(at, _)| outside.contains(&source.path[..at]));
        let transaction = if autocommit {
            TransactionMode::NonTransactional
        } else {
            TransactionMode::Transactional
        };
        let file = script::File {
            shown: &shown(self.folder, &source.path),
            path: &source.path,
            direction: name.direction,
            almost_marker: match name.direction {
                None if !source.path.ends_with("/migration.sql") => AlmostMarker::Mistake,
                _ => AlmostMarker::Remark,
            },
            transaction,
            options: self.options,
        };
        let (scripts, errors) = match script::scripts(&file, &source.bytes) {
            Ok(scripts) => (Some(scripts), Vec::new()),
            Err(errors) => (None, errors),
        };
        (Claim { path: &source.path, name, scripts }, errors)
    }

    /// The migrations of files that share a version: one, unless equal versions are allowed.
    fn group(&mut self, claims: Vec<Claim<'a>>) -> Vec<Migration> {
        let (mut downs, mut ups): (Vec<_>, Vec<_>) =
            claims.into_iter().partition(|claim| claim.name.direction == Some(Direction::Down));
        if ups.len() > 1 {
            sort_by(&mut ups, |a, b| {
                a.name.slug.cmp(&b.name.slug).then_with(|| a.path.cmp(b.path))
            });
        }
        let (several, duplicates) = (ups.len() > 1, self.options.duplicates);
        let by_name = several && duplicates == Duplicates::ByName;
        let key = |claim: &Claim<'a>| if by_name { claim.name.slug.as_str() } else { "" };
        let mut migrations: Vec<Option<Migration>> = Vec::new();
        let mut first: Option<(String, &str)> = None;
        for up in ups {
            let clash = first.as_ref().filter(|(_, slug)| !by_name || *slug == up.name.slug);
            if let Some((first, _)) = clash {
                let (version, first) = (up.version().to_string(), first.clone());
                let second = up.path.to_owned();
                self.error(&second.clone(), Problem::Duplicate { version, first, second });
                continue;
            }
            first = Some((up.path.to_owned(), &up.name.slug));
            let mut own;
            (own, downs) = downs.into_iter().partition(|down| key(down) == key(&up));
            // The down script of a file that claims the same version is no second one of this.
            own.retain(|down| !several || down.name.slug == up.name.slug);
            migrations.push(self.migration(up, own, by_name));
        }
        if let Some(down) = downs.iter().min_by_key(|down| down.path) {
            self.down_without_up(down);
        }
        migrations.into_iter().flatten().collect()
    }

    /// Sorts again, because a name that begins with a number changes the version: `1_2_a` comes
    /// after `1.1`, and `1_0_a` equals `1_a`.
    fn reorder(&mut self, migrations: &mut [Migration]) {
        sort_by(migrations, |a, b| {
            let repeatable = |m: &Migration| m.kind() == Kind::Repeatable;
            repeatable(a).cmp(&repeatable(b)).then_with(|| a.version().cmp(b.version()))
        });
        for pair in migrations.windows(2) {
            let [first, second] = pair else { continue };
            if first.version() == second.version() {
                let version = second.version().to_string();
                let (first, second) = (first.filename().to_owned(), second.filename().to_owned());
                self.error(&second.clone(), Problem::Duplicate { version, first, second });
            }
        }
    }

    /// Not reported if a misnamed file of the same version could be the missing up script.
    fn down_without_up(&mut self, down: &Claim<'_>) {
        let version = down.version().to_string();
        let next = self.misnamed.range(version.clone()..).next();
        if !next.is_some_and(|stem| stem.starts_with(&version)) {
            let refinery = down.path.strip_prefix('U').map(|rest| format!("V{rest}"));
            self.error(down.path, Problem::DownWithoutUp { version, refinery });
        }
    }

    fn migration(
        &mut self,
        up: Claim<'_>,
        downs: Vec<Claim<'_>>,
        by_name: bool,
    ) -> Option<Migration> {
        let version = match up.version() {
            version if by_name => Version::new(format!("{version}_{}", up.name.slug)),
            version => version,
        };
        let announced = downs.iter().any(|down| down.scripts.is_none());
        let scripts = up.scripts?;
        let mut down = scripts.down;
        for claim in downs {
            let Some(another) = claim.scripts.and_then(|scripts| scripts.down) else { continue };
            match &down {
                None => down = Some(another),
                Some(first) => {
                    let (version, first) = (version.to_string(), first.filename().to_owned());
                    self.error(claim.path, Problem::DownTwice { version, first });
                }
            }
        }
        let is_required = matches!(self.options.down, Down::Required | Down::Complete);
        let is_squash = !scripts.replaces.is_empty();
        let required = is_required && up.name.kind == Kind::Versioned && !is_squash;
        if required && down.is_none() && !announced {
            self.error(up.path, Problem::NoDown { version: version.to_string() });
        }
        let (script, checksum) = scripts.up?;
        let (name, kind) = (up.name.slug.clone(), up.name.kind);
        // As the list has it, which can be with a name.
        let version = scripts.replaces.last().map_or(version, |last| last.version().clone());
        let migration = Migration::new(version, name, kind, checksum, script, down);
        let migration = match scripts.contract {
            None => migration,
            Some(after) => migration.with_contract(after),
        };
        Some(migration.with_replaced(scripts.replaces))
    }
}
