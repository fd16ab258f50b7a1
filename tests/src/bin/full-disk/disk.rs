//! Two file systems that only this process sees, a tiny one and one with enough room. The program starts
//! itself again in its own namespaces, where both are mounted; they and every process started there end
//! with it. It needs `unshare` and the right to mount.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{self, Command, ExitCode};

/// The variable that is set inside, to the folder of the file systems.
const FOLDER: &str = "MIGRATE_FULL_DISK";

/// The size of the tiny file system in MB: for a new cluster, its WAL, and what the set writes.
const SIZE: u64 = 160;

/// Mounts the roomy file system at `$1` and the tiny one in it, then runs the remaining arguments.
const MOUNT: &str = "mount -t tmpfs -o size=1g,mode=0755 migrate-room \"$1\" && \
     mkdir \"$1/tiny\" && mount -t tmpfs -o size=\"$2\"m,mode=0755 migrate-tiny \"$1/tiny\" && \
     shift 2 && exec \"$@\"";

/// Where this process runs.
pub(crate) enum Here {
    /// In its own namespaces.
    Inside(Disk),
    /// Outside; the one inside has ended with this.
    Ended(ExitCode),
    /// On a machine where nothing can be mounted.
    Impossible(String),
}

/// The two file systems.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    pub(crate) tiny: PathBuf,
    pub(crate) room: PathBuf,
}

/// Starts the program inside, if this process is not there yet.
pub(crate) fn enter() -> Here {
    if let Some(room) = std::env::var_os(FOLDER).map(PathBuf::from) {
        return Here::Inside(Disk { tiny: room.join("tiny"), room });
    }
    let folder = std::env::temp_dir().join(format!("migrate-full-disk-{}", process::id()));
    let here = fs::create_dir(&folder).and_then(|()| enter_at(&folder));
    // Empty, because what was mounted on it is gone.
    let removed = fs::remove_dir(&folder);
    match (here, removed) {
        (Ok(here), Ok(())) => here,
        (Err(error), _) | (_, Err(error)) => {
            Here::Impossible(format!("{}: {error}", folder.display()))
        }
    }
}

fn enter_at(folder: &Path) -> io::Result<Here> {
    // First without the proof, so that a failure of the proof is not reported as a failure to mount.
    let probe = inside(folder).arg("true").output();
    match probe {
        Err(error) => return Ok(Here::Impossible(format!("`unshare` cannot be started: {error}"))),
        Ok(output) if !output.status.success() => {
            let complaint = String::from_utf8_lossy(&output.stderr);
            return Ok(Here::Impossible(format!(
                "{}\nhelp: run it as root, with the right to mount (CAP_SYS_ADMIN)",
                complaint.trim_end()
            )));
        }
        Ok(_) => {}
    }
    let program = std::env::current_exe()?;
    let status = inside(folder).arg(program).args(std::env::args_os().skip(1)).status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Here::Ended(ExitCode::from(code)))
}

/// A command in its own namespaces, to which the caller adds the program.
fn inside(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    // The process namespace ends every server when its first process ends.
    command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]);
    command.args(["sh", "-c", MOUNT, "mount"]).arg(folder).arg(SIZE.to_string());
    command.env(FOLDER, folder);
    command
}

impl Disk {
    fn ballast(&self) -> PathBuf {
        self.tiny.join("ballast")
    }

    /// Fills the tiny file system, except for this many bytes.
    pub(crate) fn fill(&self, free: u64) {
        let available = self.available();
        let size = available.checked_sub(free).expect("a tiny file system of enough size");
        let mut file = File::create(self.ballast()).expect("a ballast file");
        let zeros = vec![0; 1 << 20];
        let mut left = usize::try_from(size).expect("a size");
        while left > 0 {
            let now = left.min(zeros.len());
            file.write_all(&zeros[..now]).expect("the ballast");
            left -= now;
        }
    }

    /// Removes the ballast.
    pub(crate) fn make_space(&self) {
        fs::remove_file(self.ballast()).expect("the ballast file");
    }

    /// The free bytes from df(1), because the standard library has no function for it.
    fn available(&self) -> u64 {
        let output = Command::new("df").args(["-B1", "--output=avail"]).arg(&self.tiny).output();
        let text = String::from_utf8(output.expect("df").stdout).expect("a number");
        text.lines().nth(1).and_then(|line| line.trim().parse().ok()).expect("a number of df")
    }
}
