//! Reads and checks the scripts of one file.

use std::ops::Range;

use migrate_set::checksum::Checksum;
use migrate_set::location::{narrow, position};
use migrate_set::name::Direction;
use migrate_set::set::{Ends, Script, TransactionMode};
use migrate_set::sql::kind::{self, SessionEffect, StatementKind};
use migrate_set::sql::lexer::{Token, TokenKind, dollar_tag, lex};
use migrate_set::sql::placeholder::{Placeholder, placeholders};
use migrate_set::sql::split::{Statement, split};

use super::control::{OwnTransaction, in_no_transaction, in_our_transaction};
use super::error::{Problem, SourceError};
use super::mistakes::{Mistake, placed};
use super::{Down, Empty, Lints, SetOptions, Syntax, grammar};
use crate::directives::section::{Block, SectionError, Sections, sections};
use crate::lint::lint;

/// The scripts of one file.
#[derive(Debug, Default)]
pub(super) struct Scripts {
    /// The up script and its checksum.
    pub(super) up: Option<(Script, Checksum)>,
    /// The down script.
    pub(super) down: Option<Script>,
    /// The checks that the file allows.
    pub(super) allows: Vec<&'static str>,
    /// The warnings.
    pub(super) warnings: Vec<SourceError>,
}

/// One file to read: its path in messages, its path in the set, and what its name means.
pub(super) struct File<'f> {
    pub(super) shown: &'f str,
    pub(super) path: &'f str,
    pub(super) direction: Option<Direction>,
    /// The transaction mode requested by the name or a sidecar.
    pub(super) transaction: TransactionMode,
    pub(super) options: &'f SetOptions,
}

/// Reads the scripts of a file from its bytes.
pub(super) fn scripts(file: &File<'_>, bytes: &[u8]) -> Result<Scripts, Vec<SourceError>> {
    let text = decode(file.shown, bytes).map_err(|error| vec![error])?;
    let tokens = lex(&text);
    let all = |mistakes| placed(file.shown, &text, mistakes);
    let found = sections(&text, &tokens).map_err(|errors| {
        let mistake = |e: SectionError| mistake(e.span.0..e.span.1, Problem::Section(e.problem));
        all(errors.into_iter().map(mistake).collect())
    })?;
    let (up, down) =
        assign(file, &found).map_err(|problem| vec![SourceError::of_file(file.shown, problem)])?;
    let reader = Reader { file, text: &text, allows: &found.allows };
    let up = up.map(|block| reader.up(block));
    let down = down.map(|block| reader.down(block));
    match (up.transpose(), down.transpose()) {
        (Ok(up), Ok(down)) => {
            let (up, warnings) = up.map_or((None, Vec::new()), |(up, found)| (Some(up), found));
            let (down, warnings) = (down.flatten(), all(warnings));
            Ok(Scripts { up, down, allows: found.allows.clone(), warnings })
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

/// Decodes UTF-8, removes a byte order mark, refuses NUL, and changes every line ending to LF.
fn decode(shown: &str, bytes: &[u8]) -> Result<String, SourceError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => unix_lines(text),
        Err(error) => {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let good = unix_lines(&good);
            let at = position(&good, good.len());
            return Err(SourceError::at(shown, Some(at), None, Problem::NotUtf8));
        }
    };
    match text.find('\0') {
        None => Ok(text),
        Some(at) => Err(SourceError::at(shown, Some(position(&text, at)), None, Problem::NulByte)),
    }
}

fn unix_lines(text: &str) -> String {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    }
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
        Some(Direction::Down) => Ok((None, down.or(whole))),
    }
}

struct Reader<'f> {
    file: &'f File<'f>,
    text: &'f str,
    allows: &'f [&'static str],
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
        self.allows.contains(&check)
    }

    /// What the lints find in an up script, unless they are off.
    fn warnings(&self, statements: &[Statement<'_>], mode: TransactionMode) -> Vec<Mistake> {
        if self.file.options.lints == Lints::Off {
            return Vec::new();
        }
        let found = lint(self.text, statements, mode).into_iter();
        let found = found.filter(|finding| !self.allows(finding.lint.as_str()));
        let mut warnings: Vec<Mistake> =
            found.map(|finding| mistake(finding.span.clone(), Problem::Lint(finding))).collect();
        let needs = |s: &Statement<'_>| kind::kind(self.text, s) != StatementKind::Plain;
        let needless = mode == TransactionMode::NonTransactional && !statements.iter().any(needs);
        if let (true, false, Some(first)) =
            (needless, self.allows("needless-no-transaction"), statements.first())
        {
            warnings.push(mistake(first_word(first), Problem::NeedlessNoTransaction));
        }
        warnings
    }

    /// A down section without statements is an unused template: no down script.
    fn down(&self, block: Block<'_>) -> Result<Option<Script>, Vec<Mistake>> {
        if let Some((start, end)) = block.function {
            return Err(vec![mistake(start..end, Problem::FunctionDown)]);
        }
        match self.script(block) {
            Ok((statements, script)) => Ok((!statements.is_empty()).then_some(script)),
            Err(_) if self.file.options.down == Down::Unchecked => Ok(self.unchecked(block)),
            Err(errors) => Err(errors),
        }
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
            let opened = error.at..self.opener_end(error.at);
            let copy = self.copy_before(block.tokens, error.at);
            vec![copy.unwrap_or_else(|| mistake(opened, Problem::Split(error.problem)))]
        })?;
        let split = self.before_data(split);
        let runnable = self.runnable(&split, transaction);
        let placeholders = self.placeholders(&split);
        let (statements, found) = match (runnable, placeholders) {
            (Ok(statements), Ok(found)) => (statements, found),
            (runnable, placeholders) => {
                let mut errors = runnable.err().unwrap_or_default();
                errors.extend(placeholders.err().unwrap_or_default());
                errors.extend(self.grammar(&split, &errors));
                return Err(errors);
            }
        };
        let effect = |statement| kind::session_effect(self.text, statement);
        let session = statements.iter().map(effect).max().unwrap_or(SessionEffect::Keeps);
        let ranges = self.ranges(&statements, transaction);
        Ok((statements, self.assemble(transaction, ranges, found, session)))
    }

    /// The statements up to a `COPY ... FROM stdin`, which data follows, up to a line `\.`.
    fn before_data<'t>(&self, mut statements: Vec<Statement<'t>>) -> Vec<Statement<'t>> {
        let reads_data = |statement: &Statement<'_>| {
            let words = &self.text[statement.start()..statement.end()];
            // Checked first, because it is cheap and few statements begin with it.
            self.text[first_word(statement)].eq_ignore_ascii_case("copy")
                && kind::kind(self.text, statement) == StatementKind::CopyClient
                && words.to_ascii_lowercase().contains("stdin")
        };
        if let Some(copy) = statements.iter().position(reads_data) {
            statements.truncate(copy + 1);
        }
        statements
    }

    /// The error of the `COPY` whose data, read as SQL, caused the mistake at the byte `at`.
    fn copy_before(&self, tokens: &[Token], at: usize) -> Option<Mistake> {
        let before = tokens.iter().position(|token| token.start >= at)?;
        let end = tokens[..before].iter().rposition(|t| t.kind == TokenKind::Semicolon)?;
        let statements = split(self.text, &tokens[..end]).ok()?;
        let copies = |s: &&Statement<'_>| kind::kind(self.text, s) == StatementKind::CopyClient;
        let copy = statements.iter().find(copies)?;
        Some(mistake(first_word(copy), Problem::CopyClient))
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
                TransactionMode::Transactional => in_our_transaction(kind, inside, alone),
                TransactionMode::NonTransactional => in_no_transaction(kind, inside),
            };
            open.take(kind, statement, problem.is_some());
            if let Some(problem) = problem {
                errors.push(mistake(first_word(&statement), problem));
                if kind == StatementKind::CopyClient {
                    // If data followed, the COMMIT after it was not read.
                    open = OwnTransaction::default();
                }
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

    /// What the grammar does not accept in a script with other mistakes, except in the statements
    /// that have them; scripts without mistakes are checked together, by [`super::grammar`].
    fn grammar(&self, statements: &[Statement<'_>], reported: &[Mistake]) -> Vec<Mistake> {
        if self.file.options.syntax == Syntax::Off || self.allows("syntax") {
            return Vec::new();
        }
        let starts = reported.iter().filter_map(|mistake| mistake.span.as_ref());
        let mut starts: Vec<usize> = starts.map(|span| span.start).collect();
        starts.sort_unstable();
        let clean = |&(start, end): &(usize, usize)| {
            let next = starts.partition_point(|&at| at < start);
            starts.get(next).is_none_or(|&at| at >= end)
        };
        let places = statements.iter().map(|s| (s.start(), s.end()));
        grammar::errors(self.text, &places.filter(clean).collect::<Vec<_>>())
    }

    /// One past the opening token at `at`: a dollar tag, `BEGIN`, or one or two bytes.
    fn opener_end(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
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

fn first_word(statement: &Statement<'_>) -> Range<usize> {
    statement.tokens.first().map_or(0..0, |token| token.start..token.end)
}
