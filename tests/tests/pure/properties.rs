//! Properties of every text: splitting loses no byte, the canonical text is its own canonical text, and the
//! checksum ignores comments, blanks, line endings and a byte order mark, and nothing else. The texts are
//! sequences of tokens, most of them valid for PostgreSQL's scanner, but not for its grammar.

mod texts;

use migrate_set::checksum::{Checksum, canonical_text};
use migrate_set::sql::lexer::{Token, TokenKind, lex};
use migrate_set::sql::split::{Statement, split};
use migrate_source::check::{self, Empty, Objects, SetOptions, SourceFile, Syntax};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use texts::{SEGMENT_GAPS, any_text, gap, joined, script, token};

fn canonical(text: &str) -> Option<String> {
    let tokens = lex(text);
    let statements = split(text, &tokens).ok()?;
    Some(canonical_text(text, &statements))
}

/// The checksum of the set that is this one file.
fn checksum(text: &str) -> Result<Checksum, String> {
    let file = SourceFile::new("1_a.sql", text);
    let (syntax, objects, empty) = (Syntax::Off, Objects::Off, Empty::Allow);
    let options = SetOptions { syntax, objects, empty, ..SetOptions::default() };
    let checked = check::check("m", &[file], &options).map_err(|errors| errors.to_string())?;
    let migrations: Vec<_> = checked.set.iter().collect();
    assert_eq!(migrations.len(), 1);
    Ok(migrations[0].checksum())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn tokens_hold_every_byte(text in any_text()) {
        let tokens = lex(&text);
        let joined: String = tokens.iter().map(|token| token.text(&text)).collect();
        prop_assert_eq!(&joined, &text);
        prop_assert!(tokens.iter().all(|token| token.start < token.end));
    }

    /// The lexer remembers what it has searched; that changes no token.
    #[test]
    fn a_token_depends_on_nothing_before_it(
        text in prop_oneof![any_text(), "[{}+\\-*/@<$a \n]{0,40}"],
    ) {
        for token in lex(&text) {
            let alone = lex(&text[token.start..])[0];
            prop_assert_eq!((alone.kind, alone.end), (token.kind, token.end - token.start));
        }
    }

    #[test]
    fn statements_hold_every_byte_that_means_something(text in any_text()) {
        let tokens = lex(&text);
        if let Ok(statements) = split(&text, &tokens) {
            let mut from = 0;
            for statement in &statements {
                prop_assert!(statement.start() >= from);
                prop_assert!(statement.start() < statement.end());
                prop_assert!(means_nothing(&text[from..statement.start()]), "{text:?}");
                from = statement.end();
            }
            prop_assert!(means_nothing(&text[from..]), "{text:?}");
        }
    }

    #[test]
    fn statements_are_whole_by_themselves(tokens in script(), gaps in vec(gap(), 1..4)) {
        let text = joined(&tokens, &gaps);
        let tokens = lex(&text);
        for statement in split(&text, &tokens).unwrap() {
            let alone = &text[statement.start()..statement.end()];
            let again = lex(alone);
            let again: Vec<_> = split(alone, &again).unwrap();
            prop_assert_eq!(again.len(), 1, "{:?}", alone);
            prop_assert_eq!((again[0].start(), again[0].end()), (0, alone.len()), "{:?}", alone);
        }
    }

    #[test]
    fn generated_tokens_are_the_lexed_ones(tokens in script(), gaps in vec(gap(), 1..4)) {
        let text = joined(&tokens, &gaps);
        let lexed = lex(&text);
        let found = lexed.iter().filter(|token| !token.is_trivia()).map(|token| token.text(&text));
        prop_assert_eq!(found.collect::<Vec<_>>(), tokens);
    }

    #[test]
    fn canonical_text_is_its_own(text in any_text()) {
        if let Some(once) = canonical(&text) {
            prop_assert_eq!(canonical(&once), Some(once));
        }
    }

    #[test]
    fn canonical_text_has_as_many_statements(text in any_text()) {
        let tokens = lex(&text);
        if let Ok(statements) = split(&text, &tokens) {
            let once = canonical_text(&text, &statements);
            let again = lex(&once);
            let again = split(&once, &again).unwrap();
            prop_assert_eq!(kinds(&again), kinds(&statements), "{:?}", once);
        }
    }

    #[test]
    fn checksum_is_blind_to_comments_and_blanks(
        tokens in script(), one in vec(gap(), 0..4), other in vec(gap(), 1..4),
        head in vec(gap(), 0..3), tail in vec(gap(), 0..3),
    ) {
        let (left, right) = (joined(&tokens, &one), joined(&tokens, &other));
        let right = format!("{}{right}{}", head.concat(), tail.concat());
        prop_assert_eq!(checksum(&left), checksum(&right), "{:?} {:?}", left, right);
        prop_assert!(checksum(&left).is_ok(), "{:?}", checksum(&left));
    }

    #[test]
    fn checksum_is_blind_to_line_endings(tokens in script(), gaps in vec(gap(), 0..4)) {
        let text = joined(&tokens, &gaps);
        let carriage = text.replace('\n', "\r\n");
        prop_assert_eq!(checksum(&text), checksum(&carriage), "{:?}", text);
        let old = text.replace('\n', "\r");
        prop_assert_eq!(checksum(&text), checksum(&old), "{:?}", text);
    }

    #[test]
    fn checksum_is_blind_to_a_mark_and_a_licence(tokens in script(), gaps in vec(gap(), 0..4)) {
        let text = joined(&tokens, &gaps);
        let plain = checksum(&text);
        let marked = format!("\u{feff}{text}");
        prop_assert_eq!(&plain, &checksum(&marked));
        let licence = "-- Copyright 2026 The Authors; it's free\n/*\n * SPDX: MIT\n */\n\n";
        prop_assert_eq!(&plain, &checksum(&format!("{licence}{text}")));
        prop_assert_eq!(&plain, &checksum(&format!("\u{feff}{licence}{text}\n")));
        prop_assert_eq!(&plain, &checksum(&format!("{text}\n;\n;")));
    }

    #[test]
    fn checksum_is_blind_to_what_is_between_segments(
        prefix in select(vec!["", "E", "N"]), left in "[a-b;\" ]{0,3}", right in "[a-b;\" ]{0,3}",
        one in select(SEGMENT_GAPS), other in select(SEGMENT_GAPS),
    ) {
        let text = |gap: &str| format!("select {prefix}'{left}'{gap}'{right}'");
        prop_assert_eq!(checksum(&text(one)), checksum(&text(other)));
        prop_assert!(checksum(&text(one)).is_ok());
        prop_assert_ne!(checksum(&text(one)), checksum(&text(" ")));
        prop_assert_ne!(checksum(&text(one)), checksum(&text("/**/\n")));
    }

    #[test]
    fn checksum_sees_every_other_sequence_of_tokens(
        tokens in script(), edit in edit(), at in any::<Index>(), other in any::<Index>(), new in token(),
    ) {
        let edited = edited(&tokens, edit, at.index(tokens.len()), other.index(tokens.len()), &new);
        let (left, right) = (joined(&tokens, &[]), joined(&edited, &[]));
        if statements_of(&tokens) == statements_of(&edited) {
            prop_assert_eq!(checksum(&left).ok(), checksum(&right).ok());
        } else if let (Ok(one), Ok(two)) = (checksum(&left), checksum(&right)) {
            prop_assert_ne!(one, two, "{:?} {:?}", left, right);
        }
    }

    #[test]
    fn checksum_sees_every_character_of_a_token(
        tokens in script(), at in any::<Index>(), inside in any::<Index>(),
        new in select(vec![' ', '\n', ';', 'x', 'X', '1', '-', '\'', 'é']),
    ) {
        let at = at.index(tokens.len());
        let old = &tokens[at];
        let places: Vec<usize> = old.char_indices().map(|(place, _)| place).collect();
        let place = places[inside.index(places.len())];
        let mut edited = tokens.clone();
        edited[at].insert(place, new);
        let one = |token: &str| lex(token).len() == 1;
        // What is now several tokens is another sequence, or another blank.
        if place > 0 && one(old) && one(&edited[at]) && !between_segments(old, place) {
            let (left, right) = (joined(&tokens, &[]), joined(&edited, &[]));
            if let (Ok(left), Ok(right)) = (checksum(&left), checksum(&right)) {
                prop_assert_ne!(left, right, "{:?} {:?}", tokens, edited);
            }
        }
    }

    #[test]
    fn checksum_sees_letter_case(tokens in script(), at in any::<Index>()) {
        let at = at.index(tokens.len());
        let mut edited = tokens.clone();
        let old = segments(&tokens[at]);
        edited[at] = swapped_case(&old);
        let (left, right) = (joined(&tokens, &[]), joined(&edited, &[]));
        if edited[at] != old && let (Ok(one), Ok(two)) = (checksum(&left), checksum(&right)) {
            prop_assert_ne!(one, two, "{:?} {:?}", left, right);
        }
    }
}

fn means_nothing(between: &str) -> bool {
    lex(between).iter().all(|token| token.is_trivia() || token.kind == TokenKind::Semicolon)
}

/// The kinds of the tokens of each statement.
fn kinds(statements: &[Statement<'_>]) -> Vec<Vec<TokenKind>> {
    let kinds = |one: &Statement<'_>| one.significant().map(|token: &Token| token.kind).collect();
    statements.iter().map(kinds).collect()
}

#[derive(Debug, Clone, Copy)]
enum Edit {
    Change,
    Remove,
    Duplicate,
    Swap,
    Insert,
    Join,
}

fn edit() -> impl Strategy<Value = Edit> {
    select(vec![Edit::Change, Edit::Remove, Edit::Duplicate, Edit::Swap, Edit::Insert, Edit::Join])
}

fn edited(tokens: &[String], edit: Edit, at: usize, other: usize, new: &[String]) -> Vec<String> {
    let mut edited = tokens.to_vec();
    match edit {
        Edit::Change => drop(edited.splice(at..=at, new.iter().cloned())),
        Edit::Remove => drop(edited.remove(at)),
        Edit::Duplicate => edited.insert(at, tokens[at].clone()),
        Edit::Swap => edited.swap(at, other),
        Edit::Insert => drop(edited.splice(at..at, new.iter().cloned())),
        // The lexer decides whether this is one token now, or still two.
        Edit::Join if at + 1 < tokens.len() => {
            let next = edited.remove(at + 1);
            edited[at].push_str(&next);
        }
        Edit::Join => {}
    }
    edited
}

/// The significant tokens of each statement, as the splitter sees them: empty ones are nothing.
fn statements_of(tokens: &[String]) -> Vec<Vec<String>> {
    let text = joined(tokens, &[]);
    let lexed = lex(&text);
    let Ok(statements) = split(&text, &lexed) else { return Vec::new() };
    let words = |one: &Statement<'_>| one.significant().map(|t| segments(t.text(&text))).collect();
    statements.iter().map(words).collect()
}

/// A literal with one line feed between its segments; any other token as it is.
fn segments(token: &str) -> String {
    for gap in SEGMENT_GAPS {
        if let Some((one, two)) = token.split_once(&format!("'{gap}'")) {
            return format!("{one}'\n'{two}");
        }
    }
    token.to_owned()
}

/// Whether the byte `at` of `token` is between two segments of a literal: what is written there
/// is a blank or a comment.
fn between_segments(token: &str, at: usize) -> bool {
    SEGMENT_GAPS.iter().any(|gap| {
        token
            .find(&format!("'{gap}'"))
            .is_some_and(|quote| (quote + 1..=quote + 1 + gap.len()).contains(&at))
    })
}

fn swapped_case(token: &str) -> String {
    let swap = |c: char| {
        if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
    };
    token.chars().map(swap).collect()
}
