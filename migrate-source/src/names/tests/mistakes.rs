//! The error of each mistake in a single file's name, word for word.

use super::*;

#[test]
fn what_looks_like_sql_is_an_error() {
    check(
        r"
        V80__Add_Function.SQL, 1_x.up.sq, 1_y.sql~, V2__x.sql.conf => no layout
        `V80__Add_Function.SQL` looks like SQL but does not end in `.sql`
        help: rename it to `V80__Add_Function.sql`
        `1_x.up.sq` looks like SQL but does not end in `.sql`
        help: rename it to `1_x.up.sql`
        `1_y.sql~` looks like a backup of `1_y.sql`
        help: delete it or move it out of the folder; if it should run, rename it to `1_y.sql`
        `V2__x.sql.conf` is a flyway script configuration, which is not supported
        help: delete it; instead of `executeInTransaction=false`, write `-- migrate:no-transaction` at the top of the script",
    );
}

#[test]
fn control_characters_are_errors() {
    let paths = ["1_a\n2 b.sql", "3_\u{7f}/up.sql", "notes\n.txt"];
    let errors = classify(&paths, &NameOptions::default()).errors;
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let expected = [
        "`1_a\\u{a}2 b.sql` has a control character in its name",
        "`3_\\u{7f}/up.sql` has a control character in its name",
    ];
    assert_eq!(texts, expected);
    assert!(errors.iter().all(|error| error.help() == "rename it".into()));
}

#[test]
fn copies_are_errors_when_the_original_is_there() {
    check(
        r"
        1_x.sql, 1_x copy.sql, 1_x (1).sql, 1_x - Copy (2).sql, 2_make copy.sql => numeric
        0: 1 [x]
        4: 2 [make copy]
        `1_x copy.sql` is a copy of `1_x.sql`
        help: delete it, or give it a version of its own
        `1_x (1).sql` is a copy of `1_x.sql`
        help: delete it, or give it a version of its own
        `1_x - Copy (2).sql` is a copy of `1_x.sql`
        help: delete it, or give it a version of its own

        20240126184148_new_models/migration.sql,
        20240126184148_new_models copy/migration.sql,
        20240126184148_new_models copy/down.sql => prisma
        0: 20240126184148 [new_models]
        `20240126184148_new_models copy/migration.sql` is a copy of `20240126184148_new_models/migration.sql`
        help: delete it, or give it a version of its own

        1_x.up.sql, 1_x.up copy 2.sql, Copy of 1_x.up.sql => numeric
        0: 1 [x] up
        `1_x.up copy 2.sql` is a copy of `1_x.up.sql`
        help: delete it, or give it a version of its own
        `Copy of 1_x.up.sql` is a copy of `1_x.up.sql`
        help: delete it, or give it a version of its own",
    );
}

#[test]
fn other_languages_are_errors() {
    check(
        r"
        001_x.sql, 002_y.go, V3__z.java, mod.rs, 20241209104738_x/migration.ts => numeric
        0: 001 [x]
        `002_y.go` is a migration in a language other than SQL
        help: rewrite it as SQL and move the `.go` file out of the folder; what needs code belongs in the service
        `V3__z.java` is a migration in a language other than SQL
        help: rewrite it as SQL and move the `.java` file out of the folder; what needs code belongs in the service
        `20241209104738_x/migration.ts` is a migration in a language other than SQL
        help: rewrite it as SQL and move the `.ts` file out of the folder; what needs code belongs in the service",
    );
}

#[test]
fn flyway_extras_are_errors() {
    check(
        r"
        V1__x.sql, B5__all.sql, afterMigrate.sql, beforeEach__x.sql,
        afterMigrateApplied__000_VIEW_drops.sql, beforeEachMigrate.sql,
        beforeMigrate__0__add_extensions.sql, afterEachMigrate.sql, createSchema.sql => flyway
        0: 1 [x]
        `B5__all.sql` is a flyway baseline, not a migration
        help: move it out of the folder; keep the migrations up to it, and baseline databases that already have them
        `afterMigrate.sql` is a flyway callback, not a migration
        help: run its SQL from the service after the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `beforeEach__x.sql` is a flyway callback, not a migration
        help: run its SQL from the service before the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `afterMigrateApplied__000_VIEW_drops.sql` is a flyway callback, not a migration
        help: run its SQL from the service after the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `beforeEachMigrate.sql` is a flyway callback, not a migration
        help: run its SQL from the service before the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `beforeMigrate__0__add_extensions.sql` is a flyway callback, not a migration
        help: run its SQL from the service before the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `afterEachMigrate.sql` is a flyway callback, not a migration
        help: run its SQL from the service after the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`
        `createSchema.sql` is a flyway callback, not a migration
        help: run its SQL from the service before the migrator and move the file out of the folder; views and functions can go into a repeatable migration, `R__name.sql`",
    );
}

#[test]
fn names_without_a_version_are_errors() {
    check(
        r"
        0001-x.sql, XXXX-draft.sql => numeric
        0: 0001 [x]
        `XXXX-draft.sql` does not begin with a version
        help: rename it to `<version>-XXXX-draft.sql`, or move it out of the folder if it is not a migration

        V1__x.sql, schema.sql => flyway
        0: 1 [x]
        `schema.sql` does not begin with a version
        help: rename it to `V<version>__schema.sql`, or move it out of the folder if it is not a migration

        2024-01-01-000000_x/up.sql, schema.sql, create_users/up.sql, create_users/down.sql => folders
        0: 2024-01-01-000000 [x] up
        `schema.sql` does not begin with a version
        help: rename it to `<version>_schema/up.sql`, or move it out of the folder if it is not a migration
        `create_users/up.sql` does not begin with a version
        help: rename it to `<version>_create_users/up.sql`, or move it out of the folder if it is not a migration

        20240126184148_x/migration.sql, seed.sql => prisma
        0: 20240126184148 [x]
        `seed.sql` does not begin with a version
        help: rename it to `<version>_seed/migration.sql`, or move it out of the folder if it is not a migration

        x/up.sql => no layout
        `x/up.sql` does not begin with a version
        help: rename it to `<version>_x/up.sql`, or move it out of the folder if it is not a migration",
    );
}

#[test]
fn missing_separators_are_errors() {
    check(
        r"
        001 x.sql, 002-y.sql, 003-z.up.sql, 20250128T120000_x.sql => numeric
        1: 002 [y]
        2: 003 [z] up
        `001 x.sql` has no separator between version and description
        help: rename it to `001-x.sql`
        `20250128T120000_x.sql` has no separator between version and description
        help: rename it to `20250128-120000_x.sql`

        V1__x.sql, 2 y.sql => flyway
        0: 1 [x]
        `2 y.sql` has no separator between version and description
        help: rename it to `V2__y.sql`

        1 x/up.sql, 1 x/down.sql => no layout
        `1 x/up.sql` has no separator between version and description
        help: rename it to `1_x/up.sql`",
    );
}

#[test]
fn near_misses_of_flyway_are_errors() {
    check(
        r"
        v1_x.sql, V2_y.sql, R_views.sql, u3__z.sql => no layout
        `v1_x.sql` is almost a flyway name, which needs an upper-case prefix and two underscores
        help: rename it to `V1__x.sql`
        `V2_y.sql` is almost a flyway name, which needs an upper-case prefix and two underscores
        help: rename it to `V2__y.sql`
        `R_views.sql` is almost a flyway name, which needs an upper-case prefix and two underscores
        help: rename it to `R__views.sql`
        `u3__z.sql` is almost a flyway name, which needs an upper-case prefix and two underscores
        help: rename it to `U3__z.sql`

        001_x.sql, v2_y.sql, u2_y.sql => numeric
        0: 001 [x]
        `v2_y.sql` is almost a flyway name, which needs an upper-case prefix and two underscores
        help: rename it to `2_y.sql`
        `u2_y.sql` is almost a flyway name, which needs an upper-case prefix and two underscores
        help: rename it to `2_y.down.sql`",
    );
}

#[test]
fn a_down_without_its_dot_is_an_error() {
    check(
        r"
        0020_a.sql, 0021_x_internal_up.sql, 0021_x_internal_down.sql, 0022_follow_up.sql => numeric
        0: 0020 [a]
        3: 0022 [follow_up]
        `0021_x_internal_down.sql` looks like a down script but does not end in `.down.sql`
        help: rename it to `0021_x_internal.down.sql`, and `0021_x_internal_up.sql` to `0021_x_internal.up.sql`

        0021_x_internal_down.sql => no layout
        `0021_x_internal_down.sql` looks like a down script but does not end in `.down.sql`
        help: rename it to `0021_x_internal.down.sql`; if it is not one, choose another description

        1_x.sql, 1_x_rollback.sql, 2_add_rollback.sql => numeric
        0: 1 [x]
        2: 2 [add_rollback]
        `1_x_rollback.sql` looks like a down script but does not end in `.down.sql`
        help: rename it to `1_x.down.sql`; if it is not one, choose another description

        1_x.sql, 1_x.rollback.sql, 2_y.UP.sql => numeric
        0: 1 [x]
        `1_x.rollback.sql` looks like a down script but does not end in `.down.sql`
        help: rename it to `1_x.down.sql`; if it is not one, choose another description
        `2_y.UP.sql` looks like an up script but does not end in `.up.sql`
        help: rename it to `2_y.up.sql`; if it is not one, choose another description

        V5__x_up.sql, V5__x_down.sql, V6__scale_down.sql => flyway
        2: 6 [scale_down]
        `V5__x_down.sql` looks like a down script but does not end in `.down.sql`
        help: rename it to `U5__x.sql`, and `V5__x_up.sql` to `V5__x.sql`

        layout any: x_up.sql, x_down.sql, slow_down.sql => any
        2: slow_down []
        `x_down.sql` looks like a down script but does not end in `.down.sql`
        help: rename it to `x.down.sql`, and `x_up.sql` to `x.up.sql`",
    );
}

#[test]
fn what_other_tools_name_in_their_own_way_has_a_name_here() {
    check(
        r"
        0001_x.sql.tmpl, 0002_y.sql => numeric
        1: 0002 [y]
        `0001_x.sql.tmpl` is a template, and nothing fills it in
        help: write its SQL to `0001_x.sql`; a run replaces `{{schema}}` and `{{tables.NAME}}` in it

        2024.01.02T03.04.05.b.sql, down/2024.01.02T03.04.05.b.sql => no layout
        `2024.01.02T03.04.05.b.sql` has no separator between version and description
        help: rename it to `20240102030405_b.sql`
        `down/2024.01.02T03.04.05.b.sql` is in a folder that is not a migration
        help: move each script in `down` next to its up script, as `<version>_<description>.down.sql`

        20250703080000111_ms.sql, 20250703120000_later.sql, 20250801120000_last.sql => timestamp
        0: 20250703080000111 [ms]
        1: 20250703120000 [later]
        2: 20250801120000 [last]
        `20250703080000111_ms.sql` is before `20250801120000_last.sql` as a date, and after it as a number
        help: rename it to `20250703080000_ms.sql`, or set `layout = timestamp`, which orders them as dates

        billing/0001_a.sql, core/0002_b.sql, core/0003_c.sql => no layout
        `billing/0001_a.sql` is in a folder that is not a migration, one of 2 such folders
        help: if the folders have one order of versions, move their files into the migration folder itself; if each is a set, embed each with a module name of its own

        2024/20240101_a.sql, 2025/20250101_b.sql => no layout
        `2024/20240101_a.sql` is in a release folder, one of 2 such folders
        help: move the files into the migration folder itself, with versions that keep their order, such as `20240101_a.sql`

        1.0.0/a.sql, 1.1.0/b.sql => no layout
        `1.0.0/a.sql` is in a release folder, one of 2 such folders
        help: move the files into the migration folder itself, with versions that keep their order",
    );
}
