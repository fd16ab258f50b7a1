//! Whole sets as tables: the paths of a folder and how they are classified.
//! The names are those of real projects, but no set is a copy of one.

mod disagreements;
mod mistakes;

use migrate_set::name::{Direction, Kind, TransactionMark, may_matter};
use migrate_set::version::Version;

use super::*;
use crate::check::Choice as _;

/// Shows a set as its layout, then its scripts, sidecars and errors, one per line.
fn shown(set: &Classified) -> Vec<String> {
    let mut lines = vec![set.layout.map_or("no layout".to_owned(), |layout| layout.to_string())];
    for ClassifiedFile { index, name } in &set.files {
        let version = name.version.as_ref().map_or("R", Version::as_str);
        assert_eq!(name.version.is_none(), name.kind == Kind::Repeatable);
        let direction = match name.direction {
            Some(Direction::Up) => " up",
            Some(Direction::Down) => " down",
            None => "",
        };
        let transaction = match name.transaction {
            TransactionMark::Unmarked => "",
            TransactionMark::Autocommit => " autocommit",
        };
        lines.push(format!("{index}: {version} [{}]{direction}{transaction}", name.slug));
    }
    for Sidecar { index, folder, version } in &set.sidecars {
        lines.push(format!("{index}: beside {version} in {folder}"));
    }
    for error in &set.errors {
        assert!(error.to_string().contains(&format!("`{}`", error.file())), "{error}");
        lines.push(error.to_string());
        lines.push(format!("help: {}", error.help()));
    }
    lines
}

/// Classifies the paths of each case, which commas separate, and compares the output of [`shown`].
/// An option is before them: `layout numeric:` or `dialect postgres:`.
fn check(cases: &str) {
    for case in cases.split("\n\n") {
        let (paths, expected) = case.split_once(" => ").expect("paths => classified");
        let (option, paths) = paths.split_once(": ").unwrap_or(("", paths));
        let options = NameOptions {
            layout: option.trim().strip_prefix("layout ").and_then(Layout::of),
            dialects: match option.trim() {
                "dialect postgres" => Dialects::PostgresOnly,
                _ => Dialects::Refuse,
            },
        };
        let paths: Vec<&str> =
            paths.split(',').map(str::trim).filter(|path| !path.is_empty()).collect();
        let set = classify(&paths, &options);
        let expected: Vec<&str> = expected.lines().map(str::trim).collect();
        assert_eq!(shown(&set), expected, "{paths:#?}");

        let matter: Vec<&str> = paths.iter().copied().filter(|path| may_matter(path)).collect();
        let fewer = classify(&matter, &options);
        assert_eq!((fewer.layout, fewer.files.len()), (set.layout, set.files.len()), "{paths:#?}");
        assert_eq!(fewer.errors, set.errors, "bystanders decide nothing: {paths:#?}");
    }
}

#[test]
fn numeric_names_are_read() {
    check(
        r"
        001_create_users.sql, 002_add posts.sql, 10_x.sql, README.md, .keep => numeric
        0: 001 [create_users]
        1: 002 [add posts]
        2: 10 [x]

        0105-mod-file.sql, 0106-b.sql => numeric
        0: 0105 [mod-file]
        1: 0106 [b]

        000001.sql, 0157.up.sql => numeric
        0: 000001 []
        1: 0157 [] up

        1510262030_initial.up.sql, 1510262030_initial.down.sql => numeric
        0: 1510262030 [initial] up
        1: 1510262030 [initial] down

        1_a.sql, 1-b.sql, 1.sql => numeric
        0: 1 [a]
        2: 1 []
        `1-b.sql` has `-` after its version where most files have `_`
        help: rename it to `1_b.sql`, or set `layout = numeric`, which accepts every separator",
    );
}

#[test]
fn timestamp_names_are_read() {
    check(
        r"
        20240126120000_x.sql, 20250128_120000_y.sql, 20240821170947_0_42_3.sql => timestamp
        0: 20240126120000 [x]
        1: 20250128_120000 [y]
        2: 20240821170947 [0_42_3]

        2023-08-02.0-x.sql, 20260730-pdp-v0-create.sql => timestamp
        0: 2023-08-02.0 [x]
        1: 20260730 [pdp-v0-create]

        00_init.up.sql, 20210710035447_alter_users.up.sql => timestamp
        0: 00 [init] up
        1: 20210710035447 [alter_users] up

        1677078479_a.sql, 20210710035447_b.sql => timestamp
        0: 1677078479 [a]
        1: 20210710035447 [b]",
    );
}

#[test]
fn directions_are_read() {
    check(
        r"
        1_x.up.sql, 1_x.down.sql, 2_one way.sql => numeric
        0: 1 [x] up
        1: 1 [x] down
        2: 2 [one way]

        0001.do.x.sql, 0001.undo.x.sql, 0002.do.sql => numeric
        0: 0001 [x] up
        1: 0001 [x] down
        2: 0002 [] up

        V1__x.sql, U1__x.sql => flyway
        0: 1 [x]
        1: 1 [x] down

        1_x.autocommit.up.sql, 1_x.postgres.autocommit.down.sql => numeric
        0: 1 [x] up autocommit
        1: 1 [x] down autocommit",
    );
}

#[test]
fn flyway_names_are_read() {
    check(
        r"
        V2019.05.23.03.30__2 new_idir_membership_groups.sql, V22_1.15.6.1__x.sql,
        R__views.sql => flyway
        0: 2019.05.23.03.30 [2 new_idir_membership_groups]
        1: 22_1.15.6.1 [x]
        2: R [views]

        R__views.sql => flyway
        0: R [views]

        001_x.sql, R__views.sql => numeric
        0: 001 [x]
        1: R [views]",
    );
}

#[test]
fn folders_are_read() {
    check(
        r"
        00000000000000_diesel_initial_setup/up.sql,
        00000000000000_diesel_initial_setup/down.sql,
        2019-11-15-182353_Add email notifications to crate owners/up.sql,
        2019-11-15-182353_Add email notifications to crate owners/metadata.toml,
        metadata.toml => folders
        0: 00000000000000 [diesel_initial_setup] up
        1: 00000000000000 [diesel_initial_setup] down
        2: 2019-11-15-182353 [Add email notifications to crate owners] up
        3: beside 2019-11-15-182353 in 2019-11-15-182353_Add email notifications to crate owners

        20240126184148_x/migration.sql, 20240126184149_y.sql/migration.sql,
        20240126184149_y.sql/down.sql, migration_lock.toml => prisma
        0: 20240126184148 [x]
        1: 20240126184149 [y.sql]
        2: 20240126184149 [y.sql] down",
    );
}

#[test]
fn any_takes_the_stem_and_is_never_inferred() {
    check(
        r"
        layout any: alpha.sql, 001_x.up.sql, R__views.sql, afterMigrate.sql, a/up.sql => any
        0: alpha []
        1: 001_x [] up
        2: R [views]
        `afterMigrate.sql` is a flyway callback, not a migration
        help: run its SQL from the service after the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `a/up.sql` is in a folder that is not a migration
        help: name `a` as the folder, if the migrations are there; otherwise move the file out, or up into the migration folder

        alpha.sql => no layout
        `alpha.sql` does not begin with a version
        help: rename it to `<version>_alpha.sql`, or move it out of the folder if it is not a migration, or set `layout = any`, which orders by the whole name",
    );
}

#[test]
fn nothing_has_no_layout() {
    check(" => no layout");
    check("README.md => no layout");
}

#[test]
fn layouts_have_words() {
    let words = Layout::ALL.map(|layout| (layout.as_str(), layout));
    assert_eq!(Layout::WORDS, words);
}

#[test]
fn odd_names_are_no_trouble() {
    let long = format!("{}_{}.sql", "9".repeat(40), "x".repeat(116));
    let set = classify(&[long.as_str()], &NameOptions::default());
    assert_eq!((set.files.len(), set.errors.len()), (1, 0));
    let odd = [
        "", "/", "//", ".sql", "_.sql", "-.sql", "é.sql", "1é.sql", "V.sql", "V1é.sql",
        "2024é-1-1.sql",
    ];
    let more = [
        "/up.sql", "1/", "1_x/é.sql", "R.sql", "R__.sql", "1_x_é.sql", "é_down.sql", "1__down.sql",
        " copy.sql",
    ];
    for path in odd.into_iter().chain(more) {
        classify(&[path, path], &NameOptions::default());
    }
}
