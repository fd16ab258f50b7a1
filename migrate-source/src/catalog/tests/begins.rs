//! Whether a set begins on an empty database.

use super::{USERS, found};
use crate::objects::Begins;

#[test]
fn a_set_on_an_existing_schema_is_inferred() {
    let check = |scripts: &[&str], count: usize| {
        let names: Vec<String> = (1..=scripts.len()).map(|number| number.to_string()).collect();
        let files: Vec<(&str, &str)> =
            names.iter().map(String::as_str).zip(scripts.iter().copied()).collect();
        let all = found(&files, Begins::Inferred);
        assert_eq!(all.len(), count, "{scripts:?}: {all:?}");
    };
    check(&["alter table users add a int", "alter table userz add b int"], 0);
    check(&["create table posts (author int references users)", "select * from other"], 0);
    check(&[USERS, "alter table userz add b int"], 1);
    check(&[USERS, "select * from other"], 1);
    check(&[USERS, "select * from a1", "select * from b1, c1"], 0);
    let four = "create table a1 (x int); create table b1 (x int); create table c1 (x int); \
                create table d1 (x int references elsewhere)";
    check(&[four], 1);
    let ten = "create table posts (author int references users); create table a1 (x int); \
               create table a2 (x int); create table a3 (x int); create table a4 (x int); \
               create table a5 (x int); create table a6 (x int); create table a7 (x int); \
               create table a8 (x int); create table a9 (x int)";
    let (first, rest) = ten.split_once("; ").unwrap();
    check(&[first, rest], 1);
    check(&[first, &rest.replace("create table a9 (x int)", "select 1")], 0);
    check(&["set search_path = app, public; create table a.t (x int)", "select * from later"], 0);
    check(&[USERS, "create temp table n (a int)", "create temp table n (a int); drop table n"], 0);
    check(&[USERS, "alter database d set search_path = app", "select * from later"], 0);
    check(&[USERS, "set search_path = other; select * from anything"], 0);
    check(&[USERS, "select * from auth.users; create table auth.t (a int)"], 0);
    check(&["alter table users add a int", "create table t (a int)", "select b from t"], 1);
}
