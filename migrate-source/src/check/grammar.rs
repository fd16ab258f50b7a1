//! Checks the statements of a set against PostgreSQL's grammar, all at once to use all cores.
//! Without the feature `syntax`, every statement passes.

use std::collections::BTreeMap;
use std::ops::Range;

use migrate_set::name::shown;
use migrate_set::set::Migration;

use super::error::{Problem, SourceError};
use super::{Down, SetOptions};

/// The errors in statements that the grammar does not accept; `allows` is by file. Skips files that
/// allow them, and unchecked down scripts.
pub(super) fn check(
    folder: &str,
    migrations: &[Migration],
    allows: &BTreeMap<String, Vec<&'static str>>,
    options: &SetOptions,
) -> Vec<SourceError> {
    let downs = migrations.iter().filter_map(Migration::down);
    let downs = downs.filter(|_| options.down != Down::Unchecked);
    let scripts = migrations.iter().map(Migration::up).chain(downs);
    let allowed = |path: &str| allows.get(path).is_some_and(|checks| checks.contains(&"syntax"));
    let mut places = Vec::new();
    for script in scripts.filter(|script| !allowed(script.filename())) {
        places.extend(script.single_statements().map(|(start, end)| (script, start, end)));
    }
    let texts = places.iter().map(|&(script, start, end)| &script.text()[start..end]);
    let wrong = judged(texts).into_iter().filter_map(|(index, span, problem)| {
        let &(script, start, _) = places.get(index)?;
        let file = shown(folder, script.filename());
        let span = start + span.start..start + span.end;
        Some(SourceError::of_span(&file, script.text(), span, problem))
    });
    wrong.collect()
}

/// What the grammar does not accept in these `statements` of one text, with the place in the text.
pub(super) fn errors(text: &str, statements: &[(usize, usize)]) -> Vec<(Range<usize>, Problem)> {
    let texts = statements.iter().map(|&(start, end)| &text[start..end]);
    let wrong = judged(texts).into_iter().filter_map(|(index, span, problem)| {
        let &(start, _) = statements.get(index)?;
        Some((start + span.start..start + span.end, problem))
    });
    wrong.collect()
}

/// The index of each invalid statement, with the place within it.
#[cfg(feature = "syntax")]
fn judged<'s>(statements: impl Iterator<Item = &'s str>) -> Vec<(usize, Range<usize>, Problem)> {
    let wrong = crate::syntax::check_all(statements).into_iter();
    wrong
        .map(|(index, error)| {
            let problem = Problem::Syntax { message: error.message, help: error.help };
            (index, error.span, problem)
        })
        .collect()
}

#[cfg(not(feature = "syntax"))]
fn judged<'s>(_: impl Iterator<Item = &'s str>) -> Vec<(usize, Range<usize>, Problem)> {
    Vec::new()
}
