//! Packs a set into two literals, which [`unpack`](migrate_set::unpack::unpack) restores.
//!
//! The alternative, an expression for each migration, costs the compiler 0.3 ms each at every
//! `cargo check`, and the program 0.4 KiB of pointers each, which are relocated when it starts.
//! Unpacking in a constant was rejected, because it takes 2 ms for each migration.

use migrate_set::name::Kind;
use migrate_set::set::{Ends, Migration, Script, TransactionMode};
use migrate_set::sql::placeholder::Placeholder;
use migrate_set::unpack::bits::{
    CONTRACT, HAS_DOWN, HAS_PLACEHOLDERS, MIXED_LINES, NO_PART, NON_TRANSACTIONAL, ONE_FILE,
    REPEATABLE, REPLACES, SESSION, SHARING, WITH_FUNCTION,
};

/// Migrations as two literals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// All file names and texts, concatenated.
    pub text: String,
    /// The number of migrations, the lengths of the texts, and everything else. Numbers are LEB128.
    pub table: Vec<u8>,
}

impl Packed {
    /// Packs migrations, in order.
    pub fn of(migrations: &[Migration]) -> Packed {
        let mut packed = Packed::default();
        packed.push_number(migrations.len());
        for migration in migrations {
            packed.push(migration);
        }
        packed
    }

    fn push(&mut self, migration: &Migration) {
        let (up, down) = (migration.up(), migration.down());
        let file = |script: &Script| (script.filename().to_owned(), script.text().to_owned());
        let is_one_file = down.is_some_and(|down| file(down) == file(up));
        let bits = [
            (migration.kind() == Kind::Repeatable, REPEATABLE),
            (down.is_some(), HAS_DOWN),
            (is_one_file, ONE_FILE),
            (migration.contract().is_some(), CONTRACT),
            (!migration.replaces().is_empty(), REPLACES),
        ];
        self.push_bits(&bits);
        self.table.extend(migration.checksum().as_bytes());
        if let Some(after) = migration.contract() {
            self.push_text(after.as_str());
        }
        self.push_file(up);
        self.push_names(up.filename(), migration.version().as_str(), migration.name());
        self.push_script(up);
        if let Some(down) = down {
            if !is_one_file {
                self.push_file(down);
            }
            self.push_script(down);
        }
    }

    fn push_bits(&mut self, bits: &[(bool, u8)]) {
        self.table.push(bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| bit).sum());
    }

    fn push_file(&mut self, script: &Script) {
        self.push_text(script.filename());
        self.push_text(script.text());
    }

    /// Version and name, which are usually parts of the file's name: one byte holds the numbers of
    /// bytes before the version and in it, another those between it and the name and after the name.
    fn push_names(&mut self, filename: &str, version: &str, name: &str) {
        let mut rest = filename;
        let place = filename.find(version);
        if let Some(before @ 0..15) = place.filter(|_| version.len() < 16) {
            self.push_place(before, version.len());
            rest = &filename[before + version.len()..];
        } else {
            self.push_other(version);
        }
        let place = rest.find(name).map(|before| (before, rest.len() - before - name.len()));
        if let Some((before @ 0..15, after @ 0..16)) = place {
            self.push_place(before, after);
        } else {
            self.push_other(name);
        }
    }

    fn push_place(&mut self, high: usize, low: usize) {
        self.table.push((high * 16 + low).to_le_bytes()[0]);
    }

    fn push_other(&mut self, text: &str) {
        self.table.push(NO_PART);
        self.push_text(text);
    }

    fn push_script(&mut self, script: &Script) {
        let (session, sharing) = (script.session() as u8, script.sharing() as u8);
        let bits = [
            (script.transaction() == TransactionMode::NonTransactional, NON_TRANSACTIONAL),
            (script.ends() == Ends::WithFunction, WITH_FUNCTION),
            (!script.placeholders().is_empty(), HAS_PLACEHOLDERS),
            (session > 0, session * SESSION),
            (sharing > 0, sharing * SHARING),
            (!script.returns().is_empty(), MIXED_LINES),
        ];
        self.push_bits(&bits);
        self.push_number(script.statements().len());
        let mut before = 0;
        for (start, end) in script.statements() {
            self.push_number(start - before);
            self.push_number(end - start);
            before = end;
        }
        if !script.placeholders().is_empty() {
            self.push_placeholders(script.placeholders());
        }
        if !script.returns().is_empty() {
            self.push_returns(script.returns());
        }
    }

    fn push_placeholders(&mut self, placeholders: &[Placeholder]) {
        self.push_number(placeholders.len());
        let mut before = 0;
        for Placeholder { start, end, within } in placeholders {
            self.push_number((start - before) as usize);
            self.push_number((end - start) as usize);
            self.table.push(*within as u8);
            before = *end;
        }
    }

    fn push_returns(&mut self, returns: &[u32]) {
        self.push_number(returns.len());
        let mut before = 0;
        for at in returns {
            self.push_number((at - before) as usize);
            before = *at;
        }
    }

    fn push_text(&mut self, text: &str) {
        self.push_number(text.len());
        self.text.push_str(text);
    }

    fn push_number(&mut self, mut number: usize) {
        while number >= 128 {
            self.table.push(number.to_le_bytes()[0] | 128);
            number >>= 7;
        }
        self.table.push(number.to_le_bytes()[0]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use migrate_set::checksum::Checksum;
    use migrate_set::release::Release;
    use migrate_set::sql::kind::SessionEffect;
    use migrate_set::sql::placeholder::Within;
    use migrate_set::sql::sharing::Sharing;
    use migrate_set::squash::{Replaced, lines};
    use migrate_set::unpack::unpack;
    use migrate_set::version::Version;

    use super::*;

    fn ranges() -> impl Strategy<Value = Vec<[u32; 2]>> {
        // Up to numbers that take three bytes.
        vec((0_u32..300, 0_u32..20_000), 0..4).prop_map(|gaps| {
            let mut before = 0;
            let range = |(gap, length): (u32, u32)| {
                let start = before + gap;
                before = start + length;
                [start, before]
            };
            gaps.into_iter().map(range).collect()
        })
    }

    prop_compose! {
        fn script()(
            filename in "[a-zé/0-9_]{0,12}",
            text in "[a-z;é'\n]{0,200}",
            statements in ranges(),
            holes in ranges(),
            within in select(vec![Within::Sql, Within::String, Within::EscapeString, Within::DollarString]),
            transaction in select(vec![TransactionMode::Transactional, TransactionMode::NonTransactional]),
            session in select(vec![SessionEffect::Keeps, SessionEffect::Changes, SessionEffect::Resets]),
            sharing in select(vec![Sharing::Shares, Sharing::Last, Sharing::Alone, Sharing::Ends]),
            with_function in any::<bool>(),
            returns in vec(0_u32..20_000, 0..4),
        ) -> Script {
            let hole = |[start, end]: [u32; 2]| Placeholder { start, end, within };
            let holes = holes.into_iter().map(hole).collect();
            let mut returns = returns;
            returns.sort_unstable();
            let script = Script::new(filename, text, statements, holes, transaction, session).with_sharing(sharing).with_returns(returns);
            if with_function { script.with_function() } else { script }
        }
    }

    /// The migration as a squash file, which replaces itself and a later one.
    fn squash(migration: &Migration) -> Migration {
        let [one, other] = [migration.version().clone(), Version::new("9".to_owned())];
        let of = |version| {
            let (kind, checksum, up) =
                (Kind::Versioned, migration.checksum(), migration.up().clone());
            Migration::new(version, "a b", kind, checksum, up, None)
        };
        let replaced = Replaced::of(&[of(one), of(other)]);
        let up = migration.up();
        let text = lines(&replaced) + up.text();
        let ranges =
            up.statements().map(|(start, end)| [start, end].map(|at| u32::try_from(at).unwrap()));
        let (mode, session) = (up.transaction(), up.session());
        let script =
            Script::new(up.filename().to_owned(), text, ranges.collect(), vec![], mode, session);
        let (version, name) = (migration.version().clone(), migration.name().to_owned());
        Migration::new(version, name, migration.kind(), migration.checksum(), script, None)
            .with_replaced(replaced)
    }

    fn migration() -> impl Strategy<Value = Migration> {
        let kind = select(vec![Kind::Versioned, Kind::Repeatable]);
        // Usually a part of the file's name, which is packed differently.
        let part = || (any::<bool>(), "[a-z]{0,6}");
        (
            part(),
            part(),
            kind,
            any::<[u8; 32]>(),
            script(),
            prop::option::of(script()),
            any::<bool>(),
            prop::option::of("[0-9]{1,3}[.][0-9]{1,3}"),
            any::<bool>(),
        )
            .prop_map(
                |(version, name, kind, checksum, up, down, is_one_file, contract, is_squash)| {
                    let first = up.filename().chars().next().map_or(0, char::len_utf8);
                    let (start, rest) = up.filename().split_at(first);
                    let of = |(is_part, other): (bool, String), part: &str| {
                        if is_part { part.to_owned() } else { other }
                    };
                    let version = Version::new(of(version, start));
                    let name = of(name, rest.trim_end_matches(char::is_numeric));
                    let down = down.map(|down| if is_one_file { up.clone() } else { down });
                    let checksum = Checksum::from_bytes(checksum);
                    let migration = Migration::new(version, name, kind, checksum, up, down);
                    let migration = match contract.and_then(Release::new) {
                        None => migration,
                        Some(after) => migration.with_contract(after),
                    };
                    if is_squash { squash(&migration) } else { migration }
                },
            )
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_out(migrations in vec(migration(), 0..4)) {
            let Packed { text, table } = Packed::of(&migrations);
            let table: &'static [u8] = table.leak();
            prop_assert_eq!(unpack(text.leak(), table), migrations);
        }
    }
}
