//! What a squash file replaces: its first lines list the migrations whose entries it has in the ledger.

use std::fmt::Write as _;

use crate::checksum::{Checksum, sha256};
use crate::resume::{MANNERS, manner};
use crate::set::Migration;
use crate::version::Version;

/// The beginning of the line before the list, as it is written.
pub const DIRECTIVE: &str = "-- migrate:replaces ";

/// In the place of the manner, for one that ran in one transaction without a function.
const TRANSACTION: &str = "transaction";

/// A migration that a squash file replaces, as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    version: Version,
    name: String,
    filename: String,
    manner: Option<&'static str>,
    checksum: Checksum,
}

impl Replaced {
    /// Its version, as its file had it.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Its name, as its file had it; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Path of its up script's file, relative to the migration folder.
    pub fn filename(&self) -> &str {
        &self.filename
    }

    /// How it ran, as [`manner`].
    pub fn manner(&self) -> Option<&'static str> {
        self.manner
    }

    /// The checksum of its up script.
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// These migrations; in the place of a squash file, what it replaces.
    pub fn of<'m>(migrations: impl IntoIterator<Item = &'m Migration>) -> Vec<Replaced> {
        let one = |migration: &Migration| match migration.replaces() {
            [] => vec![Replaced {
                version: migration.version().clone(),
                name: migration.name().to_owned(),
                filename: migration.filename().to_owned(),
                manner: manner(migration),
                checksum: migration.checksum(),
            }],
            replaced => replaced.to_vec(),
        };
        migrations.into_iter().flat_map(one).collect()
    }

    /// Its line in the list.
    fn line(&self) -> String {
        let Replaced { version, name, filename, manner, checksum } = self;
        let (version, manner) = (version.as_str(), manner.unwrap_or(TRANSACTION));
        format!("{version}\t{manner}\t{checksum}\t{name}\t{filename}")
    }

    fn read(line: &str) -> Option<Replaced> {
        let mut parts = line.strip_prefix("-- ")?.trim_end_matches('\r').split('\t');
        let (version, word, checksum) = (parts.next()?, parts.next()?, parts.next()?);
        let (name, filename) = (parts.next()?.to_owned(), parts.next()?.to_owned());
        let manner = MANNERS.into_iter().find(|known| *known == word);
        let checksum = Checksum::read(checksum)?;
        let version = Version::new(version.to_owned());
        let is_whole = parts.next().is_none() && (manner.is_some() || word == TRANSACTION);
        is_whole.then_some(Replaced { version, name, filename, manner, checksum })
    }
}

/// The first lines of the file that replaces these: the directive and the list; empty if there are none.
pub fn lines(replaced: &[Replaced]) -> String {
    let (Some(first), Some(last)) = (replaced.first(), replaced.last()) else {
        return String::new();
    };
    let (first, last) = (first.version.as_str(), last.version.as_str());
    let mut text = format!("{DIRECTIVE}{first} to {last} sha256:{}\n", digest(replaced));
    for one in replaced {
        let _ = writeln!(text, "-- {}", one.line());
    }
    text
}

/// The list in the first lines of a squash file; it ends before the first line that is not one of it.
pub fn listed(text: &str) -> Vec<Replaced> {
    let is_directive = |line: &&str| {
        line.trim_start_matches([' ', '\t', '-']).starts_with(DIRECTIVE.trim_start_matches("-- "))
    };
    let lines = text.lines().skip_while(|line| !is_directive(line)).skip(1);
    lines.map_while(Replaced::read).collect()
}

/// SHA-256 of the list, which shows a line that was edited, added or lost.
pub fn digest(replaced: &[Replaced]) -> String {
    sha256(&replaced.iter().map(Replaced::line).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(version: &'static str, manner: Option<&'static str>, name: &str) -> Replaced {
        let (version, name) = (Version::from_static(version), name.to_owned());
        let (filename, checksum) = (format!("{version}.sql"), Checksum::from_bytes([0xab; 32]));
        Replaced { version, name, filename, manner, checksum }
    }

    fn three() -> [Replaced; 3] {
        [one("1", None, "a"), one("02", Some("no-transaction"), ""), one("3_x y", None, "c d")]
    }

    /// A changed vector would make every squash file of another release invalid.
    #[test]
    fn frozen_vectors() {
        let sum = "ab".repeat(32);
        let expected = format!(
            "-- migrate:replaces 1 to 3_x y sha256:{}\n-- 1\ttransaction\t{sum}\ta\t1.sql\n\
             -- 02\tno-transaction\t{sum}\t\t02.sql\n-- 3_x y\ttransaction\t{sum}\tc d\t3_x y.sql\n",
            "DIGEST"
        );
        assert_eq!(lines(&three()).replace(&digest(&three()), "DIGEST"), expected);
        assert_eq!(
            digest(&three()),
            "7205366a844aa0c73ece4a6f39a038c666a02c29b8b06776f9e0818d585baca6"
        );
    }

    #[test]
    fn list_is_read_as_it_was_written() {
        let check =
            |text: &str, expected: &[Replaced]| assert_eq!(listed(text), expected, "{text}");
        let text = lines(&three());
        check(&text, &three());
        check(&format!("\u{feff}-- remark\n{text}\n-- 9\ttransaction\tab\tz\tz\n"), &three());
        check(&text.replace('\n', "\r\n"), &three());
        check(&text.replace("\t\t", "\t"), &three()[..1]);
        check(&text.replace("no-transaction", "else"), &three()[..1]);
        check(&text.replace("-- 1\t", "--- 1\t"), &[]);
        check("SELECT 1;\n", &[]);
        assert_eq!(lines(&[]), "");
    }
}
