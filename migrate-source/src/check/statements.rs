//! Checks the statements of a set, all at once to use all cores: against PostgreSQL's grammar, and the
//! names in them. Without the feature `syntax`, every statement passes.

use std::collections::BTreeMap;

use super::error::SourceError;

/// What is wrong with the statements of a set.
#[derive(Default)]
pub(super) struct Read {
    /// Statements that the grammar does not accept.
    pub(super) invalid: Vec<SourceError>,
    /// Names of objects that nothing made, or that are made twice.
    pub(super) unknown: Vec<SourceError>,
    /// Those in bodies, which the server checks when they run.
    pub(super) late: Vec<SourceError>,
}

/// The checks that files allow, by path.
type Allows = BTreeMap<String, Vec<&'static str>>;

#[cfg(not(feature = "syntax"))]
pub(super) fn check(
    _: &str,
    _: &[migrate_set::set::Migration],
    _: &Allows,
    _: &super::SetOptions,
) -> Read {
    Read::default()
}

#[cfg(feature = "syntax")]
pub(super) use checked::check;
#[cfg(feature = "syntax")]
pub(super) use checked::read_ups;

#[cfg(feature = "syntax")]
mod checked {
    use migrate_set::name::shown;
    use migrate_set::set::{Ends, Migration, Script};

    use super::super::mistakes::{Mistake, placed};
    use super::super::problem::Problem;
    use super::super::{Down, Objects, SetOptions, SourceError, Syntax};
    use super::{Allows, Read};
    use crate::catalog::{self, File, Statement};
    use crate::objects::ObjectProblem;
    use crate::syntax::{Judged, SyntaxError, judge_all};

    /// Reads each statement once. Skips files that allow what is wrong with them, and for the grammar
    /// unchecked down scripts; names are those of up scripts.
    pub(crate) fn check(
        folder: &str,
        migrations: &[Migration],
        allows: &Allows,
        options: &SetOptions,
    ) -> Read {
        let (syntax, names) = (options.syntax == Syntax::Check, options.objects != Objects::Off);
        let downs = migrations.iter().filter_map(Migration::down);
        let downs = downs.filter(|_| syntax && options.down != Down::Unchecked);
        let ups = migrations.iter().map(|migration| (migration.up(), names));
        let allowed = |script: &Script, check: &str| {
            allows.get(script.filename()).is_some_and(|checks| checks.contains(&check))
        };
        let scripts = ups.chain(downs.map(|down| (down, false)));
        let scripts = scripts.map(|(script, named)| {
            let judged = syntax && !allowed(script, "syntax");
            let places =
                if judged || named { script.single_statements().collect() } else { Vec::new() };
            Judging { script, judged, named, places }
        });
        let scripts: Vec<Judging<'_>> = scripts.collect();
        let mut judged =
            judge_all(&scripts.iter().flat_map(Judging::texts).collect::<Vec<_>>()).into_iter();
        let (mut read, mut files) = (Read::default(), Vec::new());
        for script in &scripts {
            let mut judged: Vec<Judged> = judged.by_ref().take(script.places.len()).collect();
            if script.judged {
                read.invalid.extend(script.invalid(folder, &mut judged));
            }
            if script.named {
                files.push(script.file(judged, allowed(script.script, "names")));
            }
        }
        if names && read.invalid.is_empty() {
            let found = catalog::check(&files, options.begins).into_iter();
            let (late, found) =
                found.partition(|(_, finding): &(usize, ObjectProblem)| finding.is_late);
            read.unknown = unknown(folder, &files, found);
            read.late = unknown(folder, &files, late);
        }
        read
    }

    /// The up scripts of these migrations with the trees of their statements.
    pub(crate) fn read_ups<'s>(migrations: impl Iterator<Item = &'s Migration>) -> Vec<File<'s>> {
        let scripts = migrations.map(Migration::up).map(|script| {
            let places = script.single_statements().collect();
            Judging { script, judged: false, named: true, places }
        });
        let scripts: Vec<Judging<'_>> = scripts.collect();
        let mut judged =
            judge_all(&scripts.iter().flat_map(Judging::texts).collect::<Vec<_>>()).into_iter();
        let mut file = |script: &Judging<'s>| {
            script.file(judged.by_ref().take(script.places.len()).collect(), false)
        };
        scripts.iter().map(&mut file).collect()
    }

    /// A script, and where its statements are.
    struct Judging<'s> {
        script: &'s Script,
        /// Whether it is checked against the grammar.
        judged: bool,
        /// Whether its names are checked.
        named: bool,
        places: Vec<(usize, usize)>,
    }

    impl<'s> Judging<'s> {
        fn texts(&self) -> impl Iterator<Item = &'s str> {
            let text = self.script.text();
            self.places.iter().map(move |&(start, end)| &text[start..end])
        }

        /// The errors in the statements that the grammar does not accept.
        fn invalid(&self, folder: &str, judged: &mut [Judged]) -> Vec<SourceError> {
            let errors = self.places.iter().zip(judged).filter_map(|(place, judged)| {
                let SyntaxError { span, message, help } = judged.error.take()?;
                let span = Some(place.0 + span.start..place.0 + span.end);
                Some(Mistake { span, problem: Problem::Syntax { message, help } })
            });
            let errors: Vec<Mistake> = errors.collect();
            placed(&shown(folder, self.script.filename()), self.script.text(), errors)
        }

        fn file(&self, judged: Vec<Judged>, is_allowed: bool) -> File<'s> {
            let starts = self.places.iter().map(|place| place.0);
            let statements = starts.zip(self.texts()).zip(judged);
            let statement = |((offset, text), judged)| Statement { text, offset, judged };
            File {
                name: self.script.filename(),
                text: self.script.text(),
                statements: statements.map(statement).collect(),
                ends_with_function: self.script.ends() == Ends::WithFunction,
                is_allowed,
            }
        }
    }

    fn unknown(
        folder: &str,
        files: &[File<'_>],
        mut found: Vec<(usize, ObjectProblem)>,
    ) -> Vec<SourceError> {
        found.sort_by_key(|(number, _)| *number);
        let mut errors = Vec::new();
        for found in found.chunk_by(|one, other| one.0 == other.0) {
            let Some(file) = found.first().and_then(|(number, _)| files.get(*number)) else {
                continue;
            };
            let mistake = |(_, finding): &(usize, ObjectProblem)| {
                let (span, finding) = (finding.span.clone(), finding.clone());
                Mistake { span: Some(span), problem: Problem::Object(finding) }
            };
            let mistakes = found.iter().map(mistake).collect();
            errors.extend(placed(&shown(folder, file.name), file.text, mistakes));
        }
        errors
    }
}
