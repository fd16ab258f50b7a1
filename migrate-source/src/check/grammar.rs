//! Checks the statements of a script against PostgreSQL's grammar. Without the feature `syntax`, every
//! statement passes.

use super::mistakes::Mistake;

/// What the grammar does not accept in these `statements` of one text, with the place in the text.
#[cfg(feature = "syntax")]
pub(super) fn errors(text: &str, statements: &[(usize, usize)]) -> Vec<Mistake> {
    let texts = statements.iter().map(|&(start, end)| &text[start..end]);
    let wrong = crate::syntax::check_all(texts).into_iter().filter_map(|(index, error)| {
        let &(start, _) = statements.get(index)?;
        let span = Some(start + error.span.start..start + error.span.end);
        let problem = super::Problem::Syntax { message: error.message, help: error.help };
        Some(Mistake { span, problem })
    });
    wrong.collect()
}

#[cfg(not(feature = "syntax"))]
pub(super) fn errors(_: &str, _: &[(usize, usize)]) -> Vec<Mistake> {
    Vec::new()
}
