//! Whether checking a set takes time in proportion to its size, for odd sets too: each is checked at a
//! size and at four times that size, and what the check found is written out.
//! `cargo run --release -p migrate-tests --example linear -- [name]`; exits with 1 if one takes more
//! than 8 times as long.

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Duration;

use migrate_source::check::{Checked, Duplicates, Lints, SetOptions, SourceFile, check};
use migrate_source::history_file;
use rustix::time::{ClockId, clock_gettime};

/// The larger size takes four times as long as the smaller one, and 16 times if the time is quadratic; the rest is for
/// what the caches do: statements of a few bytes take 1.7 times as long each where they do not fit into them.
const LIMIT: f64 = 8.0;

/// The smaller size takes this long at least, unless it has [`LARGEST`] parts before: of larger sets,
/// the time is that of the memory, of which the system hands out each page.
const LONG_ENOUGH: Duration = Duration::from_millis(10);
const SMALLEST: usize = 1_000;
const LARGEST: usize = 32_000;

/// The shortest of so many times counts.
const TIMES: usize = 7;

/// The files of a set of `n` parts.
type Generator = fn(usize) -> Vec<SourceFile>;

const GENERATORS: [(&str, Generator); 58] = [
    ("statements", |n| one("select 1;\n".repeat(n))),
    ("statements on one line", |n| one("select 1;".repeat(n))),
    ("semicolons", |n| one(format!("select 1{}", ";".repeat(n)))),
    ("one statement of many words", |n| one(format!("select {}1;", "a, ".repeat(n)))),
    ("statements, the last one wrong", |n| {
        one(format!("{}commit;", "insert into t values (1);\n".repeat(n)))
    }),
    ("data of a COPY", |n| one(format!("copy t from stdin;\n{}\\.\n", "1\ta;b\n".repeat(n)))),
    ("COPYs without data", |n| one("copy t from stdin;".repeat(n))),
    ("COPYs with data", |n| one("copy t from stdin;\n1\n\\.\n".repeat(n))),
    ("characters that look like others", |n| one("select\u{a0}1;\n".repeat(n))),
    ("keywords as names", |n| one("with values as (select 1) select 1;\n".repeat(n))),
    ("files with the same mistake", |n| {
        (0..n).map(|file| SourceFile::new(format!("{file}_a.sql"), "vacuum")).collect()
    }),
    ("wrong statements", |n| one("selekt 1;\n".repeat(n))),
    ("wrong statements on one line", |n| one("selekt 1;".repeat(n))),
    ("wrong words in one statement", |n| one(format!("select {};", "from ".repeat(n)))),
    ("transaction control on one line", |n| one("rollback;".repeat(n))),
    ("begin without end", |n| one("begin;".repeat(n))),
    ("parentheses, nested", |n| one(format!("select {}1{};", "(".repeat(n), ")".repeat(n)))),
    ("parentheses, unclosed", |n| one(format!("select {}", "(".repeat(n)))),
    ("parentheses, unopened", |n| one(format!("select {};", ")".repeat(n)))),
    ("brackets, nested", |n| one(format!("select {}1{};", "[".repeat(n), "]".repeat(n)))),
    ("CASE, nested", |n| {
        one(format!("select {}1{};", "case when a then ".repeat(n), " end".repeat(n)))
    }),
    ("BEGIN ATOMIC, unclosed", |n| {
        one(format!("create function f() begin atomic {}", "select case 1; ".repeat(n)))
    }),
    ("strings", |n| one(format!("select {}'';", "'it''s', ".repeat(n)))),
    ("quotes without end", |n| one(format!("select {}'", "'a' ".repeat(n)))),
    ("a string over many lines", |n| one(format!("select 'a'{};", "\n'b'".repeat(n)))),
    ("escapes", |n| one(format!("select E'{}';", "\\'".repeat(n)))),
    ("dollar quotes", |n| one("do $a$ begin end $a$;\n".repeat(n))),
    ("dollar quotes, nested", |n| {
        let tags: Vec<String> = (0..n).map(|tag| format!("$t{tag}$")).collect();
        let closed: Vec<String> = tags.iter().rev().cloned().collect();
        one(format!("do {}{};", tags.concat(), closed.concat()))
    }),
    ("dollar quotes, unclosed", |n| one(format!("select $t$ {};", "$tt$ $t ".repeat(n)))),
    ("lone dollars", |n| one(format!("select {}1;", "$ ".repeat(n)))),
    ("comments", |n| one("/* a */ -- b\nselect 1;\n".repeat(n))),
    ("comments, nested", |n| one(format!("{}{} select 1;", "/*".repeat(n), "*/".repeat(n)))),
    ("comments, unclosed", |n| one(format!("select 1; {}", "/* ".repeat(n)))),
    ("comments only", |n| one("-- nothing\n".repeat(n))),
    ("signs", |n| one(format!("select 1 {}1;", "+".repeat(n)))),
    ("signs after an operator", |n| one(format!("select 1 *{}1;", "+".repeat(n)))),
    ("operators", |n| one(format!("select 1 {}1;", "<".repeat(n)))),
    ("placeholders", |n| one("select * from {{tables.a}};".repeat(n))),
    ("placeholders in a string", |n| one(format!("select '{}';", "{{schema}} {".repeat(n)))),
    ("braces without end", |n| one(format!("select {};", "{{".repeat(n)))),
    ("braces without end in a string", |n| one(format!("select '{}   }}}}';", "{{ ".repeat(n)))),
    ("Go templates in a body", |n| one(format!("do $$ {} }}}} $$;", "{{ .a ".repeat(n)))),
    ("Go templates", |n| one(format!("select {}1;", "{{ .a }}, ".repeat(n)))),
    ("Flyway's placeholders, unclosed", |n| one(format!("select {}1;", "${a ".repeat(n)))),
    ("directives", |n| one(format!("{}select 1;", "-- migrate:allow empty because a\n".repeat(n)))),
    ("wrong directives", |n| one(format!("{}select 1;", "-- migrate:uppp\n".repeat(n)))),
    ("a long directive", |n| one(format!("-- migrate:{}\nselect 1;", "u".repeat(20 * n)))),
    ("sections", |n| one(format!("-- +goose Upp\n{}", "-- UP\na;\n-- DOWN\nb;\n".repeat(n)))),
    ("findings of the lints", |n| {
        let table = |table| format!("create table a{table} (a int);\n");
        let index = |table| format!("create index on a{table} (a);\n");
        let (tables, indexes) =
            ((0..n).map(table).collect(), (0..n).map(index).collect::<String>());
        [one(tables), vec![SourceFile::new("2_b.sql", indexes)]].concat()
    }),
    ("tables that nothing made", |n| {
        let table = |table| format!("create table a{table} ();create index on b{table} (a);");
        one((0..n).map(table).collect())
    }),
    ("columns that nothing made", |n| {
        let column = |column| format!("alter table t add a{column} int;select b{column} from t;\n");
        one(format!("create table t ();{}", (0..n).map(column).collect::<String>()))
    }),
    ("columns of one table", |n| {
        let column =
            |column| format!("alter table t add a{column} int;alter table t drop a{column};");
        one((0..n).map(column).collect())
    }),
    ("tables made again after a rename", |n| {
        let table = |table| {
            format!("create table t (a int check (a > 0));alter table t rename to t{table};")
        };
        one((0..n).map(table).collect())
    }),
    ("files", |n| {
        (0..n).map(|file| SourceFile::new(format!("{file}_a.sql"), "select 1")).collect()
    }),
    ("files of one version", |n| {
        (0..n).map(|file| SourceFile::new(format!("1_a{file}.sql"), "select 1")).collect()
    }),
    ("downs of one version", |n| {
        let pair = |file| [format!("1_a{file}.up.sql"), format!("1_a{file}.down.sql")];
        (0..n).flat_map(pair).map(|path| SourceFile::new(&path, "select 1")).collect()
    }),
    ("downs without an up, misnamed", |n| {
        let pair = |file| [format!("{file}_a.down.sql"), format!("A{file}.sql")];
        (0..n).flat_map(pair).map(|path| SourceFile::new(&path, "select 1")).collect()
    }),
    ("folders outside a transaction", |n| {
        let folder = |folder| {
            let file = |name: &str, text: &str| SourceFile::new(format!("{folder}_a/{name}"), text);
            [file("up.sql", "vacuum"), file("metadata.toml", "run_in_transaction = false")]
        };
        (0..n).flat_map(folder).collect()
    }),
];

fn one(sql: String) -> Vec<SourceFile> {
    vec![SourceFile::new("1_a.sql", sql)]
}

/// The processor's time for checking the files and writing what was found.
fn time(files: &[SourceFile]) -> Duration {
    let options =
        SetOptions { lints: Lints::Warn, duplicates: Duplicates::ByName, ..SetOptions::default() };
    let began = used();
    match check("m", files, &options) {
        Ok(Checked { set, warnings, .. }) => {
            let text = history_file::freeze(&set);
            black_box(history_file::compare(Some(&text), &set));
            black_box(warnings.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
        Err(errors) => drop(black_box(errors.to_string())),
    }
    used().saturating_sub(began)
}

/// The time that this process has used, which does not depend on what else the machine does.
fn used() -> Duration {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    let (seconds, nanos) = (used.tv_sec.unsigned_abs(), used.tv_nsec.unsigned_abs());
    Duration::from_secs(seconds) + Duration::from_nanos(nanos)
}

fn best(files: &[SourceFile]) -> Duration {
    (0..TIMES).map(|_| time(files)).min().unwrap_or_default()
}

fn main() -> ExitCode {
    let wanted = std::env::args().nth(1);
    let mut slow = 0;
    println!("{:<34} {:>7} {:>10} {:>10} {:>6}", "input", "n", "n ms", "4n ms", "ratio");
    for (name, generate) in GENERATORS {
        if wanted.as_ref().is_some_and(|wanted| !name.contains(wanted.as_str())) {
            continue;
        }
        let mut n = SMALLEST;
        while n < LARGEST && best(&generate(n)) < LONG_ENOUGH {
            n *= 2;
        }
        let (small, large) = (best(&generate(n)), best(&generate(4 * n)));
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        let mark = if ratio > LIMIT { "  too slow" } else { "" };
        slow += u32::from(ratio > LIMIT);
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        println!("{name:<34} {n:>7} {:>10.1} {:>10.1} {ratio:>6.1}{mark}", ms(small), ms(large));
    }
    if slow == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
