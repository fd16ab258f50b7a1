//! What this library should reach, and whether the last runs reached it: met, missed, or not measured.
//! The worst case of a target decides and is shown.

use std::cmp::Ordering;
use std::time::Duration;

use super::table::{Table, bytes, ratio, time};
use super::tables::beyond;
use crate::peer::Peer;
use crate::record::Record;
use crate::sections::Section;
use crate::sections::apply::ONE_BY_ONE;
use crate::sections::clean::WITHOUT_GRAMMAR;
use crate::sections::tenants::{EVERY_ROW, LONG_LEDGERS};
use crate::sections::test_database::{APPLY, CLONE, TEMPLATE, WAYS};

/// What is known of one target.
struct Verdict {
    is_met: bool,
    seen: String,
}

/// One target: what it says, and how it is judged; `None` where it was not measured.
type Target = (&'static str, fn() -> Option<Verdict>);

const TARGETS: [Target; 23] = [
    ("the proxy adds at most 50 us of its own, at 0 and 1 ms", proxy),
    ("nothing pending: 1 turn with every set", one_turn),
    ("nothing pending: never slower than the best peer at 0 ms", boot_at_0),
    ("nothing pending: at least 3 times faster than the best peer at 1 ms", boot_at_1),
    ("nothing pending: at least 3 times faster than the best peer at 20 ms", boot_at_20),
    ("fresh 200: at least 55 times faster than every peer at 20 ms", apply_at_20),
    ("fresh: faster than every peer with every set at 0 ms", apply_at_0),
    ("fresh 200 and 1,000: within 1.06 of one message at 0 ms", floor),
    ("fresh 200 and 1,000: 1.5 times faster than with a transaction each at 0 ms", shared),
    ("32 replicas, empty database: at least 1.3 times faster than sqlx", replicas),
    ("32 replicas, empty database: no failed start, no error in the server's log", quiet),
    ("32 replicas, empty database: the last is up within 20 ms of the first", together),
    ("`cargo check` for 1,000: as fast as the best peer", check),
    ("clean build: at most 1.05 of the CPU time of diesel_migrations", clean),
    ("clean build without the grammar: less CPU time than diesel_migrations", clean_without),
    ("size: library at most 400 KiB over tokio-postgres alone", library),
    ("size: a set of 1,000 below 64 KiB beyond its SQL", set_size),
    ("memory of a fresh 1,000: at most 5 chunks (of 512 KiB) more than of nothing pending", memory),
    ("long ledgers: 1 turn, and 50,000 entries within 1.1 of 10", growth),
    (
        "tenants with 200 migrations, nothing pending: 5 times faster than reading every row",
        tenants,
    ),
    ("tenants with 200 migrations, nothing pending: peak memory below 32 MiB", tenants_memory),
    ("test database: a clone below a tenth of applying 200 migrations", clone),
    ("test template of 200 migrations: half the time of a transaction each", template),
];

/// The page of them, for those who change the library.
pub fn page() -> String {
    let mut table = Table::new(&["target", "", "worst case"]);
    for (says, judge) in TARGETS {
        match judge() {
            None => table.row(&[says, "not measured", "-"]),
            Some(Verdict { is_met, seen }) => {
                table.row(&[says, if is_met { "met" } else { "**missed**" }, &seen]);
            }
        }
    }
    format!(
        "# Targets\n\nWhat this library should reach in the benchmarks, and whether the last run of each \
         section reached it. The command that writes `docs/benchmarks.md` writes this page too.\n\n{}",
        table.show()
    )
}

const OURS: &str = Peer::Ours.name();
const OTHERS: [Peer; 3] = [Peer::Refinery, Peer::Sqlx, Peer::Diesel];

/// By how much the fastest other library exceeds this one; for these keys.
fn lead(record: &Record, keys: &[(&str, &str)], name: &str) -> Option<(f64, Peer, f64, f64)> {
    let of = |peer: &str| {
        let keys: Vec<_> = keys.iter().copied().chain([("peer", peer)]).collect();
        record.median(&keys, name)
    };
    let ours = of(OURS)?;
    let others = OTHERS.into_iter().filter_map(|peer| of(peer.name()).map(|time| (peer, time)));
    let (peer, theirs) = others.min_by(|a, b| a.1.total_cmp(&b.1))?;
    Some((theirs / ours, peer, ours, theirs))
}

fn described(what: &str, (_, peer, ours, theirs): (f64, Peer, f64, f64)) -> String {
    let name = peer.name();
    format!("{what}: {} against {} of {name}, {}", time(ours), time(theirs), ratio(theirs, ours))
}

fn proxy() -> Option<Verdict> {
    let record = Record::read(Section::Proxy.name())?;
    let of = |name: &str| record.median(&[("round_trip_ms", name)], "over_us");
    let more = of("0")?.max(of("1")?) - of("none")?;
    Some(Verdict { is_met: more <= 50.0, seen: format!("{more:.0} us") })
}

fn one_turn() -> Option<Verdict> {
    let record = Record::read(Section::Boot.name())?;
    let turns = record.greatest(&[("peer", OURS)], "turns")?;
    Some(Verdict { is_met: turns <= 1.0, seen: format!("{turns:.0}") })
}

/// The set with the least lead at a round trip.
fn leads(section: Section, round_trip: &str, least: f64) -> Option<Verdict> {
    let record = Record::read(section.name())?;
    let lead = |set: &String| {
        Some((
            set.clone(),
            lead(&record, &[("set", set), ("round_trip_ms", round_trip)], "wall_us")?,
        ))
    };
    let sets = record.values("set");
    let worst = sets.iter().filter_map(lead).min_by(|a, b| a.1.0.total_cmp(&b.1.0))?;
    Some(Verdict { is_met: worst.1.0 >= least, seen: described(&worst.0, worst.1) })
}

fn boot_at_0() -> Option<Verdict> {
    leads(Section::Boot, "0", 1.0)
}

fn boot_at_1() -> Option<Verdict> {
    leads(Section::Boot, "1", 3.0)
}

fn boot_at_20() -> Option<Verdict> {
    leads(Section::Boot, "20", 3.0)
}

fn apply_at_20() -> Option<Verdict> {
    let record = Record::read(Section::Apply.name())?;
    let lead = lead(&record, &[("set", "200"), ("round_trip_ms", "20")], "wall_us")?;
    let keys = [("set", "200"), ("round_trip_ms", "20"), ("peer", "one message")];
    let floor = ratio(lead.3, record.median(&keys, "wall_us")?);
    let seen = format!("{}; one message without a ledger: {floor}", described("200", lead));
    Some(Verdict { is_met: lead.0 >= 55.0, seen })
}

fn apply_at_0() -> Option<Verdict> {
    leads(Section::Apply, "0", 1.0)
}

/// By how much this library with a fresh set of 200 and of 1,000 exceeds what is called `other`; the greater.
fn fresh_against(other: &str) -> Option<(f64, String)> {
    let record = Record::read(Section::Apply.name())?;
    let against = |set| {
        let of = |peer: &str| {
            record.median(&[("set", set), ("round_trip_ms", "0"), ("peer", peer)], "wall_us")
        };
        let (ours, other) = (of(OURS)?, of(other)?);
        let seen = format!("{set}: {} against {}, {}", time(ours), time(other), ratio(ours, other));
        Some((ours / other, seen))
    };
    ["200", "1000"].into_iter().map(against).collect::<Option<Vec<_>>>()?.into_iter().max_by(most)
}

fn most(a: &(f64, String), b: &(f64, String)) -> Ordering {
    a.0.total_cmp(&b.0)
}

fn floor() -> Option<Verdict> {
    fresh_against("one message").map(|(ratio, seen)| Verdict { is_met: ratio <= 1.06, seen })
}

fn shared() -> Option<Verdict> {
    fresh_against(ONE_BY_ONE).map(|(ratio, seen)| Verdict { is_met: 1.5 * ratio <= 1.0, seen })
}

/// The keys of boots on an empty database, by this library and by another.
fn at_once(peer: &str) -> [(&str, &str); 2] {
    [("situation", "empty"), ("peer", peer)]
}

fn replicas() -> Option<Verdict> {
    let record = Record::read(Section::Replicas.name())?;
    let of = |peer| record.median(&at_once(peer), "wall_us");
    let (ours, sqlx) = (of(OURS)?, of(Peer::Sqlx.name())?);
    let seen = format!("{} against {}, {}", time(ours), time(sqlx), ratio(sqlx, ours));
    Some(Verdict { is_met: sqlx >= 1.3 * ours, seen })
}

fn quiet() -> Option<Verdict> {
    let record = Record::read(Section::Replicas.name())?;
    let of = |name| record.greatest(&at_once(OURS), name);
    let (failed, errors) = (of("failures")?, of("errors")?);
    let seen = format!("{failed:.0} failed, {errors:.0} errors");
    Some(Verdict { is_met: failed + errors == 0.0, seen })
}

fn together() -> Option<Verdict> {
    let record = Record::read(Section::Replicas.name())?;
    let after = record.median(&at_once(OURS), "after_first_us")?;
    Some(Verdict { is_met: after <= 20_000.0, seen: time(after) })
}

fn check() -> Option<Verdict> {
    let record = Record::read(Section::Build.name())?;
    let lead = lead(&record, &[("set", "1000")], "wall_us")?;
    Some(Verdict { is_met: lead.0 >= 1.0, seen: described("1,000", lead) })
}

fn clean() -> Option<Verdict> {
    clean_build(OURS, 1.05)
}

fn clean_without() -> Option<Verdict> {
    clean_build(WITHOUT_GRAMMAR, 1.0)
}

fn clean_build(which: &str, most: f64) -> Option<Verdict> {
    let record = Record::read(Section::Clean.name())?;
    let of = |which| record.median(&[("peer", which)], "cpu_us");
    let (ours, diesel) = (of(which)?, of(Peer::Diesel.name())?);
    let seen = format!("{} against {}, {}", time(ours), time(diesel), ratio(ours, diesel));
    Some(Verdict { is_met: ours <= most * diesel, seen })
}

fn below(limit: f64, seen: Option<f64>) -> Option<Verdict> {
    seen.map(|seen| Verdict { is_met: seen < limit, seen: bytes(seen) })
}

fn library() -> Option<Verdict> {
    let record = Record::read(Section::Size.name())?;
    below(409_600.0, beyond(&record, OURS, "10", ("none", "none")))
}

fn set_size() -> Option<Verdict> {
    let record = Record::read(Section::Size.name())?;
    below(65_536.0, beyond(&record, OURS, "1000", (OURS, "10")))
}

fn memory() -> Option<Verdict> {
    let of = |section: Section| {
        Record::read(section.name())?.greatest(&[("set", "1000"), ("peer", OURS)], "memory_kib")
    };
    let more = of(Section::Apply)? - of(Section::Boot)?;
    below(5.0 * 524_288.0, Some(more * 1024.0))
}

fn growth() -> Option<Verdict> {
    let record = Record::read(Section::Growth.name())?;
    let turns = record.greatest(&[], "turns")?;
    let of = |entries| record.median(&[("entries", entries), ("whose", "own")], "wall_us");
    let (short, long) = (of("10")?, of("50000")?);
    let ratio = long / short;
    let seen = format!("{turns:.0} turn, {} against {}, {ratio:.2}", time(long), time(short));
    Some(Verdict { is_met: turns <= 1.0 && ratio <= 1.1, seen })
}

fn tenants() -> Option<Verdict> {
    let record = Record::read(Section::Tenants.name())?;
    let each = |situation| {
        let of = |name| record.median(&[("situation", situation)], name);
        Some(of("wall_us")? / of("schemas")?)
    };
    let (ours, before) = (each(LONG_LEDGERS)?, each(EVERY_ROW)?);
    let seen = format!("{} a schema against {}, {}", time(ours), time(before), ratio(before, ours));
    Some(Verdict { is_met: before >= 5.0 * ours, seen })
}

fn tenants_memory() -> Option<Verdict> {
    let record = Record::read(Section::Tenants.name())?;
    let kib = record.greatest(&[("situation", LONG_LEDGERS)], "memory_kib");
    below(32.0 * 1_048_576.0, kib.map(|kib| kib * 1024.0))
}

/// The time that a test waits for its database in a way, the longest if there are several.
fn wait(way: &str) -> Option<f64> {
    let record = Record::read(Section::TestDatabase.name())?;
    let ways = WAYS.iter().filter(|(other, _)| *other == way);
    let of = |&(way, work): &(&str, Duration)| {
        record.median(&[("way", way), ("work_ms", &work.as_millis().to_string())], "wall_us")
    };
    ways.filter_map(of).max_by(f64::total_cmp)
}

fn template() -> Option<Verdict> {
    waits(TEMPLATE, ONE_BY_ONE, 0.5)
}

fn clone() -> Option<Verdict> {
    waits(CLONE, APPLY, 0.1)
}

fn waits(way: &str, other: &str, most: f64) -> Option<Verdict> {
    let (ours, other) = (wait(way)?, wait(other)?);
    let seen = format!("{} against {}, {:.2}", time(ours), time(other), ours / other);
    Some(Verdict { is_met: ours <= most * other, seen })
}
