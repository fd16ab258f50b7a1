//! Finds what an editor, a merge or a download left in a file: other encodings, marks of a conflict, and characters
//! that cannot be seen or look like others.

use std::ops::Range;

use migrate_set::sql::lexer::{Token, TokenKind, lex};
use migrate_set::sql::split::Statement;

use super::mistakes::Mistake;
use super::problem::Problem;

/// What is wrong with a file before it is read as text.
pub(super) fn of_file(bytes: &[u8]) -> Option<Problem> {
    match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..] => {
            Some(Problem::Utf16)
        }
        _ if bytes.starts_with(b"version https://git-lfs.github.com/spec/") => {
            Some(Problem::LfsPointer)
        }
        _ => None,
    }
}

/// The first line of a merge conflict, unless it is in a string, a comment or data.
pub(super) fn conflict(text: &str, tokens: &[Token]) -> Option<Mistake> {
    // Checked first, because it is cheap and nearly no file has it.
    let marks = ["<<<<<<< ", "=======", ">>>>>>> "];
    if !text.contains('<') || !text.contains(marks[0]) {
        return None;
    }
    let (mut offset, mut begins, mut wanted) = (0, 0, marks.into_iter());
    let mut next = wanted.next();
    for line in text.split_inclusive('\n') {
        if let Some(mark) = next
            && line.starts_with(mark)
        {
            begins = if mark == marks[0] { offset } else { begins };
            next = wanted.next();
        }
        offset += line.len();
    }
    let at = tokens.partition_point(|token| token.end <= begins);
    let is_text = matches!(
        tokens.get(at)?.kind,
        TokenKind::String | TokenKind::EscapeString | TokenKind::BlockComment | TokenKind::Data
    );
    let end = begins + text[begins..].find('\n')?;
    (next.is_none() && !is_text)
        .then_some(Mistake { span: Some(begins..end), problem: Problem::Conflict })
}

/// The characters in `statement` that are not what they look like, outside strings, comments and quoted names.
pub(super) fn of_statement(text: &str, statement: &Statement<'_>) -> Vec<Mistake> {
    let tokens: Vec<&Token> = statement.significant().collect();
    let mut mistakes = Vec::new();
    let runs_at_once = has_sql_body(text, &tokens);
    for token in tokens {
        let written = token.text(text);
        if written.is_ascii() {
            continue;
        }
        match token.kind {
            TokenKind::Word => mistakes.extend(of_word(written, token.start)),
            TokenKind::DollarString if runs_at_once => {
                let body = written[1..].find('$').map_or(0, |tag| tag + 2);
                let inside = &written[body..];
                let words = lex(inside).into_iter().filter(|inner| inner.kind == TokenKind::Word);
                mistakes.extend(words.filter_map(|inner| {
                    of_word(inner.text(inside), token.start + body + inner.start)
                }));
            }
            _ => {}
        }
    }
    mistakes
}

/// Whether a dollar-quoted string of the statement is a body in SQL or PL/pgSQL.
fn has_sql_body(text: &str, tokens: &[&Token]) -> bool {
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| matches!(token.kind, TokenKind::Word | TokenKind::String))
        .map(|token| token.text(text).trim_matches('\'').to_ascii_uppercase())
        .collect();
    let language = words.windows(2).find(|pair| pair[0] == "LANGUAGE").map(|pair| &pair[1]);
    let is_routine = words.first().is_some_and(|first| first == "CREATE")
        && words.iter().take(4).any(|word| word == "FUNCTION" || word == "PROCEDURE");
    match language.map(String::as_str) {
        Some("SQL" | "PLPGSQL") => is_routine || words.first().is_some_and(|first| first == "DO"),
        None => words.first().is_some_and(|first| first == "DO"),
        Some(_) => false,
    }
}

/// The first wrong character of an unquoted word at `start`.
fn of_word(word: &str, start: usize) -> Option<Mistake> {
    let mistake = |at: usize, c: char, looks_like| {
        let span: Range<usize> = start + at..start + at + c.len_utf8();
        Mistake { span: Some(span), problem: Problem::Character { c, looks_like } }
    };
    let wrong = word.char_indices().find_map(|(at, c)| Some((at, c, looks_like(c)?)));
    if let Some((at, c, like)) = wrong {
        return Some(mistake(at, c, like));
    }
    // A word in one script is a name; letters of two, all of which look Latin, are a mistake.
    let (at, c) = word.char_indices().find(|(_, c)| !c.is_ascii())?;
    let all_look_latin = word.chars().all(|c| c.is_ascii() || latin(c).is_some());
    let has_latin = word.chars().any(|c| c.is_ascii_alphabetic());
    let like = latin(c).filter(|_| all_look_latin && has_latin)?;
    Some(mistake(at, c, LooksLike::Letter(like)))
}

/// What a character looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksLike {
    /// A blank.
    Blank,
    /// Nothing: it cannot be seen.
    Nothing,
    /// A sign of SQL.
    Sign(char),
    /// A Latin letter.
    Letter(char),
}

/// What a character that no name has looks like.
fn looks_like(c: char) -> Option<LooksLike> {
    Some(match c {
        '\u{a0}'
        | '\u{85}'
        | '\u{1680}'
        | '\u{2000}'..='\u{200a}'
        | '\u{2028}'
        | '\u{2029}'
        | '\u{202f}'
        | '\u{205f}'
        | '\u{3000}' => LooksLike::Blank,
        '\u{feff}'
        | '\u{200b}'
        | '\u{2060}'..='\u{2069}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{ad}'
        | '\u{202a}'..='\u{202e}' => LooksLike::Nothing,
        '\u{2018}'..='\u{201b}' | '\u{b4}' | '\u{2032}' | '\u{ff07}' => LooksLike::Sign('\''),
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{ff02}' => {
            LooksLike::Sign('"')
        }
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{ff0d}' => LooksLike::Sign('-'),
        '\u{37e}' | '\u{ff1b}' => LooksLike::Sign(';'),
        '\u{ff0c}' | '\u{3001}' => LooksLike::Sign(','),
        '\u{ff08}' => LooksLike::Sign('('),
        '\u{ff09}' => LooksLike::Sign(')'),
        '\u{ff1d}' => LooksLike::Sign('='),
        '\u{d7}' | '\u{2217}' | '\u{ff0a}' => LooksLike::Sign('*'),
        _ => return None,
    })
}

/// The Latin letter that a Cyrillic or Greek one looks like.
fn latin(c: char) -> Option<char> {
    const OTHERS: &str = "АВЕКМНОРСТУХаеорсухіјѕІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧο";
    const LATIN: &str = "ABEKMHOPCTYXaeopcyxijsIJSABEZHIKMNOPTYXo";
    OTHERS.chars().zip(LATIN.chars()).find(|(other, _)| *other == c).map(|(_, latin)| latin)
}

/// What is wrong with a character, and its number.
pub(super) fn message(c: char, looks_like: LooksLike) -> String {
    let what = match looks_like {
        LooksLike::Blank => "looks like a blank, and is a part of a name".to_owned(),
        LooksLike::Nothing => "cannot be seen, and is a part of a name".to_owned(),
        LooksLike::Sign(sign) => format!("looks like `{sign}`, and is a part of a name"),
        LooksLike::Letter(letter) => format!("looks like the letter `{letter}`"),
    };
    format!("U+{:04X} {what}", u32::from(c))
}

/// What to do about it.
pub(super) fn help(looks_like: LooksLike) -> String {
    match looks_like {
        LooksLike::Blank => "type a blank in its place".to_owned(),
        LooksLike::Nothing => "delete it".to_owned(),
        LooksLike::Sign(sign) | LooksLike::Letter(sign) => {
            format!("type `{sign}` in its place; a name that has it is written in `\"...\"`")
        }
    }
}

#[cfg(test)]
mod tests {
    use migrate_set::sql::split::split;

    use super::*;

    fn check(sql: &str, expected: &[&str]) {
        let tokens = lex(sql);
        let statements = split(sql, &tokens).unwrap();
        let found = statements.iter().flat_map(|one| of_statement(sql, one));
        let found: Vec<_> =
            found.map(|one| format!("{} {}", one.span.unwrap().start, one.problem)).collect();
        assert_eq!(found, expected, "{sql}");
    }

    #[test]
    fn characters_are_named() {
        check(
            "create\u{a0}table a (id int,\u{200b} b text)",
            &[
                "6 U+00A0 looks like a blank, and is a part of a name",
                "24 U+200B cannot be seen, and is a part of a name",
            ],
        );
        check("\u{feff}select 1", &["0 U+FEFF cannot be seen, and is a part of a name"]);
        check("select \u{2018}a\u{2019}", &["7 U+2018 looks like `'`, and is a part of a name"]);
        check("select 1 \u{2013} 2", &["9 U+2013 looks like `-`, and is a part of a name"]);
        check("select us\u{435}rs", &["9 U+0435 looks like the letter `e`"]);
        check(
            "do $x$ begin perform\u{a0}1; end $x$",
            &["20 U+00A0 looks like a blank, and is a part of a name"],
        );
    }

    #[test]
    fn names_strings_and_comments_have_any() {
        for sql in [
            "create table größe (日本 int, таблица_users text, сор int)",
            "select 'it\u{2019}s', \"a\u{a0}b\", $$it\u{2019}s$$ -- it\u{2019}s",
            "create function f() returns text language plpython3u as $$ x = \u{2018}1\u{2019} $$",
            "do $$ begin raise notice 'it\u{2019}s'; end $$",
        ] {
            check(sql, &[]);
        }
    }

    #[test]
    fn files_that_are_not_sql_are_named() {
        let check = |bytes: &[u8], expected| assert_eq!(of_file(bytes), expected, "{bytes:?}");
        check(b"\xff\xfes\0", Some(Problem::Utf16));
        check(b"s\0e\0", Some(Problem::Utf16));
        check(b"\0s\0e", Some(Problem::Utf16));
        check(b"version https://git-lfs.github.com/spec/v1\noid", Some(Problem::LfsPointer));
        check(b"select 1", None);
        check(b"", None);
    }

    #[test]
    fn conflicts_are_found_outside_text() {
        let marks = "<<<<<<< HEAD\nselect 1;\n=======\nselect 2;\n>>>>>>> b\n";
        let check = |sql: &str, expected: Option<Range<usize>>| {
            let found = conflict(sql, &lex(sql)).map(|one| one.span.unwrap());
            assert_eq!(found, expected, "{sql}");
        };
        check(marks, Some(0..12));
        check(&format!("select 0;\n{marks}"), Some(10..22));
        check(&format!("do $$\n{marks}$$"), Some(6..18));
        check(&format!("select '\n{marks}'"), None);
        check(&format!("/*\n{marks}*/"), None);
        check("select 1\n<<<<<<< 2", None);
    }
}
