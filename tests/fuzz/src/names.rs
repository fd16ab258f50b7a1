//! Fuzzes what file names say, and the order of versions.
//! The first byte chooses the options, every further line is a path; a path that is judged twice, an
//! order that is not total, and a hash apart from its equality panic.
//! The files contain one plain statement, because `directives` fuzzes contents.
#![no_main]

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use libfuzzer_sys::fuzz_target;
use migrate_fuzz::{file, verdict};
use migrate_set::name::{Layout, may_matter};
use migrate_set::version::Version;
use migrate_source::check::{Duplicates, SetOptions, Syntax};
use migrate_source::names::{Classified, Dialects, NameOptions, classify};

/// So many versions are compared, three at a time.
const VERSIONS: usize = 8;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, rest)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(rest);
    let paths: BTreeSet<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let paths: Vec<&str> = paths.into_iter().collect();
    let options = options(choice);
    let classified = classify(&paths, &options.names);
    each_path_once(&paths, &classified);
    order_of_paths_is_nothing(&paths, &classified, options.names);
    let named = classified.files.iter().filter_map(|file| file.name.version.clone());
    let written = paths.iter().map(|path| Version::new((*path).to_owned()));
    let versions: Vec<Version> = named.chain(written).take(VERSIONS).collect();
    order_is_total(&versions);
    let files: Vec<_> = paths.iter().map(|path| file(path, "SELECT 1;\n")).collect();
    // Whether it is refused is no matter here; that the verdict is sound is seen to in there.
    let _ = verdict(&files, &options);
});

fn options(choice: u8) -> SetOptions {
    let layout = Layout::ALL.get(usize::from(choice % 8)).copied();
    let dialects = if choice & 8 == 0 { Dialects::Refuse } else { Dialects::PostgresOnly };
    let duplicates = if choice & 16 == 0 { Duplicates::Refuse } else { Duplicates::ByName };
    let names = NameOptions { layout, dialects };
    SetOptions { names, duplicates, syntax: Syntax::Off, ..SetOptions::default() }
}

/// No path is in two lists, and each mistake has a help.
fn each_path_once(paths: &[&str], classified: &Classified) {
    let files = classified.files.iter().map(|file| file.index);
    let sidecars = classified.sidecars.iter().map(|sidecar| sidecar.index);
    let mut seen = BTreeSet::new();
    for index in files.chain(sidecars) {
        assert!(seen.insert(index), "{} is there twice", paths[index]);
        assert!(may_matter(paths[index]), "{} matters", paths[index]);
    }
    for error in &classified.errors {
        assert!(!error.help().to_string().is_empty() && !error.to_string().is_empty(), "{error:?}");
    }
}

/// Paths in another order have the same names. Where layouts are mixed, which is a mistake, the first
/// one is what the others are measured by.
fn order_of_paths_is_nothing(paths: &[&str], classified: &Classified, options: NameOptions) {
    if !classified.errors.is_empty() {
        return;
    }
    let reversed: Vec<&str> = paths.iter().rev().copied().collect();
    let again = classify(&reversed, &options);
    assert_eq!(again.layout, classified.layout);
    let names = |paths: &[&str], classified: &Classified| -> BTreeSet<String> {
        let name = |file: &migrate_source::names::ClassifiedFile| {
            format!("{} {:?}", paths[file.index], file.name)
        };
        classified.files.iter().map(name).collect()
    };
    assert_eq!(names(&reversed, &again), names(paths, classified));
}

fn order_is_total(versions: &[Version]) {
    for a in versions {
        assert_eq!(a.cmp(a), Ordering::Equal, "{a:?}");
        let without_name = a.without_name();
        assert!(without_name.is_none_or(|plain| plain <= *a), "{a:?}");
        for b in versions {
            assert_eq!(a.cmp(b), b.cmp(a).reverse(), "{a:?} against {b:?}");
            assert_eq!(a == b, a.cmp(b) == Ordering::Equal, "{a:?} equals {b:?}");
            assert!(a != b || digest(a) == digest(b), "{a:?} and {b:?} hash apart");
            for c in versions {
                assert!(!(a <= b && b <= c) || a <= c, "{a:?}, {b:?}, {c:?}");
                assert!(!(a == b && b == c) || a == c, "{a:?}, {b:?}, {c:?}");
            }
        }
    }
}

fn digest(version: &Version) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    hasher.finish()
}
