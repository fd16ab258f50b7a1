//! What PostgreSQL has instead of a word of another database or driver.

use super::message::Found;

/// The next action, if the parser complains about such a word, or about what comes after it.
pub(super) fn of_another_database(wanted: &str, found: &Found<'_>) -> Option<&'static str> {
    let upper = |text: Option<&str>| text.unwrap_or_default().to_ascii_uppercase();
    let (before, word) = (upper(found.previous), upper(found.text));
    Some(match (before.as_str(), word.as_str()) {
        (_, "`" | "[") if wanted.contains("name") => "quote the name with `\"`",
        (_, "#" | "//") => "begin the comment with `--`",
        (_, "AUTO_INCREMENT" | "AUTOINCREMENT" | "AUTO") => {
            "write `GENERATED ALWAYS AS IDENTITY` in its place"
        }
        (_, "IDENTITY") if wanted == "`,`" => "write `GENERATED ALWAYS AS IDENTITY` in its place",
        (_, "UNSIGNED") => "delete it; to refuse negative values, write `CHECK (column >= 0)`",
        (_, "COMMENT") if wanted == "`,`" => "write `COMMENT ON COLUMN table.column IS 'text'`",
        (_, "ENGINE") => "delete it; PostgreSQL has no storage engines",
        ("WITHOUT", "ROWID") => "delete both words; PostgreSQL has no such tables",
        (_, "MODIFY") => "write `ALTER COLUMN name TYPE type`",
        (_, "CHANGE") => {
            "write `RENAME COLUMN old TO new`, and for its type `ALTER COLUMN new TYPE type`"
        }
        (_, "DELETE") if wanted.starts_with("an action") => "write `DROP COLUMN name`",
        ("", "RENAME") => "write `ALTER TABLE old RENAME TO new`",
        ("CURRENT_TIMESTAMP", "ON") => {
            "delete `ON UPDATE` and what follows; a trigger can set the column"
        }
        ("INDEX" | "KEY", "(") => "write `CREATE INDEX ON table (column)` after the table",
        (_, "FOREIGN") if wanted == "`,`" => "write only `REFERENCES table (column)`",
        ("NAMES", _) => "delete the statement; a run always sends UTF-8",
        ("", "IF") => "write it in a block: `DO $$ BEGIN IF ... THEN ... END IF; END $$`",
        ("IF", "NOT") => "delete `IF NOT EXISTS`, which this statement does not have",
        ("NOT", "EXISTS") if wanted == "NULL" => {
            "delete `IF NOT EXISTS`, which this statement does not have"
        }
        ("EXISTS", "ON") if wanted.contains("name") => {
            "write a name before `ON`; with `IF NOT EXISTS`, an index needs one"
        }
        ("INSERT", "IGNORE") => "write `ON CONFLICT DO NOTHING` at the end of the statement",
        ("ON", "DUPLICATE") => "write `ON CONFLICT (column) DO UPDATE SET ...`",
        ("REPLACE", "INTO") => "write `INSERT INTO ... ON CONFLICT (column) DO UPDATE SET ...`",
        ("TOP", _) => "write `LIMIT` at the end of the statement",
        (_, "DELIMITER") => "delete the line; a body in `$$` can contain `;`",
        (_, "GO") => "delete the line; a statement ends with `;`",
        (_, "USE") => "delete it; a run uses the database of its connection",
        (_, "PRAGMA") => "delete it; PostgreSQL has no such settings",
        (_, "SOURCE") => "write the SQL of that file here",
        (_, "EXEC") => "call a procedure with `CALL name()`, a function with `SELECT name()`",
        ("BEGIN", _) if wanted == "ATOMIC" => {
            "write the body as a string: `AS $$ BEGIN ... END $$ LANGUAGE plpgsql`"
        }
        (_, "BEGIN") if wanted == "EXECUTE" => {
            "write the body as a function, and `EXECUTE FUNCTION name()` here"
        }
        ("?", _) => "`?` is a parameter, and a migration has none: write the value itself",
        _ => return None,
    })
}

/// What PostgreSQL has instead of a type of another database.
pub(crate) fn for_type_of_another_database(name: &str) -> Option<&'static str> {
    Some(match name {
        "datetime" | "datetime2" | "smalldatetime" => "write `timestamptz`",
        "string" | "nvarchar" | "varchar2" | "nvarchar2" | "tinytext" | "mediumtext"
        | "longtext" | "ntext" | "clob" => "write `text`",
        "double" => "write `double precision`",
        "tinyint" => "write `smallint`",
        "mediumint" => "write `integer`",
        "number" => "write `numeric`",
        "binary" | "varbinary" | "blob" | "tinyblob" | "mediumblob" | "longblob" => "write `bytea`",
        "uniqueidentifier" => "write `uuid`",
        "enum" => "create the type before the table: `CREATE TYPE name AS ENUM ('a', 'b')`",
        _ => return None,
    })
}
