//! Fuzzes what a file holds as the build sees it: sections, directives, statements, grammar, lints.
//! The first byte chooses the options and the file's name, the rest is the file; a panic, a position
//! outside the file and a message of many lines are what it looks for.
//! Panics of the parser do not count, because the library catches them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use migrate_fuzz::{file, let_the_parser_panic, read, verdict};
use migrate_source::check::{Down, Empty, Lints, SetOptions, Syntax};
use migrate_source::directives::directive;

fuzz_target!(
    init: let_the_parser_panic(),
    |bytes: &[u8]| {
        let Some((&choice, rest)) = bytes.split_first() else { return };
        for line in read(rest).lines() {
            if let Err(error) = directive(line) {
                assert!(!error.help().is_empty() && !error.to_string().is_empty(), "{line:?}");
            }
        }
        let files = match choice >> 6 {
            0 => vec![file("0001_x.up.sql", rest)],
            1 => vec![file("0001_x.down.sql", rest), file("0001_x.up.sql", "SELECT 1;\n")],
            2 => vec![file("R__x.sql", rest)],
            _ => vec![file("0001_x.sql", rest)],
        };
        // Whether it is refused is no matter here; that the verdict is sound is seen to in there.
        let _ = verdict(&files, &options(choice));
    }
);

fn options(choice: u8) -> SetOptions {
    let lints = [Lints::Off, Lints::Warn, Lints::Deny, Lints::Warn][usize::from(choice & 3)];
    let down = [Down::Optional, Down::Required, Down::Unchecked, Down::Optional]
        [usize::from(choice >> 2 & 3)];
    let empty = if choice & 16 == 0 { Empty::Refuse } else { Empty::Allow };
    let syntax = if choice & 32 == 0 { Syntax::Check } else { Syntax::Off };
    SetOptions { lints, down, empty, syntax, ..SetOptions::default() }
}
