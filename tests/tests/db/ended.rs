//! Entries that ended are kept, and cost a boot nothing.

use migrate_runtime::ledger::{Act, HistoryRow};
use migrate_runtime::{Migrator, Rollback};
use migrate_tests::database::{FreshDatabase, value};
use migrate_tests::proxy::CountingProxy;
use migrate_tests::sets::{set, tables};
use tokio_postgres::Client;

const A: (&str, &str) = ("1_a.sql", "-- UP\nCREATE TABLE a (id int);\n-- DOWN\nDROP TABLE a;");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");
const V: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one;");
const W: (&str, &str) = ("R__v.sql", "CREATE OR REPLACE VIEW v AS SELECT 1 AS one, 2 AS two;");

/// `#position act version`, then `>` and the row that ended it.
async fn acts(migrator: &Migrator<'_>, client: &Client) -> Vec<String> {
    let shown = |row: &HistoryRow| {
        let ended = row.ended.map(|ended| format!(" > {ended}")).unwrap_or_default();
        format!("#{} {} {}{ended}", row.position, row.act.as_str(), row.version)
    };
    let history = migrator.history(client).await.expect("a history");
    assert!(history.iter().all(|row| row.application == "deployer" && row.by == "postgres"));
    history.iter().map(shown).collect()
}

#[tokio::test]
async fn every_entry_that_ended_is_in_the_history() {
    let (_database, mut client) = FreshDatabase::connected().await;
    client.batch_execute("SET application_name = 'deployer'").await.expect("a name");
    let (first, second) = (set(&[B, A, V]), set(&[B, A, W]));
    let (first, second) = (Migrator::new(&first), Migrator::new(&second));
    first.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    second.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    second.forget(&mut client, 2).await.unwrap_or_else(|e| panic!("{e}"));
    second.rollback(&mut client, Rollback::All).await.unwrap_or_else(|e| panic!("{e}"));
    client.batch_execute("DROP TABLE b").await.expect("by hand");
    let report = second.run(&mut client).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 3);
    let edited = set(&[("2_b.sql", "CREATE TABLE b (id bigint);"), A, W]);
    let edited = Migrator::new(&edited);
    edited.accept(&mut client, 2).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(
        acts(&edited, &client).await,
        [
            "#1 applied 1 > 7", "#2 applied 2 > 5", "#3 applied R__v > 4", "#4 applied R__v > 6",
            "#5 forgotten 2", "#6 undone R__v", "#7 undone 1", "#8 applied 1", "#9 applied 2",
            "#10 applied R__v", "#11 accepted 2",
        ]
    );
    let history = edited.history(&client).await.expect("a history");
    let checksum = |position: usize| history[position - 1].checksum.as_deref();
    assert_eq!(checksum(11), checksum(2), "the text before it was accepted");
    assert_ne!(checksum(9), checksum(2), "the accepted text");
    assert_ne!(checksum(3), checksum(4), "the superseded text");
    assert_eq!(history[5].act, Act::Undone);
    let present = "SELECT string_agg(version, ' ' ORDER BY position) FROM migration_ledger \
                   WHERE ended_position = 0";
    assert_eq!(value(&client, present).await, "1 2 R__v");
    assert_eq!(edited.run(&mut client).await.expect("nothing pending").messages, 1);
}

/// The text of the plan of a query, with what it really read.
async fn explained(client: &Client, query: &str) -> String {
    let sql = format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {query}");
    let rows = client.query(&sql, &[]).await.expect("a plan");
    rows.iter().map(|row| row.get::<_, &str>(0).to_owned() + "\n").collect()
}

/// The queries of the ledger in the message of a boot: of the last row, and of the entries.
pub(crate) fn reads(message: &str) -> Vec<String> {
    // They are in a literal, or in one of a literal.
    let mut message = message.to_owned();
    while message.contains("''") {
        message = message.replace("''", "'");
    }
    let starts = [
        ("SELECT pg_catalog.strpos(p.digests", " LIMIT 1"),
        (
            "SELECT pg_catalog.string_agg(pg_catalog.concat(e.version",
            "ended_position OPERATOR(pg_catalog.=) 0",
        ),
    ];
    let found = starts.iter().flat_map(|(start, end)| {
        let at = message.match_indices(start).map(|(at, _)| &message[at..]);
        at.filter_map(move |text| Some(text[..text.find(end)? + end.len()].to_owned()))
    });
    found.collect()
}

/// Migrates ten tables, writes 40,000 rows like the first but with `change`, and boots again.
async fn boot_reads_only_its_entries(change: &str) {
    let (database, mut client) = FreshDatabase::connected().await;
    let set = tables(10);
    Migrator::new(&set).run(&mut client).await.expect("a run");
    let many = format!(
        "INSERT INTO migration_ledger SELECT (jsonb_populate_record(l, jsonb_build_object(\
         'version', n, 'position', 1000 + n, {change}))).* \
         FROM migration_ledger l, generate_series(1, 40000) n WHERE l.version = '0001'; \
         ANALYZE migration_ledger"
    );
    client.batch_execute(&many).await.expect("many rows");
    let proxy = CountingProxy::start(&database.config()).await;
    let mut through = proxy.connect().await;
    let report = Migrator::new(&set).run(&mut through).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((report.applied.len(), report.messages), (0, 1));
    let queries = reads(&proxy.queries().concat());
    assert_eq!(queries.len(), 4, "two for each kind of owner: {queries:?}");
    for query in queries {
        let plan = explained(&client, &query).await;
        assert!(!plan.contains("Seq Scan") && !plan.contains("Removed"), "{query}\n{plan}");
    }
}

#[tokio::test]
async fn boot_reads_no_row_that_ended() {
    boot_reads_only_its_entries("'ended_position', 1001 + n").await;
}
