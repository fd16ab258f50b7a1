//! Recognises the comments that are directives, in our own spelling or in that of another tool.
//! [`section`] decides whether a directive is in a valid place.

mod nearest;
pub mod section;
mod tools;

use migrate_set::former::Former;
use migrate_set::name::Direction;
use migrate_set::release::Release;
use migrate_set::set::TransactionMode;
use thiserror::Error;

use crate::lint::Lint;
pub use nearest::edit_distance;
use nearest::{is_remark, nearest};
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
    /// What another tool knows the migration by, which only `adopt` needs.
    From,
    /// The file removes what releases before this one use.
    Contract {
        /// The first release that does not use it.
        after: Release,
    },
    /// The file has the place of earlier migrations, which its next lines list.
    Replaces {
        /// The first version, the last, and the digest of the list.
        range: [String; 3],
    },
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
        matches!(
            self,
            Self::Transaction(_)
                | Self::Function
                | Self::From
                | Self::Contract { .. }
                | Self::Replaces { .. }
                | Self::Allow { .. }
        )
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
        /// One that is spelt alike.
        nearest: Option<&'static str>,
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
    /// `migrate:replaces` in another form than `migrate squash` writes it.
    #[error("`{written}` does not name what the file replaces")]
    NoRange {
        /// As written.
        written: String,
    },
    /// `migrate:phase` with a phase that does not exist.
    #[error("there is no phase `{written}`")]
    UnknownPhase {
        /// As written.
        written: String,
    },
    /// `migrate:phase contract` without `after` and a release.
    #[error("`{written}` does not name one release")]
    NoRelease {
        /// As written.
        written: String,
    },
    /// `migrate:phase contract after` with another word than a release.
    #[error("`{written}` is not a release")]
    NotARelease {
        /// As written.
        written: String,
    },
}

impl DirectiveError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unknown { nearest: Some(nearest), .. } => format!("did you mean `-- {nearest}`?"),
            Self::Unknown { nearest: None, .. } => nearest::all(),
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
                "let `migrate convert` make each changeset a file of its own, or do that by hand: `--rollback` \
                 lines in a `-- DOWN` section, and without this line"
                    .to_owned()
            }
            Self::Checkpoint => {
                "remove this line if the set begins here; otherwise move the file out of the folder"
                    .to_owned()
            }
            Self::NoReason { .. } => "write `-- migrate:allow CHECK because REASON`".to_owned(),
            Self::UnknownCheck { written } => nearest::check(written, &checks().collect::<Vec<_>>()),
            Self::NoRange { .. } => {
                "write the file with `migrate squash`: `-- migrate:replaces FIRST to LAST sha256:DIGEST`, and a line \
                 for each migration"
                    .to_owned()
            }
            Self::UnknownPhase { .. } => {
                "the only phase is `contract`; a file that removes nothing needs no line".to_owned()
            }
            Self::NoRelease { .. } => {
                "write `-- migrate:phase contract after RELEASE`, the first release that does not use \
                 what the file removes"
                    .to_owned()
            }
            Self::NotARelease { .. } => {
                "write numbers with dots, such as 2.3 or 2.3.0-rc.1".to_owned()
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
        if is_remark(&body["migrate:".len()..]) { Ok(None) } else { own(body, rest).map(Some) }
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
        "from" if Former::parse(&rest[word.len()..]).is_some() => return Ok(Directive::From),
        "allow" => return allow(written, options),
        "phase" => return phase(written, options),
        "replaces" => return replaces(written, options),
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

fn phase(written: &str, options: &str) -> Result<Directive, DirectiveError> {
    let words: Vec<&str> = options.split_whitespace().collect();
    match words[..] {
        ["contract", "after", release] => match Release::new(release.to_owned()) {
            Some(after) => Ok(Directive::Contract { after }),
            None => Err(DirectiveError::NotARelease { written: release.to_owned() }),
        },
        [] | ["contract", ..] => Err(DirectiveError::NoRelease { written: written.to_owned() }),
        [other, ..] => Err(DirectiveError::UnknownPhase { written: other.to_owned() }),
    }
}

/// Versions can have blanks.
fn replaces(written: &str, options: &str) -> Result<Directive, DirectiveError> {
    let parts = options.split_once(" to ");
    let parts = parts.and_then(|(first, rest)| Some((first, rest.rsplit_once(" sha256:")?)));
    match parts {
        Some((first, (last, digest))) => {
            Ok(Directive::Replaces { range: [first, last, digest].map(str::to_owned) })
        }
        None => Err(DirectiveError::NoRange { written: written.to_owned() }),
    }
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
mod tests;
