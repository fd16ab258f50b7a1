//! Reads and checks the scripts of one file.

use std::ops::Range;

use migrate_set::checksum::Checksum;
use migrate_set::location::narrow;
use migrate_set::name::Direction;
use migrate_set::release::Release;
use migrate_set::set::{Ends, Script, TransactionMode};
use migrate_set::sort::sort_by;
use migrate_set::sql::kind::{self, SessionEffect, StatementKind};
use migrate_set::sql::lexer::{TokenKind, Unclosed, dollar_tag, lex};
use migrate_set::sql::placeholder::{Placeholder, placeholders};
use migrate_set::sql::sharing::{Sharing, sharing};
use migrate_set::sql::split::{SplitError, SplitProblem, Statement, split};
use migrate_set::squash::Replaced;

use super::control::{OwnTransaction, in_no_transaction, in_our_transaction};
use super::decode::{decode, returns};
use super::mistakes::{Mistake, placed, with_invalid};
use super::{Down, Empty, Lints, SetOptions, Syntax, characters, grammar, later, psql, squash};
use super::{Problem, SourceError};
use crate::directives::section::{
    AlmostMarker, Block, SectionError, SectionProblem, Sections, sections,
};
use crate::directives::{DOWN, directive};

/// The scripts of one file.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// The up script and its checksum.
    pub(super) up: Option<(Script, Checksum)>,
    /// The down script.
    pub(super) down: Option<Script>,
    /// The checks that the file allows.
    pub(super) allows: Vec<&'static str>,
    /// The release of its phase.
    pub(super) contract: Option<Release>,
    /// What a squash file replaces.
    pub(super) replaces: Vec<Replaced>,
    /// The warnings.
    pub(super) warnings: Vec<SourceError>,
}

/// One file to read: its path in messages, its path in the set, and what its name means.
pub(super) struct File<'f> {
    pub(super) shown: &'f str,
    pub(super) path: &'f str,
    pub(super) direction: Option<Direction>,
    /// What a comment in it is that is almost a section marker.
    pub(super) almost_marker: AlmostMarker,
    /// The transaction mode requested by the name or a sidecar.
    pub(super) transaction: TransactionMode,
    pub(super) options: &'f SetOptions,
}

/// Reads the scripts of a file from its bytes.
pub(super) fn scripts(file: &File<'_>, bytes: &[u8]) -> Result<Scripts, Vec<SourceError>> {
    let text = decode(file.shown, bytes).map_err(|error| vec![error])?;
    let returns = returns(bytes);
    let tokens = lex(&text);
    let all = |mistakes| placed("", file.shown, &text, mistakes);
    if let Some(conflict) = characters::conflict(&text, &tokens) {
        return Err(all(vec![conflict]));
    }
    let found = sections(&text, &tokens, file.almost_marker).map_err(|errors| {
        let mistake = |e: SectionError| mistake(e.span.0..e.span.1, Problem::Section(e.problem));
        all(errors.into_iter().map(mistake).collect())
    })?;
    let (up, down) =
        assign(file, &found).map_err(|problem| vec![SourceError::of_file(file.shown, problem)])?;
    let replaces = squash::listed_in(&text, &found, down.is_some())
        .map_err(|(span, problem)| all(vec![mistake(span, Problem::Squash(problem))]))?;
    let reader = Reader { file, text: &text, returns, found: &found };
    let up = up.map(|block| reader.up(block));
    let down = down.map(|block| reader.down(block));
    match (up.transpose(), down.transpose()) {
        (Ok(up), Ok(down)) => {
            let (up, warnings) = up.map_or((None, Vec::new()), |(up, found)| (Some(up), found));
            let (down, warnings) = (down.flatten(), all(warnings));
            let Sections { allows, contract, .. } = found;
            Ok(Scripts { up, down, allows, contract, replaces, warnings })
        }
        (up, down) => {
            let mut mistakes = up.err().unwrap_or_default();
            mistakes.extend(down.err().unwrap_or_default());
            Err(all(mistakes))
        }
    }
}

fn mistake(span: Range<usize>, problem: Problem) -> Mistake {
    Mistake { span: Some(span), problem }
}

type Blocks<'t> = (Option<Block<'t>>, Option<Block<'t>>);

/// Which block is up and which is down, by the file's name and its sections.
fn assign<'t>(file: &File<'_>, sections: &Sections<'t>) -> Result<Blocks<'t>, Problem> {
    let Sections { whole, up, down, .. } = *sections;
    match file.direction {
        None if up.is_none() && down.is_some() => Err(Problem::OnlyDown),
        None => Ok((up.or(whole), down)),
        Some(Direction::Up) if down.is_some() => Err(Problem::OtherSection),
        Some(Direction::Up) => Ok((up.or(whole), None)),
        Some(Direction::Down) if up.is_some() => Err(Problem::OtherSection),
        Some(Direction::Down) if sections.contract.is_some() => {
            Err(Problem::Section(SectionProblem::PhaseDown))
        }
        Some(Direction::Down) => Ok((None, down.or(whole))),
    }
}

struct Reader<'f> {
    file: &'f File<'f>,
    text: &'f str,
    returns: Vec<u32>,
    found: &'f Sections<'f>,
}

/// A checked up script with its checksum, and the warnings.
type Up = ((Script, Checksum), Vec<Mistake>);

impl Reader<'_> {
    fn up(&self, block: Block<'_>) -> Result<Up, Vec<Mistake>> {
        let (statements, script) = self.script(block)?;
        let script = with_function(block, script)?;
        let allows_empty = self.allows("empty")
            || self.file.options.empty == Empty::Allow
            || script.ends() == Ends::WithFunction;
        if statements.is_empty() && !allows_empty {
            return Err(vec![Mistake { span: None, problem: Problem::Empty }]);
        }
        let warnings = self.warnings(&statements, script.transaction());
        Ok(((script, Checksum::of(self.text, &statements)), warnings))
    }

    fn allows(&self, check: &str) -> bool {
        self.found.allows.contains(&check)
    }

    /// An up script without a transaction that could use one, unless the lints are off. The others need
    /// the scripts before it.
    fn warnings(&self, statements: &[Statement<'_>], mode: TransactionMode) -> Vec<Mistake> {
        if self.file.options.lints == Lints::Off {
            return Vec::new();
        }
        let needs = |s: &Statement<'_>| kind::kind(self.text, s) != StatementKind::Plain;
        let needless = mode == TransactionMode::NonTransactional && !statements.iter().any(needs);
        let first = statements.first().filter(|_| needless);
        let first = first.filter(|_| !self.allows("needless-no-transaction"));
        let warning = first.map(|one| mistake(first_word(one), Problem::NeedlessNoTransaction));
        warning.into_iter().collect()
    }

    /// A down script without statements undoes nothing. A section without even a remark, and what `create` wrote,
    /// are unused templates: no down script.
    fn down(&self, block: Block<'_>) -> Result<Option<Script>, Vec<Mistake>> {
        if let Some((start, end)) = block.function {
            return Err(vec![mistake(start..end, Problem::FunctionDown)]);
        }
        match self.script(block) {
            Ok((statements, script)) => {
                Ok((!statements.is_empty() || self.is_meant(block)).then_some(script))
            }
            Err(_) if self.file.options.down == Down::Unchecked => Ok(self.unchecked(block)),
            Err(errors) => Err(errors),
        }
    }

    /// Whether a down script without statements is meant to have none.
    fn is_meant(&self, block: Block<'_>) -> bool {
        let comments = block.tokens.iter().map(|token| token.text(self.text).trim());
        let mut comments = comments.filter(|text| !text.is_empty() && !is_marker(text)).peekable();
        let is_file = self.file.direction == Some(Direction::Down);
        let is_empty = comments.peek().is_none();
        (is_file && is_empty) || comments.any(|comment| comment != DOWN.trim())
    }

    /// An invalid script, kept as a single statement for the server to judge.
    fn unchecked(&self, block: Block<'_>) -> Option<Script> {
        let tokens = block.tokens.iter();
        let mut tokens =
            tokens.filter(|token| !token.is_trivia() && token.kind != TokenKind::Semicolon);
        let first = tokens.next()?;
        let last = tokens.next_back().unwrap_or(first);
        let all = vec![[narrow(first.start), narrow(last.end)]];
        Some(self.assemble(self.mode(block), all, Vec::new(), SessionEffect::Changes))
    }

    fn script<'t>(&self, block: Block<'t>) -> Result<(Vec<Statement<'t>>, Script), Vec<Mistake>> {
        let transaction = self.mode(block);
        let split = split(self.text, block.tokens).map_err(|error| {
            let opened = error.at..self.opener_end(error);
            vec![mistake(opened, Problem::Split(error.problem))]
        })?;
        let runnable = self.runnable(&split, transaction);
        let placeholders = self.placeholders(&split);
        let mut others = self.replaced(&split);
        others.extend(self.characters(&split));
        let (statements, found) = match (runnable, placeholders) {
            (Ok(statements), Ok(found)) if others.is_empty() => (statements, found),
            (runnable, placeholders) => {
                let mut errors = runnable.err().unwrap_or_default();
                errors.extend(placeholders.err().unwrap_or_default());
                errors.extend(others);
                let invalid = self.grammar(&split, &errors);
                return Err(with_invalid(errors, invalid, self.text));
            }
        };
        let effect = |statement| kind::session_effect(self.text, statement);
        let session = statements.iter().map(effect).max().unwrap_or(SessionEffect::Keeps);
        let with = |statement| sharing(self.text, statement);
        let sharing = statements.iter().map(with).max().unwrap_or(Sharing::Shares);
        // What changes the session can also change how others are read.
        // A squash file has several rows in the ledger.
        let is_alone = session != SessionEffect::Keeps || self.found.replaces.is_some();
        let at_least = if is_alone { Sharing::Alone } else { Sharing::Shares };
        let ranges = self.ranges(&statements, transaction);
        let script = self.assemble(transaction, ranges, found, session);
        Ok((statements, script.with_sharing(sharing.max(at_least))))
    }

    fn assemble(
        &self,
        transaction: TransactionMode,
        ranges: Vec<[u32; 2]>,
        placeholders: Vec<Placeholder>,
        session: SessionEffect,
    ) -> Script {
        let (path, text) = (self.file.path.to_owned(), self.text.to_owned());
        Script::new(path, text, ranges, placeholders, transaction, session)
            .with_returns(self.returns.clone())
    }

    fn mode(&self, block: Block<'_>) -> TransactionMode {
        match self.file.transaction {
            TransactionMode::NonTransactional => TransactionMode::NonTransactional,
            TransactionMode::Transactional => block.transaction,
        }
    }

    /// The statements to run, or an error for each that is not allowed here.
    fn runnable<'t>(
        &self,
        statements: &[Statement<'t>],
        transaction: TransactionMode,
    ) -> Result<Vec<Statement<'t>>, Vec<Mistake>> {
        let mut kept = Vec::with_capacity(statements.len());
        let mut errors = Vec::new();
        let alone = statements.len() == 1;
        let mut open = OwnTransaction::default();
        for &statement in statements {
            let kind = kind::kind(self.text, &statement);
            let inside = open.depth > 0;
            let problem = match transaction {
                _ if kind == StatementKind::MetaCommand => {
                    let command = psql::name(&self.text[first_word(&statement)]);
                    Some(Problem::MetaCommand { command })
                }
                TransactionMode::Transactional => in_our_transaction(kind, inside, alone),
                TransactionMode::NonTransactional => in_no_transaction(kind, inside),
            };
            open.take(kind, statement, problem.is_some());
            if let Some(problem) = problem {
                errors.push(mistake(first_word(&statement), problem));
                continue;
            }
            // A transaction block in the file becomes part of the run's transaction, so its BEGIN
            // and COMMIT are dropped.
            let ours = transaction == TransactionMode::Transactional;
            if !(ours && (kind.opens() || kind.closes())) {
                kept.push(statement);
            }
        }
        if let (Some(statement), false) = (open.begun, open.reported) {
            errors.push(mistake(first_word(&statement), Problem::UncommittedBegin));
        }
        if transaction == TransactionMode::Transactional {
            errors.extend(later::early_value(self.text, statements));
        }
        if errors.is_empty() { Ok(kept) } else { Err(errors) }
    }

    /// The byte ranges to send: one per statement, but a single one for a transaction block in the
    /// file, because progress cannot be recorded inside it.
    fn ranges(&self, statements: &[Statement<'_>], transaction: TransactionMode) -> Vec<[u32; 2]> {
        // In the run's transaction, BEGIN and COMMIT are dropped, so there are no blocks.
        if transaction == TransactionMode::Transactional {
            return statements.iter().map(|s| [narrow(s.start()), narrow(s.end())]).collect();
        }
        let mut ranges: Vec<[u32; 2]> = Vec::with_capacity(statements.len());
        let mut inside = false;
        for statement in statements {
            let (start, end) = (narrow(statement.start()), narrow(statement.end()));
            match ranges.last_mut().filter(|_| inside) {
                Some(block) => block[1] = end,
                None => ranges.push([start, end]),
            }
            let kind = kind::kind(self.text, statement);
            inside = kind.opens() || inside && !kind.closes();
        }
        ranges
    }

    fn placeholders(&self, statements: &[Statement<'_>]) -> Result<Vec<Placeholder>, Vec<Mistake>> {
        let mut found = Vec::new();
        let mut errors = Vec::new();
        if !self.text.contains('{') {
            return Ok(found);
        }
        for statement in statements {
            match placeholders(self.text, statement) {
                Ok(more) => found.extend(more),
                Err(more) => errors.extend(more.into_iter().map(|error| {
                    mistake(error.span.0..error.span.1, Problem::Placeholder(error.problem))
                })),
            }
        }
        if errors.is_empty() { Ok(found) } else { Err(errors) }
    }

    /// What psql would replace.
    fn replaced(&self, statements: &[Statement<'_>]) -> Vec<Mistake> {
        // Checked first, because it is cheap and few scripts have either.
        let has_either = self.text.contains(':') || self.text.contains('$');
        if self.skips_syntax() || !has_either {
            return Vec::new();
        }
        statements.iter().flat_map(|statement| psql::replaced(self.text, statement)).collect()
    }

    fn characters(&self, statements: &[Statement<'_>]) -> Vec<Mistake> {
        if self.text.is_ascii() {
            return Vec::new();
        }
        statements.iter().flat_map(|one| characters::of_statement(self.text, one)).collect()
    }

    fn skips_syntax(&self) -> bool {
        self.file.options.syntax == Syntax::Off || self.allows("syntax")
    }

    /// What the grammar does not accept in a script with other mistakes, except in the statements
    /// that have them; scripts without mistakes are checked together, by [`super::grammar`].
    fn grammar(&self, statements: &[Statement<'_>], reported: &[Mistake]) -> Vec<Mistake> {
        if self.skips_syntax() {
            return Vec::new();
        }
        let starts = reported.iter().filter_map(|mistake| mistake.span.as_ref());
        let mut starts: Vec<usize> = starts.map(|span| span.start).collect();
        sort_by(&mut starts, Ord::cmp);
        let clean = |&(start, end): &(usize, usize)| {
            let next = starts.partition_point(|&at| at < start);
            starts.get(next).is_none_or(|&at| at >= end)
        };
        let places = statements.iter().map(|s| (s.start(), s.code_end()));
        grammar::errors(self.text, &places.filter(clean).collect::<Vec<_>>())
    }

    /// One past what is never closed: a dollar tag, `BEGIN`, the first line of data, or one or two bytes.
    fn opener_end(&self, SplitError { problem, at }: SplitError) -> usize {
        let bytes = self.text.as_bytes();
        if problem == SplitProblem::Unclosed(Unclosed::Data) {
            return at + self.text[at..].find('\n').unwrap_or(self.text.len() - at);
        }
        match bytes.get(at) {
            Some(b'$') => at + dollar_tag(bytes, at).map_or(1, <[u8]>::len),
            Some(b'/') => at + 2,
            Some(b'B' | b'b') if !bytes[at + 1..].starts_with(b"'") => at + "BEGIN".len(),
            _ => at + 1,
        }
    }
}

/// The up script with the function that its file requests, which needs the run's transaction.
fn with_function(block: Block<'_>, script: Script) -> Result<Script, Vec<Mistake>> {
    match (block.function, script.transaction()) {
        (None, _) => Ok(script),
        (Some(_), TransactionMode::Transactional) => Ok(script.with_function()),
        (Some((start, end)), TransactionMode::NonTransactional) => {
            Err(vec![mistake(start..end, Problem::FunctionOutside)])
        }
    }
}

fn is_marker(comment: &str) -> bool {
    directive(comment).is_ok_and(|found| found.is_some())
}

fn first_word(statement: &Statement<'_>) -> Range<usize> {
    statement.tokens.first().map_or(0..0, |token| token.start..token.end)
}
