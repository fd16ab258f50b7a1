//! Which forms of SUBSCRIPTION run in a transaction: the build's judgement is the server's.

use migrate_set::sql::kind::{StatementKind, kind};
use migrate_set::sql::lexer::lex;
use migrate_set::sql::split::split;
use migrate_tests::database::{FreshDatabase, value};

const CREATE: &str = "CREATE SUBSCRIPTION s CONNECTION 'dbname=x' PUBLICATION p";

#[tokio::test]
async fn forms_are_judged_as_the_server_does() {
    let (_database, client) = FreshDatabase::connected().await;
    let version: u32 = value(&client, "SHOW server_version_num").await.parse().expect("a number");
    let made = format!("{CREATE} WITH (connect = false); ALTER SUBSCRIPTION s ENABLE;");
    let two = format!("{made} ALTER SUBSCRIPTION s SET PUBLICATION p, q WITH (refresh = false);");
    let disabled = format!("{CREATE} WITH (connect = false);");
    let unslotted = format!("{CREATE} WITH (connect = false, slot_name = NONE);");
    for (before, form, since) in [
        ("", CREATE.to_owned(), 0),
        ("", format!("{CREATE} WITH (connect = false)"), 0),
        ("", format!("{CREATE} WITH (connect = false, create_slot = false)"), 0),
        ("", format!("{CREATE} WITH (create_slot = false)"), 0),
        ("", format!("{CREATE} WITH (enabled = false)"), 0),
        (&*made, "ALTER SUBSCRIPTION s REFRESH PUBLICATION".to_owned(), 14),
        (&made, "ALTER SUBSCRIPTION s SET PUBLICATION q".to_owned(), 14),
        (&made, "ALTER SUBSCRIPTION s SET PUBLICATION q WITH (refresh = false)".to_owned(), 0),
        (&made, "ALTER SUBSCRIPTION s ADD PUBLICATION q".to_owned(), 14),
        (&two, "ALTER SUBSCRIPTION s DROP PUBLICATION q".to_owned(), 14),
        (&two, "ALTER SUBSCRIPTION s DROP PUBLICATION q WITH (refresh = false)".to_owned(), 14),
        (&disabled, "ALTER SUBSCRIPTION s SET (synchronous_commit = off)".to_owned(), 0),
        (&disabled, "ALTER SUBSCRIPTION s SET (failover = true)".to_owned(), 17),
        (&disabled, "ALTER SUBSCRIPTION s SET (failover = false)".to_owned(), 17),
        (&disabled, "ALTER SUBSCRIPTION s SET (two_phase)".to_owned(), 18),
        (&disabled, "ALTER SUBSCRIPTION s SET (two_phase = true)".to_owned(), 18),
        (&disabled, "ALTER SUBSCRIPTION s SET (two_phase = off)".to_owned(), 18),
        (&disabled, "ALTER SUBSCRIPTION s CONNECTION 'dbname=y'".to_owned(), 0),
        (&disabled, "ALTER SUBSCRIPTION s SKIP (lsn = NONE)".to_owned(), 15),
        (&unslotted, "DROP SUBSCRIPTION s".to_owned(), 0),
        (&made, "ALTER SUBSCRIPTION s DISABLE".to_owned(), 0),
        (&made, "ALTER SUBSCRIPTION s RENAME TO t".to_owned(), 0),
    ] {
        if version / 10_000 < since {
            continue;
        }
        let sql = format!("BEGIN; {before} {form}; ROLLBACK");
        let refused = client
            .batch_execute(&sql)
            .await
            .is_err_and(|error| error.code().is_some_and(|code| code.code() == "25001"));
        client.batch_execute("ROLLBACK").await.expect("the end of the transaction");
        let tokens = lex(&form);
        let statements = split(&form, &tokens).expect("a statement");
        let found = statements.iter().map(|one| kind(&form, one)).collect::<Vec<_>>();
        assert_eq!(matches!(found[..], [StatementKind::OutsideTransaction(_)]), refused, "{form}");
    }
}
