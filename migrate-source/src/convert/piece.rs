//! One migration of another tool, with what was read of it.

use migrate_set::location::position;
use migrate_set::name::{Direction, Kind};
use migrate_set::set::TransactionMode;
use migrate_set::sql::lexer::lex;

use super::text::{has_statements, mode, replaced, with_marks_of, without_marks};
use super::tool::Reads;
use super::{Original, Source, Tool, Trouble, Troubles};
use crate::check::{SourceFile, decode};
use crate::directives::section::{AlmostMarker, Block, SectionError, Sections, sections};

/// A migration, whose files are read.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    pub(super) original: Original,
    pub(super) kind: Kind,
    pub(super) up: Part,
    pub(super) down: Option<Part>,
}

/// A script of ours, without markers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) mode: TransactionMode,
}

impl Part {
    /// A script that runs as its tool says, if that is possible.
    pub(super) fn new(text: String, said: TransactionMode) -> Part {
        let mode = mode(&text, said);
        Part { text, mode }
    }

    pub(super) fn is_empty(&self) -> bool {
        !has_statements(&self.text)
    }
}

impl Piece {
    /// Puts values in the place of variables; Liquibase's, whose `:name` is no variable, are replaced already.
    pub(super) fn replace(&mut self, tool: &Tool, values: &[(String, String)]) {
        if tool.reads == Reads::Changesets {
            return;
        }
        let everywhere = tool.name == "graphile-migrate";
        for part in [Some(&mut self.up), self.down.as_mut()].into_iter().flatten() {
            part.text = replaced(&part.text, values, everywhere);
        }
    }
}

/// The text of a file.
pub(super) fn text_of(source: &Source<'_>, file: &SourceFile) -> Result<String, Trouble> {
    let shown = migrate_set::name::shown(source.shown, &file.path);
    decode(&shown, &file.bytes).map_err(|error| {
        let trouble = Trouble::new(shown, error.problem().to_string(), error.help().to_string());
        Trouble { line: error.position().map(|at| at.line), ..trouble }
    })
}

/// The up and the down script of a file, whose name says `direction`.
pub(super) fn parts(
    source: &Source<'_>,
    file: &SourceFile,
    tool: &Tool,
    direction: Option<Direction>,
    said: TransactionMode,
) -> Result<(Option<Part>, Option<Part>), Troubles> {
    let text = with_marks_of(tool, &text_of(source, file)?);
    let text = if tool.name == "node-pg-migrate" { from_up(&text) } else { text.as_str() };
    let tokens = lex(text);
    let found = sections(text, &tokens, AlmostMarker::Remark).map_err(|errors| {
        let trouble = |error: SectionError| {
            let what = error.problem.to_string();
            let trouble = source.about(&file.path, what, error.problem.help());
            trouble.at(position(text, error.span.0).line)
        };
        Troubles(errors.into_iter().map(trouble).collect())
    })?;
    let Sections { whole, up, down, .. } = found;
    let lead = up
        .and_then(|up| up.tokens.first())
        .map_or(0, |first| tokens.iter().take_while(|token| token.start < first.start).count());
    let part = |block: Block<'_>, lead: usize| {
        let body = without_marks(text, block.tokens);
        let before = without_marks(text, &tokens[..lead]);
        let gap = if before.is_empty() { "" } else { "\n" };
        let said = if said == TransactionMode::NonTransactional { said } else { block.transaction };
        Part::new([&before, gap, &body].concat(), said)
    };
    let up_part = up.map(|block| part(block, lead));
    let whole = whole.map(|block| part(block, 0));
    let down = down.map(|block| part(block, 0));
    Ok(match direction {
        Some(Direction::Down) => (None, down.or(whole)),
        Some(Direction::Up) => (up_part.or(whole), None),
        None => (up_part.or(whole), down),
    })
}

/// node-pg-migrate drops what is above its first marker.
fn from_up(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let comment =
            line.trim_start().strip_prefix("--").map(|rest| rest.trim_start_matches(['-', ' ']));
        if comment.is_some_and(|comment| comment.to_ascii_lowercase().starts_with("up migration")) {
            return &text[at..];
        }
        at += line.len();
    }
    text
}
