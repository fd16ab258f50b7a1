//! Shows the text of a server or of a file in messages: with secrets masked, hidden characters as numbers, and
//! continuation lines indented.

mod secret;

use std::borrow::Cow;
use std::ops::Range;

use crate::sql::quotes::undoubled;
use secret::secrets;

/// What a secret is shown as.
const MASK: &str = "***";

/// What a second line begins with, deeper than any line of ours.
const INDENT: &str = "\n    ";

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

/// The name of a role, in quotes where a sentence would not show where it ends.
///
/// ```
/// use migrate_set::text::role;
/// assert_eq!(role("app"), "app");
/// assert_eq!(role("on call"), "\"on call\"");
/// ```
pub fn role(name: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || ['_', '$', '-', '.', '@'].contains(&c);
    match escaped(name) {
        plain if !name.is_empty() && name.chars().all(is_plain) => plain,
        other => Cow::Owned(format!("\"{}\"", other.replace('"', "\"\""))),
    }
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
    hidden(text, &secrets(text))
}

/// `answer`, a server's text about the statements in `script`, with its secrets masked, also where it repeats
/// one of the script without the word before it.
///
/// ```
/// use migrate_set::text::masked_answer;
/// let script = "INSERT INTO users (name, password) VALUES ('me', 'x1')";
/// assert_eq!(masked_answer("Failing row contains (1, me, x1).", script), "Failing row contains (1, ***, ***).");
/// ```
pub fn masked_answer<'t>(answer: &'t str, script: &str) -> Cow<'t, str> {
    let mut found = secrets(answer);
    for secret in secrets(script) {
        // The server shows a quote that is written twice once.
        let value = undoubled(&script[secret], '\'');
        let is_in_word = |place: Option<char>| place.is_some_and(char::is_alphanumeric);
        let whole = |&(at, value): &(usize, &str)| {
            !is_in_word(answer[..at].chars().next_back())
                && !is_in_word(answer[at + value.len()..].chars().next())
        };
        if !value.is_empty() {
            let repeated = answer.match_indices(&value).filter(whole);
            found.extend(repeated.map(|(at, value)| at..at + value.len()));
        }
    }
    hidden(answer, &secret::apart(found))
}

fn hidden<'t>(text: &'t str, secrets: &[Range<usize>]) -> Cow<'t, str> {
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
    (hidden(text, &secrets), moved(span.start)..moved(span.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_a_script_are_masked_in_answers() {
        let script = "ALTER ROLE a PASSWORD 'p''w'; SELECT 'ok'";
        assert_eq!(masked_answer("bad: \"p'w\", xp'w ok", script), "bad: \"***\", xp'w ok");
        assert_eq!(masked_answer("password=b not p'w", script), "password=*** not ***");
        assert_eq!(masked_answer("none", "ALTER ROLE a PASSWORD ''"), "none");
    }

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
        check(
            "INSERT INTO t (\"Password\", a) VALUES ('p''w', $$b$$), (1, 'x'); SELECT 'c'",
            "INSERT INTO t (\"Password\", a) VALUES ('***', $$***$$), (1, '***'); SELECT 'c'",
        );
        check(
            "INSERT INTO t (a, password) VALUES ('','pw'), ($$$$,'pw'), ('')",
            "INSERT INTO t (a, password) VALUES ('','***'), ($$$$,'***'), ('')",
        );
        check("INSERT INTO t (a) VALUES ('b')", "INSERT INTO t (a) VALUES ('b')");
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
        check("SELECT set_password('a', 'pw'); 'x'");
        check("INSERT INTO secrets(name, value) VALUES ('a', 'pw'); 'x'");
        check("ALTER ROLE a PASSWORD ',pw'; 'x'");
        assert!(!masked("ALTER ROLE a PASSWORD '||pw'; 'x'").contains("pw"));
    }

    #[test]
    fn what_is_no_secret_is_shown() {
        for text in [
            "password authentication failed for user \"me\"",
            "CREATE TABLE users (password text, secret bytea NOT NULL)",
            "see https://www.postgresql.org:443/docs/ and me@example.org",
            "INSERT INTO t (password, x) VALUES ($1, 2)",
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
