//! The mistakes of a file with their places: the first 50, and how many more there are.

use std::collections::HashMap;
use std::ops::Range;

use migrate_set::frame::frame;
use migrate_set::location::position;
use migrate_set::name::shown;
use migrate_set::sort::sort_by_key;

use super::error::{SourceError, SourceErrors};
use super::problem::Problem;

/// How many mistakes of one file are shown.
const LIMIT: usize = 50;

/// A mistake in a file, and its bytes; `None` for the whole file.
pub(super) struct Mistake {
    pub(super) span: Option<Range<usize>>,
    pub(super) problem: Problem,
}

/// These mistakes, and those of `invalid` statements. Without an `END` that ends nothing: it is that of a
/// body without quotes, which was cut at its first `;`.
pub(super) fn with_invalid(
    mut mistakes: Vec<Mistake>,
    invalid: Vec<Mistake>,
    text: &str,
) -> Vec<Mistake> {
    let is_end = |Mistake { span, problem }: &Mistake| {
        let word = span.as_ref().and_then(|span| text.get(span.start..span.start + 3));
        matches!(problem, Problem::UnbegunCommit)
            && word.is_some_and(|word| word.eq_ignore_ascii_case("end"))
    };
    mistakes.retain(|mistake| invalid.is_empty() || !is_end(mistake));
    mistakes.extend(invalid);
    mistakes
}

/// The `mistakes` in the `text` of a file of `folder`, with their places: to find one reads the text from the top, so
/// that no more are found than are shown.
pub(super) fn placed(
    folder: &str,
    file: &str,
    text: &str,
    mut mistakes: Vec<Mistake>,
) -> Vec<SourceError> {
    if mistakes.is_empty() {
        return Vec::new();
    }
    let file = &shown(folder, file);
    let start = |mistake: &Mistake| mistake.span.as_ref().map(|span| span.start);
    sort_by_key(&mut mistakes, start);
    let more = mistakes.split_off(mistakes.len().min(LIMIT));
    let with_place = |mistake: Mistake| {
        let position = start(&mistake).map(|at| position(text, at));
        let Mistake { span, problem } = mistake;
        let frame = span.map(|span| frame(text, span, problem.label()));
        SourceError::at(file, position, frame, problem)
    };
    let more = more.first().map(|first| {
        let position = start(first).map(|at| position(text, at));
        SourceError::at(file, position, None, Problem::More { count: more.len() })
    });
    mistakes.into_iter().map(with_place).chain(more).collect()
}

/// These errors, of which those of each file follow each other, with at most [`LIMIT`] of each file.
pub(crate) fn limited(errors: &[SourceError]) -> SourceErrors {
    let mut kept: Vec<SourceError> = Vec::new();
    for errors in errors.chunk_by(|one, other| one.file() == other.file()) {
        let count = |error: &SourceError| match error.problem() {
            Problem::More { count } => *count,
            _ => 1,
        };
        let is_one = |error: &&SourceError| !matches!(error.problem(), Problem::More { .. });
        kept.extend(errors.iter().filter(is_one).take(LIMIT).cloned());
        let all: usize = errors.iter().map(count).sum();
        if let (Some(next), Some(more)) = (errors.get(LIMIT), all.checked_sub(LIMIT)) {
            let problem = Problem::More { count: more };
            kept.push(SourceError::at(next.file(), next.position(), None, problem));
        }
    }
    SourceErrors(folded(kept))
}

/// How many files with the same mistake are shown.
const ALIKE: usize = 20;

/// These errors, each in at most [`ALIKE`] files, and how many more files have it.
fn folded(errors: Vec<SourceError>) -> Vec<SourceError> {
    /// A mistake: in how many files it is, the last of them, and where that is said.
    #[derive(Default)]
    struct Seen {
        files: usize,
        last: String,
        said: Option<usize>,
    }
    let mut all: HashMap<String, Seen> = HashMap::new();
    let mut kept: Vec<SourceError> = Vec::new();
    for error in errors {
        let seen = all.entry(error.problem().to_string()).or_default();
        if seen.last != error.file() {
            seen.files += 1;
            error.file().clone_into(&mut seen.last);
        }
        let Some(count) = seen.files.checked_sub(ALIKE + 1) else {
            kept.push(error);
            continue;
        };
        let at = *seen.said.get_or_insert(kept.len());
        match kept.get_mut(at) {
            Some(said) => *said = SourceError::of_file(said.file(), Problem::Alike { count }),
            None => kept.push(SourceError::of_file(error.file(), Problem::Alike { count })),
        }
    }
    kept
}
