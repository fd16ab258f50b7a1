//! Checks that a schema file, which is reviewed with the migrations, is the schema that the set makes; or writes it.

use std::path::{Path, PathBuf};
use std::{env, fmt, fs, io};

use migrate_runtime::internal::{self, SchemaForm, schema_differences, schema_text};
use migrate_runtime::schema::{SchemaDifference, SchemaScope};
use migrate_runtime::set::Sets;

use crate::database::TestDatabase;
use crate::database::session::Session;
use crate::error::TestError;

/// If this variable is set, the file is written.
const UPDATE: &str = "MIGRATE_UPDATE_SCHEMA";

/// Why a schema file is not that of a set.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SchemaFileError {
    /// There is no database, or the set cannot be applied.
    #[error(transparent)]
    Test(#[from] TestError),
    /// The file cannot be read or written.
    #[error(
        "`{}` cannot be read or written: {source}\n\
         help: name it as from the folder of the package; `{UPDATE}=1 cargo test` creates it",
        file.display()
    )]
    File {
        /// The file.
        file: PathBuf,
        /// What the system reports.
        source: io::Error,
    },
    /// The file is of the other form, which needs no database.
    #[error(
        "`{}` is a file of `{}`, not of `{}`\n\
         help: name another file; the build compares this one, as the argument `schema` of `embed_migrations!`",
        file.display(),
        SchemaForm::Static.verb(),
        SchemaForm::Database.verb()
    )]
    Static {
        /// The file.
        file: PathBuf,
    },
    /// The set makes another schema.
    #[error(
        "`{}` is not the schema that the set makes{}\n\
         help: review what differs, then write the file: `{UPDATE}=1 cargo test`",
        file.display(),
        listed(differences)
    )]
    Stale {
        /// The file.
        file: PathBuf,
        /// Each object that differs: what the file has is expected, what the set makes is found. Empty if only the
        /// order or the form of the text differs.
        differences: Vec<SchemaDifference>,
    },
}

impl fmt::Debug for SchemaFileError {
    /// The same text as `Display`, because a test that unwraps prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn listed(differences: &[SchemaDifference]) -> String {
    if differences.is_empty() {
        return ": the same objects in another order or form".to_owned();
    }
    let lines = differences.iter().map(|difference| format!("\n{difference}"));
    lines.collect::<Vec<String>>().concat()
}

/// Checks that the file has the schema that the sets make, as `migrate schema --output` writes it. The scope is that
/// of the file: its first lines, such as `-- without partitions`. The path is relative to the folder of the package,
/// where cargo runs tests.
///
/// With `MIGRATE_UPDATE_SCHEMA=1` in the environment it writes the file instead.
///
/// ```no_run
/// # use migrate_testing::{SchemaFileError, check_schema};
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// match check_schema(&MIGRATIONS, "schema.sql") {
///     Err(SchemaFileError::Stale { differences, .. }) => println!("{} objects", differences.len()),
///     other => other?,
/// }
/// # Ok::<(), SchemaFileError>(())
/// ```
///
/// # Errors
/// [`SchemaFileError::Stale`] with each object that differs, [`SchemaFileError::Static`], [`SchemaFileError::File`] and
/// [`SchemaFileError::Test`].
pub fn check_schema<'s>(
    sets: impl Into<Sets<'s>>,
    file: impl AsRef<Path>,
) -> Result<(), SchemaFileError> {
    let (sets, file) = (sets.into(), file.as_ref());
    let failed = |source| SchemaFileError::File { file: file.to_owned(), source };
    let updates = env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0");
    let written = match fs::read_to_string(file) {
        Err(error) if updates && error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read.map_err(failed)?.replace("\r\n", "\n"),
    };
    if SchemaForm::of_file(&written) == Some(SchemaForm::Static) {
        return Err(SchemaFileError::Static { file: file.to_owned() });
    }
    let ledgers: Vec<String> = sets.iter().map(internal::ledger_table).collect();
    let database = TestDatabase::new(sets)?;
    let session = Session::open(database.url())?;
    let read = session.run(async |client| {
        let scope = SchemaScope::of_file(&written);
        let refused = || TestError::refused("read the schema");
        let text = schema_text(client, &scope, &ledgers).await.map_err(refused())?;
        let differences = schema_differences(client, &written, &ledgers).await;
        Ok((text, differences.map_err(refused())?))
    });
    session.close();
    let (text, differences) = read?;
    if text == written {
        return Ok(());
    }
    if updates {
        return fs::write(file, text).map_err(failed);
    }
    Err(SchemaFileError::Stale { file: file.to_owned(), differences })
}

/// As [`check_schema`], as one line in a test.
///
/// ```no_run
/// # use migrate_runtime::{Migrations, embed_migrations};
/// # static MIGRATIONS: Migrations = embed_migrations!("migrations");
/// #[test]
/// fn the_schema_file_is_that_of_the_migrations() {
///     migrate_testing::assert_schema(&MIGRATIONS, "schema.sql");
/// }
/// # fn main() {}
/// ```
///
/// # Panics
/// With the text of [`SchemaFileError`], if [`check_schema`] fails.
#[track_caller]
pub fn assert_schema<'s>(sets: impl Into<Sets<'s>>, file: impl AsRef<Path>) {
    crate::check::assert_ok(&check_schema(sets, file));
}
