//! The errors of sets whose files disagree on folders, databases, layouts or separators.

use super::*;

#[test]
fn folders_by_release_are_errors() {
    check(
        r"
        v0.21/01-create.sql, v0.21/02-b.sql, v0.22/01-x.sql => no layout
        `v0.21/01-create.sql` is in a release folder, one of 2 such folders
        help: move the files into the migration folder itself, with versions that keep their order, such as `0.21.01-create.sql`

        8/08_connection.sql => no layout
        `8/08_connection.sql` is in a release folder
        help: move the files into the migration folder itself, with versions that keep their order, such as `8.08_connection.sql`

        release-3/views.sql => no layout
        `release-3/views.sql` is in a release folder
        help: move the files into the migration folder itself, with versions that keep their order",
    );
}

#[test]
fn other_folders_are_errors() {
    check(
        r"
        1_x.sql, seeds/a.sql, seeds/b.sql, a/b/c/2_y.sql => numeric
        0: 1 [x]
        `seeds/a.sql` is in a folder that is not a migration
        help: name `seeds` as the folder, if the migrations are there; otherwise move its 2 scripts out, or up into the migration folder
        `a/b/c/2_y.sql` is in a folder that is not a migration
        help: name `a` as the folder, if the migrations are there; otherwise move the file out, or up into the migration folder",
    );
}

#[test]
fn other_scripts_in_a_migration_folder_are_errors() {
    check(
        r"
        1_x/up.sql, 1_x/Down.sql, 1_x/views.sql, 2_y/undo.sql, 3_z/Migration.sql => folders
        0: 1 [x] up
        `1_x/Down.sql` is not a script that a migration folder can contain
        help: rename it to `1_x/down.sql`
        `1_x/views.sql` is not a script that a migration folder can contain
        help: move its SQL into a script that a migration folder can contain: `up.sql` or `down.sql`, or prisma's `migration.sql`
        `2_y/undo.sql` is not a script that a migration folder can contain
        help: rename it to `2_y/down.sql`
        `3_z/Migration.sql` is not a script that a migration folder can contain
        help: rename it to `3_z/migration.sql`",
    );
}

#[test]
fn dialects_are_refused_or_chosen() {
    check(
        r"
        1_x.postgres.up.sql, 1_x.sqlite.up.sql, 1_x.mysql.up.sql => numeric
        0: 1 [x] up
        `1_x.sqlite.up.sql` is written for sqlite, not for postgres; one more file has the same problem
        help: set `dialect = postgres` to use the postgres files and ignore the others, or move the others out of the folder

        dialect postgres: 1_x.postgres.up.sql, 1_x.sqlite.up.sql, 1_x.up.sql, 1_x.down.sql, 2_y.sql,
        3_z.cockroach.up.sql => numeric
        0: 1 [x] up
        3: 1 [x] down
        4: 2 [y]

        1_x.postgres.up.sql, 2_y.pg.sql => numeric
        0: 1 [x] up
        1: 2 [y]",
    );
}

#[test]
fn mixed_layouts_are_one_error() {
    check(
        r"
        V1__a.sql, V2__b.sql, 3_c.sql, 4_d.sql, V5__e.sql => flyway
        0: 1 [a]
        1: 2 [b]
        4: 5 [e]
        the set mixes layouts: 3 flyway (`V1__a.sql`), 2 numeric (`3_c.sql`); `3_c.sql` differs from most
        help: rename it to `V3__c.sql`, and any others the same way, or set `layout = numeric` if you meant that

        001_a.sql, 002_b.sql, 20240126120000_c.sql => numeric
        0: 001 [a]
        1: 002 [b]
        the set mixes layouts: 2 numeric (`001_a.sql`), 1 timestamp (`20240126120000_c.sql`); `20240126120000_c.sql` differs from most
        help: rename the files that differ from most, or set `layout = numeric`, which accepts both kinds of numbers

        001_a.sql, 2_b/up.sql, 20240126120000_c/migration.sql => numeric
        0: 001 [a]
        the set mixes layouts: 1 numeric (`001_a.sql`), 1 folders (`2_b/up.sql`), 1 prisma (`20240126120000_c/migration.sql`); `2_b/up.sql` differs from most
        help: rename it to `2_b.sql`, and any others the same way, or set `layout = folders` if you meant that

        001_a.sql, 002_b.sql, 2_b/down.sql => numeric
        0: 001 [a]
        1: 002 [b]
        the set mixes layouts: 2 numeric (`001_a.sql`), 1 folders (`2_b/down.sql`); `2_b/down.sql` differs from most
        help: rename it to `2_b.down.sql`, and any others the same way, or set `layout = folders` if you meant that

        1_a/up.sql, 2_b/up.sql, 3_c.sql, R__v.sql => folders
        0: 1 [a] up
        1: 2 [b] up
        the set mixes layouts: 2 folders (`1_a/up.sql`), 1 numeric (`3_c.sql`); `3_c.sql` differs from most
        help: rename it to `3_c/up.sql`, and any others the same way, or set `layout = numeric` if you meant that

        1_a/up.sql, R__v.sql => folders
        0: 1 [a] up
        the set mixes layouts: 1 folders (`1_a/up.sql`), 1 flyway (`R__v.sql`); `R__v.sql` differs from most
        help: a set of folders has no repeatable migrations: put the statements into a new migration, each time they change",
    );
}

#[test]
fn an_asked_layout_is_held_to() {
    check(
        r"
        layout numeric: 001_a.sql, 20240126120000-c.sql, 1677078479.x.sql => numeric
        0: 001 [a]
        1: 20240126120000 [c]
        2: 1677078479 [x]

        layout timestamp: 001_a.sql, 20240126120000-c.sql => timestamp
        0: 001 [a]
        1: 20240126120000 [c]

        layout flyway: V1__a.sql, 2_b.sql, 3_c.sql, 2024-01-26_d.up.sql, 20240126_e/up.sql => flyway
        0: 1 [a]
        `2_b.sql` is numeric, but the requested layout is flyway; one more file has the same problem
        help: rename it to `V2__b.sql`, or set `layout = numeric`
        `2024-01-26_d.up.sql` is timestamp, but the requested layout is flyway
        help: rename it to `V2024.01.26__d.sql`, or set `layout = timestamp`
        `20240126_e/up.sql` is folders, but the requested layout is flyway
        help: rename it to `V20240126__e.sql`, or set `layout = folders`

        layout numeric: V1__a.sql => numeric
        `V1__a.sql` is flyway, but the requested layout is numeric
        help: rename it to `1_a.sql`, or set `layout = flyway`

        layout prisma: 1_a.sql, 2_b.down.sql => prisma
        `1_a.sql` is numeric, but the requested layout is prisma; one more file has the same problem
        help: rename it to `1_a/migration.sql`, or set `layout = numeric`

        layout timestamp: V1__a.sql => timestamp
        `V1__a.sql` is flyway, but the requested layout is timestamp
        help: rename it, or set `layout = flyway`",
    );
}

#[test]
fn separators_agree_unless_the_layout_is_asked_for() {
    check(
        r"
        1_a.sql, 2_b.sql, 3-c.sql, 4-d.sql, 5_e.sql, 6.sql, 7..g.sql => numeric
        0: 1 [a]
        1: 2 [b]
        4: 5 [e]
        5: 6 []
        `3-c.sql` has `-` after its version where most files have `_`; one more file has the same problem
        help: rename it to `3_c.sql`, or set `layout = numeric`, which accepts every separator
        `7..g.sql` has `.` after its version where most files have `_`
        help: rename it to `7_g.sql`, or set `layout = numeric`, which accepts every separator

        layout numeric: 1_a.sql, 2-b.sql, 3.c.sql => numeric
        0: 1 [a]
        1: 2 [b]
        2: 3 [c]",
    );
}
