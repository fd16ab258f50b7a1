//! Fuzzes the check of names over several files.
//! The first byte chooses the options; a line of dashes ends a file. A panic, a place outside a file, a
//! verdict that another run does not repeat, and a finding that is not there when more is known are what
//! it looks for. Time that grows faster than the text is found by the limit of a run.
#![no_main]

use libfuzzer_sys::fuzz_target;
use migrate_fuzz::{file, let_the_parser_panic, read, verdict};
use migrate_source::check::{Begins, Objects, SetOptions, SourceFile};

fuzz_target!(
    init: let_the_parser_panic(),
    |bytes: &[u8]| {
        let Some((&choice, rest)) = bytes.split_first() else { return };
        let text = read(rest);
        let texts: Vec<&str> = text.split("\n----\n").collect();
        let files: Vec<SourceFile> = (texts.iter().enumerate())
            .map(|(index, text)| file(&format!("{:04}_x.sql", index + 1), *text))
            .collect();
        let options = options(choice);
        let found = verdict(&files, &options);
        assert_eq!(found, verdict(&files, &options), "another verdict on the same files");
        let known = SetOptions { begins: Begins::Nothing, ..options };
        if found.is_err() {
            assert!(verdict(&files, &known).is_err(), "with more knowledge, it is accepted");
        }
    }
);

fn options(choice: u8) -> SetOptions {
    let begins = [Begins::Inferred, Begins::Existing, Begins::Nothing][usize::from(choice % 3)];
    let objects = if choice & 128 == 0 { Objects::Deny } else { Objects::Warn };
    SetOptions { begins, objects, ..SetOptions::default() }
}
