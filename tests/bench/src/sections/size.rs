//! How large programs become: optimised, stripped, for sets of several sizes, beside the SQL's own size
//! and a program on tokio-postgres without any library.

use std::fs;
use std::path::Path;

use super::{Extent, count, programs};
use crate::crates::Crate;
use crate::record::{Recorder, Sample};
use crate::set;

pub(super) fn measure(extent: Extent, out: &mut Recorder) {
    let bare = size(&Crate::bare().program());
    let bare = Sample::default().key("set", "none").key("peer", "none").number("bytes", bare);
    out.push(bare.number("sql_bytes", 0));
    let sizes: &[usize] = extent.pick(&[10, 200, 1000, 5000], &[10, 200, 1000]);
    for set in sizes.iter().map(|size| set::generated(*size)) {
        for (peer, program) in programs(&set) {
            let sample = Sample::default().key("set", &set.name).key("peer", peer.name());
            let sql = count(set.text().len() as u64);
            out.push(sample.number("bytes", size(&program)).number("sql_bytes", sql));
        }
    }
}

fn size(program: &Path) -> f64 {
    count(fs::metadata(program).expect("a program").len())
}
