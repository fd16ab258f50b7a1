//! Recognises the comments that are directives, in our own spelling or in that of another tool.
//! [`section`] decides whether a directive is in a valid place.

mod nearest;
pub mod section;
mod tools;

use migrate_set::name::Direction;
use migrate_set::set::TransactionMode;
use thiserror::Error;

use crate::lint::Lint;
pub use nearest::edit_distance;
use nearest::nearest;
use tools::of_tool;

/// What a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Directive {
    /// A section begins here, optionally with its own transaction mode.
    Section {
        /// Which script it contains.
        direction: Direction,
        /// The transaction mode in the marker.
        transaction: Option<TransactionMode>,
        /// Whether the spelling is a plain word that could also be an ordinary comment.
        spelling: Spelling,
    },
    /// tern's and `MyBatis`'s divider: up above it, down below.
    Divider,
    /// goose's and sql-migrate's `StatementBegin`; our splitter does not need it.
    StatementBegin,
    /// The end of a `StatementBegin`.
    StatementEnd,
    /// The transaction mode of the section that contains it, or of the file if before any section.
    Transaction(TransactionMode),
    /// The transaction mode of the whole file, wherever it is (goose, tern).
    FileTransaction(TransactionMode),
    /// A Rust function of the service runs after the statements of the up script.
    Function,
    /// Allows what the check `check` reports, for a stated reason.
    Allow {
        /// A name from [`checks`].
        check: &'static str,
        /// Never empty.
        reason: String,
    },
}

impl Directive {
    /// Whether it is valid only above the first statement of its section.
    pub(crate) fn leads(&self) -> bool {
        matches!(self, Self::Transaction(_) | Self::Function | Self::Allow { .. })
    }
}

/// How a section is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// `-- UP`: a plain word.
    Word,
    /// `-- migrate:up` and the like: unmistakably a marker.
    Marker,
}

/// The checks that `-- migrate:allow CHECK because REASON` can name in addition to the lints.
const CHECKS: &[&str] = &["empty", "syntax", "names", "needless-no-transaction"];

/// The text of a new down script.
pub(crate) const DOWN: &str = "-- The statements that undo it.\n";

/// All checks that can be allowed.
pub fn checks() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().copied().chain(Lint::ALL.iter().map(|lint| lint.as_str()))
}

/// A comment that is almost a directive.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DirectiveError {
    /// No such directive.
    #[error("unknown directive `{written}`")]
    Unknown {
        /// As written.
        written: String,
        /// The nearest that exists.
        nearest: &'static str,
    },
    /// A misspelt marker: read as an ordinary comment, the down would run as up.
    #[error("`{written}` looks like the beginning of {} section", direction.with_article())]
    NearlySection {
        /// As written.
        written: String,
        /// Which section it seems to begin.
        direction: Direction,
    },
    /// goose's `ENVSUB ON`: the environment of the service does not exist at build time.
    #[error("goose's environment substitution is not possible in an embedded set")]
    EnvironmentSubstitution,
    /// Liquibase's first line: what its changesets and preconditions say would not count.
    #[error(
        "a Liquibase changelog is not a migration: its changesets and conditions would be ignored"
    )]
    Liquibase,
    /// Atlas's checkpoint, which replaces the migrations before it.
    #[error("an Atlas checkpoint would run after the migrations that it replaces")]
    Checkpoint,
    /// `migrate:allow` without `because` and a reason.
    #[error("`{written}` gives no reason")]
    NoReason {
        /// As written.
        written: String,
    },
    /// `migrate:allow` with a check that does not exist.
    #[error("there is no check `{written}` to allow")]
    UnknownCheck {
        /// As written.
        written: String,
    },
}

impl DirectiveError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown { nearest, .. } => format!("did you mean `-- {nearest}`?"),
            Self::NearlySection { direction, .. } => {
                let marker = direction.to_string().to_uppercase();
                format!(
                    "write `-- {marker}` alone on the line; if it is a comment, use other words"
                )
            }
            Self::EnvironmentSubstitution => {
                "write the values themselves, and remove this line".to_owned()
            }
            Self::Liquibase => {
                "make each changeset a file of its own, with its `--rollback` lines in a `-- DOWN` \
                 section, and remove this line"
                    .to_owned()
            }
            Self::Checkpoint => {
                "remove this line if the set begins here; otherwise move the file out of the folder"
                    .to_owned()
            }
            Self::NoReason { .. } => "write `-- migrate:allow CHECK because REASON`".to_owned(),
            Self::UnknownCheck { .. } => {
                let checks: Vec<&str> = checks().collect();
                format!("the checks are: {}", checks.join(", "))
            }
        }
    }
}

/// The directive in `comment`, a line comment including its `--`; `None` if it is an ordinary
/// comment.
///
/// # Errors
/// [`DirectiveError`] for a comment that looks like a directive and is not a valid one.
pub fn directive(comment: &str) -> Result<Option<Directive>, DirectiveError> {
    let body = comment.trim_start_matches('-').trim();
    let Some(first) = body.split_whitespace().next() else { return Ok(None) };
    if let found @ Some(_) = of_tool(comment, body)? {
        Ok(found)
    } else if let Some(rest) = after(body, "migrate:") {
        own(body, rest).map(Some)
    } else if let Some(rest) = after(body, "+goose ") {
        goose(body, rest)
    } else if let Some(rest) = after(body, "+migrate ") {
        sql_migrate(body, rest).map(Some)
    } else if body.eq_ignore_ascii_case("up") {
        Ok(Some(section(Direction::Up, None, Spelling::Word)))
    } else if body.eq_ignore_ascii_case("down") {
        Ok(Some(section(Direction::Down, None, Spelling::Word)))
    } else if ["no-transaction", "pgdbm:no-transaction"].contains(&first) {
        Ok(Some(Directive::Transaction(TransactionMode::NonTransactional)))
    } else if let Some(direction) = nearly_section(body) {
        Err(DirectiveError::NearlySection { written: comment.trim().to_owned(), direction })
    } else {
        Ok(None)
    }
}

/// `UP: create users`, `==== DOWN ====`, `migrate down`.
fn nearly_section(body: &str) -> Option<Direction> {
    let bare = body.trim_matches(|c: char| !c.is_alphanumeric()).to_ascii_lowercase();
    let (head, colon) = bare.split_once(':').map_or((bare.as_str(), false), |(h, _)| (h, true));
    let head = head.trim();
    let words: Vec<&str> = head.split_whitespace().collect();
    let direction = |word: &str| match word {
        "up" | "ups" => Some(Direction::Up),
        "down" | "downs" | "undo" => Some(Direction::Down),
        _ => None,
    };
    let marks = ["migration", "migrations", "migrate", "script", "section", "rambler", "micrate"];
    match words[..] {
        [word] if colon || bare.len() < body.len() => direction(word),
        [word, mark] if marks.contains(&mark) => direction(word),
        [mark, word] if marks.contains(&mark) => direction(word),
        _ => None,
    }
}

fn section(
    direction: Direction,
    transaction: Option<TransactionMode>,
    spelling: Spelling,
) -> Directive {
    Directive::Section { direction, transaction, spelling }
}

/// What follows `prefix`, which matches in upper and lower case.
fn after<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text[prefix.len()..].trim())
}

/// `migrate:up`, `migrate:down` (dbmate, with `transaction:false`), and our own directives.
fn own(written: &str, rest: &str) -> Result<Directive, DirectiveError> {
    let (word, options) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let options = options.trim();
    let direction = match word {
        "up" => Direction::Up,
        "down" => Direction::Down,
        "no-transaction" if options.is_empty() => {
            return Ok(Directive::Transaction(TransactionMode::NonTransactional));
        }
        "function" if options.is_empty() => return Ok(Directive::Function),
        "allow" => return allow(written, options),
        _ => return Err(unknown(written)),
    };
    let transaction = match options {
        "" => None,
        "transaction:false" => Some(TransactionMode::NonTransactional),
        "transaction:true" => Some(TransactionMode::Transactional),
        _ => return Err(unknown(written)),
    };
    Ok(section(direction, transaction, Spelling::Marker))
}

fn allow(written: &str, options: &str) -> Result<Directive, DirectiveError> {
    let (check, reason) = options.split_once(" because").unwrap_or((options, ""));
    let (check, reason) = (check.trim(), reason.trim());
    let first = check.split_whitespace().next().unwrap_or_default();
    if first.is_empty() || (first != check && checks().any(|known| known == first)) {
        return Err(DirectiveError::NoReason { written: written.to_owned() });
    }
    let Some(check) = checks().find(|known| *known == check) else {
        return Err(DirectiveError::UnknownCheck { written: check.to_owned() });
    };
    if reason.is_empty() {
        return Err(DirectiveError::NoReason { written: written.to_owned() });
    }
    Ok(Directive::Allow { check, reason: reason.to_owned() })
}

fn goose(written: &str, rest: &str) -> Result<Option<Directive>, DirectiveError> {
    Ok(Some(match rest.to_ascii_lowercase().as_str() {
        "up" => section(Direction::Up, None, Spelling::Marker),
        "down" => section(Direction::Down, None, Spelling::Marker),
        "statementbegin" => Directive::StatementBegin,
        "statementend" => Directive::StatementEnd,
        "no transaction" => Directive::FileTransaction(TransactionMode::NonTransactional),
        "envsub off" => return Ok(None),
        "envsub on" => return Err(DirectiveError::EnvironmentSubstitution),
        _ => return Err(unknown(written)),
    }))
}

fn sql_migrate(written: &str, rest: &str) -> Result<Directive, DirectiveError> {
    let lower = rest.to_ascii_lowercase();
    let mut words = lower.split_whitespace();
    let direction = match words.next() {
        Some("up") => Direction::Up,
        Some("down") => Direction::Down,
        Some("statementbegin") => return Ok(Directive::StatementBegin),
        Some("statementend") => return Ok(Directive::StatementEnd),
        _ => return Err(unknown(written)),
    };
    let transaction = match words.next() {
        None => None,
        Some("notransaction") => Some(TransactionMode::NonTransactional),
        Some(_) => return Err(unknown(written)),
    };
    Ok(section(direction, transaction, Spelling::Marker))
}

fn unknown(written: &str) -> DirectiveError {
    DirectiveError::Unknown { written: written.to_owned(), nearest: nearest(written) }
}

#[cfg(test)]
mod tests {
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
        for remark in ["--", "-- upgrade", "-- down the road", "-- no-transactional", "-- pgdbm:no"]
        {
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
            "make each changeset a file of its own, with its `--rollback` lines in a `-- DOWN` section, \
             and remove this line",
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
             not-null-without-default, volatile-default, column-type-change, set-not-null, \
             constraint-not-valid, unique-without-index, table-renamed, column-renamed, \
             table-dropped, column-dropped, session-setting, foreign-key-without-index, still-read, \
             down-incomplete, down-fails",
        );
    }
}
