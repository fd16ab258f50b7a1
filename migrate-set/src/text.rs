//! Shows the text of a server or of a file in messages: with secrets masked, hidden characters as numbers, and
//! continuation lines indented.

use std::borrow::Cow;
use std::ops::Range;

use crate::sql::lexer::block_comment;

/// What a secret is shown as.
const MASK: &str = "***";

/// What a second line begins with, deeper than any line of ours.
const INDENT: &str = "\n    ";

/// Parts of the words that a secret follows; each begins with `p` or `s`.
const KEYS: [&str; 6] = ["passw", "passphrase", "paswo", "pwd", "secret", "scram_client_key"];

/// Whether a terminal or a page acts on `c` instead of showing it: a control character, a change of the
/// direction of writing, or a separator of lines; but not a tab or a line feed.
pub fn is_hidden(c: char) -> bool {
    (c.is_control() && c != '\t' && c != '\n')
        || matches!(
            c,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// `text` in one line, with every hidden character and line feed as its number.
///
/// ```
/// use migrate_set::text::escaped;
/// assert_eq!(escaped("a\x1b[2J\nb"), "a\\u{1b}[2J\\u{a}b");
/// assert_eq!(escaped("user_\u{202e}txt"), "user_\\u{202e}txt");
/// ```
pub fn escaped(text: &str) -> Cow<'_, str> {
    escaped_where(text, |c| is_hidden(c) || c == '\n')
}

fn escaped_where(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for c in text.chars() {
        if is_escaped(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

/// `text` of a server or of other code, for a message of ours: without secrets and hidden characters,
/// and with an indent before its second line and the following.
///
/// ```
/// use migrate_set::text::quoted;
/// assert_eq!(quoted("failed\nhelp: run this"), "failed\n    help: run this");
/// ```
pub fn quoted(text: &str) -> String {
    let text = masked(text);
    escaped_where(text.trim_end(), is_hidden).replace('\n', INDENT)
}

/// `text` of several lines of ours, with every hidden character as its number.
pub fn escaped_lines(text: &str) -> Cow<'_, str> {
    escaped_where(text, is_hidden)
}

/// `text`, a statement or a message, with its secrets masked: the literal or value after a word such as
/// `password`, and the password of a URL.
///
/// ```
/// use migrate_set::text::masked;
/// assert_eq!(masked("ALTER ROLE app PASSWORD 'x1'"), "ALTER ROLE app PASSWORD '***'");
/// assert_eq!(masked("postgresql://me:x1@db/app"), "postgresql://me:***@db/app");
/// ```
pub fn masked(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text);
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    let mut at = 0;
    for secret in secrets {
        shown += &text[at..secret.start];
        shown += MASK;
        at = secret.end;
    }
    Cow::Owned(shown + &text[at..])
}

/// The masked text, and where `span` of `text` is in it.
pub(crate) fn masked_with(text: &str, span: Range<usize>) -> (Cow<'_, str>, Range<usize>) {
    let secrets = secrets(text);
    let moved = |place: usize| {
        let before = secrets.iter().take_while(|secret| secret.start < place);
        before.fold(place, |moved, secret| {
            let hidden = secret.end.min(place) - secret.start;
            let is_inside = place < secret.end;
            let shown = if is_inside { hidden.min(MASK.len()) } else { MASK.len() };
            moved + shown - hidden
        })
    };
    (masked(text), moved(span.start)..moved(span.end))
}

/// The bytes of the secrets in `text`, in order and apart.
fn secrets(text: &str) -> Vec<Range<usize>> {
    let after_word = |word| arguments(text, word).into_iter().chain(value_after(text, word));
    let mut found: Vec<Range<usize>> = words(text).flat_map(after_word).collect();
    found.extend(text.match_indices("://").filter_map(|(at, mark)| in_url(text, at + mark.len())));
    found.sort_by_key(|secret| secret.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for secret in found {
        match apart.last_mut() {
            Some(last) if secret.start < last.end => last.end = last.end.max(secret.end),
            _ => apart.push(secret),
        }
    }
    apart
}

/// The ends of the words that a secret follows.
fn words(text: &str) -> impl Iterator<Item = usize> + '_ {
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let starts = text.bytes().enumerate().filter(|(_, byte)| matches!(byte | 0x20, b'p' | b's'));
    starts.filter_map(move |(at, _)| {
        let rest = &text.as_bytes()[at..];
        let is_key = KEYS.iter().any(|key| {
            rest.get(..key.len()).is_some_and(|word| word.eq_ignore_ascii_case(key.as_bytes()))
        });
        is_key.then(|| at + rest.iter().take_while(is_word).count())
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

/// The literals that could contain the secret of a word in the literal before them, or of a call:
/// `'.. PASSWORD ' || quote_literal('x')`, `format('.. PASSWORD %L', 'x')`, `password = crypt('x', ..)`.
fn arguments(text: &str, end: usize) -> Vec<Range<usize>> {
    let Some(mut at) = begin_of_arguments(text, end) else { return Vec::new() };
    let mut found = Vec::new();
    while found.len() < ARGUMENTS
        && let Some(next) = text[at..].find(['\'', ';'])
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
    let text = text.trim_start();
    if text.starts_with("/*") {
        return skip_blanks(&text[block_comment(text.as_bytes(), 0).1..]);
    }
    match text.strip_prefix("--") {
        Some(comment) => comment.split_once('\n').map_or("", |(_, after)| skip_blanks(after)),
        None => text,
    }
}

/// The inside of the quoted text that `text` begins with. In a literal inside a literal, the quotes are
/// written twice, and so on.
fn literal(text: &str) -> Option<Range<usize>> {
    let quote = text.chars().next()?;
    let quotes = text.len() - text.trim_start_matches(quote).len();
    if quotes.is_multiple_of(2) {
        let after = &text[quotes..];
        if after.starts_with(|c: char| c.is_whitespace() || ",);]}".contains(c)) || after.is_empty()
        {
            return Some(quotes..quotes);
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

    #[test]
    fn secrets_are_masked() {
        #[track_caller]
        fn check(text: &str, expected: &str) {
            assert_eq!(masked(text), expected, "{text}");
            assert_eq!(masked(expected), expected, "{text}");
        }
        check("CREATE ROLE a PASSWORD 'pw' LOGIN", "CREATE ROLE a PASSWORD '***' LOGIN");
        check("alter user a encrypted password E'p\\'w'", "alter user a encrypted password E'***'");
        check("ALTER ROLE a PASSWORD 'p''w' VALID", "ALTER ROLE a PASSWORD '***' VALID");
        check("ALTER ROLE a PASWORD 'pw'", "ALTER ROLE a PASWORD '***'");
        check(
            "ALTER ROLE a PASSWORD /* x */ -- y\n 'pw'",
            "ALTER ROLE a PASSWORD /* x */ -- y\n '***'",
        );
        check("PASSWORD $$p w$$; x", "PASSWORD $$***$$; x");
        check("PASSWORD $t$p$$w$t$", "PASSWORD $t$***$t$");
        check("ALTER ROLE a PASSWORD 'never closed\n", "ALTER ROLE a PASSWORD '***");
        check("ALTER ROLE a PASSWORD 'p\\' x", "ALTER ROLE a PASSWORD '***");
        check("the password's length", "the password's length");
        check("ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL");
        check("OPTIONS (user 'u', password 'pw')", "OPTIONS (user 'u', password '***')");
        check("OPTIONS (SET sslpassword 'pw')", "OPTIONS (SET sslpassword '***')");
        check("(aws_secret_access_key 'k')", "(aws_secret_access_key '***')");
        check(
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=pw user=u' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=*** user=u' PUBLICATION p",
        );
        check("dblink('password = p\\ w user=u')", "dblink('password = *** user=u')");
        check("dblink('password=''p w'' user=u')", "dblink('password=''***'' user=u')");
        check("EXECUTE 'ALTER ROLE a PASSWORD ''p w'''", "EXECUTE 'ALTER ROLE a PASSWORD ''***'''");
        check("SET password = 'pw', x = 'y'", "SET password = '***', x = 'y'");
        check("f(password => 'pw')", "f(password => '***')");
        check("PASSWORD /* a /* b */ c */ 'pw'", "PASSWORD /* a /* b */ c */ '***'");
        check("OPTIONS (\"password\" 'pw')", "OPTIONS (\"password\" '***')");
        check("ALTER ROLE a PASSWORD \"pw\"", "ALTER ROLE a PASSWORD \"***\"");
        check("password text := 'pw'", "password text := '***'");
        check(
            "password varchar(9) NOT NULL DEFAULT 'pw'",
            "password varchar(9) NOT NULL DEFAULT '***'",
        );
        check("SET app.password TO 'pw'", "SET app.password TO '***'");
        check(r#"{"password": "p\"w", "x": 1}"#, r#"{"password": "***", "x": 1}"#);
        check("at postgres://me:p@w/x@h:5432/d?a=b 'x'", "at postgres://me:***@h:5432/d?a=b 'x'");
        check(
            "amqp://me:pw@h postgresql://h?password=pw",
            "amqp://me:***@h postgresql://h?password=***",
        );
    }

    #[test]
    fn arguments_of_a_call_are_masked() {
        #[track_caller]
        fn check(text: &str) {
            let shown = masked(text);
            assert!(!shown.contains("pw") && shown.ends_with("; 'x'"), "{shown}");
            assert!(!masked(&shown).contains("pw"), "{shown}");
        }
        check("EXECUTE 'ALTER ROLE a PASSWORD ' || quote_literal('pw'); 'x'");
        check("EXECUTE format('ALTER ROLE a PASSWORD %L', 'pw'); 'x'");
        check("EXECUTE format('ALTER ROLE %I PASSWORD %L VALID', 'a', 'pw'); 'x'");
        check("RAISE 'password=%', 'pw'; 'x'");
        check("SELECT set_config('app.password', 'pw', true); 'x'");
        check("UPDATE u SET password = crypt('pw', gen_salt('bf')); 'x'");
        check("UPDATE u SET password=md5('pw'); 'x'");
        check("SELECT dblink('password=' || 'pw'); 'x'");
        check("ALTER ROLE a PASSWORD ',pw'; 'x'");
        assert!(!masked("ALTER ROLE a PASSWORD '||pw'; 'x'").contains("pw"));
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "password authentication failed for user \"me\"",
            "CREATE TABLE users (password text, secret bytea NOT NULL)",
            "see https://www.postgresql.org:443/docs/ and me@example.org",
            "INSERT INTO t (password, x) VALUES ($1, 'x')",
            "host=h user=u passfile='f'",
            "PASSWORD ''",
            "CREATE TABLE u (password text DEFAULT '', name text DEFAULT 'x')",
            "COMMENT ON COLUMN u.password IS 'a hash'",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn places_move_with_the_mask() {
        #[track_caller]
        fn check(text: &str, at: &str, expected: &str) {
            let start = text.find(at).expect("the place");
            let (masked, span) = masked_with(text, start..start + at.len());
            assert_eq!(&masked[span], expected, "{text}");
        }
        check("a PASSWORD 'secret' x", "x", "x");
        check("a PASSWORD 'secret' x", "a", "a");
        check("a PASSWORD 'secret' x", "'secret'", "'***'");
        check("a PASSWORD 'secret' x", "PASSWORD 'secret' x", "PASSWORD '***' x");
        check("a PASSWORD 's' x", "x", "x");
        check("a PASSWORD 'secret' PASSWORD 'second' x", "x", "x");
    }

    #[test]
    fn hidden_characters_are_numbers() {
        assert_eq!(escaped("a\tb"), "a\tb");
        assert_eq!(
            escaped("\x07\r\x7f\u{9b}\u{2028}\u{2066}"),
            "\\u{7}\\u{d}\\u{7f}\\u{9b}\\u{2028}\\u{2066}"
        );
        assert_eq!(escaped_lines("a\n\x1bb"), "a\n\\u{1b}b");
        assert_eq!(quoted("a\r\nhelp: b\n\n"), "a\\u{d}\n    help: b");
    }
}
