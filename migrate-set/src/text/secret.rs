//! Finds the secrets in a text: what follows a word such as `password`, the values of a column of such a name,
//! and the password of a URL.

use std::ops::Range;

use crate::sort::sort_by_key;
use crate::sql::lexer::block_comment;

/// Parts of the words that a secret follows; each begins with `p` or `s`.
const KEYS: [&str; 6] = ["passw", "passphrase", "paswo", "pwd", "secret", "scram_client_key"];

/// The bytes of the secrets in `text`, in order and apart.
pub(super) fn secrets(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut listed = 0;
    for word in words(text) {
        // What is masked is not looked at again, or many secrets that never close would take the square of the length.
        if found.last().is_some_and(|secret| secret.contains(&word)) {
            continue;
        }
        found.extend(arguments(text, word));
        found.extend(value_after(text, word));
        if word >= listed
            && let Some(values) = begin_of_values(text, word)
        {
            listed = literals(text, values, &mut found);
        }
    }
    found.extend(text.match_indices("://").filter_map(|(at, mark)| in_url(text, at + mark.len())));
    apart(found)
}

/// `found` in order, with those that overlap as one.
pub(super) fn apart(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    sort_by_key(&mut found, |secret| secret.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.start < last.end => last.end = last.end.max(secret.end),
            _ => apart.push(secret),
        }
    }
    apart
}

/// Where the values of an `INSERT` begin that lists a column of the name that ends at `end`.
fn begin_of_values(text: &str, end: usize) -> Option<usize> {
    let close = end + text[end..].bytes().take(NEAR).position(|c| c == b')')?;
    let is_list = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_\",".contains(c);
    if !text.get(end..close)?.chars().all(is_list) {
        return None;
    }
    let after = skip_blanks(&text[close + 1..]);
    let is_values = after.get(..6).is_some_and(|word| word.eq_ignore_ascii_case("values"));
    is_values.then(|| text.len() - after.len())
}

/// Adds the literals from `start` to the end of the statement: any of its values may be the secret, or show
/// it. Returns that end.
fn literals(text: &str, start: usize, found: &mut Vec<Range<usize>>) -> usize {
    let mut at = start;
    while let Some(next) = text[at..].find(['\'', '$', ';']) {
        let quote = at + next;
        let inner = match text.as_bytes()[quote] {
            b';' => return quote,
            b'$' => dollar_literal(&text[quote..]),
            _ => literal(&text[quote..]),
        };
        let Some(inner) = inner else {
            at = quote + 1;
            continue;
        };
        let (start, end) = (quote + inner.start, quote + inner.end);
        if start < end {
            found.push(start..end);
        }
        // The end mark is as long as the begin mark, if there is one.
        at = text.len().min(end + inner.start);
    }
    text.len()
}

/// The ends of the words that a secret follows.
fn words(text: &str) -> impl Iterator<Item = usize> + '_ {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let starts = text.bytes().enumerate().filter(|(_, byte)| matches!(byte | 0x20, b'p' | b's'));
    let mut end = 0;
    starts.filter_map(move |(at, _)| {
        if at < end {
            return None;
        }
        let rest = &text.as_bytes()[at..];
        let is_key = KEYS.iter().any(|key| {
            rest.get(..key.len()).is_some_and(|word| word.eq_ignore_ascii_case(key.as_bytes()))
        });
        end = if is_key { at + rest.iter().take_while(is_word).count() } else { end };
        is_key.then_some(end)
    })
}

/// The secret after the word that ends at `end`: a literal, or what follows a sign such as `=`.
fn value_after(text: &str, end: usize) -> Option<Range<usize>> {
    let rest = &text[end..];
    let unquoted = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let before_sign = after_type(skip_blanks(unquoted));
    let signs = [":=", "=>", "=", ":"];
    let after_sign = signs.iter().find_map(|sign| before_sign.strip_prefix(sign));
    let value = match after_sign {
        Some(value) => skip_blanks(value),
        None if rest.starts_with('\'') => rest,
        None => skip_blanks(before_sign),
    };
    let prefix = value.trim_start_matches(['e', 'E', 'n', 'N', 'u', 'U', '&']);
    let value = if prefix.starts_with('\'') { prefix } else { value };
    let start = text.len() - value.len();
    let inner = match value.as_bytes().first()? {
        // The apostrophe in `the password's length` opens no literal.
        b'\'' => literal(value).or_else(|| (start > end).then_some(1..value.len())),
        b'$' => dollar_literal(value),
        b'"' if after_sign.is_some() || !rest.starts_with('"') => literal(value),
        _ => None,
    };
    let is_bare = after_sign.is_some() && !value.starts_with(['\'', '"']);
    let inner = inner.or_else(|| is_bare.then(|| 0..bare_length(value)))?;
    (!inner.is_empty()).then(|| start + inner.start..start + inner.end)
}

/// Skips a type and `DEFAULT` between the name of a variable, column or setting and its value.
fn after_type(text: &str) -> &str {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ' ' | '(' | ')');
    let words = text.len() - text.trim_start_matches(is_word).len();
    let (words, value) = text.split_at(words);
    let last = words.split_whitespace().next_back().unwrap_or_default();
    let is_value = value.starts_with(":=")
        || value.starts_with('\'')
            && ["default", "to"].iter().any(|word| last.eq_ignore_ascii_case(word));
    if is_value { value } else { text }
}

/// How many literals are masked after a text that ends with a word that a secret follows.
const ARGUMENTS: usize = 4;

/// How many bytes before each of them are looked at, so that a long text costs no more than its length.
const NEAR: usize = 256;

/// The literals that could contain the secret of a word in the literal before them, or of a call:
/// `'.. PASSWORD ' || quote_literal('x')`, `format('.. PASSWORD %L', 'x')`, `password = crypt('x', ..)`.
fn arguments(text: &str, end: usize) -> Vec<Range<usize>> {
    let Some(mut at) = begin_of_arguments(text, end) else { return Vec::new() };
    let mut found = Vec::new();
    while found.len() < ARGUMENTS
        && let Some(next) = text[at..].bytes().take(NEAR).position(|c| matches!(c, b'\'' | b';'))
        && text[at + next..].starts_with('\'')
    {
        let quote = at + next;
        // In a literal inside a literal, the quotes are written twice.
        let inner = literal(&text[quote..]).unwrap_or(1..text.len() - quote);
        at = quote + inner.end;
        at += text[at..].len() - text[at..].trim_start_matches('\'').len();
        if !inner.is_empty() {
            found.push(quote + inner.start..quote + inner.end);
        }
    }
    found
}

fn begin_of_arguments(text: &str, end: usize) -> Option<usize> {
    let rest = &text[end..];
    if rest.starts_with('(') {
        return Some(end);
    }
    let (value, has_sign) = match skip_blanks(rest).strip_prefix('=') {
        Some(value) => (skip_blanks(value), true),
        None => (skip_blanks(rest), false),
    };
    let start = text.len() - value.len();
    if value.starts_with('%') {
        return value.find('\'').map(|quote| start + quote + 1);
    }
    if has_sign && !value.starts_with('\'') {
        let bare = &value[..bare_length(value)];
        return bare.ends_with('(').then_some(start + bare.len());
    }
    let after = skip_blanks(value.strip_prefix('\'')?.trim_start_matches('\''));
    let next = after.strip_prefix(',').map(skip_blanks);
    let closes = after.starts_with("||") || next.is_some_and(|next| next.starts_with('\''));
    closes.then(|| text.len() - after.len())
}

/// Skips white space and comments of SQL.
fn skip_blanks(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        let after = if rest.starts_with("/*") {
            &rest[block_comment(rest.as_bytes(), 0).1..]
        } else if rest.starts_with("--") {
            rest.split_once('\n').map_or("", |(_, after)| after)
        } else {
            return rest;
        };
        rest = after.trim_start();
    }
}

/// The inside of the quoted text that `text` begins with, after as many quotes as follow it. In a literal inside a
/// literal, the quotes are written twice, and so on.
fn literal(text: &str) -> Option<Range<usize>> {
    let quote = text.chars().next()?;
    let quotes = text.len() - text.trim_start_matches(quote).len();
    if quotes.is_multiple_of(2) {
        let after = &text[quotes..];
        if after.starts_with(|c: char| c.is_whitespace() || ",);]}".contains(c)) || after.is_empty()
        {
            return Some(quotes / 2..quotes / 2);
        }
        let end = after.find(&text[..quotes]).unwrap_or(after.len());
        return Some(quotes..quotes + end);
    }
    let mut end = 1;
    loop {
        let rest = &text[end..];
        let next = rest.find([quote, '\\'])?;
        end += next;
        let two = text[end + 1..].chars().next();
        match two {
            _ if text[end..].starts_with('\\') => end += 1 + two.map_or(0, char::len_utf8),
            Some(second) if second == quote => end += 2,
            _ => return Some(1..end),
        }
    }
}

/// The inside of `$tag$...$tag$`.
fn dollar_literal(text: &str) -> Option<Range<usize>> {
    let tag = text[1..].find('$')? + 2;
    let is_tag = text[1..tag - 1].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let end = text[tag..].find(&text[..tag]).unwrap_or(text.len() - tag);
    is_tag.then(|| tag..tag + end)
}

/// How long a value without quotes is.
fn bare_length(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.find(|c: char| {
        let ends = !is_escaped && (c.is_whitespace() || c == '\'' || c == '"');
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.unwrap_or(text.len())
}

/// The password of the URL whose user begins at `start`.
fn in_url(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = &text[start..];
    let end = rest.find(|c: char| c.is_whitespace() || "'\"<>`".contains(c));
    let url = &rest[..end.unwrap_or(rest.len())];
    let at = url.rfind('@')?;
    let colon = url[..at].find([':', '/']).filter(|colon| url[*colon..].starts_with(':'))?;
    (colon + 1 < at).then(|| start + colon + 1..start + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Or a long word that repeats one takes the square of its length.
    #[test]
    fn each_word_is_looked_at_once() {
        assert_eq!(words("passwpasswd_secret password").collect::<Vec<_>>(), [18, 27]);
    }

    /// Secrets are in any text: also one that is cut, or that is no SQL.
    #[test]
    fn no_text_panics() {
        const PARTS: [&str; 24] = [
            "password",
            "secret=",
            "INSERT INTO t (a, password) VALUES (",
            "'",
            "'",
            "''",
            "$",
            "$$",
            "$ä$",
            "$a$",
            "(",
            ")",
            ",",
            ";",
            " ",
            "ü",
            "\\",
            "||",
            "=",
            "x1",
            "\n",
            "/*",
            "--",
            "://u:p@",
        ];
        let mut state = 1_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 40).unwrap_or_default()
        };
        for _ in 0..100_000 {
            let text: String = (0..next() % 12).map(|_| PARTS[next() % PARTS.len()]).collect();
            let mut end = 0;
            for secret in secrets(&text) {
                assert!(end <= secret.start && text.get(secret.clone()).is_some(), "{text}");
                end = secret.end;
            }
        }
    }

    #[test]
    fn any_number_of_comments_is_skipped() {
        let comments = "/**/-- a\n".repeat(100_000);
        assert_eq!(skip_blanks(&format!("{comments} 'x'")), "'x'");
        assert_eq!(skip_blanks("-- a"), "");
    }
}
