//! What this library should reach, and whether the last runs reached it: met, missed, or not measured.
//! The worst case of a target decides and is shown.

use std::time::Duration;

use super::table::{Table, bytes, ratio, time};
use super::tables::beyond;
use crate::peer::Peer;
use crate::record::Record;
use crate::sections::Section;
use crate::sections::test_database::{APPLY, WAYS};

/// What is known of one target.
struct Verdict {
    is_met: bool,
    seen: String,
}

/// One target: what it says, and how it is judged; `None` where it was not measured.
type Target = (&'static str, fn() -> Option<Verdict>);

const TARGETS: [Target; 15] = [
    ("the proxy adds at most 50 us of its own, at 0 and 1 ms", proxy),
    ("nothing pending: 1 turn with every set", one_turn),
    ("nothing pending: never slower than the best peer at 0 ms", boot_at_0),
    ("nothing pending: at least 3 times faster than the best peer at 1 ms", boot_at_1),
    ("nothing pending: at least 3 times faster than the best peer at 20 ms", boot_at_20),
    ("fresh 200: at least 50 times faster than every peer at 20 ms", apply_at_20),
    ("fresh 200: at least 1.3 times faster than every peer at 0 ms", apply_at_0),
    ("fresh 200: at most 1.1 times the faster floor at 0 ms", floor),
    ("`cargo check` for 1,000: as fast as the best peer", check),
    ("clean build: less CPU time than sqlx and refinery", clean),
    ("size: library below 64 KiB over tokio-postgres alone", library),
    ("size: a set of 1,000 below 64 KiB beyond its SQL", set_size),
    ("memory of a fresh 1,000: at most 5 chunks (of 512 KiB) more than of nothing pending", memory),
    ("long ledgers: 1 turn, and 50,000 entries within 1.1 of 10", growth),
    ("test database: a clone below a tenth of applying 200 migrations", clone),
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
fn boots(round_trip: &str, least: f64) -> Option<Verdict> {
    let record = Record::read(Section::Boot.name())?;
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
    boots("0", 1.0)
}

fn boot_at_1() -> Option<Verdict> {
    boots("1", 3.0)
}

fn boot_at_20() -> Option<Verdict> {
    boots("20", 3.0)
}

fn apply(round_trip: &str, least: f64) -> Option<Verdict> {
    let record = Record::read(Section::Apply.name())?;
    let lead = lead(&record, &[("set", "200"), ("round_trip_ms", round_trip)], "wall_us")?;
    let keys = [("set", "200"), ("round_trip_ms", round_trip), ("peer", "one message")];
    let floor = record.median(&keys, "wall_us")?;
    let seen = format!(
        "{}; one message without a ledger: {}",
        described("200", lead),
        ratio(lead.3, floor)
    );
    Some(Verdict { is_met: lead.0 >= least, seen })
}

fn apply_at_20() -> Option<Verdict> {
    apply("20", 50.0)
}

fn apply_at_0() -> Option<Verdict> {
    apply("0", 1.3)
}

fn floor() -> Option<Verdict> {
    let record = Record::read(Section::Apply.name())?;
    let of = |peer: &str| {
        record.median(&[("set", "200"), ("round_trip_ms", "0"), ("peer", peer)], "wall_us")
    };
    let (ours, floor) = (of(OURS)?, of("psql")?.min(of("one message")?));
    let seen = format!("{} against {}, {}", time(ours), time(floor), ratio(ours, floor));
    Some(Verdict { is_met: ours <= 1.1 * floor, seen })
}

fn check() -> Option<Verdict> {
    let record = Record::read(Section::Build.name())?;
    let lead = lead(&record, &[("set", "1000")], "wall_us")?;
    Some(Verdict { is_met: lead.0 >= 1.0, seen: described("1,000", lead) })
}

fn clean() -> Option<Verdict> {
    let record = Record::read(Section::Clean.name())?;
    let of = |peer: Peer| record.median(&[("peer", peer.name())], "cpu_us");
    let (ours, sqlx, refinery) = (of(Peer::Ours)?, of(Peer::Sqlx)?, of(Peer::Refinery)?);
    let [shown, sqlx_shown, refinery_shown] = [ours, sqlx, refinery].map(time);
    let seen = format!("{shown} against {sqlx_shown} of sqlx and {refinery_shown} of refinery");
    Some(Verdict { is_met: ours < sqlx && ours < refinery, seen })
}

fn below(limit: f64, seen: Option<f64>) -> Option<Verdict> {
    seen.map(|seen| Verdict { is_met: seen < limit, seen: bytes(seen) })
}

fn library() -> Option<Verdict> {
    let record = Record::read(Section::Size.name())?;
    below(65_536.0, beyond(&record, OURS, "10", ("none", "none")))
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

fn clone() -> Option<Verdict> {
    let record = Record::read(Section::TestDatabase.name())?;
    let of = |&(way, work): &(&str, Duration)| {
        record.median(&[("way", way), ("work_ms", &work.as_millis().to_string())], "wall_us")
    };
    let (apply, clones): (Vec<_>, Vec<_>) = WAYS.iter().partition(|(way, _)| *way == APPLY);
    let apply = apply.first().and_then(of)?;
    let clone = clones.iter().filter_map(of).max_by(f64::total_cmp)?;
    let seen = format!("{} against {}, {:.2}", time(clone), time(apply), clone / apply);
    Some(Verdict { is_met: clone <= 0.1 * apply, seen })
}
