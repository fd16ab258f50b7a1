//! The mistakes in a set: one [`SourceError`] each, with file, line, column and frame.

use std::fmt;

use migrate_set::location::Position;
use migrate_set::remedy::Remedy;
use migrate_set::text::escaped_lines;

use super::mistakes::limited;
use super::problem::Problem;
use crate::history_file::HistoryProblem;

/// One mistake in a set, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceError {
    file: String,
    position: Option<Position>,
    frame: Option<String>,
    problem: Box<Problem>,
}

impl SourceError {
    /// A problem with a whole file or folder.
    pub fn of_file(file: impl Into<String>, problem: Problem) -> Self {
        SourceError { file: file.into(), position: None, frame: None, problem: Box::new(problem) }
    }

    /// A problem with a part of a file, at a place that may be shown.
    pub(super) fn at(
        file: &str,
        position: Option<Position>,
        frame: Option<String>,
        problem: Problem,
    ) -> Self {
        SourceError { position, frame, ..SourceError::of_file(file, problem) }
    }

    /// The path of the file or folder, as messages show it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where in the file; `None` if the whole file is wrong.
    pub fn position(&self) -> Option<Position> {
        self.position
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What to do about it.
    pub fn help(&self) -> Remedy {
        self.problem.help()
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position.map_or_else(String::new, |at| format!(":{at}"));
        let text = format!("{}{position}: {}", self.file, self.problem);
        writeln!(f, "{}", escaped_lines(&text))?;
        if let Some(frame) = &self.frame {
            writeln!(f, "{frame}")?;
        }
        f.write_str("help: ")?;
        self.help().fmt(f)
    }
}

impl std::error::Error for SourceError {}

/// All mistakes in a set, of each file the first 50; never empty. `Display` shows one after the other, and so does `Debug`,
/// because a `main` that returns an error prints that.
///
/// ```
/// # use migrate_source::check::SourceErrors;
/// /// One line per mistake, in a format that editors understand.
/// fn show(errors: &SourceErrors) {
///     for error in &errors.0 {
///         let line = error.position().map_or(1, |position| position.line);
///         eprintln!("{}:{line}: {}", error.file(), error.problem());
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct SourceErrors(pub Vec<SourceError>);

impl SourceErrors {
    /// Nothing, if there are no `problems` of the history file that messages show as `file`.
    ///
    /// # Errors
    /// Each of them, as a mistake in the file.
    pub fn of_history(file: &str, problems: Vec<HistoryProblem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self::in_history(file, problems)) }
    }

    /// These problems of the history file, as mistakes in it.
    pub fn in_history(file: &str, problems: Vec<HistoryProblem>) -> Self {
        let error = |problem| SourceError::of_file(file, Problem::History(problem));
        let errors: Vec<SourceError> = problems.into_iter().map(error).collect();
        limited(&errors)
    }
}

impl fmt::Debug for SourceErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for SourceErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each in the form that is asked for: help for code, or for a command line.
        for (index, error) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { "\n\n" })?;
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for SourceErrors {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_of_several_mistakes_names_options_as_its_reader_writes_them() {
        let error = |file| SourceError::of_file(file, Problem::LinkOut);
        let errors = SourceErrors(vec![error("1_a.sql"), error("2_b.sql")]);
        let expected = |option| {
            let help = format!(
                "help: put a copy of the file into the folder, or allow such links with `{option}`"
            );
            format!(
                "1_a.sql: is a link out of the folder\n{help}\n\n2_b.sql: is a link out of the folder\n{help}"
            )
        };
        assert_eq!(errors.to_string(), expected("links = follow"));
        assert_eq!(format!("{errors:#}"), expected("--links follow"));
    }
}
