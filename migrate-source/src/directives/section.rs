//! Finds the up and the down script of a file with their transaction modes, and reports markers and
//! directives in the wrong place.

use std::mem;

use migrate_set::name::Direction;
use migrate_set::release::Release;
use migrate_set::set::TransactionMode;
use migrate_set::sql::lexer::{Token, TokenKind};
use thiserror::Error;

use super::{Directive, DirectiveError, Spelling, directive, edit_distance};

/// One script within a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block<'t> {
    /// Its tokens.
    pub tokens: &'t [Token],
    /// How it runs.
    pub transaction: TransactionMode,
    /// Bytes of the directive that runs a function after it.
    pub function: Option<(usize, usize)>,
}

/// The sections of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections<'t> {
    /// The whole file, if no section is marked.
    pub whole: Option<Block<'t>>,
    /// The up section.
    pub up: Option<Block<'t>>,
    /// The down section.
    pub down: Option<Block<'t>>,
    /// The names of the checks that the file allows.
    pub allows: Vec<&'static str>,
    /// The first release that does not use what the up script removes; of several, the newest.
    pub contract: Option<Release>,
    /// The directive of a squash file.
    pub replaces: Option<Replaces>,
}

/// What the directive of a squash file says, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaces {
    /// The first version, the last, and the digest of the list.
    pub range: [String; 3],
    /// The bytes of the comment.
    pub span: (usize, usize),
}

/// What a comment is that is almost a section marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AlmostMarker {
    /// A mistake.
    #[default]
    Mistake,
    /// A remark: in layouts with a file for each direction, no file needs sections.
    Remark,
}

/// A problem with a file's sections, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionError {
    /// What is wrong.
    pub problem: SectionProblem,
    /// The bytes of the comment or token.
    pub span: (usize, usize),
}

/// A problem with the sections of a file.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SectionProblem {
    /// A comment that is almost a directive.
    #[error(transparent)]
    Directive(#[from] DirectiveError),
    /// A second up section, or a second down section.
    #[error("a second {direction} section begins here")]
    Repeated {
        /// Which one.
        direction: Direction,
    },
    /// The down section comes before the up section.
    #[error("the down section comes before the up section")]
    DownFirst,
    /// Statements before the first section.
    #[error("a statement comes before the first section")]
    BeforeSection,
    /// Statements before a down section, without an up section.
    #[error("a statement comes before the down section, but no up section is marked")]
    UnmarkedUp,
    /// A directive after the first statement of its section.
    #[error("this directive comes after a statement, where it has no effect")]
    Misplaced,
    /// A phase in a down section.
    #[error("a phase in a down section")]
    PhaseDown,
    /// `StatementBegin` without `StatementEnd`.
    #[error("`StatementBegin` is never closed")]
    UnclosedStatement,
    /// `StatementEnd` without `StatementBegin`.
    #[error("`StatementEnd` closes nothing")]
    UnopenedStatement,
}

impl SectionProblem {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Directive(error) => error.help(),
            Self::Repeated { .. } => {
                "keep one up and one down section per file; move the rest to another file".into()
            }
            Self::DownFirst => "put the up section first".into(),
            Self::UnmarkedUp => {
                "mark the up section above it, in the style of the down section: `-- UP` for `-- DOWN`"
                    .into()
            }
            Self::BeforeSection => "move it below the marker of the section it belongs to".into(),
            Self::Misplaced => "move it above the first statement of its section".into(),
            Self::PhaseDown => "move it above the first statement of the up script".into(),
            Self::UnclosedStatement => "add `StatementEnd` after the statement".into(),
            Self::UnopenedStatement => "remove it, or add `StatementBegin` before it".into(),
        }
    }
}

/// Finds the sections of `text`, whose tokens are `tokens`.
///
/// A marker counts only if it is alone on its line and outside literals; the plain words `-- UP`
/// and `-- DOWN` must also be outside parentheses.
///
/// # Errors
/// Every misplaced, repeated or unknown marker.
pub fn sections<'t>(
    text: &str,
    tokens: &'t [Token],
    almost: AlmostMarker,
) -> Result<Sections<'t>, Vec<SectionError>> {
    let mut reader = Reader { tokens, ..Reader::default() };
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::LineComment if starts_line(text, token.start) => {
                match directive(token.text(text)) {
                    Ok(Some(directive)) => reader.directive(&directive, index),
                    Ok(None) => reader.remark(text, token),
                    Err(DirectiveError::NearlySection { .. })
                        if reader.depth > 0 || almost == AlmostMarker::Remark => {}
                    Err(error @ DirectiveError::NearlySection { .. }) => {
                        reader.nearly.push((error, *token));
                    }
                    Err(error) => reader.error(error.into(), token),
                }
            }
            TokenKind::LineComment => {
                // After SQL on the same line, a directive would silently have no effect.
                let found = directive(token.text(text));
                if found.is_ok_and(|found| found.is_some_and(|found| found.leads())) {
                    reader.error(SectionProblem::Misplaced, token);
                }
            }
            TokenKind::Open => reader.depth += 1,
            TokenKind::Close => reader.depth = reader.depth.saturating_sub(1),
            _ => {}
        }
        if !token.is_trivia() {
            reader.first_statement.get_or_insert(index);
        }
    }
    reader.finish()
}

/// Whether only blanks precede the byte `at` on its line.
fn starts_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t', '\r', '\x0b', '\x0c']);
    before.is_empty() || before.ends_with('\n')
}

#[derive(Default)]
struct Reader<'t> {
    tokens: &'t [Token],
    errors: Vec<SectionError>,
    /// Comments that are almost section markers.
    nearly: Vec<(DirectiveError, Token)>,
    sections: Sections<'t>,
    /// The section being read: its direction, its first token, its transaction mode.
    current: Option<Direction>,
    from: usize,
    transaction: Option<TransactionMode>,
    function: Option<(usize, usize)>,
    file_transaction: TransactionMode,
    /// The first token of the current section that is not a comment.
    first_statement: Option<usize>,
    depth: usize,
    open_statement: Option<Token>,
    /// Whether a second section of one direction was reported.
    repeated: bool,
    /// Comments that differ from a section marker by one letter: mistakes, if there are sections.
    almost: Vec<SectionError>,
}

impl<'t> Reader<'t> {
    fn error(&mut self, problem: SectionProblem, token: &Token) {
        self.errors.push(SectionError { problem, span: (token.start, token.end) });
    }

    /// With a misspelt `DOWN`, the down script would run as up.
    fn remark(&mut self, text: &str, token: &Token) {
        let comment = token.text(text);
        let word = comment.trim_start_matches('-').trim();
        if self.depth == 0 && word.len() < 6 && edit_distance(&word.to_lowercase(), "down") == 1 {
            let (written, direction) = (comment.trim().to_owned(), Direction::Down);
            let problem = DirectiveError::NearlySection { written, direction }.into();
            self.almost.push(SectionError { problem, span: (token.start, token.end) });
        }
    }

    fn directive(&mut self, directive: &Directive, index: usize) {
        let token = self.tokens[index];
        match *directive {
            Directive::Section { spelling: Spelling::Word, .. } if self.depth > 0 => {}
            // sql-migrate reads a marker that is repeated as the rest of the section.
            Directive::Section { direction, transaction: None, spelling: Spelling::Marker }
                if self.current == Some(direction) => {}
            Directive::Section { direction, transaction, spelling: _ } => {
                self.section(direction, transaction, index);
            }
            Directive::Divider => {
                self.current.get_or_insert(Direction::Up);
                self.section(Direction::Down, None, index);
            }
            Directive::StatementBegin => self.open_statement = Some(token),
            Directive::StatementEnd => {
                if self.open_statement.take().is_none() {
                    self.error(SectionProblem::UnopenedStatement, &token);
                }
            }
            Directive::FileTransaction(mode) => self.file_transaction = mode,
            _ if directive.leads() && self.first_statement.is_some() => {
                self.error(SectionProblem::Misplaced, &token);
            }
            Directive::Transaction(mode) => self.transaction = Some(mode),
            Directive::Function => self.function = Some((token.start, token.end)),
            Directive::Contract { .. } if self.current == Some(Direction::Down) => {
                self.error(SectionProblem::PhaseDown, &token);
            }
            Directive::Contract { ref after } => {
                let newest = self.sections.contract.take().into_iter().chain([after.clone()]).max();
                self.sections.contract = newest;
            }
            Directive::Replaces { ref range } => {
                let (range, span) = (range.clone(), (token.start, token.end));
                self.sections.replaces = Some(Replaces { range, span });
            }
            Directive::Allow { check, .. } if !self.sections.allows.contains(&check) => {
                self.sections.allows.push(check);
            }
            Directive::Allow { .. } | Directive::From => {}
        }
    }

    fn section(
        &mut self,
        direction: Direction,
        transaction: Option<TransactionMode>,
        index: usize,
    ) {
        let token = self.tokens[index];
        self.close(index, direction);
        let again = match direction {
            Direction::Up => self.sections.up.is_some(),
            Direction::Down => self.sections.down.is_some(),
        };
        if again {
            // A file of alternating sections is one mistake.
            if !mem::replace(&mut self.repeated, true) {
                self.error(SectionProblem::Repeated { direction }, &token);
            }
        } else if direction == Direction::Up && self.sections.down.is_some() {
            self.error(SectionProblem::DownFirst, &token);
        }
        self.current = Some(direction);
        self.transaction = transaction;
    }

    /// Ends the section being read before the token `index`, where a section of direction `next`
    /// begins.
    fn close(&mut self, index: usize, next: Direction) {
        let block = Block {
            tokens: &self.tokens[self.from..index],
            transaction: self.transaction.unwrap_or(self.file_transaction),
            function: self.function,
        };
        let first = mem::take(&mut self.first_statement);
        match self.current {
            // The transaction mode before the first marker applies to all sections.
            None => {
                self.file_transaction = block.transaction;
                let problem = match next {
                    Direction::Up => SectionProblem::BeforeSection,
                    Direction::Down => SectionProblem::UnmarkedUp,
                };
                if let Some(first) = first {
                    self.error(problem, &self.tokens[first]);
                }
            }
            Some(Direction::Up) => self.sections.up = self.sections.up.or(Some(block)),
            Some(Direction::Down) => self.sections.down = self.sections.down.or(Some(block)),
        }
        if let Some(open) = self.open_statement.take() {
            self.error(SectionProblem::UnclosedStatement, &open);
        }
        self.from = index;
        self.depth = 0;
        self.transaction = None;
        // A function before the first marker belongs to the up section.
        if self.current.is_some() {
            self.function = None;
        }
    }

    fn finish(mut self) -> Result<Sections<'t>, Vec<SectionError>> {
        // An unclosed token hides the `StatementEnd` after it, and has its own error.
        if self.tokens.last().is_some_and(|token| matches!(token.kind, TokenKind::Unclosed(_))) {
            self.open_statement = None;
        }
        if let Some(current) = self.current {
            self.close(self.tokens.len(), current);
        } else {
            let transaction = self.transaction.unwrap_or(self.file_transaction);
            let function = self.function;
            self.sections.whole = Some(Block { tokens: self.tokens, transaction, function });
            if let Some(open) = self.open_statement.take() {
                self.error(SectionProblem::UnclosedStatement, &open);
            }
        }
        if self.file_transaction == TransactionMode::NonTransactional {
            let Sections { whole, up, down, .. } = &mut self.sections;
            for block in [whole, up, down].into_iter().flatten() {
                block.transaction = TransactionMode::NonTransactional;
            }
        }
        if self.sections.whole.is_none() {
            self.errors.append(&mut self.almost);
        }
        for (error, token) in mem::take(&mut self.nearly) {
            if !self.is_remark(&error, &token) {
                self.error(error.into(), &token);
            }
        }
        if self.errors.is_empty() { Ok(self.sections) } else { Err(self.errors) }
    }

    /// Whether a comment that is almost a section marker is not one: a section needs statements; and if the file has
    /// the section, `-- Down: by hand` is about it.
    fn is_remark(&self, error: &DirectiveError, token: &Token) -> bool {
        let DirectiveError::NearlySection { written, direction } = error else { return true };
        let section = match direction {
            Direction::Up => self.sections.up,
            Direction::Down => self.sections.down,
        };
        let says_more = |(_, more): (_, &str)| more.contains(char::is_alphanumeric);
        let follows = |next: &Token| next.start > token.start && !next.is_trivia();
        !self.tokens.iter().any(follows)
            || (section.is_some() && written.split_once(':').is_some_and(says_more))
    }
}

#[cfg(test)]
mod tests;
