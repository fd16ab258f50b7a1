//! Splits a PostgreSQL script into tokens, by the rules of psql and of the server's own scanner
//! (`src/fe_utils/psqlscan.l`, `src/backend/parser/scan.l`).
//!
//! An unclosed literal or comment is one token up to the end of the text, so that no byte is lost.
//! `standard_conforming_strings` is assumed to be on.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A run of white space, or a line `\restrict` or `\unrestrict` of `pg_dump`, which only psql needs.
    Blank,
    /// `-- ...` without its line feed.
    LineComment,
    /// `/* ... */`, nested ones included.
    BlockComment,
    /// An unquoted identifier or a keyword.
    Word,
    /// `"..."` or `U&"..."`.
    QuotedIdentifier,
    /// `'...'`, including a `B`, `X`, `N` or `U&` prefix and its continuation on later lines.
    String,
    /// `E'...'`, including its continuation on later lines.
    EscapeString,
    /// `$tag$...$tag$`.
    DollarString,
    /// A number.
    Number,
    /// `$1`.
    Parameter,
    /// One operator, as long as the server reads it, or `::`, `:=`, `..`.
    Operator,
    /// `{{...}}` on one line.
    Placeholder,
    /// `;`
    Semicolon,
    /// `(`
    Open,
    /// `)`
    Close,
    /// A psql meta-command: `\` and the rest of its line.
    Backslash,
    /// The data of a `COPY ... FROM stdin`, from the line after its `;` to the line `\.`, included.
    Data,
    /// Any other single character.
    Other,
    /// Something that is not closed.
    Unclosed(Unclosed),
}

/// What is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclosed {
    /// `'...`
    String,
    /// `"...`
    Identifier,
    /// `$tag$...`
    Dollar,
    /// `/* ...`
    Comment,
    /// The data of a `COPY`, without a line `\.`
    Data,
}

/// One token: the bytes `start..end` of the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Token {
    /// The token's own text; `text` is the text that was lexed.
    pub fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }

    /// Whether it is white space or a comment.
    pub fn is_trivia(&self) -> bool {
        matches!(
            self.kind,
            TokenKind::Blank
                | TokenKind::LineComment
                | TokenKind::BlockComment
                | TokenKind::Unclosed(Unclosed::Comment)
        )
    }
}

/// All tokens of `text`, without gaps from the first byte to the last.
pub fn lex(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::with_capacity(bytes.len() / 4);
    let mut seen = Seen::default();
    let mut start = 0;
    let (mut statement, mut data) = (0, None);
    while start < bytes.len() {
        let (kind, end) = match data {
            Some(at) if at == start => data_of_copy(bytes, start),
            _ => next_token(bytes, start, &mut seen),
        };
        // White space ends where the data begins.
        let end = data.filter(|at| *at > start).map_or(end, |at| end.min(at));
        tokens.push(Token { kind, start, end });
        if matches!(kind, TokenKind::Semicolon | TokenKind::Backslash | TokenKind::Data) {
            data = data_after(text, &tokens[statement..]);
            statement = tokens.len();
        }
        start = end;
    }
    tokens
}

/// The byte where the data of a `COPY ... FROM stdin;` with these tokens begins: the next line, if no SQL is before it.
fn data_after(text: &str, statement: &[Token]) -> Option<usize> {
    let mut words = statement.iter().filter(|token| !token.is_trivia());
    let is = |token: &Token, word: &str| token.text(text).eq_ignore_ascii_case(word);
    words.next().filter(|first| is(first, "COPY"))?;
    let mut follows_from = false;
    words.find(|token| {
        let after_from = std::mem::replace(&mut follows_from, is(token, "FROM"));
        after_from && is(token, "STDIN")
    })?;
    let after = statement.last()?.end;
    let rest = text[after..].trim_start_matches([' ', '\t', '\r', '\x0b', '\x0c']);
    let is_last = rest.starts_with('\n') || rest.starts_with("--");
    let feed = if is_last { rest.find('\n')? } else { return None };
    Some(text.len() - rest.len() + feed + 1)
}

/// The data at `at`, up to and including a line `\.`.
fn data_of_copy(b: &[u8], at: usize) -> (TokenKind, usize) {
    let mut line = at;
    while line < b.len() {
        let end = run(b, line, |c| c != b'\n');
        if &b[line..end] == b"\\." {
            return (TokenKind::Data, end);
        }
        line = end + 1;
    }
    (TokenKind::Unclosed(Unclosed::Data), b.len())
}

/// What an earlier token has found out about the bytes after it. Without it, a line of braces or of
/// signs would be read to its end from each of them.
#[derive(Default)]
struct Seen {
    /// No placeholder is closed before this byte.
    unclosed_to: usize,
    /// Each byte before this one is a sign that is an operator of its own.
    signs_to: usize,
}

/// The kind and the end of the token that begins at `at`.
fn next_token(b: &[u8], at: usize, seen: &mut Seen) -> (TokenKind, usize) {
    let next = b.get(at + 1).copied();
    match b[at] {
        c if is_space(c) => (TokenKind::Blank, run(b, at + 1, is_space)),
        b'-' if next == Some(b'-') => (TokenKind::LineComment, run(b, at, |c| c != b'\n')),
        b'/' if next == Some(b'*') => block_comment(b, at),
        b'\'' => string(b, at),
        b'"' => quoted_identifier(b, at),
        b'e' | b'E' if next == Some(b'\'') => {
            continued(b, at + 1, TokenKind::EscapeString, end_of_escape_string)
        }
        b'b' | b'B' | b'x' | b'X' | b'n' | b'N' if next == Some(b'\'') => string(b, at + 1),
        b'u' | b'U' if next == Some(b'&') && b.get(at + 2) == Some(&b'\'') => string(b, at + 2),
        b'u' | b'U' if next == Some(b'&') && b.get(at + 2) == Some(&b'"') => {
            quoted_identifier(b, at + 2)
        }
        c if is_word_start(c) => (TokenKind::Word, run(b, at + 1, is_word)),
        b'$' => dollar(b, at),
        b'0'..=b'9' => number(b, at),
        b'.' if next.is_some_and(|c| c.is_ascii_digit()) => number(b, at),
        b';' => (TokenKind::Semicolon, at + 1),
        b'(' => (TokenKind::Open, at + 1),
        b')' => (TokenKind::Close, at + 1),
        b'\\' => meta_command(b, at),
        b'{' if next == Some(b'{') => placeholder(b, at, seen),
        b':' if matches!(next, Some(b':' | b'=')) => (TokenKind::Operator, at + 2),
        b'.' if next == Some(b'.') => (TokenKind::Operator, at + 2),
        c if is_operator(c) => (TokenKind::Operator, operator(b, at, seen)),
        _ => (TokenKind::Other, at + 1),
    }
}

/// The first index at or after `from` whose byte is not in `class`.
fn run(b: &[u8], from: usize, class: impl Fn(u8) -> bool) -> usize {
    let mut at = from;
    while at < b.len() && class(b[at]) {
        at += 1;
    }
    at
}

/// scan.l, `space`: includes the vertical tab, but no Unicode spaces.
fn is_space(c: u8) -> bool {
    matches!(c, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c)
}

fn is_word_start(c: u8) -> bool {
    c.is_ascii_alphabetic() || c == b'_' || c >= 0x80
}

fn is_word(c: u8) -> bool {
    is_word_start(c) || c.is_ascii_digit() || c == b'$'
}

fn is_operator(c: u8) -> bool {
    is_special(c) || matches!(c, b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=')
}

/// A character of operators that SQL itself does not use.
fn is_special(c: u8) -> bool {
    matches!(c, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%')
}

pub(crate) fn block_comment(b: &[u8], at: usize) -> (TokenKind, usize) {
    let mut depth = 1;
    let mut i = at + 2;
    while i + 1 < b.len() {
        match (b[i], b[i + 1]) {
            (b'/', b'*') => (depth, i) = (depth + 1, i + 2),
            (b'*', b'/') if depth == 1 => return (TokenKind::BlockComment, i + 2),
            (b'*', b'/') => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
    }
    (TokenKind::Unclosed(Unclosed::Comment), b.len())
}

fn string(b: &[u8], quote: usize) -> (TokenKind, usize) {
    continued(b, quote, TokenKind::String, end_of_quoted)
}

/// A literal with the segments that continue it: a quote after white space that includes a line
/// feed continues the literal in the mode of the first segment (scan.l, `quotecontinue`).
fn continued(
    b: &[u8],
    quote: usize,
    kind: TokenKind,
    segment_end: fn(&[u8], usize) -> Option<usize>,
) -> (TokenKind, usize) {
    let mut quote = quote;
    loop {
        let Some(end) = segment_end(b, quote) else {
            return (TokenKind::Unclosed(Unclosed::String), b.len());
        };
        match continuation(b, end) {
            Some(next) => quote = next,
            None => return (kind, end),
        }
    }
}

/// The rest of the line.
fn meta_command(b: &[u8], at: usize) -> (TokenKind, usize) {
    let name = &b[at + 1..run(b, at + 1, |c| c.is_ascii_lowercase())];
    let is_blank = matches!(name, b"restrict" | b"unrestrict");
    let kind = if is_blank { TokenKind::Blank } else { TokenKind::Backslash };
    (kind, run(b, at, |c| c != b'\n'))
}

/// One past the closing quote of what opens at `quote`; two quotes are one inside.
fn end_of_quoted(b: &[u8], quote: usize) -> Option<usize> {
    let (mark, mut i) = (b[quote], quote + 1);
    while i < b.len() {
        if b[i] != mark {
            i += 1;
        } else if b.get(i + 1) == Some(&mark) {
            i += 2;
        } else {
            return Some(i + 1);
        }
    }
    None
}

/// As [`end_of_quoted`], but a backslash escapes the next character.
fn end_of_escape_string(b: &[u8], quote: usize) -> Option<usize> {
    let mut i = quote + 1;
    while i < b.len() {
        match b[i] {
            b'\\' => i += 2,
            b'\'' if b.get(i + 1) == Some(&b'\'') => i += 2,
            b'\'' => return Some(i + 1),
            _ => i += 1,
        }
    }
    None
}

/// The quote that continues a literal whose segment ended at `end`, if there is one.
fn continuation(b: &[u8], end: usize) -> Option<usize> {
    let mut i = end;
    let mut fed = false;
    while i < b.len() {
        match b[i] {
            b'\n' | b'\r' => (fed, i) = (true, i + 1),
            c if is_space(c) => i += 1,
            b'-' if b.get(i + 1) == Some(&b'-') => i = run(b, i, |c| c != b'\n'),
            b'\'' if fed => return Some(i),
            _ => return None,
        }
    }
    None
}

fn quoted_identifier(b: &[u8], quote: usize) -> (TokenKind, usize) {
    match end_of_quoted(b, quote) {
        Some(end) => (TokenKind::QuotedIdentifier, end),
        None => (TokenKind::Unclosed(Unclosed::Identifier), b.len()),
    }
}

/// `$1`, `$tag$...$tag$`, or a lone `$`.
fn dollar(b: &[u8], at: usize) -> (TokenKind, usize) {
    if b.get(at + 1).is_some_and(u8::is_ascii_digit) {
        return (TokenKind::Parameter, run(b, at + 1, |c| c.is_ascii_digit()));
    }
    let Some(tag) = dollar_tag(b, at) else { return (TokenKind::Other, at + 1) };
    let mut i = at + tag.len();
    while i + tag.len() <= b.len() {
        if b[i] == b'$' && &b[i..i + tag.len()] == tag {
            return (TokenKind::DollarString, i + tag.len());
        }
        i += 1;
    }
    (TokenKind::Unclosed(Unclosed::Dollar), b.len())
}

/// The `$tag$` that begins at `at`: a tag is an identifier without `$`, or empty.
#[doc(hidden)]
pub fn dollar_tag(b: &[u8], at: usize) -> Option<&[u8]> {
    let end = run(b, at + 1, |c| is_word(c) && c != b'$');
    let starts_well = end == at + 1 || is_word_start(b[at + 1]);
    (starts_well && b.get(end) == Some(&b'$')).then(|| &b[at..=end])
}

/// A number; `1..2` is two numbers with an operator between them, as in a loop.
fn number(b: &[u8], at: usize) -> (TokenKind, usize) {
    let digit = |c: u8| c.is_ascii_digit() || c == b'_';
    if b[at] == b'0' && matches!(b.get(at + 1), Some(b'x' | b'X' | b'o' | b'O' | b'b' | b'B')) {
        let end = run(b, at + 2, |c| c.is_ascii_hexdigit() || c == b'_');
        if end > at + 2 {
            return (TokenKind::Number, end);
        }
    }
    let mut end = run(b, at, digit);
    if b.get(end) == Some(&b'.') && b.get(end + 1) != Some(&b'.') {
        end = run(b, end + 1, digit);
    }
    if matches!(b.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(b.get(end + 1), Some(b'+' | b'-')));
        if b.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = run(b, end + 1 + sign, digit);
        }
    }
    (TokenKind::Number, end)
}

/// The end of the operator at `at` (scan.l, `operator`): a comment ends it, and a trailing `+` or
/// `-` belongs to it only if it contains a character that SQL itself does not use.
fn operator(b: &[u8], at: usize, seen: &mut Seen) -> usize {
    if at < seen.signs_to {
        return at + 1;
    }
    let mut end = at;
    while end < b.len() && is_operator(b[end]) {
        if matches!((b[end], b.get(end + 1)), (b'-', Some(b'-')) | (b'/', Some(b'*'))) {
            break;
        }
        end += 1;
    }
    if b[at..end].iter().any(|&c| is_special(c)) {
        return end;
    }
    seen.signs_to = end;
    while end - at > 1 && matches!(b[end - 1], b'+' | b'-') {
        end -= 1;
    }
    end
}

/// `{{...}}` closed on the same line; otherwise a single brace.
fn placeholder(b: &[u8], at: usize, seen: &mut Seen) -> (TokenKind, usize) {
    let mut i = (at + 2).max(seen.unclosed_to);
    while i + 1 < b.len() && b[i] != b'\n' {
        if b[i] == b'}' && b[i + 1] == b'}' {
            return (TokenKind::Placeholder, i + 2);
        }
        i += 1;
    }
    seen.unclosed_to = i;
    (TokenKind::Other, at + 1)
}
