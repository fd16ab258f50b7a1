//! The machine, versions and date of a measurement; what the system does not show is `unknown`.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::setup::Setup;

const LOCK: &str = include_str!("../Cargo.lock");

/// The circumstances of a section that is measured now.
pub async fn circumstances(setup: &Setup, mode: &str) -> BTreeMap<String, String> {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let gib = field(&memory, "MemTotal").split(' ').next().and_then(|kib| kib.parse::<f64>().ok());
    let gib =
        gib.map_or("unknown memory".to_owned(), |kib| format!("{:.0} GiB", kib / 1_048_576.0));
    let settings = "SELECT string_agg(name || ' = ' || setting, ', ') FROM pg_settings \
                    WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')";
    BTreeMap::from([
        ("date".to_owned(), output_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
        ("machine".to_owned(), format!("{cores} cores, {}, {gib}", field(&cpu, "model name"))),
        ("load".to_owned(), load.split(' ').next().unwrap_or("unknown").to_owned()),
        ("rustc".to_owned(), output_of("rustc", &["--version"])),
        ("server".to_owned(), format!("PostgreSQL {}", setup.ask("SHOW server_version").await)),
        ("settings".to_owned(), setup.ask(settings).await),
        ("mode".to_owned(), mode.to_owned()),
    ])
}

/// Lowers the peak of this process's memory to what it has now.
pub fn reset_peak() {
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// That peak, in KiB; 0 if the system does not show it.
pub fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    field(&status, "VmHWM").split(' ').next().and_then(|kib| kib.parse().ok()).unwrap_or_default()
}

/// The value after `name :` in a file of such lines.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    let value = line.and_then(|line| line.split_once(':')).map(|(_, value)| value.trim());
    value.unwrap_or("unknown").to_owned()
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "unknown".to_owned())
}

/// The version that the lock file has of a package.
pub fn version(package: &str) -> &'static str {
    let entry = format!("name = \"{package}\"\nversion = \"");
    let rest = LOCK.split_once(entry.as_str()).map_or("", |(_, rest)| rest);
    rest.split_once('"').map_or("unknown", |(version, _)| version)
}
