//! Runs every transcript in this folder against a real server, each with its own folder and database, and
//! compares the output. `migrations/` contains the two migrations of `service`.
//!
//! A line that begins with `$ ` is run by the shell; its output follows, and its exit code if that is not
//! 0. Times, durations and names of this machine are replaced by fixed ones of the same width.
//! `SNAPSHOTS=overwrite` rewrites the transcripts.

mod play;

use std::path::Path;

#[track_caller]
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/transcripts").join(name);
    let expected = std::fs::read_to_string(&path).expect("a transcript");
    let actual = play::play(&expected);
    let expected = snapbox::Data::read_from(&path, Some(snapbox::data::DataFormat::Text)).raw();
    snapbox::Assert::new().action_env("SNAPSHOTS").eq(actual, expected);
}

macro_rules! transcripts {
    ($($name:ident)*) => {
        $(#[test] fn $name() { check(concat!(stringify!($name), ".txt")); })*

        #[test]
        fn every_transcript_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/transcripts");
            let files = std::fs::read_dir(folder).expect("the folder");
            let names = files.map(|file| file.expect("a file").file_name());
            let names = names.filter_map(|name| Some(name.to_str()?.strip_suffix(".txt")?.to_owned()));
            let mut names: Vec<String> = names.collect();
            names.sort_unstable();
            assert_eq!(names, [$(stringify!($name)),*]);
        }
    };
}

transcripts! {
    adopt
    against
    baseline
    check_folder
    completions
    connection
    convert
    create
    database
    diff
    down
    drift
    env_file
    failures
    freeze
    help
    history
    init
    phases
    plan
    redo
    repair
    schema
    service
    sets
    squash
    status
    up
    verify
    wait
}
