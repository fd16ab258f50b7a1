//! What to do about each problem of a set.

use migrate_set::remedy::{Remedy, Term};
use migrate_set::sql::lexer::Unclosed;
use migrate_set::sql::split::SplitProblem;

use super::problem::{Beside, Problem};
use super::{characters, psql};

impl Problem {
    /// What to do about it.
    pub fn help(&self) -> Remedy {
        match self {
            Problem::NoFolder { .. } => Remedy::new("{}", &[Term::Folder]),
            Problem::Duplicate { .. } => Remedy::new(
                "renumber whichever has not been applied anywhere yet; for an existing history, set {}",
                &[Term::DuplicatesByName],
            ),
            Problem::DownWithoutUp { refinery: Some(right), .. } => format!(
                "add the up script, or remove this file; if it is a migration, which it is to refinery, rename it to `{right}`"
            )
            .into(),
            Problem::DependsOnLater { on } => format!(
                "give it a version after that of `{on}`; migrations run in the order of their versions"
            )
            .into(),
            Problem::LinkOut => Remedy::new(
                "put a copy of the file into the folder, or allow such links with {}",
                &[Term::FollowLinks],
            ),
            Problem::Name(error) => error.help(),
            Problem::History(problem) => problem.help(),
            Problem::SchemaFile(problem) => problem.help().into(),
            Problem::Branch(problem) => problem.help(),
            Problem::Squash(problem) => problem.help().into(),
            Problem::Syntax { help, .. } => help.clone().into(),
            Problem::Object(finding) => finding.remedy(),
            Problem::Lint(finding) => format!(
                "{}; or say why not: `-- migrate:allow {} because REASON`",
                finding.help,
                finding.lint.as_str()
            )
            .into(),
            Problem::Character { looks_like, .. } => characters::help(*looks_like).into(),
            Problem::Section(problem) => problem.help().into(),
            Problem::Placeholder(problem) => problem.help().into(),
            Problem::Split(problem) => split_help(*problem).into(),
            other => other.transaction_help().unwrap_or_else(|| other.plain_help()).into(),
        }
    }

    /// The help of the problems with the transaction that a script runs in.
    fn transaction_help(&self) -> Option<&'static str> {
        Some(match self {
            Problem::OutsideTransaction { beside, .. } => beside.help(),
            // Without it, the END or COMMIT that follows would be the next mistake.
            Problem::TransactionControl { statement }
                if statement.ends_with("without `;`") && !statement.starts_with("COMMIT") =>
            {
                "write a `;` after it"
            }
            Problem::TransactionControl { .. } => {
                "remove it: the migration commits as a whole, with its ledger entry; or write \
                 `-- migrate:no-transaction` above the first statement and control transactions \
                 yourself"
            }
            Problem::FunctionOutside => {
                "a function runs in the migration's transaction, with its ledger entry: move it to \
                 its own migration"
            }
            Problem::FunctionDown => {
                "undo what it does with SQL, which the ledger keeps for binaries without the \
                 function"
            }
            Problem::EarlyValue { .. } => {
                "use it in the next migration: a file is one transaction, whatever `BEGIN` and `COMMIT` it has; \
                 or write `-- migrate:no-transaction` above the first statement"
            }
            Problem::UncommittedBegin => "remove it, or add COMMIT",
            Problem::UnbegunCommit => {
                "remove it: the migration runs in a transaction automatically; with \
                 `-- migrate:no-transaction`, add BEGIN"
            }
            Problem::NeedlessNoTransaction => {
                "run it in a transaction, so that a failure undoes all of it; or say why not: \
                 `-- migrate:allow needless-no-transaction because REASON`"
            }
            _ => return None,
        })
    }

    /// The help of the other problems with a fixed help.
    fn plain_help(&self) -> &'static str {
        match self {
            Problem::NoParent { .. } => {
                "correct the path (in `embed_migrations!` it is relative to the crate's Cargo.toml), or make the folder"
            }
            Problem::Unwritable { .. } => "its folder must exist and be writable",
            Problem::Denied { .. } => "allow the user who runs this to read it",
            Problem::Unreadable { .. } => "fix it, or remove it",
            Problem::NoModule => "give it a name, or omit the option",
            Problem::NoMigrations => "add a file such as `0001_create_users.sql`",
            Problem::NotUtf8 | Problem::Utf16 => "save the file as UTF-8",
            Problem::LfsPointer => {
                "run `git lfs pull`, and keep SQL out of LFS in `.gitattributes`"
            }
            Problem::Conflict => {
                "keep what is right, and remove the lines `<<<<<<<`, `=======` and `>>>>>>>`"
            }
            Problem::NulByte => "remove it",
            Problem::Empty => {
                "add SQL, or say why there is none: `-- migrate:allow empty because REASON`"
            }
            Problem::DownWithoutUp { .. } => "add the up script, or remove this file",
            Problem::NoDown { .. } => {
                "mark its statements with `-- UP` and add a `-- DOWN` section, or a `.down.sql` file next to it; \
                 if there is nothing to undo, say so there in a comment"
            }
            Problem::OrderElsewhere { .. } => {
                "let `migrate convert` number the files in that order; such names need no layout"
            }
            Problem::DownTwice { .. } => "keep one of the two",
            Problem::OtherSection => "remove `.up` or `.down` from the name, or remove the section",
            Problem::OnlyDown => {
                "mark the up section, in the style of the down section: `-- UP` for `-- DOWN`"
            }
            Problem::CopyOut => "remove it, or write COPY to a file on the server",
            Problem::CopyWithoutData => {
                "write the data from the next line on, and a line `\\.` after it"
            }
            Problem::MetaCommand { command } => psql::help(command),
            Problem::Variable { .. } | Problem::Parameter { .. } => "write the value itself",
            Problem::More { .. } | Problem::Alike { .. } => "fix those above first",
            _ => "",
        }
    }
}

impl Beside {
    fn help(self) -> &'static str {
        match self {
            Beside::Nothing => "write `-- migrate:no-transaction` above it",
            Beside::Others => {
                "move it to its own migration, below a line `-- migrate:no-transaction`; or write \
                 that line above the first statement here, and all statements run one by one"
            }
            Beside::Begin => "move it out of the block",
        }
    }
}

fn split_help(problem: SplitProblem) -> &'static str {
    match problem {
        SplitProblem::Unclosed(Unclosed::String) => {
            "close it with `'`; a quote inside a string is written twice"
        }
        SplitProblem::Unclosed(Unclosed::Identifier) => "close it with `\"`",
        SplitProblem::Unclosed(Unclosed::Dollar) => "close it with the same `$tag$`",
        SplitProblem::Unclosed(Unclosed::Comment) => "close it with `*/`; comments nest",
        SplitProblem::Unclosed(Unclosed::Data) => "write a line `\\.` after the last row",
        SplitProblem::UnclosedParenthesis => "close it with `)`",
        SplitProblem::UnopenedParenthesis => "remove it, or open it with `(`",
        SplitProblem::UnclosedAtomicBody => "close the body with `END`",
    }
}
