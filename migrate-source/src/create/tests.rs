use super::*;
use crate::tests::cases;

/// 2024-02-29 12:34:56
const NOW: Moment = Moment { seconds: 1_709_210_096, nanos: 0 };

fn drafted(paths: &[&str], wish: &Wish<'_>) -> Result<Vec<String>, DraftError> {
    let file = |path: &&str| SourceFile::new(*path, "SELECT 1;");
    let files: Vec<SourceFile> = paths.iter().map(file).collect();
    Ok(draft("migrations", &files, wish)?.files.into_iter().map(|file| file.path).collect())
}

fn wish(description: &str) -> Wish<'_> {
    Wish { description, names: NameOptions::default(), frozen: None, now: NOW }
}

fn check(paths: &[&str], expected: &[&str]) {
    let found = drafted(paths, &wish("Add Users"));
    assert_eq!(found.unwrap_or_else(|error| panic!("{error}")), expected, "{paths:?}");
}

fn check_first(layout: Layout, expected: &[&str]) {
    let names = NameOptions { layout: Some(layout), ..NameOptions::default() };
    let found = drafted(&[], &Wish { names, ..wish("Add Users") });
    assert_eq!(found.unwrap_or_else(|error| panic!("{error}")), expected);
}

/// Checks the cases of a table: the paths of a folder, a description after `:`, and the error.
fn check_errors(table: &str) {
    for (case, expected) in cases(table) {
        let (paths, description) = case.split_once(": ").unwrap();
        match drafted(&paths.split_whitespace().collect::<Vec<_>>(), &wish(description)) {
            Ok(files) => panic!("{description} became {files:?}"),
            Err(error) => assert_eq!(error.to_string(), expected.concat()),
        }
    }
}

#[test]
fn names_follow_the_newest_migration() {
    check(&["001_a.sql", "009_b.sql"], &["010_add_users.sql"]);
    check(&["0105-mod-file.sql"], &["0106-add-users.sql"]);
    check(&["000001.sql"], &["000002_add_users.sql"]);
    check(&["9__x.sql"], &["10__add_users.sql"]);
    check(&["V003__a.sql", "R__views.sql"], &["V004__add_users.sql"]);
    check(&["V1.sql"], &["V2__add_users.sql"]);
    check(&["20230101000000_a.sql"], &["20240229123456_add_users.sql"]);
    check(&["20990128_120000_a.sql"], &["20990128_120001_add_users.sql"]);
    check(&["1_x.postgres.autocommit.sql"], &["2_add_users.postgres.sql"]);
}

#[test]
fn pairs_and_folders_stay_pairs_and_folders() {
    check(&["1_a.up.sql", "1_a.down.sql"], &["2_add_users.up.sql", "2_add_users.down.sql"]);
    check(&["1_a.up.sql"], &["2_add_users.up.sql", "2_add_users.down.sql"]);
    check(&["V1__a.sql", "U1__a.sql"], &["V2__add_users.sql", "U2__add_users.sql"]);
    check(&["1.do.a.sql"], &["2.do.add_users.sql", "2.undo.add_users.sql"]);
    let folder = "2024-02-29-123456_add_users";
    let both = [format!("{folder}/up.sql"), format!("{folder}/down.sql")];
    let both = [both[0].as_str(), both[1].as_str()];
    check(&["2024-01-01-000000_a/up.sql", "2024-01-01-000000_a/down.sql"], &both);
    check(&["00000000000000_diesel_initial_setup/up.sql"], &both);
    check(&["20240126184148_a/migration.sql"], &["20240229123456_add_users/migration.sql"]);
}

#[test]
fn empty_folders_begin_as_their_layout_does() {
    check(&[], &["0001_add_users.sql"]);
    check_first(Layout::Flyway, &["V001__add_users.sql"]);
    check_first(Layout::Timestamp, &["20240229123456_add_users.sql"]);
    check_first(Layout::Prisma, &["20240229123456_add_users/migration.sql"]);
    let folder = "2024-02-29-123456_add_users";
    check_first(Layout::Folders, &[&format!("{folder}/up.sql"), &format!("{folder}/down.sql")]);
}

#[test]
fn descriptions_become_words_in_lower_case() {
    let slug = |description: &str| words(description).join("_");
    assert_eq!(slug("Add users"), "add_users");
    assert_eq!(slug("  add -- \"users\"/posts\n"), "add_users_posts");
    assert_eq!(slug("add_users.sql"), "add_users");
    assert_eq!(slug("Größe ÄNDERN"), "größe_ändern");
    assert_eq!(slug("cafe\u{301}"), "cafe\u{301}");
    assert_eq!(slug("../../x"), "x");
    assert_eq!(slug("\u{301} - "), "");
}

#[test]
fn frozen_versions_are_before_the_new_one() {
    let wish = Wish { frozen: Some(Version::from_static("0041")), ..wish("x") };
    assert_eq!(drafted(&["0007_a.sql"], &wish), Ok(vec!["0042_x.sql".to_owned()]));
}

#[test]
fn errors_say_what_to_do() {
    check_errors(
        r"
        : --
            => the description `--` contains no letter or digit\nhelp: say in a few words what the migration does,
                such as `add users`
        1_a.sql b.sql: x
            => migrations/b.sql: `b.sql` does not begin with a version\nhelp: rename it to `<version>_b.sql`, or
                move it out of the folder if it is not a migration
        20230101_a.sql: 1200 things
            => `20240229_1200_things.sql` would be read as another version or description\nhelp: describe it in
                other words that do not begin with a number
        1_a.sql: users down
            => `2_users_down.sql` looks like a down script but does not end in `.down.sql`\nhelp: describe it in
                other words that do not begin with a number",
    );
    let names = NameOptions { layout: Some(Layout::Any), ..NameOptions::default() };
    let error = drafted(&["1_a.sql"], &Wish { names, ..wish("x") }).map_err(|e| e.to_string());
    let expected = "layout `any` does not say which version comes next\n\
                    help: name the file by hand, so that it sorts after the others";
    assert_eq!(error, Err(expected.to_owned()));
}
