//! Has every statement of a set checked against PostgreSQL's grammar, all of them in one go.
//! Checked migrations go in; what the grammar does not take comes out, with its place in the file.
//! Files that allow it and down scripts that nobody checks are left out. Without the feature
//! `syntax` there is nothing here.

use std::collections::BTreeMap;

use super::SetOptions;
use super::error::SourceError;
use crate::set::Migration;

/// Every statement of `migrations` that the grammar does not take; `allows` is by file.
#[cfg(feature = "syntax")]
pub(super) fn check(
    folder: &str,
    migrations: &[Migration],
    allows: &BTreeMap<String, Vec<&'static str>>,
    options: &SetOptions,
) -> Vec<SourceError> {
    use super::error::Problem;
    use super::{Down, shown};
    use crate::syntax::check_all;

    let downs = migrations.iter().filter_map(Migration::down);
    let downs = downs.filter(|_| options.down != Down::Unchecked);
    let scripts = migrations.iter().map(Migration::up).chain(downs);
    let allowed = |path: &str| allows.get(path).is_some_and(|checks| checks.contains(&"syntax"));
    let mut places = Vec::new();
    for script in scripts.filter(|script| !allowed(script.filename())) {
        places.extend(script.single_statements().map(|(start, end)| (script, start, end)));
    }
    let texts = places.iter().map(|&(script, start, end)| &script.text()[start..end]);
    let wrong = check_all(texts).into_iter().filter_map(|(index, error)| {
        let &(script, start, _) = places.get(index)?;
        let file = shown(folder, script.filename());
        let span = start + error.span.start..start + error.span.end;
        let problem = Problem::Syntax { message: error.message, help: error.help };
        Some(SourceError::of_span(&file, script.text(), span, problem))
    });
    wrong.collect()
}

#[cfg(not(feature = "syntax"))]
pub(super) fn check(
    _folder: &str,
    _migrations: &[Migration],
    _allows: &BTreeMap<String, Vec<&'static str>>,
    _options: &SetOptions,
) -> Vec<SourceError> {
    Vec::new()
}
