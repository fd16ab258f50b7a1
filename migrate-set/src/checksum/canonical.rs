//! Writes the canonical text of a script and computes its digest. Both are frozen: the vectors
//! below must never change.

use sha2::{Digest, Sha256};

use super::Checksum;
use crate::sql::lexer::{Token, TokenKind, lex};
use crate::sql::split::{Statement, split};

impl Checksum {
    /// The checksum of a script's statements.
    ///
    /// Without statements, it is the checksum of the empty text.
    pub fn of(text: &str, statements: &[Statement<'_>]) -> Checksum {
        Checksum(Sha256::digest(canonical_text(text, statements)).into())
    }

    /// The checksum of all statements in a text that no build has read; `None` if a token in it is not closed.
    pub fn of_sql(text: &str) -> Option<Checksum> {
        let tokens = lex(text);
        Some(Checksum::of(text, &split(text, &tokens).ok()?))
    }
}

/// The canonical text: the tokens of each statement separated by one blank, with `;` and a line
/// feed after each statement.
///
/// Literals are kept verbatim, and so is the data of a `COPY`, after the line feed. A literal that continues over several lines keeps one line feed
/// between its segments, because a blank would end it.
pub fn canonical_text(text: &str, statements: &[Statement<'_>]) -> String {
    let mut canonical = String::with_capacity(text.len());
    for statement in statements {
        for (index, token) in statement.significant().enumerate() {
            if index > 0 {
                canonical.push(' ');
            }
            push_token(&mut canonical, text, token);
        }
        canonical.push_str(";\n");
        if let Some(data) = statement.data() {
            canonical.push_str(data.text(text));
            canonical.push('\n');
        }
    }
    canonical
}

fn push_token(canonical: &mut String, text: &str, token: &Token) {
    let written = token.text(text);
    match token.kind {
        TokenKind::String | TokenKind::EscapeString if written.contains('\n') => {
            push_segments(canonical, written);
        }
        _ => canonical.push_str(written),
    }
}

/// A literal with one line feed instead of the white space and comments between its segments.
fn push_segments(canonical: &mut String, literal: &str) {
    let bytes = literal.as_bytes();
    let escapes = bytes.first().is_some_and(|first| first.eq_ignore_ascii_case(&b'e'));
    let mut from = 0;
    let mut at = literal.find('\'').map_or(literal.len(), |quote| quote + 1);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if escapes => at += 2,
            b'\'' if bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b'\'' => {
                canonical.push_str(&literal[from..=at]);
                let Some(next) = next_segment(bytes, at + 1) else { return };
                canonical.push('\n');
                from = next;
                at = next + 1;
            }
            _ => at += 1,
        }
    }
}

/// The opening quote of the segment after `at`, past white space and comments.
fn next_segment(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at;
    while at < bytes.len() {
        match bytes[at] {
            b'\'' => return Some(at),
            b'-' => at += bytes[at..].iter().position(|&byte| byte == b'\n')?,
            _ => at += 1,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        let tokens = lex(text);
        canonical_text(text, &split(text, &tokens).unwrap())
    }

    fn checksum(text: &str) -> String {
        let tokens = lex(text);
        Checksum::of(text, &split(text, &tokens).unwrap()).to_string()
    }

    /// A changed vector would make every existing database drift: add, never edit.
    #[test]
    fn frozen_vectors() {
        let check = |text: &str, canonical_form: &str, digest: &str| {
            assert_eq!(canonical(text), canonical_form, "{text}");
            assert_eq!(checksum(text), digest, "{text}");
        };
        check("", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        check(
            "CREATE TABLE t (id int);",
            "CREATE TABLE t ( id int );\n",
            "4c6d6ddcac39e7372a7845140bd4f39c096fc5ae07071962c124dcd60e85587f",
        );
        check(
            "-- head\ncreate index concurrently i on t(a)\n",
            "create index concurrently i on t ( a );\n",
            "88558ffc632b2ef2da5c32e15bdab406ce6b63f38a56ee6069101d002628c10e",
        );
        check(
            "SELECT 'it''s', E'a\\'b' , $x$ -- kept\n /* kept */ $x$;;\nSELECT \"Quoted  Name\" :: text/* c */->>'k';",
            "SELECT 'it''s' , E'a\\'b' , $x$ -- kept\n /* kept */ $x$;\nSELECT \"Quoted  Name\" :: text ->> 'k';\n",
            "690a0c5227478ce131f5460738c70dd378bcc29e163f5fe2e04cac126b6208db",
        );
        check(
            "select 'a'\n  -- between\n  'b', -1.5e3, a=-1, x[1:2]",
            "select 'a'\n'b' , - 1.5e3 , a = - 1 , x [ 1 : 2 ];\n",
            "c7f6345562c510422c57e231ef2230637e43e14b3ec633b88a65ee987ff4032b",
        );
        check(
            "CREATE VIEW {{tables.v}} AS SELECT 'größe' AS ü;",
            "CREATE VIEW {{tables.v}} AS SELECT 'größe' AS ü;\n",
            "177866424240a326d0f29f7f7f77b53a6f66b3ae76225e9345eb6ad7331afce7",
        );
        check(
            "create function f() returns int begin atomic select 1; select 2; end;",
            "create function f ( ) returns int begin atomic select 1 ; select 2 ; end;\n",
            "7e7b43ad1f5e759946909d91df0121865fb425323520782ad0abcf1d2182494e",
        );
        check(
            "COPY t(a)  FROM stdin; -- rows\n 1\t2\n\\.\n\nselect 1;",
            "COPY t ( a ) FROM stdin;\n 1\t2\n\\.\nselect 1;\n",
            "641b15a09066fe2d17da0844711f28c285c464ac267d9d0188dcf313e14383d9",
        );
    }

    #[test]
    fn what_does_not_change_the_meaning_does_not_change_the_text() {
        let plain = "create table t ( a int = - 1 ) ;\nselect 'x  y' ;\n".replace(" ;", ";");
        for text in [
            "create table t (a int=-1); select 'x  y'",
            "-- licence\ncreate table t(\n\ta int = -1\n);\n\nselect/* c */'x  y';;\n",
            "create /* a /* b */ */ table t ( a int= - 1 ) ; select 'x  y' -- end",
        ] {
            assert_eq!(canonical(text), plain, "{text}");
        }
    }

    #[test]
    fn what_changes_the_meaning_changes_the_text() {
        let different = [
            "select 'a b'", "select 'a  b'", "select 'a' b", "select E'a b'", "select $$a b$$",
            "select $x$a b$x$", "select \"a b\"", "select a b", "select A b", "select a.b",
            "select ab", "select a=>b", "select a= >b", "select 'a\nb'", "select 'a'\n'b'",
            "select 'a\n\nb'", "select a; b",
        ];
        let texts: Vec<String> = different.iter().map(|text| canonical(text)).collect();
        for (i, one) in texts.iter().enumerate() {
            for other in &texts[i + 1..] {
                assert_ne!(one, other);
            }
        }
    }

    #[test]
    fn continued_literals_stay_one() {
        assert_eq!(
            canonical("select E'a\\''\n -- it's\n  '\\'b' c"),
            "select E'a\\''\n'\\'b' c;\n"
        );
        assert_eq!(canonical("select 'a\nb'"), "select 'a\nb';\n");
    }

    proptest! {
        #[test]
        fn canonical_text_is_a_fixed_point(text in "[a-cE'\"$;()\\-/* \n.:=<>+@\\\\{}1é]{0,40}") {
            let tokens = lex(&text);
            // A set contains no psql meta-commands.
            let meta = tokens.iter().any(|token| token.kind == TokenKind::Backslash);
            if let (false, Ok(statements)) = (meta, split(&text, &tokens)) {
                let once = canonical_text(&text, &statements);
                prop_assert_eq!(canonical(&once), once);
            }
        }
    }
}
