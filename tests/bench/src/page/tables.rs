//! The table of each section, as Markdown; a cell without a measurement is a dash.

use super::table::{Table, bytes, ratio, time};
use crate::peer::Peer;
use crate::record::Record;
use crate::sections::Section;
use crate::sections::apply::ONE_BY_ONE;
use crate::sections::clean::WITHOUT_GRAMMAR;
use crate::sections::test_database::WAYS;

/// The table of a section.
pub fn of(section: Section, record: &Record) -> String {
    match section {
        Section::Proxy => proxy(record),
        Section::Boot => boots(record, &["wall_us"], &[]),
        Section::Apply => boots(record, &["wall_us"], &["one message", "psql", ONE_BY_ONE]),
        Section::Replicas => replicas(record),
        Section::Build => build(record),
        Section::Clean => clean(record),
        Section::Size => size(record),
        Section::Tenants => tenants(record),
        Section::Growth => growth(record),
        Section::TestDatabase => test_database(record),
    }
}

pub fn shown(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or("-".to_owned(), show)
}

pub fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// The heads of the columns, with the peers between others.
pub fn heads(before: &[&str], after: &[&str]) -> Vec<String> {
    let peers = Peer::ALL.iter().map(|peer| peer.name());
    before.iter().copied().chain(peers).chain(after.iter().copied()).map(str::to_owned).collect()
}

/// A time and how many times longer than ours it is.
fn against(value: Option<f64>, ours: Option<f64>) -> String {
    match (value, ours) {
        (Some(value), Some(ours)) => format!("{} ({})", time(value), ratio(value, ours)),
        (value, _) => shown(value, time),
    }
}

/// The cells of all peers: this library's by itself, the others' against it.
pub fn cells(record: &Record, keys: &[(&str, &str)], name: &str) -> Vec<String> {
    let of = |peer: Peer| {
        let keys: Vec<_> = keys.iter().copied().chain([("peer", peer.name())]).collect();
        record.median(&keys, name)
    };
    let ours = of(Peer::Ours);
    let cell = |peer: &Peer| match peer {
        Peer::Ours => shown(ours, time),
        peer => against(of(*peer), ours),
    };
    Peer::ALL.iter().map(cell).collect()
}

fn boots(record: &Record, names: &[&str], floors: &[&str]) -> String {
    let mut times = Table::new(&heads(&["set", "round trip"], floors));
    let mut wire = Table::new(&heads(&["set", "per boot"], &[]));
    for set in record.values("set") {
        for round_trip in record.values("round_trip_ms") {
            let keys = [("set", set.as_str()), ("round_trip_ms", round_trip.as_str())];
            if record.numbers(&keys, "wall_us").is_empty() {
                continue;
            }
            let mut row = vec![set.clone(), format!("{round_trip} ms")];
            for name in names {
                row.extend(cells(record, &keys, name));
            }
            for floor in floors {
                let keys = [keys[0], keys[1], ("peer", floor)];
                row.push(shown(record.median(&keys, "wall_us"), time));
            }
            times.row(&row);
        }
        let figures: [Figure; 4] = [
            ("turns", "turns", whole),
            ("sent", "up_bytes", bytes),
            ("received", "down_bytes", bytes),
            ("memory", "memory_kib", |kib| bytes(kib * 1024.0)),
        ];
        for (title, name, show) in figures {
            let cell = |peer: Peer| {
                shown(record.median(&[("set", &set), ("peer", peer.name())], name), show)
            };
            let mut row = vec![set.clone(), title.to_owned()];
            row.extend(Peer::ALL.map(cell));
            wire.row(&row);
        }
    }
    let memory = "*Memory* is the growth of the process's peak resident memory during the run.";
    format!("{}\n{memory}\n\n{}", times.show(), wire.show())
}

/// A title, the number's name, and how it is shown.
type Figure = (&'static str, &'static str, fn(f64) -> String);

fn proxy(record: &Record) -> String {
    let mut table = Table::new(&["proxy", "median", "added"]);
    let of = |name: &str| record.median(&[("round_trip_ms", name)], "over_us");
    let without = of("none");
    table.row(&["none".to_owned(), shown(without, |us| format!("{us:.0} us")), "-".to_owned()]);
    for name in record.values("round_trip_ms").iter().filter(|name| *name != "none") {
        let more = of(name).zip(without).map(|(with, without)| with - without);
        let micros = |value| shown(value, |us| format!("{us:.0} us"));
        table.row(&[format!("{name} ms"), micros(of(name)), micros(more)]);
    }
    table.show()
}

fn replicas(record: &Record) -> String {
    let mut table = Table::new(&heads(&["database", ""], &[]));
    for situation in record.values("situation") {
        let keys = [("situation", situation.as_str())];
        let mut row = vec![situation.clone(), "until the last is up".to_owned()];
        row.extend(cells(record, &keys, "wall_us"));
        table.row(&row);
        let figures: [Figure; 4] = [
            ("the last one after the first", "after_first_us", time),
            ("failed starts", "failures", whole),
            ("errors in the server's log", "errors", whole),
            ("turns of all", "turns", whole),
        ];
        for (title, name, show) in figures {
            let cell =
                |peer: Peer| shown(record.median(&[keys[0], ("peer", peer.name())], name), show);
            let mut row = vec![situation.clone(), title.to_owned()];
            row.extend(Peer::ALL.map(cell));
            table.row(&row);
        }
    }
    table.show()
}

fn build(record: &Record) -> String {
    let mut table = Table::new(&heads(&["migrations"], &[]));
    for set in record.values("set") {
        let cell = |peer: Peer| {
            let keys = [("set", set.as_str()), ("peer", peer.name())];
            let nothing = shown(record.median(&keys, "nothing_us"), time);
            shown(record.median(&keys, "wall_us"), |us| format!("{} ({nothing})", time(us)))
        };
        let mut row = vec![set.clone()];
        row.extend(Peer::ALL.map(cell));
        table.row(&row);
    }
    table.show()
}

fn clean(record: &Record) -> String {
    let mut table = Table::new(&heads(&[""], &[WITHOUT_GRAMMAR]));
    for (title, name) in [("wall", "wall_us"), ("CPU", "cpu_us")] {
        let mut row = vec![title.to_owned()];
        row.extend(cells(record, &[], name));
        row.push(shown(record.median(&[("peer", WITHOUT_GRAMMAR)], name), time));
        table.row(&row);
    }
    table.show()
}

/// What a program of a library with a set has beyond `base` and beyond its SQL.
pub fn beyond(record: &Record, peer: &str, set: &str, base: (&str, &str)) -> Option<f64> {
    let of = |peer: &str, set: &str, name| record.median(&[("peer", peer), ("set", set)], name);
    let own = of(peer, set, "bytes")? - of(peer, set, "sql_bytes")?;
    Some(own - (of(base.0, base.1, "bytes")? - of(base.0, base.1, "sql_bytes")?))
}

fn size(record: &Record) -> String {
    let mut table = Table::new(&heads(&["", "SQL"], &[]));
    for set in record.values("set") {
        let sql = shown(record.median(&[("set", &set)], "sql_bytes"), bytes);
        let (title, base) = match set.as_str() {
            "none" => continue,
            "10" => ("library".to_owned(), None),
            set => (format!("set of {set}"), Some("10")),
        };
        let cell = |peer: Peer| {
            let name = peer.name();
            let base = base.map_or(("none", "none"), |base| (name, base));
            shown(beyond(record, name, &set, base), bytes)
        };
        let mut row = vec![title, sql];
        row.extend(Peer::ALL.map(cell));
        table.row(&row);
    }
    table.show()
}

fn tenants(record: &Record) -> String {
    let mut table = Table::new(&["schemas", "", "wall", "messages", "memory"]);
    for situation in record.values("situation") {
        let keys = [("situation", situation.as_str())];
        let (wall, messages) = (record.median(&keys, "wall_us"), record.median(&keys, "messages"));
        let schemas = shown(record.median(&keys, "schemas"), whole);
        let memory = shown(record.median(&keys, "memory_kib"), |kib| bytes(kib * 1024.0));
        let (wall, messages) = (shown(wall, time), shown(messages, whole));
        table.row(&[schemas, situation.clone(), wall, messages, memory]);
    }
    table.show()
}

fn growth(record: &Record) -> String {
    let mut table = Table::new(&["entries", "whose", "turns", "received", "wall", "an entry"]);
    for whose in record.values("whose") {
        for entries in record.values("entries") {
            let keys = [("entries", entries.as_str()), ("whose", whose.as_str())];
            let number: Option<f64> = entries.parse().ok();
            let wall = record.median(&keys, "wall_us");
            let each = wall.zip(number).map(|(wall, number)| wall / number);
            table.row(&[
                entries.clone(),
                whose.clone(),
                shown(record.median(&keys, "turns"), whole),
                shown(record.median(&keys, "down_bytes"), bytes),
                shown(wall, time),
                shown(each, |us| format!("{us:.2} us")),
            ]);
        }
    }
    table.show()
}

fn test_database(record: &Record) -> String {
    let mut table = Table::new(&["way", "a test works for", "wait for its database", "drop"]);
    for (way, work) in WAYS {
        let work = work.as_millis().to_string();
        let keys = [("way", way), ("work_ms", &*work)];
        table.row(&[
            way.to_owned(),
            format!("{work} ms"),
            shown(record.median(&keys, "wall_us"), time),
            shown(record.median(&keys, "end_us"), time),
        ]);
    }
    table.show()
}
