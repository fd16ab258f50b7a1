//! Tables of statements and their kinds.

use super::*;
use crate::sql::split::split;

fn of(text: &str) -> StatementKind {
    let tokens = lex(text);
    let statements = split(text, &tokens).unwrap();
    assert_eq!(statements.len(), 1, "{text}");
    kind(text, &statements[0])
}

#[test]
fn transaction_control_is_known() {
    let check = |text: &str, expected: StatementKind| assert_eq!(of(text), expected, "{text}");
    for text in ["begin", "BEGIN WORK", "Begin Transaction", "start transaction", "/* x */ begin"] {
        check(text, StatementKind::Begin);
    }
    for text in ["commit", "COMMIT WORK", "end", "END TRANSACTION"] {
        check(text, StatementKind::Commit);
    }
    check(
        "begin isolation level serializable",
        StatementKind::TransactionControl("BEGIN with transaction modes"),
    );
    check(
        "start transaction read only",
        StatementKind::TransactionControl("START TRANSACTION with transaction modes"),
    );
    check("commit and chain", StatementKind::TransactionControl("COMMIT AND CHAIN"));
    check("rollback", StatementKind::TransactionControl("ROLLBACK"));
    check("rollback work", StatementKind::TransactionControl("ROLLBACK"));
    check("abort", StatementKind::TransactionControl("ABORT"));
    check("prepare transaction 'x'", StatementKind::TransactionControl("PREPARE TRANSACTION"));
    check("set transaction read only", StatementKind::TransactionControl("SET TRANSACTION"));
    for text in [
        "savepoint a",
        "release a",
        "rollback to a",
        "rollback work to savepoint a",
        "prepare p as select 1",
    ] {
        check(text, StatementKind::Plain);
    }
}

#[test]
fn what_runs_only_outside_a_transaction_is_known() {
    for text in [
        "create index concurrently i on t (a)",
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
        "drop index concurrently i",
        "reindex index concurrently i",
        "reindex (concurrently) table t",
        "reindex (verbose, concurrently true) table t",
        "reindex schema s",
        "reindex (verbose) database d",
        "reindex system d",
        "vacuum",
        "vacuum (full) t",
        "cluster",
        "cluster verbose",
        "cluster (verbose)",
        "alter table t detach partition p concurrently",
        "alter table if exists s.t detach partition p concurrently",
        "create database d",
        "drop database if exists d",
        "alter database d set tablespace x",
        "create tablespace x location '/x'",
        "drop tablespace x",
        "alter system set work_mem = '1MB'",
        "create subscription s connection '' publication p",
        "create subscription s connection '' publication p with (slot_name = x)",
        "alter subscription s refresh publication",
        "alter subscription s refresh publication with (copy_data = false)",
        "alter subscription s set publication p",
        "alter subscription s add publication p with (copy_data = false)",
        "alter subscription s set (failover)",
        "alter subscription s set (two_phase = false)",
        "discard all",
        "commit prepared 'x'",
        "rollback prepared 'x'",
        "do $$ begin update t set a = 1; commit; end $$",
        "do language plpgsql $x$ begin if true then rollback; end if; end $x$",
    ] {
        assert!(matches!(of(text), StatementKind::OutsideTransaction(_)), "{text}");
    }
}

#[test]
fn what_only_looks_like_that_runs_anywhere() {
    for text in [
        "create index i on t (a)",
        "create index concurrently_i on t (a)",
        "drop index i",
        "reindex index i",
        "reindex (concurrently false) index i",
        "refresh materialized view concurrently v",
        "analyze",
        "cluster t",
        "cluster verbose t using i",
        "alter type e add value 'x'",
        "alter table t detach partition p",
        "alter table t detach partition p finalize",
        "alter database d set work_mem = '1MB'",
        "create subscription s connection '' publication p with (connect = false)",
        "create subscription s connection '' publication p with (create_slot = false, slot_name = 'x')",
        "alter subscription s set publication p with (refresh = false)",
        "alter subscription s set (slot_name = none)",
        "alter subscription s set (two_phase = true)",
        "alter subscription s enable",
        "drop subscription s",
        "alter subscription s rename to t",
        "do $$ begin raise notice 'commit;'; end $$",
        "do $$ begin insert into t (commit) values (1); end $$",
        "create procedure p() language plpgsql as $$ begin commit; end $$",
    ] {
        assert_eq!(of(text), StatementKind::Plain, "{text}");
    }
}

#[test]
fn copies_and_meta_commands_are_known() {
    assert_eq!(of("copy t (a) from stdin"), StatementKind::CopyWithoutData);
    assert_eq!(of("copy t (a) from stdin;\n1\n\\."), StatementKind::Plain);
    assert_eq!(of("COPY (select 1) TO STDOUT WITH (format csv)"), StatementKind::CopyOut);
    assert_eq!(of("copy t from '/x'"), StatementKind::Plain);
    assert_eq!(of("\\connect x"), StatementKind::MetaCommand);
}
