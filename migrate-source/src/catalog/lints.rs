//! What the lints find with the schema at each statement, and what is known of each down script.

use super::pass::{self, File};
use super::undo::Comparison;
use super::{Births, Catalog, Found, Set, part};
use crate::lint::{Finding, Lint};
use crate::objects::{Begins, Undoing};

/// The findings in a set that begins there.
pub(super) fn run(set: &Set<'_>, begins: Begins) -> Found {
    let mut found = Found::default();
    let mut catalog = pass::begun(&set.files, begins, Births::Off);
    catalog.keeps_facts = true;
    for (number, file) in set.files.iter().enumerate().take(set.ups) {
        let down = file.down.and_then(|down| Some((down, set.files.get(down)?)));
        let Some((down_number, down)) = down else {
            catalog.follow_file(number, file);
            continue;
        };
        let mut words = part::words(&[file, down]);
        catalog.misses_some = false;
        let before = catalog.part(&words);
        words.extend(before.relations().cloned());
        catalog.follow_file(number, file);
        let after = catalog.part(&words).undone(down_number, down);
        let (undoing, lints) = judge(&before, &after, &set.files);
        found.downs.push((down_number, undoing));
        found.lints.extend(lints.into_iter().map(|finding| (down_number, finding)));
    }
    found
}

impl Catalog {
    /// This catalog after a down script.
    fn undone(mut self, number: usize, down: &File<'_>) -> Catalog {
        self.missing.clear();
        self.is_trial = true;
        self.follow_file(number, down);
        self
    }
}

/// What is known of a down script, and what to report of it.
fn judge(before: &Catalog, after: &Catalog, files: &[File<'_>]) -> (Undoing, Vec<Finding>) {
    let missing = after.missing.iter().filter(|one| !one.late);
    let missing = missing.map(|one| (&one.span, &one.message));
    let refused = after.refused.iter().map(|one| (&one.span, &one.message));
    if let Some((span, message)) = missing.chain(refused).min_by_key(|(span, _)| span.start) {
        let message = format!("the down script fails: {message}");
        let (lint, span) = (Lint::DownFails, Some(span.clone()));
        return (Undoing::Fails, vec![Finding { lint, span, message }]);
    }
    let Comparison { found, is_unsure, .. } = Comparison::of(before, after, files);
    let undoing = match (found.is_empty(), is_unsure) {
        (false, _) => Undoing::Differs,
        (true, true) => Undoing::Unknown,
        (true, false) => Undoing::Undoes,
    };
    let finding = |text: String| Finding {
        lint: Lint::DownIncomplete,
        span: None,
        message: format!("the down script {text}"),
    };
    (undoing, found.into_iter().map(finding).collect())
}
