//! `convert`: makes a folder from that of another tool, with the comments by which `adopt` finds and verifies what the
//! tool has applied. It never changes a file that exists.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::PossibleValuesParser;
use migrate_runtime::internal::{Former, ToolFile, formers};
use migrate_source::check::{Links, SetOptions, SourceErrors, SourceFile, check};
use migrate_source::convert::{BESIDE, Converted, NewFile, Source, Trouble, convert, known};
use migrate_source::discover::{discover, read};
use migrate_source::replace::create;

use super::adopt;
use super::prove::{Sent, prove};
use super::server::Connector;
use crate::error::VerbError;
use crate::exit::Exit;
use crate::output::Answer;
use crate::output::json::{Body, ProblemBody};
use crate::output::style::{OPEN, titled};
use crate::output::text::{counted, line, notes};

#[derive(Args, Debug, Clone)]
pub(crate) struct Convert {
    /// The folder of the other tool
    folder: PathBuf,
    /// The folder to make; it must not exist, or be empty
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// The tool whose folder it is [default: recognised]
    #[arg(long, value_name = "TOOL", value_parser = PossibleValuesParser::new(known()))]
    from: Option<String>,
    /// A value for a variable: `${NAME}`, or psql's `:NAME`
    #[arg(long = "value", value_name = "NAME=VALUE", value_parser = value)]
    values: Vec<(String, String)>,
    /// Run both in new databases of the server, and compare them by `pg_dump`
    #[arg(long)]
    prove: bool,
}

fn value(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    if name.is_empty() { Err("the name is empty") } else { Ok((name.to_owned(), value.to_owned())) }
}

impl Convert {
    /// Refuses a new folder in the old one, where the tool would read it.
    fn check_target(&self) -> Result<(), VerbError> {
        // The new folder need not exist, nor the folders above it.
        let there = |path: &Path| Path::new(".").join(path).canonicalize().ok();
        let above = self.to.ancestors().find_map(there);
        match above.zip(there(&self.folder)) {
            Some((above, folder)) if above.starts_with(&folder) => Err(VerbError::Usage {
                what: format!("`{}` is in the folder to convert", self.to.display()),
                help: "name a folder beside it",
            }),
            _ => Ok(()),
        }
    }

    pub(super) fn proves(&self) -> bool {
        self.prove
    }

    pub(super) async fn run(&self, cx: &Connector<'_>) -> Result<Answer, VerbError> {
        if !self.folder.exists() {
            return Err(VerbError::Usage {
                what: format!("there is no folder `{}`", self.folder.display()),
                help: "name the folder in which the other tool has its migrations",
            });
        }
        let shown = self.folder.to_string_lossy();
        let files = discover(&self.folder, &shown, Links::Inside)?;
        let beside = beside(&self.folder)?;
        let source = Source { shown: &shown, files: &files, beside: &beside };
        let Converted { tool, files, left } = convert(&source, self.from.as_deref(), &self.values)?;
        if tool.reads_all() {
            self.check_target()?;
        }
        let sent = self.prove.then(|| sent(&files));
        let files = with_formers(tool.name, files);
        write(&self.to, &files)?;
        let to = self.to.to_string_lossy();
        let checked = check(&to, &files, &SetOptions::default());
        let proof = match (sent, &checked) {
            (None, _) => String::new(),
            (Some(sent), Ok(new)) => {
                let note = prove(cx, &sent?, &new.set).await?;
                line("Proved", "the old files and the new folder leave the same database")
                    + &notes(note.as_slice())
            }
            (Some(_), Err(_)) => {
                notes(&["not proved, because the new folder is not valid yet".to_owned()])
            }
        };
        let mut answer = answer(tool.name, (&shown, &to), &files, &left, checked.err());
        answer.text += &proof;
        Ok(answer)
    }
}

/// The files beside the migrations that show the tool, or the order of its files.
fn beside(folder: &Path) -> Result<Vec<SourceFile>, VerbError> {
    let mut found = Vec::new();
    for name in BESIDE {
        let file = folder.join(name);
        match read(&file) {
            Ok(bytes) => found.push(SourceFile { path: name.to_owned(), bytes }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(VerbError::Unread { file, source }),
        }
    }
    Ok(found)
}

/// What the tool sends for each of its files.
fn sent(files: &[NewFile]) -> Result<Vec<Sent>, VerbError> {
    let one = |file: &NewFile| {
        let name = file.original.file.clone();
        let statements = file.sent.clone().ok_or_else(|| VerbError::Unproved {
            what: format!("{name} has data for COPY, which is not sent statement by statement"),
            help: "convert without `--prove`",
        });
        Ok((name, statements?))
    };
    files.iter().map(one).collect()
}

/// The files with the comments by which `adopt` finds them.
fn with_formers(tool: &str, files: Vec<NewFile>) -> Vec<SourceFile> {
    let known: Vec<ToolFile<'_>> = files
        .iter()
        .map(|NewFile { original, .. }| ToolFile {
            path: &original.file,
            version: original.version.as_deref(),
            name: &original.name,
            key: original.key.as_deref(),
            text: &original.text,
        })
        .collect();
    let formers = formers(tool, adopt::tool(tool), &known);
    let bound = |(former, file): (Former, &NewFile)| match file.checksum {
        Some(checksum) => former.of_text(checksum),
        None => former,
    };
    let lines = formers.into_iter().zip(&files).map(bound);
    let lines: Vec<String> = lines.map(|former| former.to_string()).collect();
    let file = |(line, NewFile { path, text, .. }): (String, NewFile)| SourceFile {
        path,
        bytes: format!("{line}\n{text}").into_bytes(),
    };
    lines.into_iter().zip(files).map(file).collect()
}

/// Makes the folder with these files. If one cannot be written, those before it are removed again.
fn write(folder: &Path, files: &[SourceFile]) -> Result<(), VerbError> {
    let failed = |file: &Path, source| VerbError::File { file: file.to_owned(), source };
    fs::create_dir_all(folder).map_err(|source| failed(folder, source))?;
    let mut inside = fs::read_dir(folder).map_err(|source| failed(folder, source))?;
    if inside.next().is_some() {
        return Err(VerbError::Usage {
            what: format!("`{}` is not empty", folder.display()),
            help: "name a folder that does not exist",
        });
    }
    for (at, SourceFile { path, bytes }) in files.iter().enumerate() {
        let file = folder.join(path);
        if let Err(source) = create(&file, bytes) {
            for written in &files[..at] {
                // The first error is the one to report.
                let _ = fs::remove_file(folder.join(&written.path));
            }
            return Err(failed(&file, source));
        }
    }
    Ok(())
}

fn answer(
    tool: &'static str,
    (from, to): (&str, &str),
    files: &[SourceFile],
    left: &[Trouble],
    mistakes: Option<SourceErrors>,
) -> Answer {
    let mistakes = mistakes.map(|errors| errors.0).unwrap_or_default();
    let count = left.len() + mistakes.len();
    let mut text: String =
        files.iter().map(|file| line("Created", &format!("{to}/{}", file.path))).collect();
    let texts = left.iter().map(ToString::to_string);
    for found in texts.chain(mistakes.iter().map(|mistake| format!("{mistake:#}"))) {
        text += &titled("not carried over", OPEN, &found);
    }
    text +=
        &line("Converted", &format!("{} of {tool} from {from}", counted(files.len(), "migration")));
    if count > 0 {
        let places = counted(count, "place");
        text += &notes(&[format!(
            "change {places} by hand, and then check the folder: `migrate check --dir {to}`"
        )]);
    }
    let mut problems: Vec<ProblemBody> = left.iter().map(ProblemBody::from).collect();
    problems.extend(ProblemBody::all(&mistakes));
    let files = files.iter().map(|file| format!("{to}/{}", file.path)).collect();
    let exit = if count == 0 { Exit::Fine } else { Exit::Failed };
    Answer { exit, text, body: Body::Converted { tool, files, left: problems } }
}
