//! The rows that a reader looks for first, from the last run of each section.

use super::table::{Table, bytes};
use super::tables::{beyond, cells, heads, shown, whole};
use crate::peer::Peer;
use crate::record::Record;
use crate::sections::Section;

/// One row of times: its title, where it was measured, and which samples it is the median of.
type Row = (&'static str, Section, &'static [(&'static str, &'static str)]);

const TIMES: [Row; 9] = [
    (
        "boot with nothing pending, 200 migrations, server on the same machine",
        Section::Boot,
        &[("set", "200"), ("round_trip_ms", "0")],
    ),
    ("the same, 1 ms round trip", Section::Boot, &[("set", "200"), ("round_trip_ms", "1")]),
    ("the same, 20 ms round trip", Section::Boot, &[("set", "200"), ("round_trip_ms", "20")]),
    (
        "200 migrations on a fresh database, server on the same machine",
        Section::Apply,
        &[("set", "200"), ("round_trip_ms", "0")],
    ),
    ("the same, 1 ms round trip", Section::Apply, &[("set", "200"), ("round_trip_ms", "1")]),
    ("the same, 20 ms round trip", Section::Apply, &[("set", "200"), ("round_trip_ms", "20")]),
    ("`cargo check` after a migration is added to 1,000", Section::Build, &[("set", "1000")]),
    ("clean build of a small service", Section::Clean, &[]),
    (
        "32 replicas boot on an empty database, until the last is up",
        Section::Replicas,
        &[("situation", "empty")],
    ),
];

/// The table, with `-` for what was not measured.
pub fn table() -> String {
    let mut table = Table::new(&heads(&["what"], &[]));
    for (title, section, keys) in TIMES {
        let record = Record::read(section.name()).unwrap_or_default();
        let mut row = vec![title.to_owned()];
        row.extend(cells(&record, keys, "wall_us"));
        table.row(&row);
    }
    let replicas = Record::read(Section::Replicas.name()).unwrap_or_default();
    let failed = |peer: Peer| {
        let keys = [("situation", "empty"), ("peer", peer.name())];
        shown(replicas.median(&keys, "failures"), whole)
    };
    let sizes = Record::read(Section::Size.name()).unwrap_or_default();
    let size = |peer: Peer| shown(beyond(&sizes, peer.name(), "10", ("none", "none")), bytes);
    for (title, cells) in [
        ("starts of these that failed", Peer::ALL.map(failed)),
        ("size of the program, against one without a migration library", Peer::ALL.map(size)),
    ] {
        let mut row = vec![title.to_owned()];
        row.extend(cells);
        table.row(&row);
    }
    table.show()
}
