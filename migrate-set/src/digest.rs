//! The digest of a module's present entries, which each row of the ledger has, so that a boot reads only the last
//! row.
//!
//! It is a sum, so it depends on what is present and not on the order in which that came about: a migration that
//! was applied out of order, undone, accepted or applied again leads to the same digest as any other way there. A
//! chain of digests would have to be computed again from the first entry that was undone.
//!
//! SHA-256, cut to 128 bits, makes each summand. This finds accidents. A role that can write the ledger can make two
//! entries whose sum is that of two others, but can as well write the digest.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::ledger::Entry;
use crate::name::Kind;
use crate::resume::manner;
use crate::set::{Migration, Migrations};
use crate::sql::quotes::doubled;
use crate::squash::Replaced;

/// A sum over entries, modulo 2^128; displayed as 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(u128);

/// How many digits are displayed.
const LENGTH: usize = 32;

/// In the place of the checksum of an unfinished entry.
const UNFINISHED: &str = "unfinished";

impl Digest {
    /// The digest with this value.
    pub const fn new(value: u128) -> Digest {
        Digest(value)
    }

    /// Its value.
    pub const fn value(self) -> u128 {
        self.0
    }

    /// The digest of a ledger that has exactly these migrations.
    pub fn of_all(migrations: &[Migration]) -> Digest {
        migrations.iter().map(Digest::of_entries).fold(Digest::default(), Digest::plus)
    }

    /// The summands of all entries of a migration that is applied: a squash file has those of what it replaces.
    fn of_entries(migration: &Migration) -> Digest {
        let before = migration.replaces_before().iter().map(Digest::of_replaced);
        before.fold(Digest::of(migration), Digest::plus)
    }

    fn of_replaced(one: &Replaced) -> Digest {
        let (version, checksum) = (one.version().as_str(), one.checksum().to_string());
        Digest::of_texts(Kind::Versioned, version, &checksum, one.manner().unwrap_or_default())
    }

    /// The summand of the entry of a migration that is applied.
    fn of(migration: &Migration) -> Digest {
        let checksum = migration.checksum().to_string();
        let manner = manner(migration).unwrap_or_default();
        Digest::of_texts(migration.kind(), migration.version().as_str(), &checksum, manner)
    }

    /// The summand of a migration that has begun.
    fn unfinished(kind: Kind, version: &str) -> Digest {
        Digest::of_texts(kind, version, UNFINISHED, "")
    }

    /// A text of the ledger has no NUL byte.
    fn of_texts(kind: Kind, version: &str, checksum: &str, manner: &str) -> Digest {
        let text = [kind.as_str(), version, checksum, manner, ""].join("\0");
        let whole: [u8; 32] = Sha256::digest(text).into();
        let (first, _) = whole.split_at(16);
        Digest(first.iter().fold(0, |value, byte| value << 8 | u128::from(*byte)))
    }

    fn plus(self, other: Digest) -> Digest {
        Digest(self.0.wrapping_add(other.0))
    }

    fn minus(self, other: Digest) -> Digest {
        Digest(self.0.wrapping_sub(other.0))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0LENGTH$x}", self.0)
    }
}

/// The digest of a module as a line of the ledger's column, with its line feed, so that it is not the beginning of
/// another.
pub fn line(digest: Digest, module: &str) -> String {
    format!("{digest} {}\n", escaped(module))
}

/// A module in one line.
fn escaped(module: &str) -> String {
    doubled(module, '\\').replace('\n', "\\n")
}

/// The digests after the last row of a ledger, and after each row that is added to it: displayed as the column has
/// them, a line for each module. Each row has all of them, so that the last one is enough for every module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Running {
    module: String,
    /// The other modules with their lines, which are passed on in their order. Not a map: a ledger has few modules,
    /// and the code of one adds 22 KiB to each service.
    others: Vec<(String, String)>,
    own: Digest,
    /// The summands of entries that a step can replace: the unfinished and the repeatable ones.
    replaceable: HashMap<(Kind, String), Digest>,
}

impl Running {
    /// The digests after the last row, whose column is `last`. That of the set's module is computed from its present
    /// entries, so that it is right also after rows were changed by hand.
    pub fn new<'e>(
        set: &Migrations,
        last: Option<&str>,
        entries: impl IntoIterator<Item = &'e Entry>,
    ) -> Running {
        let of_module = |line: &str| {
            let (digest, module) = line.split_once(' ')?;
            (digest.len() == LENGTH).then(|| (module.to_owned(), format!("{line}\n")))
        };
        let lines = last.unwrap_or_default().split('\n');
        let own = escaped(set.module());
        let others = lines.filter_map(of_module).filter(|(module, _)| *module != own).collect();
        let module = set.module().to_owned();
        let mut running = Running { module, others, ..Running::default() };
        // Of the type of the other map, whose code is linked anyway.
        let known = known(set).map(|((kind, version), one)| (key(kind, version), one.summand()));
        let known: LazyCell<HashMap<_, _>, _> = LazyCell::new(|| known.collect());
        for entry in entries {
            let find = || known.get(&key(entry.kind, entry.version.as_str())).copied();
            let summand = summand(entry, find);
            running.own = running.own.plus(summand);
            if entry.kind == Kind::Repeatable || !entry.is_finished() {
                running.replaceable.insert(key(entry.kind, entry.version.as_str()), summand);
            }
        }
        running
    }

    /// A migration was applied.
    pub fn apply(&mut self, migration: &Migration) {
        self.replace(migration, Digest::of_entries(migration));
    }

    /// A migration has begun.
    pub fn begin(&mut self, migration: &Migration) {
        let summand = Digest::unfinished(migration.kind(), migration.version().as_str());
        self.replace(migration, summand);
        let key = key(migration.kind(), migration.version().as_str());
        self.replaceable.insert(key, summand);
    }

    /// A migration was adopted without its text.
    pub fn adopt_unverified(&mut self, migration: &Migration) {
        match migration.kind() {
            Kind::Versioned => self.apply(migration),
            kind @ Kind::Repeatable => {
                self.replace(migration, without_checksum(kind, migration.version().as_str()));
            }
        }
    }

    /// An entry has ended.
    pub fn end(&mut self, set: &Migrations, entry: &Entry) {
        let replaceable = self.replaceable.remove(&key(entry.kind, entry.version.as_str()));
        let its = (entry.kind, entry.version.as_str());
        let find = || known(set).find(|(key, _)| *key == its).map(|(_, one)| one.summand());
        self.own = self.own.minus(replaceable.unwrap_or_else(|| summand(entry, find)));
    }

    /// An entry became that of the text of `migration`.
    pub fn accept(&mut self, set: &Migrations, entry: &Entry, migration: &Migration) {
        self.end(set, entry);
        if entry.is_finished() { self.apply(migration) } else { self.begin(migration) }
    }

    fn replace(&mut self, migration: &Migration, summand: Digest) {
        let key = key(migration.kind(), migration.version().as_str());
        let before = self.replaceable.remove(&key).unwrap_or_default();
        self.own = self.own.minus(before).plus(summand);
    }
}

impl fmt::Display for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (module, own) = (escaped(&self.module), line(self.own, &self.module));
        let at = self.others.partition_point(|(other, _)| *other < module);
        let mut lines: Vec<&str> = self.others.iter().map(|(_, line)| line.as_str()).collect();
        lines.insert(at, &own);
        f.write_str(&lines.concat())
    }
}

fn key(kind: Kind, version: &str) -> (Kind, String) {
    (kind, version.to_owned())
}

fn without_checksum(kind: Kind, version: &str) -> Digest {
    Digest::of_texts(kind, version, "", "")
}

/// What an entry is of.
enum Known<'s> {
    Migration(&'s Migration),
    Replaced(&'s Replaced),
}

impl Known<'_> {
    fn summand(self) -> Digest {
        match self {
            Known::Migration(one) => Digest::of(one),
            Known::Replaced(one) => Digest::of_replaced(one),
        }
    }
}

/// All that has an entry if the set is applied, by kind and version.
fn known(set: &Migrations) -> impl Iterator<Item = ((Kind, &str), Known<'_>)> {
    let own = set.iter().map(|one| ((one.kind(), one.version().as_str()), Known::Migration(one)));
    let replaced = set.iter().flat_map(Migration::replaces_before);
    let replaced =
        replaced.map(|one| ((Kind::Versioned, one.version().as_str()), Known::Replaced(one)));
    own.chain(replaced)
}

/// The summand of an entry as a plan of its set sees it: a baseline has any text, and a repeatable migration that left
/// the set is history. `find` returns the summand of what the entry is of.
fn summand(entry: &Entry, find: impl Fn() -> Option<Digest>) -> Digest {
    let (kind, version) = (entry.kind, entry.version.as_str());
    if kind == Kind::Repeatable && find().is_none() {
        Digest::default()
    } else if !entry.is_finished() {
        Digest::unfinished(kind, version)
    } else if let Some(checksum) = &entry.checksum {
        Digest::of_texts(kind, version, checksum, entry.manner().unwrap_or_default())
    } else if kind == Kind::Versioned {
        find().unwrap_or_else(|| without_checksum(kind, version))
    } else {
        without_checksum(kind, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::Checksum;
    use crate::name::Layout;
    use crate::set::{Script, TransactionMode};
    use crate::sql::kind::SessionEffect;
    use crate::version::Version;

    fn migration(kind: Kind, version: &'static str, text: u8, mode: TransactionMode) -> Migration {
        let up = Script::new("a.sql", "", vec![], vec![], mode, SessionEffect::Keeps);
        let checksum = Checksum::from_bytes([text; 32]);
        Migration::new(Version::from_static(version), "a", kind, checksum, up, None)
    }

    fn set(list: Vec<Migration>) -> Migrations {
        Migrations::loaded("app", "", Layout::Numeric, list)
    }

    fn three() -> Migrations {
        use TransactionMode::{NonTransactional, Transactional};
        set(vec![
            migration(Kind::Versioned, "1", 1, Transactional),
            migration(Kind::Versioned, "2", 2, NonTransactional),
            migration(Kind::Repeatable, "v", 3, Transactional),
        ])
    }

    /// The entry of a migration that was applied.
    fn entry(migration: &Migration) -> Entry {
        let checksum = Some(migration.checksum().to_string());
        let entry = Entry::brief(migration.version().clone(), migration.kind(), checksum);
        Entry { ran: manner(migration).map(str::to_owned), ..entry }
    }

    /// A changed vector would make every boot read all entries: the digest is part of the ledger's format.
    #[test]
    fn frozen_vectors() {
        let set = three();
        let of = |count: usize| Digest::of_all(&set.as_slice()[..count]).to_string();
        assert_eq!(of(0), "00000000000000000000000000000000");
        assert_eq!(of(1), "5511f1ca5255ad5773956abd41f5e78b");
        assert_eq!(of(2), "26fd3ce78aa695ccef8d8ace851dcf28");
        assert_eq!(of(3), "33b600ffcb57610f509d9938d223d878");
        assert_eq!(
            Digest::unfinished(Kind::Versioned, "2").to_string(),
            "e043dc818b30f03e6fc319a38f62dbd9"
        );
        assert_eq!(
            without_checksum(Kind::Versioned, "2").to_string(),
            "4cdacf7ea4105d31212a86bd6f15013a"
        );
        assert_eq!(line(Digest::new(0xfe), "a\\b\nc"), format!("{:030x}fe a\\\\b\\nc\n", 0));
    }

    /// What happens to the migration, or to the entry, with this index.
    enum Act {
        Apply(usize),
        Begin(usize),
        Adopt(usize),
        End(usize),
        Accept(usize),
    }

    /// Checks the digest of these entries after all acts.
    fn check(entries: &[Entry], acts: &[Act], expected: Digest) {
        let set = three();
        let list = set.as_slice();
        let mut running = Running::new(&set, None, entries);
        for act in acts {
            match *act {
                Act::Apply(index) => running.apply(&list[index]),
                Act::Begin(index) => running.begin(&list[index]),
                Act::Adopt(index) => running.adopt_unverified(&list[index]),
                Act::End(index) => running.end(&set, &entries[index]),
                Act::Accept(index) => running.accept(&set, &entries[index], &list[index]),
            }
        }
        assert_eq!(running.to_string(), line(expected, "app"));
    }

    #[test]
    fn the_way_to_a_state_does_not_matter() {
        use Act::{Accept, Adopt, Apply, Begin, End};
        let set = three();
        let whole = set.traits().digest;
        let all: Vec<Entry> = set.iter().map(entry).collect();
        let with = |index: usize, checksum: Option<&str>| {
            let mut all = all.clone();
            all[index].checksum = checksum.map(|digits| digits.repeat(32));
            all
        };
        check(&all, &[], whole);
        check(&[], &[Apply(0), Apply(1), Apply(2)], whole);
        check(&[], &[Apply(2), Apply(1), Apply(0)], whole);
        check(&[], &[Apply(0), Begin(1), Apply(1), Apply(2)], whole);
        check(&[], &[Adopt(0), Adopt(1), Apply(2)], whole);
        check(&all, &[End(1), Apply(1)], whole);
        check(&all, &[End(0), End(1), End(2)], Digest::default());
        check(&with(0, None), &[], whole);
        check(&with(0, None), &[End(0), Apply(0)], whole);
        check(&with(0, Some("00")), &[Accept(0)], whole);
        check(&with(2, Some("00")), &[Apply(2)], whole);
    }

    /// What a plan would not treat as applied is not in the digest of the set.
    #[test]
    fn what_differs_has_another_digest() {
        let set = three();
        let check = |change: &dyn Fn(&mut Vec<Entry>)| {
            let mut entries: Vec<Entry> = set.iter().map(entry).collect();
            change(&mut entries);
            assert_ne!(Running::new(&set, None, &entries).own, set.traits().digest);
        };
        check(&|all| drop(all.pop()));
        check(&|all| all[0].checksum = Some("00".repeat(32)));
        check(&|all| {
            let first = all[0].checksum.take();
            all[0].checksum = all[1].checksum.take();
            all[1].checksum = first;
        });
        check(&|all| all[0].ran = Some("function".to_owned()));
        check(&|all| all[0].version = Version::from_static("01"));
        check(&|all| all[1].progress = Some(0));
        check(&|all| all[2].checksum = None);
        check(&|all| all.push(Entry::brief(Version::from_static("9"), Kind::Versioned, None)));
    }

    #[test]
    fn lines_of_other_modules_are_passed_on() {
        let set = three();
        let other = |module: &str| line(Digest::new(7), module);
        let last = [other("a b"), line(Digest::new(1), "app"), other("z")].concat();
        let running = Running::new(&set, Some(&last), []);
        let expected = [other("a b"), line(Digest::default(), "app"), other("z")].concat();
        assert_eq!(running.to_string(), expected);
        assert_eq!(Running::new(&set, Some(&expected), []).to_string(), expected);
        assert_eq!(
            Running::new(&set, Some("by hand"), []).to_string(),
            line(Digest::default(), "app")
        );
    }
}
