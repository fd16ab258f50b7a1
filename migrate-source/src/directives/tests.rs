//! Tables of comments and the directives that they are.

use super::*;
use Direction::{Down, Up};
use TransactionMode::{NonTransactional, Transactional};

#[test]
fn every_spelling_is_understood() {
    let check = |comment: &str, expected: Option<Directive>| {
        assert_eq!(directive(comment), Ok(expected), "{comment}");
    };
    let word = |direction| Some(section(direction, None, Spelling::Word));
    let marker = |direction| Some(section(direction, None, Spelling::Marker));
    let with = |direction, mode| Some(section(direction, Some(mode), Spelling::Marker));
    check("-- UP", word(Up));
    check("--up ", word(Up));
    check("-- Down", word(Down));
    check("-- migrate:up", marker(Up));
    check("-- migrate:down", marker(Down));
    check("-- migrate:up transaction:false", with(Up, NonTransactional));
    check("-- migrate:down transaction:true", with(Down, Transactional));
    check("-- +goose Up", marker(Up));
    check("-- +goose DOWN", marker(Down));
    check("-- +goose StatementBegin", Some(Directive::StatementBegin));
    check("-- +goose StatementEnd", Some(Directive::StatementEnd));
    check("-- +goose NO TRANSACTION", Some(Directive::FileTransaction(NonTransactional)));
    check("-- +goose ENVSUB OFF", None);
    check("-- +migrate Up", marker(Up));
    check("-- +migrate Down notransaction", with(Down, NonTransactional));
    check("-- +migrate StatementBegin", Some(Directive::StatementBegin));
    check("-- +migrate StatementEnd", Some(Directive::StatementEnd));
    check("---- create above / drop below ----", Some(Directive::Divider));
    check("-- //@UNDO", Some(Directive::Divider));
    check("-- Up Migration", marker(Up));
    check("--down migration", marker(Down));
    check("-- !Downs", marker(Down));
    check("-- rambler up", marker(Up));
    check("-- +micrate Down", marker(Down));
    check("---- tern: disable-tx ----", Some(Directive::FileTransaction(NonTransactional)));
    let none = Some(Directive::Transaction(NonTransactional));
    check("-- migrate:no-transaction", none.clone());
    check("-- no-transaction", none.clone());
    check("-- pgdbm:no-transaction because", none.clone());
    check("-- atlas:txmode none", none.clone());
    check("--! no-transaction", none.clone());
    check("-- postgres-migrations disable-transaction", none.clone());
    check("-- transactional: false", none);
    check("-- atlas:txmode file", None);
    let allow = Directive::Allow { check: "empty", reason: "it came later".to_owned() };
    check("-- migrate:allow empty because it came later", Some(allow));
    check("-- migrate:from goose 7", Some(Directive::From));
    let after = |release| Some(Directive::Contract { after: Release::new(release).unwrap() });
    check("-- migrate:phase contract after 2.3", after("2.3"));
    check("--migrate:phase  contract  after v2.3.0-rc.1 ", after("2.3.0-rc.1"));
    let range = |range: [&str; 3]| Some(Directive::Replaces { range: range.map(str::to_owned) });
    check("-- migrate:replaces 1 to 120 sha256:ab", range(["1", "120", "ab"]));
    check("-- migrate:replaces 1 to x to y sha256:ab", range(["1", "x to y", "ab"]));
    for remark in ["--", "-- upgrade", "-- down the road", "-- no-transactional", "-- pgdbm:no"] {
        check(remark, None);
    }
}

#[test]
fn almost_directives_are_errors_with_the_nearest_spelling() {
    let check = |comment: &str, message: &str, help: &str| {
        let error = directive(comment).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.help().as_str()), (message, help));
    };
    check(
        "-- migrate:notransaction",
        "unknown directive `migrate:notransaction`",
        "did you mean `-- migrate:no-transaction`?",
    );
    check("-- +goose Upp", "unknown directive `+goose Upp`", "did you mean `-- +goose Up`?");
    check(
        "-- +goose ENVSUB ON",
        "goose's environment substitution is not possible in an embedded set",
        "write the values themselves, and remove this line",
    );
    check(
        "--liquibase formatted sql",
        "a Liquibase changelog is not a migration: its changesets and conditions would be ignored",
        "let `migrate convert` make each changeset a file of its own, or do that by hand: `--rollback` \
         lines in a `-- DOWN` section, and without this line",
    );
    check(
        "-- atlas:checkpoint v2",
        "an Atlas checkpoint would run after the migrations that it replaces",
        "remove this line if the set begins here; otherwise move the file out of the folder",
    );
    check(
        "-- migrate:allow empty",
        "`migrate:allow empty` gives no reason",
        "write `-- migrate:allow CHECK because REASON`",
    );
    check(
        "-- migrate:allow drops because yes",
        "there is no check `drops` to allow",
        "the checks are: empty, syntax, names, needless-no-transaction, index-not-concurrent, \
         not-null-without-default, volatile-default, table-rewritten, column-type-change, set-not-null, \
         constraint-not-valid, unique-without-index, table-renamed, column-renamed, \
         table-dropped, column-dropped, session-setting, foreign-key-without-index, still-read, \
         down-incomplete, down-fails",
    );
    check(
        "-- migrate:allow column-droped because yes",
        "there is no check `column-droped` to allow",
        "did you mean `column-dropped`?",
    );
    check(
        "-- migrate:allow names, syntax because yes",
        "there is no check `names, syntax` to allow",
        "write one line for each check",
    );
    let all = "the directives are `-- migrate:up`, `-- migrate:down`, `-- migrate:no-transaction`, \
               `-- migrate:up transaction:false`, `-- migrate:down transaction:false`, `-- migrate:function`, \
               `-- migrate:phase contract after RELEASE`, `-- migrate:allow CHECK because REASON`, \
               `-- migrate:from TOOL KEY`, `-- migrate:replaces FIRST to LAST sha256:DIGEST`";
    for written in ["migrate:lock-timeout 5s", "migrate:retries 5", "migrate:rollback"] {
        check(&format!("-- {written}"), &format!("unknown directive `{written}`"), all);
    }
    check("-- migrate:dwn", "unknown directive `migrate:dwn`", "did you mean `-- migrate:down`?");
    let contract = "write `-- migrate:phase contract after RELEASE`, the first release that does not use what the \
                    file removes";
    for written in [
        "migrate:phase",
        "migrate:phase contract",
        "migrate:phase contract 2.3",
        "migrate:phase contract before 2.3",
        "migrate:phase contract after",
        "migrate:phase contract after 2.3 and 2.4",
    ] {
        let message = format!("`{written}` does not name one release");
        check(&format!("-- {written}"), &message, contract);
    }
    check(
        "-- migrate:phase contract after next",
        "`next` is not a release",
        "write numbers with dots, such as 2.3 or 2.3.0-rc.1",
    );
    check(
        "-- migrate:phase expand",
        "there is no phase `expand`",
        "the only phase is `contract`; a file that removes nothing needs no line",
    );
    let range = "write the file with `migrate squash`: `-- migrate:replaces FIRST to LAST sha256:DIGEST`, and a line \
                 for each migration";
    for written in ["migrate:replaces", "migrate:replaces 1 to 120", "migrate:replaces 1 sha256:ab"]
    {
        let message = format!("`{written}` does not name what the file replaces");
        check(&format!("-- {written}"), &message, range);
    }
    check(
        "-- migrate:phases contract after 2.3",
        "unknown directive `migrate:phases contract after 2.3`",
        "did you mean `-- migrate:phase contract after RELEASE`?",
    );
}

#[test]
fn remarks_that_begin_like_a_directive_are_remarks() {
    for remark in [
        "-- Migrate: mark polls as muted where the creator had unwatched them",
        "-- migrate: existing users get the default role",
        "-- MIGRATE: updated_at is set for all rows",
    ] {
        assert_eq!(directive(remark), Ok(None), "{remark}");
    }
    for wrong in [
        "-- migrate: dwn",
        "-- migrate: donw now",
        "-- migrate: no transaction",
        "-- migrate: without a transaction",
        "-- migrate: transaction: false",
        "-- migrate: begin down",
        "-- migrate: alow names because they are there",
        "-- migrate: ignore names because they are there",
        "-- migrate:mark polls as muted",
        "-- migrate: polls",
    ] {
        assert!(directive(wrong).is_err(), "{wrong}");
    }
}
