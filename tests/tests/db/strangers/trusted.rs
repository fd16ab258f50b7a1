//! Which roles may own the ledger, what hides its entries from them, and which others may write it.

use super::*;

/// Grants what a migrator needs of a ledger that it does not own.
const GRANTS: &str = "GRANT SELECT, INSERT, UPDATE, DELETE ON meta.migration_ledger TO {role}";

/// A ledger in the schema `meta` that an administrator has made for the role, as `owner` says.
async fn granted(owner: &str) -> SmallRole {
    let at = SmallRole::create().await;
    let sql = format!(
        "CREATE ROLE {{role}}_o; CREATE ROLE {{role}}_p; CREATE SCHEMA meta; \
         GRANT USAGE ON SCHEMA meta TO {{role}}; {owner}; \
         CREATE TABLE meta.migration_ledger {COLUMNS}; {GRANTS}; RESET ROLE"
    );
    at.prepare(&sql.replace("{db}", at.database.name())).await;
    at
}

#[tokio::test]
async fn row_security_that_hides_entries_is_noticed() {
    let mut at = granted("").await;
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).ledger_schema("meta");
    migrator.run(&mut at.client).await.expect("a run");
    at.prepare("ALTER TABLE meta.migration_ledger ENABLE ROW LEVEL SECURITY").await;
    let error = migrator.run(&mut at.client).await.expect_err("no rows");
    assert_eq!(
        text(&error, &at),
        "`meta.migration_ledger` of role `me` has row security, which hides rows from `{role}`\n\
         help: ALTER TABLE \"meta\".\"migration_ledger\" DISABLE ROW LEVEL SECURITY, or connect as its owner"
    );
    // It does not apply to the owner, whom the quick check leaves to the other.
    assert_eq!(migrator.run(&mut at.admin).await.expect("the owner").messages, 1);
}

#[tokio::test]
async fn row_security_that_hides_entries_from_their_owner_is_noticed() {
    let mut at = SmallRole::create().await;
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).schema("own");
    migrator.run(&mut at.client).await.expect("a run");
    let sql =
        "ALTER TABLE own.migration_ledger ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY";
    at.client.batch_execute(sql).await.expect("row security");
    for error in [
        migrator.run(&mut at.client).await.map(drop),
        migrator.status(&at.client).await.map(drop),
        migrator.verify(&at.client).await,
    ] {
        assert_eq!(
            text(&error.expect_err("no rows"), &at),
            "`own.migration_ledger` of role `{role}` has row security, which hides rows from `{role}`\n\
             help: ALTER TABLE \"own\".\"migration_ledger\" NO FORCE ROW LEVEL SECURITY"
        );
    }
}

#[tokio::test]
async fn ledgers_of_trusted_roles_keep_working_in_one_message() {
    let own = "GRANT USAGE, CREATE ON SCHEMA meta TO {role}_o; SET ROLE {role}_o";
    let owners = [
        // A superuser.
        String::new(),
        // The database's owner, and a role that acts as it.
        format!("ALTER DATABASE {{db}} OWNER TO {{role}}_o; {own}"),
        format!("ALTER DATABASE {{db}} OWNER TO {{role}}_p; GRANT {{role}}_p TO {{role}}_o; {own}"),
        // A role that the migrator is a member of, and one that is a member of the migrator.
        format!("GRANT {{role}}_o TO {{role}}; {own}"),
        format!("GRANT {{role}} TO {{role}}_o; {own}"),
    ];
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).ledger_schema("meta");
    for owner in owners {
        let mut at = granted(&owner).await;
        let result = migrator.run(&mut at.client).await;
        let report = result.unwrap_or_else(|error| panic!("{owner}: {error}"));
        assert_eq!(report.applied.len(), 1, "{owner}");
        // A foreign key to the ledger is a trigger of the server's own.
        let key =
            "CREATE TABLE meta.notes (p bigint REFERENCES meta.migration_ledger (\"position\"))";
        at.prepare(key).await;
        let report = migrator.run(&mut at.client).await.expect("nothing pending");
        assert_eq!((report.applied.len(), report.messages), (0, 1), "{owner}");
    }
}

#[tokio::test]
async fn a_grant_does_not_make_a_stranger_trusted() {
    let own = "GRANT USAGE, CREATE ON SCHEMA meta TO {role}_o; SET ROLE {role}_o";
    let owners = [
        own.to_owned(),
        // The migrator can act as a role that logs in, as an administrator can.
        format!("GRANT {{role}}_o TO {{role}}; ALTER ROLE {{role}}_o LOGIN; {own}"),
        // It does not inherit, as from the roles that it created since PostgreSQL 16.
        format!("ALTER ROLE {{role}} NOINHERIT; GRANT {{role}}_o TO {{role}}; {own}"),
    ];
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let migrator = Migrator::new(&set).ledger_schema("meta");
    for owner in owners {
        let mut at = granted(&owner).await;
        let error = migrator.run(&mut at.client).await.expect_err(&owner);
        assert_eq!(
            text(&error, &at),
            "`meta.migration_ledger` is owned by role `{role}_o`, whose code in it would run as `{role}`\n\
             help: if `{role}_o` can be trusted, make `{role}` its owner (ALTER TABLE .. OWNER TO), or connect as \
             `{role}_o`; otherwise drop it, and let only the migrator create in the schema",
            "{owner}"
        );
        at.prepare("ALTER TABLE meta.migration_ledger OWNER TO {role}").await;
        assert_eq!(migrator.run(&mut at.client).await.expect("as the help says").applied.len(), 1);
    }
}

#[tokio::test]
async fn members_of_a_group_that_writes_all_data_are_reported() {
    // A server of its own: the members of that group may write the ledgers of all tests.
    let server = Server::start().unwrap_or_else(|error| panic!("{error}"));
    let mut client = connect(&server.url_for("postgres").parse().expect("an address")).await;
    let set = one();
    let migrator = Migrator::new(&set);
    migrator.run(&mut client).await.expect("a ledger");
    let group = "SELECT count(*) FROM pg_roles WHERE rolname = 'pg_write_all_data'";
    if value(&client, group).await == "0" {
        // PostgreSQL 13 has no such group.
        assert!(value(&client, "SHOW server_version_num").await.starts_with("13"));
        return;
    }
    client
        .batch_execute("CREATE ROLE boss SUPERUSER IN ROLE pg_write_all_data")
        .await
        .expect("a role");
    assert!(migrator.status(&client).await.expect("a status").writers.is_empty());
    client.batch_execute("CREATE ROLE writer IN ROLE pg_write_all_data").await.expect("a role");
    let status = migrator.status(&client).await.expect("a status");
    assert_eq!(status.writers, ["pg_write_all_data"]);
}

#[tokio::test]
async fn roles_that_may_write_the_ledger_are_reported() {
    let mut at = stranger().await;
    let set = one();
    let migrator = Migrator::new(&set);
    migrator.run(&mut at.admin).await.expect("a ledger");
    at.prepare("GRANT SELECT ON public.migration_ledger TO {role}").await;
    assert!(migrator.status(&at.admin).await.expect("a status").writers.is_empty());
    at.prepare(
        "GRANT TRIGGER ON public.migration_ledger TO PUBLIC; \
         GRANT UPDATE (down_sql) ON public.migration_ledger TO {role}",
    )
    .await;
    let status = migrator.status(&at.admin).await.expect("a status");
    assert_eq!(status.writers, ["PUBLIC", &at.role]);
    let note = format!("\nnote: the ledger can also be written by PUBLIC, {}", at.role);
    assert!(status.to_string().ends_with(&note), "{status}");
}

#[tokio::test]
async fn ledger_that_gets_another_owner_when_it_is_created_is_checked_again() {
    let mut at = SmallRole::create().await;
    at.prepare(
        "CREATE FUNCTION theirs.takes() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN \
         IF to_regclass('own.migration_ledger') IS NOT NULL THEN \
         ALTER TABLE own.migration_ledger OWNER TO CURRENT_USER; \
         GRANT ALL ON own.migration_ledger TO {role}; END IF; END $$; \
         CREATE EVENT TRIGGER takes ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION theirs.takes()",
    )
    .await;
    let set = set(&[("1_a.sql", "CREATE TABLE own.a (id int);")]);
    let report = Migrator::new(&set).schema("own").run(&mut at.client).await.expect("a run");
    // Read, lock, a guard in plain SQL, which refuses, and ROLLBACK; read, lock, and a block, which knows more.
    assert_eq!((report.applied.len(), report.messages), (1, 7));
}
