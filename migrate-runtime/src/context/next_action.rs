//! What to do about an error of the server that has its cause outside the statement, by its SQLSTATE. A
//! server with other words has the same codes, settings and routines.

use migrate_set::remedy::Remedy;
use tokio_postgres::error::DbError;

use crate::wire::was_never_sent;

/// How a statement was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// In a transaction of the run.
    InTransaction,
    /// As a message of its own.
    Alone,
    /// By the library itself, beside the migrations.
    ByLibrary,
}

/// What to do; `None` if the statement itself is at fault, or if nothing is known.
pub(super) fn next_action(error: &DbError, sent: Sent) -> Option<Remedy> {
    of_transaction(error, sent).or_else(|| of_server(error, sent)).map(Remedy::from)
}

/// For a statement that needs another transaction.
fn of_transaction(error: &DbError, sent: Sent) -> Option<&'static str> {
    Some(match (error.code().code(), sent) {
        // active_sql_transaction
        ("25001", Sent::InTransaction) => {
            "write it as a statement of its own, outside functions and blocks, in a migration that \
             begins with `-- migrate:no-transaction`"
        }
        ("25001", Sent::Alone) => {
            "write it as a statement of its own, outside functions and blocks"
        }
        // invalid_transaction_termination
        ("2D000", Sent::InTransaction) => {
            "move the statement into a migration of its own that begins with \
             `-- migrate:no-transaction`, or remove COMMIT and ROLLBACK from what it calls"
        }
        ("2D000", Sent::Alone) => {
            "remove COMMIT and ROLLBACK from what it calls, or call it outside functions and \
             EXCEPTION blocks"
        }
        // unsafe_new_enum_value_usage
        ("55P04", _) => {
            "use the value in a later migration: it is usable once the migration that adds it has \
             committed"
        }
        // object_in_use
        ("55006", _) if error.routine() == Some("CheckTableNotInUse") => {
            "write `SET CONSTRAINTS ALL IMMEDIATE;` above the statement, or move it into a \
             migration of its own"
        }
        _ => return None,
    })
}

/// For a statement that the server, its settings or other sessions stopped.
fn of_server(error: &DbError, sent: Sent) -> Option<&'static str> {
    let names = |setting: &str| error.hint().is_some_and(|hint| hint.contains(setting));
    Some(match error.code().code() {
        _ if was_never_sent(error) => {
            "the pooler had no server connection free: end the transactions that hold them, or raise \
             its `default_pool_size` or `query_wait_timeout`, and run again"
        }
        "08P01" if error.message().starts_with("transaction blocks not allowed") => {
            "the pooler is in statement mode: connect to the server directly, or set its `pool_mode` to \
             `transaction`"
        }
        // read_only_sql_transaction
        "25006" => "connect to the primary, and check that `default_transaction_read_only` is off",
        // idle_in_transaction_session_timeout: between two messages of a transaction.
        "25P03" => {
            "run again, closer to the server, or raise `idle_in_transaction_session_timeout` for the role"
        }
        // disk_full
        "53100" => "free disk space on the server, and run again",
        // out_of_memory: the table of locks is full, or the server has no memory.
        "53200" if names("max_locks_per_transaction") => {
            "raise the server's `max_locks_per_transaction`, or split the migration: it holds a \
             lock on each table and index that it touches"
        }
        "53200" => {
            "free memory on the server, lower `work_mem` and `maintenance_work_mem`, or split the \
             migration; then run again"
        }
        // configuration_limit_exceeded
        "53400" => "raise the limit that the message names, or split the migration",
        // object_in_use
        "55006" => "end the sessions that use it, and run again",
        // query_canceled
        "57014" => canceled(error.message(), sent),
        // admin_shutdown, crash_shutdown; of a migration, its failure says what is known.
        "57P01" | "57P02" if sent == Sent::ByLibrary => {
            "run again when the server accepts connections"
        }
        // idle_session_timeout: between two messages.
        "57P05" => "raise `idle_session_timeout` for the role, and run again",
        _ if is_on_server(error) => {
            "all databases of the server share it: drop it if nothing needs it, or migrate on a server without it; \
             a `DO` block can create a role only if `pg_roles` does not have it"
        }
        _ => return of_what_is_missing(error.routine().unwrap_or_default()),
    })
}

/// Whether what a statement creates for all databases, such as a role, exists already.
pub(crate) fn is_on_server(error: &DbError) -> bool {
    // duplicate_object, duplicate_database
    matches!(error.code().code(), "42710" | "42P04")
        && matches!(error.routine(), Some("CreateRole" | "CreateTableSpace" | "createdb"))
}

/// For a statement that needs what no migration of a database makes.
fn of_what_is_missing(routine: &str) -> Option<&'static str> {
    Some(match routine {
        "parse_extension_control_file" => {
            "install the extension's package on the server, and run again"
        }
        "CheckLogicalDecodingRequirements" => {
            "set `wal_level` to `logical` on the server, restart it, and run again"
        }
        "RangeVarGetCreationNamespace" | "QualifiedNameGetCreationNamespace" => {
            "set the `search_path` of the role to a schema that exists and that it may use, or name a schema in the \
             statement"
        }
        "get_role_oid" | "get_rolespec_oid" | "get_rolespec_tuple" => {
            "create the role on this server, which all its databases share, and run again; or fix the name"
        }
        // A setting that is read; the second is the routine of PostgreSQL 13.
        "find_option" | "GetConfigOptionByName" => {
            "fix the name; or, if it is a value of yours, set it by `ALTER DATABASE .. SET` or in the address, as \
             `options=-c NAME=VALUE`"
        }
        _ => return None,
    })
}

fn canceled(message: &str, sent: Sent) -> &'static str {
    match (message, sent) {
        (message, _) if message.contains("user request") => {
            "run again: a signal or another session cancelled it"
        }
        (_, Sent::InTransaction) => {
            "if `statement_timeout` ended it, write `SET LOCAL statement_timeout = 0;` above the \
             statement; if it was cancelled, run again"
        }
        (_, Sent::Alone) => {
            "if `statement_timeout` ended it, write `SET statement_timeout = 0;` above the \
             statement; if it was cancelled, run again"
        }
        (_, Sent::ByLibrary) => {
            "if `statement_timeout` ended it, raise it for the role; if it was cancelled, run again"
        }
    }
}

/// Whether what a statement creates exists already.
pub(crate) fn is_duplicate(sqlstate: &str) -> bool {
    // table, schema, function, column, database, other objects
    matches!(sqlstate, "42P07" | "42P06" | "42723" | "42701" | "42P04" | "42710")
}
