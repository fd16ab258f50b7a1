//! Splits a script into statements by psql's rules: semicolons outside parentheses and outside
//! `BEGIN ATOMIC` bodies; and at the comments at which drizzle and bun split. Statements are not validated.

use std::ops::Range;

use super::lexer::{Token, TokenKind, Unclosed, lex};

/// One statement: from its first token to its last, without comments around it and without `;`. The data of a
/// `COPY` is part of it, and so is the `;` before that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement<'t> {
    /// Its tokens, including comments inside it; the first and last are neither blank nor comment.
    pub tokens: &'t [Token],
}

impl<'t> Statement<'t> {
    /// Its first byte.
    pub fn start(&self) -> usize {
        self.tokens.first().map_or(0, |token| token.start)
    }

    /// One past its last byte.
    pub fn end(&self) -> usize {
        self.tokens.last().map_or(0, |token| token.end)
    }

    /// Its tokens without blanks, comments and data.
    pub fn significant(&self) -> impl Iterator<Item = &'t Token> + use<'t> {
        self.code().iter().filter(|token| !token.is_trivia())
    }

    /// The data of a `COPY`.
    pub fn data(&self) -> Option<&'t Token> {
        self.tokens.last().filter(|token| token.kind == TokenKind::Data)
    }

    /// One past the last byte of its SQL.
    pub fn code_end(&self) -> usize {
        self.code().last().map_or(0, |token| token.end)
    }

    /// Its tokens without data.
    fn code(&self) -> &'t [Token] {
        let ends = |token: &Token| token.kind == TokenKind::Semicolon;
        let end = self.data().and_then(|_| self.tokens.iter().rposition(ends));
        let code = &self.tokens[..end.unwrap_or(self.tokens.len())];
        let last = code.iter().rposition(|token| !token.is_trivia());
        &code[..last.map_or(0, |last| last + 1)]
    }
}

/// The line that ends the data of a `COPY`.
pub const END_OF_DATA: &str = "\\.";

/// A `COPY ... FROM stdin` with its data, as two ranges of one text; `None` if `sql` is anything else.
pub fn copy(sql: &str) -> Option<(Range<usize>, Range<usize>)> {
    // No other statement ends like this, and nearly all statements are others.
    sql.strip_suffix(END_OF_DATA).filter(|data| data.ends_with('\n'))?;
    let tokens = lex(sql);
    let statements = split(sql, &tokens).ok()?;
    let [one] = statements.as_slice() else { return None };
    let data = one.data()?;
    Some((one.start()..one.code_end(), data.start..data.end - END_OF_DATA.len()))
}

/// Why a script cannot be split, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitError {
    /// What is wrong.
    pub problem: SplitProblem,
    /// The byte where it begins.
    pub at: usize,
}

/// Why a script cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitProblem {
    /// A literal, a comment or data is never closed.
    Unclosed(Unclosed),
    /// A `(` without `)`.
    UnclosedParenthesis,
    /// A `)` without `(`.
    UnopenedParenthesis,
    /// `BEGIN ATOMIC` without `END`.
    UnclosedAtomicBody,
}

/// Splits `tokens` into statements; empty statements are dropped.
///
/// # Errors
/// Only the first problem: what follows something unclosed cannot be judged.
pub fn split<'t>(text: &str, tokens: &'t [Token]) -> Result<Vec<Statement<'t>>, SplitError> {
    let mut statements = Vec::new();
    let mut state = State::default();
    let (mut from, mut copy) = (0, 0);
    for (index, token) in tokens.iter().enumerate() {
        if let TokenKind::Unclosed(what) = token.kind {
            return Err(SplitError { problem: SplitProblem::Unclosed(what), at: token.start });
        }
        if token.kind == TokenKind::Backslash {
            // psql sends what is before it (`\gset`), or treats it as complete (`\set`).
            statements.extend(trimmed(&tokens[from..index]));
            statements.extend(trimmed(&tokens[index..=index]));
            from = index + 1;
            state = State::default();
        } else if token.kind == TokenKind::Data {
            // A part of the COPY that the last semicolon ended.
            statements.pop();
            statements.extend(trimmed(&tokens[copy..=index]));
            from = index + 1;
        } else if ends_statement(text, token) && state.splits_here() {
            statements.extend(trimmed(&tokens[from..index]));
            copy = if token.kind == TokenKind::Semicolon { from } else { copy };
            from = index + 1;
            state = State::default();
        } else if !token.is_trivia() {
            state.take(text, token)?;
        }
    }
    state.finish()?;
    statements.extend(trimmed(&tokens[from..]));
    Ok(statements)
}

/// The comments that drizzle and bun write between statements, in place of a semicolon.
const BREAKS: [&str; 2] = ["--> statement-breakpoint", "--bun:split"];

fn ends_statement(text: &str, token: &Token) -> bool {
    match token.kind {
        TokenKind::Semicolon => true,
        TokenKind::LineComment => BREAKS.contains(&token.text(text).trim_end()),
        _ => false,
    }
}

/// What is open at one point of a statement.
#[derive(Default)]
struct State {
    /// The bytes of the open parentheses.
    open: Vec<usize>,
    /// `BEGIN ATOMIC` and the `CASE`s inside it.
    atomic_depth: usize,
    atomic_start: usize,
    /// How far the statement reads like `CREATE [OR REPLACE] FUNCTION | PROCEDURE`.
    routine: Routine,
    previous_was_begin: Option<usize>,
}

#[derive(Default, Clone, Copy, PartialEq)]
enum Routine {
    #[default]
    Start,
    Create,
    Or,
    Replace,
    Yes,
    No,
}

impl State {
    fn splits_here(&self) -> bool {
        self.open.is_empty() && self.atomic_depth == 0
    }

    fn take(&mut self, text: &str, token: &Token) -> Result<(), SplitError> {
        match token.kind {
            TokenKind::Open => self.open.push(token.start),
            TokenKind::Close if self.open.is_empty() => {
                let problem = SplitProblem::UnopenedParenthesis;
                return Err(SplitError { problem, at: token.start });
            }
            TokenKind::Close => drop(self.open.pop()),
            TokenKind::Word if self.open.is_empty() && self.routine != Routine::No => {
                self.word(token.text(text), token.start);
                return Ok(());
            }
            _ if self.routine != Routine::Yes => self.routine = Routine::No,
            _ => {}
        }
        self.previous_was_begin = None;
        Ok(())
    }

    /// psqlscan.l, `identifier`: only in a routine's definition, only outside parentheses.
    fn word(&mut self, word: &str, at: usize) {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        self.routine = match self.routine {
            Routine::Start if is("create") => Routine::Create,
            Routine::Create if is("or") => Routine::Or,
            Routine::Or if is("replace") => Routine::Replace,
            Routine::Create | Routine::Replace if is("function") || is("procedure") => Routine::Yes,
            Routine::Yes => Routine::Yes,
            _ => Routine::No,
        };
        if self.atomic_depth == 0 {
            if let (true, Some(begin)) = (is("atomic"), self.previous_was_begin) {
                self.atomic_depth = 1;
                self.atomic_start = begin;
            }
        } else if is("case") {
            self.atomic_depth += 1;
        } else if is("end") {
            self.atomic_depth -= 1;
        }
        self.previous_was_begin = is("begin").then_some(at);
    }

    fn finish(&self) -> Result<(), SplitError> {
        let (problem, at) = match self.open.first() {
            Some(&at) => (SplitProblem::UnclosedParenthesis, at),
            None if self.atomic_depth > 0 => (SplitProblem::UnclosedAtomicBody, self.atomic_start),
            None => return Ok(()),
        };
        Err(SplitError { problem, at })
    }
}

/// The statement within `tokens`, if they are more than blanks and comments.
fn trimmed(tokens: &[Token]) -> Option<Statement<'_>> {
    let first = tokens.iter().position(|token| !token.is_trivia())?;
    let last = tokens.iter().rposition(|token| !token.is_trivia())?;
    Some(Statement { tokens: &tokens[first..=last] })
}

#[cfg(test)]
mod tests {
    use super::super::lexer::lex;
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let tokens = lex(text);
        let statements = split(text, &tokens).unwrap();
        let found: Vec<&str> = statements.iter().map(|s| &text[s.start()..s.end()]).collect();
        assert_eq!(found, expected, "{text}");
    }

    fn check_error(text: &str, problem: SplitProblem, at: usize) {
        let tokens = lex(text);
        assert_eq!(split(text, &tokens), Err(SplitError { problem, at }), "{text}");
    }

    #[test]
    fn semicolons_split() {
        check("", &[]);
        check(" ;; -- only\n ; /* x */", &[]);
        check("a; b", &["a", "b"]);
        check("-- head\na -- tail\n; /* c */ b ;", &["a", "b"]);
        check("a /* in; side */ b; c", &["a /* in; side */ b", "c"]);
        check("é; ü", &["é", "ü"]);
        check("\\restrict x;y\na;\n\\unrestrict x;y\n", &["a"]);
        check("\\restricted\na", &["\\restricted", "a"]);
        check("\\echo\ncopy t from stdin;\n1\n\\.", &["\\echo", "copy t from stdin;\n1\n\\."]);
        check("a\n--> statement-breakpoint\nb;\n--> statement-breakpoint\nc", &["a", "b", "c"]);
        check("a\n--bun:split\nb (\n--bun:split\n c)", &["a", "b (\n--bun:split\n c)"]);
    }

    #[test]
    fn literals_hide_semicolons() {
        check("select ';'; b", &["select ';'", "b"]);
        check("select 'it''s;'; b", &["select 'it''s;'", "b"]);
        check(r"select E'a\';'; b", &[r"select E'a\';'", "b"]);
        check(r"select 'a\'; b", &[r"select 'a\'", "b"]);
        check("select E'a'\n  '\\';'; b", &["select E'a'\n  '\\';'", "b"]);
        check("select E'a' '\\'; b", &["select E'a' '\\'", "b"]);
        check("select E'a' -- c\n '\\';'; b", &["select E'a' -- c\n '\\';'", "b"]);
        check("select U&'d\\0061;' ; b", &["select U&'d\\0061;'", "b"]);
        check("select \"a;\"\"b\"; c", &["select \"a;\"\"b\"", "c"]);
        check("select U&\"a;\"; c", &["select U&\"a;\"", "c"]);
        check("do $$ a; $b$ ; $$; c", &["do $$ a; $b$ ; $$", "c"]);
        check("do $é_1$ a; $$ ; $é_1$; c", &["do $é_1$ a; $$ ; $é_1$", "c"]);
        check("select a$b$; c$b$", &["select a$b$", "c$b$"]);
        check("select $1; b", &["select $1", "b"]);
        check("/* a /* b; */ c; */ d; e", &["d", "e"]);
        check("select 1 -- it's\n; b", &["select 1", "b"]);
    }

    #[test]
    fn comments_end_operators() {
        check("select 1 +-- x;\n2; b", &["select 1 +-- x;\n2", "b"]);
        check("select 1 @/* ; */2; b", &["select 1 @/* ; */2", "b"]);
    }

    #[test]
    fn parentheses_hide_semicolons() {
        let rule = "create rule r as on insert to t do also (insert into a; delete from b)";
        check(&format!("{rule}; b"), &[rule, "b"]);
    }

    #[test]
    fn data_belongs_to_its_copy() {
        let rows = "COPY t (a, b) FROM stdin WITH (format csv); -- rows\n 1;'\n\n-- DOWN\n\\.";
        check(&format!("a; {rows}\nb;"), &["a", rows, "b"]);
        check(&format!("{rows}\n{rows}"), &[rows, rows]);
        check("copy t from STDIN;\n\\.", &["copy t from STDIN;\n\\."]);
        check("copy t from stdin; b;\n1", &["copy t from stdin", "b", "1"]);
        check("copy t from stdin", &["copy t from stdin"]);
        check("copy t to stdout;\n1", &["copy t to stdout", "1"]);
        check_error("copy t from stdin;\n1\n", SplitProblem::Unclosed(Unclosed::Data), 19);
        assert_eq!(copy("copy t from stdin ;\n1\n\\."), Some((0..17, 20..22)));
        assert_eq!(copy("a; copy t from stdin;\n\\."), None);
        assert_eq!(copy("select 1"), None);
    }

    #[test]
    fn atomic_bodies_hide_semicolons() {
        let routine = "create or replace function f() returns int begin atomic \
                       select case when true then 1 end; select 2; end";
        check(&format!("{routine}; b"), &[routine, "b"]);
        let procedure = "CREATE PROCEDURE p() BEGIN ATOMIC INSERT INTO t VALUES (CASE 1 WHEN 1 THEN 2 END); END";
        check(&format!("{procedure}; b"), &[procedure, "b"]);
        check("begin; select 1; end; b", &["begin", "select 1", "end", "b"]);
        check("create table begin (atomic int); b", &["create table begin (atomic int)", "b"]);
        check(
            "create view v as select 1 as begin, 2 as atomic; b",
            &["create view v as select 1 as begin, 2 as atomic", "b"],
        );
    }

    #[test]
    fn what_is_never_closed_is_an_error() {
        check_error("a; select 'x", SplitProblem::Unclosed(Unclosed::String), 10);
        check_error("select E'x\\'", SplitProblem::Unclosed(Unclosed::String), 7);
        check_error("select \"x", SplitProblem::Unclosed(Unclosed::Identifier), 7);
        check_error("do $a$ x $b$", SplitProblem::Unclosed(Unclosed::Dollar), 3);
        check_error("a; /* /* */", SplitProblem::Unclosed(Unclosed::Comment), 3);
        check_error("create table t (a; b", SplitProblem::UnclosedParenthesis, 15);
        check_error("select 1); b", SplitProblem::UnopenedParenthesis, 8);
        check_error(
            "create function f() returns int begin atomic select 1; b",
            SplitProblem::UnclosedAtomicBody,
            32,
        );
    }

    #[test]
    fn tokens_cover_every_byte() {
        for text in
            ["a'b$c$\"", "{{x}} {y}} \\d :: := .. 1..2 1.5e-3 0xFF 1_0", "日本 $é$ x", "a\0b"]
        {
            let tokens = lex(text);
            let joined: String = tokens.iter().map(|token| token.text(text)).collect();
            assert_eq!(joined, text);
        }
    }
}
