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
mod checked {
    use migrate_set::name::shown;
    use migrate_set::set::{Ends, Migration, Script};

    use super::super::mistakes::{Mistake, placed};
    use super::super::problem::Problem;
    use super::super::{Down, Objects, SetOptions, SourceError, Syntax};
    use super::{Allows, Read};
    use crate::catalog::{self, File, Statement};
    use crate::objects::Finding;
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
        if !syntax && !names {
            return Read::default();
        }
        let downs = migrations.iter().filter_map(Migration::down);
        let downs = downs.filter(|_| syntax && options.down != Down::Unchecked);
        let ups = migrations.iter().map(Migration::up);
        let scripts: Vec<&Script> = ups.chain(downs).collect();
        let allowed = |script: &Script, check: &str| {
            allows.get(script.filename()).is_some_and(|checks| checks.contains(&check))
        };
        let wanted = |script: &&&Script| syntax && !allowed(script, "syntax") || names;
        let mut places = Vec::new();
        for script in scripts.iter().filter(wanted) {
            places.extend(script.single_statements().map(|(start, end)| (*script, start, end)));
        }
        let texts: Vec<&str> =
            places.iter().map(|&(script, start, end)| &script.text()[start..end]).collect();
        let mut judged = judge_all(&texts).into_iter();
        let (mut read, mut files) = (Read::default(), Vec::new());
        for places in places.chunk_by(|one, other| std::ptr::eq(one.0, other.0)) {
            let Some(&(script, ..)) = places.first() else { continue };
            let mut judged: Vec<Judged> = judged.by_ref().take(places.len()).collect();
            if syntax && !allowed(script, "syntax") {
                read.invalid.extend(invalid(folder, script, places, &mut judged));
            }
            if names && files.len() < migrations.len() {
                files.push(file(script, places, judged, allowed(script, "names")));
            }
        }
        if names && read.invalid.is_empty() {
            let found = catalog::check(&files, options.begins).into_iter();
            let (late, found) = found.partition(|(_, finding): &(usize, Finding)| finding.is_late);
            read.unknown = unknown(folder, &files, found);
            read.late = unknown(folder, &files, late);
        }
        read
    }

    /// A statement of a script: where it begins and ends.
    type Place<'s> = (&'s Script, usize, usize);

    /// The errors in the statements of a script that the grammar does not accept.
    fn invalid(
        folder: &str,
        script: &Script,
        places: &[Place<'_>],
        judged: &mut [Judged],
    ) -> Vec<SourceError> {
        let errors = places.iter().zip(judged).filter_map(|(place, judged)| {
            let SyntaxError { span, message, help } = judged.error.take()?;
            let span = Some(place.1 + span.start..place.1 + span.end);
            Some(Mistake { span, problem: Problem::Syntax { message, help } })
        });
        let errors: Vec<Mistake> = errors.collect();
        placed(&shown(folder, script.filename()), script.text(), errors)
    }

    fn file<'s>(
        script: &'s Script,
        places: &[Place<'s>],
        judged: Vec<Judged>,
        is_allowed: bool,
    ) -> File<'s> {
        let statement = |(&(script, start, end), judged): (&Place<'s>, Judged)| Statement {
            text: &script.text()[start..end],
            offset: start,
            judged,
        };
        File {
            name: script.filename(),
            text: script.text(),
            statements: places.iter().zip(judged).map(statement).collect(),
            ends_with_function: script.ends() == Ends::WithFunction,
            is_allowed,
        }
    }

    fn unknown(
        folder: &str,
        files: &[File<'_>],
        mut found: Vec<(usize, Finding)>,
    ) -> Vec<SourceError> {
        found.sort_by_key(|(number, _)| *number);
        let mut errors = Vec::new();
        for found in found.chunk_by(|one, other| one.0 == other.0) {
            let Some(file) = found.first().and_then(|(number, _)| files.get(*number)) else {
                continue;
            };
            let mistake = |(_, finding): &(usize, Finding)| {
                let (span, finding) = (finding.span.clone(), finding.clone());
                Mistake { span: Some(span), problem: Problem::Object(finding) }
            };
            let mistakes = found.iter().map(mistake).collect();
            errors.extend(placed(&shown(folder, file.name), file.text, mistakes));
        }
        errors
    }
}
