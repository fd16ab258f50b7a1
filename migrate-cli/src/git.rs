//! Reads the files of a folder at a commit, and at the commit where two branches parted, by the program `git`.

use std::ffi::OsStr;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use migrate_runtime::internal::text::quoted;
use migrate_source::check::SourceFile;
use migrate_source::discover::may_matter;

use crate::error::VerbError;

/// A folder at the commit of a branch, and at the newest commit that it shares with the current one.
pub(crate) struct Parted {
    /// The folder's path in the repository, with a `/` at its end unless it is the root.
    pub(crate) path: String,
    pub(crate) files: Vec<SourceFile>,
    /// Those that both branches began with.
    pub(crate) base: Vec<SourceFile>,
}

/// What a hook of git sets, with paths that are relative to another folder.
const LOCAL: [&str; 4] = ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"];

/// The help where commits are missing.
const SHALLOW: &str = "this clone is shallow: get the whole history with `git fetch --unshallow`, or in CI with the \
                       option of the checkout (`fetch-depth: 0`)";

/// The help where the checkout is of another user, as often in a container of CI.
const DISTRUSTED: &str = "trust it with `git config --global --add safe.directory FOLDER`, with the absolute path of \
                          the folder that has `.git`";

/// Reads `folder` at the commit that `reference` names.
pub(crate) fn read(folder: &Path, reference: &str) -> Result<Parted, VerbError> {
    let git = Git { folder };
    let path = git.path()?;
    let commit = git.commit(reference)?;
    let base = git.base(reference, &commit)?;
    let files = git.files(&commit, &path)?.ok_or_else(|| VerbError::Usage {
        what: format!("`{reference}` has no folder `{}`", path.trim_end_matches('/')),
        help: "name a branch that has it; until one has, there is nothing to compare with",
    })?;
    let base = git.files(&base, &path)?.unwrap_or_default();
    Ok(Parted { path, files, base })
}

/// The repository of a folder.
struct Git<'f> {
    folder: &'f Path,
}

impl Git<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder).args(arguments).stdin(Stdio::null());
        for name in LOCAL {
            command.env_remove(name);
        }
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, VerbError> {
        self.command(arguments).output().map_err(unstarted)
    }

    /// What a command prints, in one line; `None` if it fails.
    fn line(&self, arguments: &[&str]) -> Result<Option<String>, VerbError> {
        self.run(arguments).map(|output| line(&output))
    }

    /// The folder's path in the repository.
    fn path(&self) -> Result<String, VerbError> {
        let shown = self.run(&["rev-parse", "--show-prefix"])?;
        if let Some(path) = line(&shown) {
            return Ok(path);
        }
        // Its setting is in the text in every language.
        let is_distrusted = String::from_utf8_lossy(&shown.stderr).contains("safe.directory");
        let (problem, help) = if is_distrusted {
            ("is in a repository of another user, which git does not read", DISTRUSTED)
        } else {
            (
                "is not in a repository of git",
                "name another folder to compare with, or run this in a clone",
            )
        };
        Err(VerbError::Usage { what: format!("`{}` {problem}", self.folder.display()), help })
    }

    fn commit(&self, reference: &str) -> Result<String, VerbError> {
        let of = |name: &str| {
            let name = format!("{name}^{{commit}}");
            self.line(&["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
        };
        if let Some(commit) = of(reference)? {
            return Ok(commit);
        }
        let remote = format!("origin/{reference}");
        let (what, help) = if of(&remote)?.is_some() {
            (format!(", but `{remote}` is a commit"), "write that name")
        } else if self.is_shallow()? {
            (String::new(), SHALLOW)
        } else {
            (String::new(), "check the spelling, or fetch the branch first")
        };
        let what = format!("`{reference}` is neither a folder nor a commit of git{what}");
        Err(VerbError::Usage { what, help })
    }

    /// The newest commit that the current one shares with another.
    fn base(&self, reference: &str, commit: &str) -> Result<String, VerbError> {
        if let Some(base) = self.line(&["merge-base", "HEAD", commit])? {
            return Ok(base);
        }
        let help = if self.is_shallow()? {
            SHALLOW
        } else {
            "compare with a branch that this one began at, or merges into"
        };
        let what = format!("`{reference}` and the current commit have no commit in common");
        Err(VerbError::Usage { what, help })
    }

    fn is_shallow(&self) -> Result<bool, VerbError> {
        Ok(self.line(&["rev-parse", "--is-shallow-repository"])?.as_deref() == Some("true"))
    }

    /// The files of the folder at a commit that can be part of a set; `None` if it has no such folder.
    fn files(&self, commit: &str, path: &str) -> Result<Option<Vec<SourceFile>>, VerbError> {
        // A name of the tree would fail in the same way if there is none, and if it cannot be read.
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", commit];
        if !path.is_empty() {
            arguments.extend(["--", path]);
        }
        let output = self.run(&arguments)?;
        if !output.status.success() {
            return Err(unreadable(&output));
        }
        if output.stdout.is_empty() && !path.is_empty() {
            return Ok(None);
        }
        let lines = output.stdout.split(|byte| *byte == 0);
        let entries = lines.filter_map(|line| entry(line, path));
        let entries: Vec<(String, String)> = entries.collect();
        let objects: Vec<&str> = entries.iter().map(|(object, _)| object.as_str()).collect();
        let contents = self.contents(&objects)?;
        let file = |((_, path), bytes)| SourceFile { path, bytes };
        let mut files: Vec<SourceFile> = entries.into_iter().zip(contents).map(file).collect();
        files.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Some(files))
    }

    /// The contents of objects, in their order.
    fn contents(&self, objects: &[&str]) -> Result<Vec<Vec<u8>>, VerbError> {
        let mut command = self.command(&["cat-file", "--batch"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(unstarted)?;
        let mut names = objects.join("\n");
        names.push('\n');
        let input = child.stdin.take();
        // Written beside the reading, because both sides wait if a pipe is full.
        let writer = thread::spawn(move || {
            // If it ends early, the answers show it.
            input.map(|mut input| input.write_all(names.as_bytes()))
        });
        let mut answers = Vec::new();
        let read = child.stdout.take().map_or(Ok(0), |mut output| output.read_to_end(&mut answers));
        let _ = writer.join();
        let output = child.wait_with_output().map_err(unstarted)?;
        read.map_err(unstarted)?;
        let contents = contents(&answers, objects.len());
        contents.ok_or_else(|| unreadable(&output))
    }
}

/// What a command printed, in one line; `None` if it failed.
fn line(output: &Output) -> Option<String> {
    let text = || String::from_utf8_lossy(&output.stdout).trim_end_matches('\n').to_owned();
    output.status.success().then(text)
}

fn unreadable(output: &Output) -> VerbError {
    VerbError::Usage {
        what: format!(
            "git cannot read the files of the other branch: {}",
            quoted(&String::from_utf8_lossy(&output.stderr))
        ),
        help: "check the repository with `git fsck`",
    }
}

/// The object and the path in `folder` of a line of `ls-tree`, if it is a file that can be part of a set.
fn entry(line: &[u8], folder: &str) -> Option<(String, String)> {
    let line = std::str::from_utf8(line).ok()?;
    let (head, path) = line.split_once('\t')?;
    let path = path.strip_prefix(folder)?;
    let mut head = head.split(' ');
    let (mode, kind, object) = (head.next()?, head.next()?, head.next()?);
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    let is_file = kind == "blob" && mode.starts_with("100");
    (is_file && !is_hidden && may_matter(path)).then(|| (object.to_owned(), path.to_owned()))
}

/// The contents in the answers of `cat-file --batch`; `None` unless there are so many.
fn contents(mut answers: &[u8], count: usize) -> Option<Vec<Vec<u8>>> {
    let mut contents = Vec::with_capacity(count);
    for _ in 0..count {
        let end = answers.iter().position(|byte| *byte == b'\n')?;
        let head = std::str::from_utf8(answers.get(..end)?).ok()?;
        let size: usize = head.rsplit(' ').next()?.parse().ok()?;
        let start = end + 1;
        contents.push(answers.get(start..start.checked_add(size)?)?.to_vec());
        answers = answers.get(start + size + 1..)?;
    }
    Some(contents)
}

fn unstarted(error: io::Error) -> VerbError {
    if error.kind() == io::ErrorKind::NotFound {
        return VerbError::Usage {
            what: "the program `git` is not installed, or not in PATH".to_owned(),
            help: "install it, or name another folder to compare with",
        };
    }
    VerbError::File { file: OsStr::new("git").into(), source: error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_that_can_be_part_of_a_set_are_read() {
        let check = |line: &str, expected: Option<&str>| {
            let found = entry(line.as_bytes(), ".db/m/");
            assert_eq!(found.map(|(_, path)| path).as_deref(), expected, "{line}");
        };
        check("100644 blob abc\t.db/m/1_a.sql", Some("1_a.sql"));
        check("100755 blob abc\t.db/m/1_a/up.sql", Some("1_a/up.sql"));
        check("120000 blob abc\t.db/m/1_a.sql", None);
        check("160000 commit abc\t.db/m/1_a.sql", None);
        check("100644 blob abc\t.db/m/.git/1_a.sql", None);
        check("100644 blob abc\t1_a.sql", None);
        check("", None);
    }

    #[test]
    fn contents_are_cut_out_of_the_answers() {
        let check = |answers: &str, count, expected: Option<&[&str]>| {
            let found = contents(answers.as_bytes(), count);
            let expected = expected
                .map(|all| all.iter().map(|one| one.as_bytes().to_vec()).collect::<Vec<_>>());
            assert_eq!(found, expected, "{answers:?}");
        };
        check("", 0, Some(&[]));
        check("a blob 3\nx\ny\nb blob 0\n\n", 2, Some(&["x\ny", ""]));
        check("a missing\n", 1, None);
        check("a blob 9\nx\n", 1, None);
    }
}
