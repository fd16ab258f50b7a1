//! What to write instead of a usual mistake in a clause of PostgreSQL.

use super::message::Found;

/// The words around a mistake, in capitals.
struct Around {
    /// The first two of the statement.
    begin: [String; 2],
    earlier: String,
    before: String,
    word: String,
    next: String,
}

/// The next action, if the parser complains about such a mistake.
pub(super) fn usual(wanted: &str, found: &Found<'_>) -> Option<&'static str> {
    let upper = |text: Option<&str>| text.unwrap_or_default().to_ascii_uppercase();
    let around = Around {
        begin: found.begin.map(upper),
        earlier: upper(found.earlier),
        before: upper(found.previous),
        word: upper(found.text),
        next: upper(found.next),
    };
    let [verb, object] = [around.begin[0].as_str(), around.begin[1].as_str()];
    match (verb, object) {
        ("ALTER", "TABLE") => in_alter_table(wanted, &around),
        ("CREATE", _) => in_create(wanted, &around),
        _ => in_other(verb, wanted, &around),
    }
    .or_else(|| in_any(wanted, &around))
}

fn in_alter_table(wanted: &str, around: &Around) -> Option<&'static str> {
    let Around { earlier, before, word, next, .. } = around;
    let is_column = wanted.starts_with("TYPE, SET");
    Some(match (earlier.as_str(), before.as_str(), word.as_str()) {
        (.., "NOT") if is_column => "write `SET NOT NULL`",
        (.., "NULL") if is_column => "write `DROP NOT NULL`",
        (.., "DEFAULT") if is_column => "write `SET DEFAULT value`",
        (.., "SET") if is_column => "write `TYPE type`, or `SET DATA TYPE type`",
        (.., word) if is_column && !word.is_empty() => {
            "write `TYPE` before a type, or `SET` before another property"
        }
        (_, "COLUMN" | "ADD", "(") => "write `ADD COLUMN` for each column, and `,` between them",
        (_, ",", word) if wanted == END && !word.is_empty() => {
            "after a comma is another action, such as `ADD COLUMN name type`"
        }
        ("DROP", "INDEX" | "KEY", word) if !word.is_empty() => {
            "write a statement of its own: `DROP INDEX name`"
        }
        ("DROP" | "COLUMN" | "CONSTRAINT" | "EXISTS", _, word) if ends(wanted, word) => {
            "delete it; after the name can only be CASCADE or RESTRICT"
        }
        (_, "DROP", "FOREIGN") => {
            "write `DROP CONSTRAINT name`; by default the name is `table_column_fkey`"
        }
        (_, "DROP", "PRIMARY") => {
            "write `DROP CONSTRAINT name`; by default the name is `table_pkey`"
        }
        (.., "AFTER" | "FIRST") if wanted == END => {
            "delete it; PostgreSQL adds a column after all others"
        }
        (.., "ADD") if wanted == "`,`" => BETWEEN,
        (.., "ALTER" | "DROP") if wanted == "`,`" && next == "COLUMN" => BETWEEN,
        _ => return None,
    })
}

fn in_create(wanted: &str, around: &Around) -> Option<&'static str> {
    let Around { begin: [_, object], earlier, before, word, next } = around;
    Some(match (earlier.as_str(), before.as_str(), word.as_str()) {
        (_, "REPLACE", "TABLE" | "INDEX" | "TYPE" | "SCHEMA" | "SEQUENCE") => {
            "delete `OR REPLACE`, which this statement does not have"
        }
        (.., "IF") if wanted == "`(`" => "write `IF NOT EXISTS` before the name",
        (_, ")", "DEFAULT" | "CHARSET" | "COLLATE" | "CHARACTER") if wanted == END => {
            "delete it; a table has the encoding of its database"
        }
        (.., "COMMENT") if next != "ON" && wanted == "`;`" => {
            "write a statement of its own, such as `COMMENT ON TABLE name IS 'text'`"
        }
        (.., "ON") if next == "UPDATE" => {
            "delete `ON UPDATE` and what follows; a trigger can set the column"
        }
        (_, "UNIQUE", "KEY" | "INDEX") if wanted == "`,`" => "delete it",
        (.., "ENUM") if object == "TYPE" => "write `AS` before it",
        ("ENUM", "(", word) if !word.is_empty() => "write each value in quotes: `'value'`",
        ("RETURN", _, "AS" | "LANGUAGE") => "write `RETURNS` before the type",
        (_, "EXECUTE", word) if wanted.starts_with("FUNCTION") && !word.is_empty() => {
            "write `FUNCTION` before it"
        }
        (.., "ON") if wanted.starts_with("BEFORE") => {
            "write the event before the table: `CREATE TRIGGER name BEFORE UPDATE ON table`"
        }
        _ => return None,
    })
}

fn in_other(verb: &str, wanted: &str, around: &Around) -> Option<&'static str> {
    let Around { begin: [_, object], earlier, before, word, .. } = around;
    Some(match (verb, before.as_str(), word.as_str()) {
        ("DROP", _, "IF") if wanted == "`,`" => "write `IF EXISTS` before the name",
        ("DROP", _, "ON") if object == "INDEX" => {
            "delete it with what follows; an index is dropped by its name alone"
        }
        ("INSERT", _, "VALUE") => "write `VALUES`",
        ("INSERT", "VALUES", _) if wanted == "`(`" => {
            "write each row in parentheses: `VALUES (1, 2), (3, 4)`"
        }
        ("INSERT", _, "SET") => "write `(column) VALUES (value)`",
        ("UPDATE", _, "=") if wanted == "SET" => "write `SET` before the first column",
        ("DELETE", "DELETE", "*") => "delete the `*`",
        ("DELETE", "DELETE", "TABLE" | "INDEX" | "VIEW" | "TYPE" | "SCHEMA" | "FUNCTION") => {
            "write `DROP`; `DELETE FROM` deletes rows"
        }
        ("COMMENT", "ON", word) if !word.is_empty() => KIND,
        ("DROP" | "ALTER", "DROP" | "ALTER", word) if !word.is_empty() => KIND,
        ("GRANT" | "REVOKE", _, word)
            if ["TO", "FROM"].contains(&wanted) && earlier != "ON" && !word.is_empty() =>
        {
            "write `ON` before the object"
        }
        _ => return None,
    })
}

fn in_any(wanted: &str, around: &Around) -> Option<&'static str> {
    let Around { earlier, before, word, .. } = around;
    Some(match (earlier.as_str(), before.as_str(), word.as_str()) {
        (.., ".") if wanted == "a name without a schema" => {
            "delete the schema and the dot; the schema is that of the table"
        }
        (.., "==") => "write `=`",
        (_, "DEFAULT", "=") => "delete the `=`",
        (.., "=") if ["a name", "a string literal"].contains(&wanted) => "delete the `=`",
        (_, "UNIQUE", "KEY" | "INDEX") if wanted == COLUMNS => {
            "write `CONSTRAINT name UNIQUE (column)`"
        }
        (.., word) if wanted == COLUMNS && !word.is_empty() => "write the columns in parentheses",
        (_, "CHECK", word) if wanted == "`(`" && !word.is_empty() => {
            "write the condition in parentheses"
        }
        (_, "ON" | "INTO" | "FROM" | "UPDATE" | "JOIN", "TABLE") => "delete `TABLE`",
        ("LIMIT", _, ",") => "write `LIMIT count OFFSET start`",
        (_, ",", "") => "remove the comma, or write what follows it",
        _ => return None,
    })
}

const BETWEEN: &str = "write `,` between two actions";
const KIND: &str = "write the kind of object before its name, such as `TABLE`";
const END: &str = "the end of the statement";
const COLUMNS: &str = "a column list";

/// Whether the statement should end before this word.
fn ends(wanted: &str, word: &str) -> bool {
    wanted == END && word.starts_with(|first: char| first.is_ascii_alphabetic())
}

/// The one word or sign that the parser wanted, which is perhaps missing.
pub(super) fn missing(wanted: &str) -> Option<&str> {
    let word = wanted.trim_matches('`');
    let is_word = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_word || wanted.len() == 3).then_some(word)
}

#[cfg(test)]
mod tests {
    use crate::syntax::check;
    use crate::tests::cases;

    /// PostgreSQL 15 refuses each statement, with 42601.
    #[test]
    fn usual_mistakes_have_a_help_of_their_own() {
        let table = r"
            alter table t drop column a numeric(80)
                => delete it; after the name can only be CASCADE or RESTRICT
            alter table t drop a int => delete it; after the name can only be CASCADE or RESTRICT
            alter table t drop column a, b
                => after a comma is another action, such as `ADD COLUMN name type`
            alter table t drop a alter table u drop b => is a `;` missing before it?
            alter table t drop a drop column b => write `,` between two actions
            alter table t add a int add b int => write `,` between two actions
            alter table t add column (a int, b int)
                => write `ADD COLUMN` for each column, and `,` between them
            alter table t add a int after b => delete it; PostgreSQL adds a column after all others
            alter table t alter a bigint
                => write `TYPE` before a type, or `SET` before another property
            alter table t alter a not null => write `SET NOT NULL`
            alter table t alter a null => write `DROP NOT NULL`
            alter table t alter a default 5 => write `SET DEFAULT value`
            alter table t alter a set type bigint => write `TYPE type`, or `SET DATA TYPE type`
            alter table t drop primary key
                => write `DROP CONSTRAINT name`; by default the name is `table_pkey`
            alter table t drop foreign key f
                => write `DROP CONSTRAINT name`; by default the name is `table_column_fkey`
            alter table t drop index i => write a statement of its own: `DROP INDEX name`
            alter table t add unique key k (a) => write `CONSTRAINT name UNIQUE (column)`
            alter table t add primary key a => write the columns in parentheses
            alter table t set schema = s => delete the `=`
            create or replace table t (a int) => delete `OR REPLACE`, which this statement does not have
            create table t if not exists (a int) => write `IF NOT EXISTS` before the name
            create table t (a int) default charset=utf8
                => delete it; a table has the encoding of its database
            create table t (a int) comment 'x'
                => write a statement of its own, such as `COMMENT ON TABLE name IS 'text'`
            create table t (a int) comment on table t is 'x' => end the statement before it with `;`
            create table t (a timestamp default now() on update now())
                => delete `ON UPDATE` and what follows; a trigger can set the column
            create table t (a int unique key) => delete it
            create table t (a int check a > 0) => write the condition in parentheses
            create table t (a int default = 5) => delete the `=`
            create type e enum ('a') => write `AS` before it
            create type e as enum (a, b) => write each value in quotes: `'value'`
            create function f() return int as $$ $$ => write `RETURNS` before the type
            create trigger g after insert on t execute f() => write `FUNCTION` before it
            create trigger g on t after insert execute function f()
                => write the event before the table: `CREATE TRIGGER name BEFORE UPDATE ON table`
            create index on table t (a) => delete `TABLE`
            drop index i on t => delete it with what follows; an index is dropped by its name alone
            drop table t if exists => write `IF EXISTS` before the name
            insert into t (a) value (1) => write `VALUES`
            insert into t (a) values 1 => write each row in parentheses: `VALUES (1, 2), (3, 4)`
            insert into t (a) values (1), => remove the comma, or write what follows it
            insert into t set a = 1 => write `(column) VALUES (value)`
            update t a = 1 => write `SET` before the first column
            update t set a == 1 => write `=`
            delete * from t => delete the `*`
            delete table if exists t => write `DROP`; `DELETE FROM` deletes rows
            grant select t to r => write `ON` before the object
            comment on t is 'x' => write the kind of object before its name, such as `TABLE`
            create index if not exists s.i on t (a)
                => delete the schema and the dot; the schema is that of the table
            alter table s.t rename to s.u
                => delete the schema and the dot; the schema is that of the table
            alter table s.t drop constraint if exists s.c
                => delete the schema and the dot; the schema is that of the table
            alter table s.t add constraint c unique using index s.i
                => delete the schema and the dot; the schema is that of the table
            drop t => write the kind of object before its name, such as `TABLE`
            alter role r password = 'x' => delete the `=`
            select a from t limit 1, 2 => write `LIMIT count OFFSET start`";
        for (statement, help) in cases(table) {
            assert_eq!(check(&statement).unwrap_err().help, help.join(" "), "{statement}");
        }
    }

    #[test]
    fn missing_word_or_sign_is_a_question() {
        let table = r"
            create table t (a int b text) => ,
            create index i on t a => (
            alter table t rename a b => TO
            comment on table t 'x' => IS
            grant select on t r => TO
            create view v select 1 => AS";
        for (statement, word) in cases(table) {
            let help = check(&statement).unwrap_err().help;
            let question = format!("is `{}` missing before it? If the server", word.concat());
            assert!(help.starts_with(&question), "{statement}: {help}");
        }
    }
}
