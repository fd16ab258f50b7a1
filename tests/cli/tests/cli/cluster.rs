//! Sets that create what all databases of a server share, in the verbs that apply them to databases of their own.

use std::fs;

use migrate_testing::Server;
use migrate_tests::database::{connect, value};

use super::databases::run;
use super::folder;

const ROLES: &str =
    "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_roles WHERE rolname !~ '^pg_'";
const DATABASES: &str = "SELECT string_agg(datname, ' ' ORDER BY datname) FROM pg_database";

const OWNER: (&str, &str) =
    ("1_a.sql", "CREATE ROLE owner; CREATE TABLE a (); ALTER ROLE owner RENAME TO app;");
const REPORTS: (&str, &str) = (
    "2_b.sql",
    "-- migrate:no-transaction\nCREATE DATABASE reports OWNER app;\nGRANT CREATE ON TABLESPACE pg_default TO app;",
);
const GRANT: (&str, &str) = ("3_c.sql", "GRANT SELECT ON a TO app;");

#[tokio::test(flavor = "multi_thread")]
async fn what_a_set_creates_on_the_server_is_dropped_after_each_run() {
    let server = Server::start().expect("a server");
    let client = connect(&server.url().parse().expect("an address")).await;
    let folder = folder(&[OWNER, REPORTS, GRANT]);
    for _ in 0..2 {
        let (code, text) = run(folder.path(), server.url(), &["schema", "--with-grants"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("GRANT SELECT ON TABLE public.a TO app;"), "{text}");
        assert_eq!(value(&client, ROLES).await, "postgres");
    }
    // What is missing in the file is named, and the files are kept. The file is compared again, and not written.
    for word in ["Created", "Unchanged"] {
        let (code, text) = run(folder.path(), server.url(), &["squash", "--to", "3"]);
        assert_eq!(code, Some(1), "{text}");
        assert!(text.contains(&format!("{word} migrations/3_squash.sql\n")), "{text}");
        assert!(text.contains("note: not in the file: CREATE ROLE in 1_a.sql\n"), "{text}");
        assert_eq!(value(&client, ROLES).await, "postgres");
        assert_eq!(value(&client, DATABASES).await, "postgres template0 template1");
    }
    // By hand it is added, and the file is applied to a server without the roles.
    let file = folder.path().join("migrations/3_squash.sql");
    let written = fs::read_to_string(&file).expect("a squash file");
    let added = written.replace("\n-- table public.a\n", "\nCREATE ROLE app;\n-- table public.a\n");
    assert_ne!(written, added);
    fs::write(&file, &added).expect("a squash file");
    let (code, text) = run(folder.path(), server.url(), &["squash", "--to", "3"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("Unchanged migrations/3_squash.sql\n"), "{text}");
    assert_eq!(fs::read_to_string(&file).expect("a squash file"), added);
    assert_eq!(value(&client, ROLES).await, "postgres");
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_has_a_role_of_the_set_is_left_alone() {
    let server = Server::start().expect("a server");
    let client = connect(&server.url().parse().expect("an address")).await;
    let folder = folder(&[("0_z.sql", "CREATE ROLE other;"), OWNER, GRANT]);
    client.batch_execute("CREATE ROLE app").await.expect("a role");
    let expected = "migrations/1_a.sql:1:39: the server already has the role `app`\n\
                    help: all databases of a server share it: use a server without it, such as a new one; or drop \
                    it, if nothing needs it\n";
    for args in [&["schema"][..], &["diff"], &["squash", "--to", "3"]] {
        let (code, text) = run(folder.path(), server.url(), args);
        assert_eq!((code, text), (Some(1), format!("error: {expected}")), "{args:?}");
        assert_eq!(value(&client, ROLES).await, "app postgres");
    }
    // A migration that was not applied has created nothing.
    client.batch_execute("DROP ROLE app").await.expect("no role");
    let file = folder.path().join("migrations/2_b.sql");
    fs::write(&file, "DO $$ BEGIN CREATE ROLE app2; END $$; ALTER ROLE app RENAME TO app2;")
        .expect("a file");
    let (code, text) = run(folder.path(), server.url(), &["schema"]);
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("role \"app2\" already exists"), "{text}");
    assert_eq!(value(&client, ROLES).await, "postgres");
}
