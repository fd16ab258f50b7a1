//! What can be wrong with a set.

use migrate_set::sql::lexer::Unclosed;
use migrate_set::sql::placeholder::PlaceholderProblem;
use migrate_set::sql::split::SplitProblem;
use thiserror::Error;

use super::branch::BranchProblem;
use super::characters::{self, LooksLike};
use super::squash::SquashProblem;
use crate::directives::section::SectionProblem;
use crate::history_file::HistoryProblem;
use crate::lint;
use crate::names::NameError;
use crate::objects::ObjectProblem;
use crate::schema_file::SchemaFileProblem;

/// What is wrong with a set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Problem {
    /// The folder cannot be read.
    #[error("cannot be read: {reason}")]
    NoFolder {
        /// The error message of the system.
        reason: String,
    },
    /// A file or a folder in it cannot be read.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// The error message of the system.
        reason: String,
    },
    /// The user may not read a file or a folder.
    #[error("cannot be read: {reason}")]
    Denied {
        /// The error message of the system.
        reason: String,
    },
    /// A link to something outside the folder.
    #[error("is a link out of the folder")]
    LinkOut,
    /// The history or schema file cannot be written.
    #[error("cannot be written: {reason}")]
    Unwritable {
        /// The error message of the system.
        reason: String,
    },
    /// The history or schema file does not exist, and neither does its folder.
    #[error("does not exist, because there is no folder `{folder}`")]
    NoParent {
        /// The first folder of the path that is missing.
        folder: String,
    },
    /// The set differs from its history file.
    #[error(transparent)]
    History(HistoryProblem),
    /// The set makes another schema than its schema file has.
    #[error(transparent)]
    SchemaFile(SchemaFileProblem),
    /// The set's module has no name.
    #[error("a module's name cannot be empty")]
    NoModule,
    /// The folder contains no migrations.
    #[error("contains no migrations")]
    NoMigrations,
    /// A mistake in a file's name.
    #[error(transparent)]
    Name(NameError),
    /// Not UTF-8.
    #[error("is not UTF-8")]
    NotUtf8,
    /// UTF-16.
    #[error("is UTF-16, not UTF-8")]
    Utf16,
    /// The pointer that Git LFS puts in the place of a file.
    #[error("is a pointer of Git LFS, not the file")]
    LfsPointer,
    /// The marks of a merge conflict.
    #[error("a merge conflict is not resolved")]
    Conflict,
    /// A character outside quotes that is not what it looks like.
    #[error("{}", characters::message(*.c, *.looks_like))]
    Character {
        /// The character.
        c: char,
        /// What it looks like.
        looks_like: LooksLike,
    },
    /// A NUL byte, which PostgreSQL accepts nowhere in a script.
    #[error("contains a NUL byte")]
    NulByte,
    /// Something is never closed.
    #[error("{}", split_message(*.0))]
    Split(SplitProblem),
    /// A mistake in sections or directives.
    #[error(transparent)]
    Section(SectionProblem),
    /// A mistake in a placeholder.
    #[error(transparent)]
    Placeholder(PlaceholderProblem),
    /// An up script without statements.
    #[error("contains no statements")]
    Empty,
    /// Two migrations of the same version.
    #[error("version {version} is claimed by `{first}` and `{second}`")]
    Duplicate {
        /// The version, as the first file writes it.
        version: String,
        /// The file that sorts first.
        first: String,
        /// The other.
        second: String,
    },
    /// A down script without its up script.
    #[error("undoes version {version}, which has no up script")]
    DownWithoutUp {
        /// The version as written.
        version: String,
        /// Its name as a migration, if it is named as refinery names some.
        refinery: Option<String>,
    },
    /// Another tool's comment says that it runs after a file that comes later.
    #[error("depends on `{on}`, which runs after it")]
    DependsOnLater {
        /// The later file.
        on: String,
    },
    /// A script of a tool that has the order in a file of its own, in a set that is ordered by name.
    #[error("is a {tool} script, but the order in `{order}` is not read")]
    OrderElsewhere {
        /// The tool.
        tool: &'static str,
        /// Its file with the order.
        order: &'static str,
    },
    /// No down script, although the set requires one.
    #[error("version {version} has no down script, and this set requires one")]
    NoDown {
        /// The version as written.
        version: String,
    },
    /// Two down scripts for one migration.
    #[error("version {version} has a second down script here, besides `{first}`")]
    DownTwice {
        /// The version as written.
        version: String,
        /// The file that contains the other.
        first: String,
    },
    /// A file whose name says up or down, with a section for the other.
    #[error("contains a section that contradicts its name")]
    OtherSection,
    /// Only a down section.
    #[error("contains a down section but no up section")]
    OnlyDown,
    /// Transaction control in a transactional migration.
    #[error("{statement} in a migration that runs in a transaction")]
    TransactionControl {
        /// The statement's keywords.
        statement: String,
    },
    /// A function in a migration without a transaction.
    #[error("a function in a migration that runs outside a transaction")]
    FunctionOutside,
    /// A function in a down section.
    #[error("a function in a down section")]
    FunctionDown,
    /// `BEGIN` without `COMMIT`.
    #[error("BEGIN is never committed")]
    UncommittedBegin,
    /// `COMMIT` without `BEGIN`.
    #[error("COMMIT ends a transaction that this file did not begin")]
    UnbegunCommit,
    /// A statement that PostgreSQL refuses in a transaction.
    #[error("{statement} cannot run in a transaction")]
    OutsideTransaction {
        /// The statement's keywords.
        statement: String,
        /// What else its script contains.
        beside: Beside,
    },
    /// The use of a value that the same transaction adds to an enum.
    #[error(
        "{value} is a new value of an enum, and cannot be used in the transaction that adds it"
    )]
    EarlyValue {
        /// As written.
        value: String,
    },
    /// `COPY` to the client.
    #[error("COPY to the client is not possible in a migration")]
    CopyOut,
    /// `COPY` from the client, without data.
    #[error("this COPY has no data")]
    CopyWithoutData,
    /// The grammar does not accept a statement.
    #[error("{message}")]
    Syntax {
        /// What was expected and what was found.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// A squash file that is not as it was written, or a file beside it that it does not allow.
    #[error(transparent)]
    Squash(SquashProblem),
    /// The name of an object that nothing made, or that is made twice.
    #[error("{}", .0.message)]
    Object(ObjectProblem),
    /// A migration that cannot live together with those of another branch.
    #[error(transparent)]
    Branch(BranchProblem),
    /// A finding of a lint.
    #[error("{}", .0.message)]
    Lint(lint::Finding),
    /// A migration without a transaction that could use one.
    #[error("nothing here needs to run outside a transaction")]
    NeedlessNoTransaction,
    /// A psql meta-command.
    #[error("`{command}` is a command of psql, not SQL")]
    MetaCommand {
        /// Its name.
        command: String,
    },
    /// A variable of psql.
    #[error("`{written}` is a variable of psql, not SQL")]
    Variable {
        /// As written.
        written: String,
    },
    /// A parameter outside a function.
    #[error("`{written}` is a parameter, and a migration has none")]
    Parameter {
        /// As written.
        written: String,
    },
    /// The same mistake in more files than are shown.
    #[error("the same mistake again, and in {count} more file{}", if *count == 1 { "" } else { "s" })]
    Alike {
        /// How many files follow.
        count: usize,
    },
    /// More mistakes in a file than are shown.
    #[error("{count} more mistake{} in this file", if *count == 1 { "" } else { "s" })]
    More {
        /// How many.
        count: usize,
    },
}

/// What accompanies a statement that cannot run in a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Nothing: the script is only this statement.
    Nothing,
    /// Other statements, which would also lose their transaction.
    Others,
    /// A `BEGIN` before it, in a migration that runs outside a transaction.
    Begin,
}

fn split_message(problem: SplitProblem) -> &'static str {
    match problem {
        SplitProblem::Unclosed(Unclosed::String) => "this string is never closed",
        SplitProblem::Unclosed(Unclosed::Identifier) => "this quoted identifier is never closed",
        SplitProblem::Unclosed(Unclosed::Dollar) => "this dollar-quoted string is never closed",
        SplitProblem::Unclosed(Unclosed::Comment) => "this comment is never closed",
        SplitProblem::Unclosed(Unclosed::Data) => "the data of this COPY is never ended",
        SplitProblem::UnclosedParenthesis => "this parenthesis is never closed",
        SplitProblem::UnopenedParenthesis => "this parenthesis closes nothing",
        SplitProblem::UnclosedAtomicBody => "this BEGIN ATOMIC has no END",
    }
}

impl Problem {
    /// The label of the place in a frame.
    pub(super) fn label(&self) -> &str {
        match self {
            Problem::Object(finding) => &finding.label,
            Problem::Split(SplitProblem::UnopenedParenthesis) => "closes nothing",
            Problem::Split(SplitProblem::Unclosed(Unclosed::Data)) => "begins here",
            Problem::Split(_) => "opened here",
            Problem::UncommittedBegin => "begun here",
            _ => "here",
        }
    }
}
