//! Tables of files and the sections that they have.

use super::*;
use migrate_set::sql::lexer::lex;

/// `up | down`, each trimmed, `!` before a non-transactional one; `=` before a whole file.
fn check(text: &str, expected: &str) {
    let tokens = lex(text);
    let found = sections(text, &tokens, AlmostMarker::Mistake).unwrap();
    let show = |block: Option<Block<'_>>| {
        block.map(|block| {
            let mode = block.transaction == TransactionMode::NonTransactional;
            let words = block.tokens.iter().filter(|token| !token.is_trivia());
            let words: String = words.map(|token| token.text(text)).collect();
            format!("{}{words}", if mode { "!" } else { "" })
        })
    };
    let shown = match found.whole {
        Some(_) => format!("={}", show(found.whole).unwrap()),
        None => [show(found.up), show(found.down)].map(Option::unwrap_or_default).join(" | "),
    };
    assert_eq!(shown, expected, "{text}");
}

fn check_errors(text: &str, expected: &str) {
    let tokens = lex(text);
    let errors = sections(text, &tokens, AlmostMarker::Mistake).unwrap_err();
    let shown: Vec<String> = errors
        .iter()
        .map(|error| format!("{} @{}: {}", error.problem, error.span.0, error.problem.help()))
        .collect();
    assert_eq!(shown.join("\n"), expected, "{text}");
}

#[test]
fn every_tools_sections_are_found() {
    check("a; b;", "=a;b;");
    check("-- head\n-- UP\na;\n-- DOWN\nb;", "a; | b;");
    check("-- up\na\n  -- down\nb", "a | b");
    check("-- migrate:up\na;\n-- migrate:down\nb;", "a; | b;");
    check("-- migrate:up transaction:false\na;\n-- migrate:down\nb;", "!a; | b;");
    check(
        "-- +goose Up\n-- +goose StatementBegin\na;b;\n-- +goose StatementEnd\n-- +goose Down\nc",
        "a;b; | c",
    );
    check("-- +goose Up\n-- +goose NO TRANSACTION\na;\n-- +goose Down\nb", "!a; | !b");
    check("-- +migrate Up notransaction\na;\n-- +migrate Down\nb", "!a; | b");
    check("a;\n---- create above / drop below ----\nb;", "a; | b;");
    check("-- UP\r\na;\r\n-- DOWN\r\nb;", "a; | b;");
    check("-- DOWN\nb", " | b");
    check("-- +migrate Up\na;\n-- +migrate Up\nb;\n-- +migrate Down\nc", "a;b; | c");
    check("---- tern: disable-tx ----\na;\n---- create above / drop below ----\nb", "!a; | !b");
    check("-- // create a\na;\n-- //@UNDO\nb;", "a; | b;");
    check("-- Up Migration\na;\n-- Down Migration\nb;", "a; | b;");
    check("-- migrate:no-transaction\na", "=!a");
    check("-- migrate:no-transaction\n-- UP\na\n-- DOWN\nb", "!a | !b");
    check("-- UP\n-- no-transaction\na\n-- DOWN\nb", "!a | b");
}

#[test]
fn markers_inside_something_are_not_markers() {
    check(
        "a '\n-- UP\n'; b -- UP\n; do $$\n-- DOWN\n$$",
        "=a'\n-- UP\n';bdo$$\n-- DOWN\n$$".replace('b', "b;").as_str(),
    );
    check("create table t (\n  -- up\n a)", "=createtablet(a)");
    check("/*\n-- UP\n*/ a", "=a");
    check("a;\n-- dawn\nb;", "=a;b;");
    check("a;\n-- Down: by hand\n-- b;", "=a;");
    check("-- migrate:up\na;\n-- migrate:down\n-- Down: by hand\nb;", "a; | b;");
}

#[test]
fn words_are_remarks_in_files_of_one_direction() {
    let text = "a;\n-- Down: by hand\nb;";
    let tokens = lex(text);
    assert!(sections(text, &tokens, AlmostMarker::Remark).unwrap().whole.is_some());
}

#[test]
fn misplaced_markers_are_errors() {
    check_errors(
        "-- UP\na;\n-- UP\nb;",
        "a second up section begins here @9: keep one up and one down section per file; \
           move the rest to another file",
    );
    check_errors(
        "-- DOWN\na;\n-- UP\nb;",
        "the down section comes before the up section @11: put the up section first",
    );
    check_errors(
        "a;\n-- UP\nb;",
        "a statement comes before the first section @0: \
           move it below the marker of the section it belongs to",
    );
    check_errors(
        "a;\n-- migrate:no-transaction\nb;",
        "this directive comes after a statement, where it has no effect @3: \
           move it above the first statement of its section",
    );
    check_errors(
        "-- +goose Up\n-- +goose StatementBegin\na",
        "`StatementBegin` is never closed @13: add `StatementEnd` after the statement",
    );
    check_errors(
        "-- +goose Up\na;\n-- +goose StatementEnd",
        "`StatementEnd` closes nothing @16: remove it, or add `StatementBegin` before it",
    );
}

#[test]
fn misspelt_markers_are_errors() {
    check_errors(
        "-- UP\na;\n-- DWN\nb;",
        "`-- DWN` looks like the beginning of a down section @9: write `-- DOWN` alone on the \
           line; if it is a comment, use other words",
    );
    check_errors(
        "-- UP\na;\n-- DWON\nb;",
        "`-- DWON` looks like the beginning of a down section @9: write `-- DOWN` alone on \
           the line; if it is a comment, use other words",
    );
    check_errors(
        "-- migrate:upp\na\n-- +goose Dwn",
        "unknown directive `migrate:upp` @0: did you mean `-- migrate:up`?\n\
         unknown directive `+goose Dwn` @17: did you mean `-- +goose Down`?",
    );
}

#[test]
fn a_phase_belongs_to_the_up_script_and_the_newest_release_counts() {
    let check = |text: &str, expected: Option<&str>| {
        let tokens = lex(text);
        let found = sections(text, &tokens, AlmostMarker::Mistake).unwrap().contract;
        assert_eq!(found.as_ref().map(Release::as_str), expected, "{text}");
    };
    check("-- migrate:phase contract after 2.3\na;", Some("2.3"));
    check("-- migrate:phase contract after 2.3\n-- UP\na;\n-- DOWN\nb;", Some("2.3"));
    check("-- UP\n-- migrate:phase contract after 2.3\na;", Some("2.3"));
    check(
        "-- migrate:phase contract after 2.10\n-- migrate:phase contract after 2.9\na;",
        Some("2.10"),
    );
    check("a;", None);
    check("select '\n-- migrate:phase contract after 2.3\n';", None);
    check_errors(
        "-- UP\na;\n-- DOWN\n-- migrate:phase contract after 2.3\nb;",
        "a phase in a down section @17: move it above the first statement of the up script",
    );
    check_errors(
        "a; -- migrate:phase contract after 2.3",
        "this directive comes after a statement, where it has no effect @3: \
         move it above the first statement of its section",
    );
}
