//! Checks the statements of a set against PostgreSQL's grammar, all at once to use all cores.
//! Without the feature `syntax`, every statement passes.

use std::collections::BTreeMap;
use std::ops::Range;

use migrate_set::name::shown;
use migrate_set::set::Migration;

use super::error::SourceError;
use super::mistakes::{Mistake, placed};
use super::problem::Problem;
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
    let wrong = judged(texts);
    let mut errors = Vec::new();
    let of_script = |(index, ..): &(usize, _, _)| places.get(*index).map(|place| place.0);
    for wrong in wrong.chunk_by(|one, other| of_script(one) == of_script(other)) {
        let Some(script) = wrong.first().and_then(of_script) else { continue };
        let mistake = |(index, span, problem): &(usize, Range<usize>, Problem)| {
            let start = places.get(*index).map_or(0, |&(_, start, _)| start);
            let span = Some(start + span.start..start + span.end);
            Mistake { span, problem: problem.clone() }
        };
        let file = shown(folder, script.filename());
        let mistakes = wrong.iter().map(mistake).collect();
        errors.extend(placed(&file, script.text(), mistakes));
    }
    errors
}

/// What the grammar does not accept in these `statements` of one text, with the place in the text.
pub(super) fn errors(text: &str, statements: &[(usize, usize)]) -> Vec<Mistake> {
    let texts = statements.iter().map(|&(start, end)| &text[start..end]);
    let wrong = judged(texts).into_iter().filter_map(|(index, span, problem)| {
        let &(start, _) = statements.get(index)?;
        Some(Mistake { span: Some(start + span.start..start + span.end), problem })
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
