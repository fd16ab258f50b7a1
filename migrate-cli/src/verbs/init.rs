//! `init`: makes the folder with its first migration, and the build script that watches it.

use std::fs;
use std::io;
use std::path::Path;

use clap::Args;
use migrate_runtime::Migrations;
use migrate_source::create::{CreateOptions, create};
use migrate_source::discover::discover;

use crate::error::VerbError;
use crate::folder::{Folder, Located};
use crate::output::Answer;
use crate::output::json::Body;
use crate::output::text::{line, notes};

#[derive(Args, Debug, Clone)]
pub(crate) struct Init {
    /// What the first migration does, in a few words [default: init]
    description: Vec<String>,
    #[command(flatten)]
    pub(super) folder: Folder,
}

/// What was made, and what is left to do.
#[derive(Default)]
struct Made {
    files: Vec<String>,
    notes: Vec<String>,
}

impl Init {
    pub(super) fn run(&self, set: Option<&Migrations>) -> Result<Answer, VerbError> {
        let located = self.folder.locate(set)?;
        let mut made = Made::default();
        self.make_folder(&located, &mut made)?;
        if let Some((package, below)) = package(&located.path) {
            made.make_build_script(package, &below)?;
            made.say_how_to_run(package, &below);
        }
        let mut text: String = made.files.iter().map(|file| line("Created", file)).collect();
        if made.files.is_empty() {
            text = line("Unchanged", &format!("{} has migrations", located.shown));
        }
        text += &notes(&made.notes);
        Ok(Answer::new(text, Body::Prepared { files: made.files, notes: made.notes }))
    }

    fn make_folder(&self, located: &Located, made: &mut Made) -> Result<(), VerbError> {
        let Located { path, shown, history, options } = located;
        fs::create_dir_all(path)
            .map_err(|source| VerbError::File { file: path.clone(), source })?;
        if !discover(path, shown, options.links)?.is_empty() {
            return Ok(());
        }
        let described = self.description.join(" ");
        let described = if described.is_empty() { "init" } else { &described };
        let options = CreateOptions {
            names: options.names,
            history: Some(history.clone()),
            links: options.links,
        };
        let created = create(path, described, &options)?;
        made.files.extend(created.files.iter().map(|file| file.to_string_lossy().into_owned()));
        made.notes.push("write its statements; until then the build refuses it".to_owned());
        Ok(())
    }
}

impl Made {
    /// A build script that rebuilds after a file was added; an existing one is not changed.
    fn make_build_script(&mut self, package: &Path, below: &str) -> Result<(), VerbError> {
        let (file, watch) =
            (package.join("build.rs"), format!("println!(\"cargo::rerun-if-changed={below}\");"));
        match fs::read_to_string(&file) {
            Ok(text) if text.contains(&format!("rerun-if-changed={below}")) => Ok(()),
            Ok(_) => {
                let file = file.display();
                self.notes.push(format!("add to the `main` of {file}: `{watch}`"));
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::write(&file, format!("fn main() {{\n    {watch}\n}}\n"))
                    .map_err(|source| VerbError::File { file: file.clone(), source })?;
                self.files.push(file.to_string_lossy().into_owned());
                Ok(())
            }
            Err(source) => Err(VerbError::Unread { file, source }),
        }
    }

    /// What a package without this library needs.
    fn say_how_to_run(&mut self, package: &Path, below: &str) {
        let manifest = fs::read_to_string(package.join("Cargo.toml"));
        if manifest.is_ok_and(|text| text.contains("migrate-runtime")) {
            return;
        }
        self.notes
            .push("add the library: `cargo add migrate-runtime --features connect`".to_owned());
        self.notes.push(format!(
            "migrate where the service starts: `Migrator::new(&MIGRATIONS).run_url(&url).await?;`, after \
             `static MIGRATIONS: Migrations = embed_migrations!(\"{below}\");`"
        ));
    }
}

/// The folder of the package that a folder is in, and the path from there, as the macro takes it.
fn package(folder: &Path) -> Option<(&Path, String)> {
    let mut above = folder.ancestors().skip(1);
    let package = above.find(|above| above.join("Cargo.toml").is_file())?;
    let below = folder.strip_prefix(package).ok()?;
    let parts: Vec<_> = below.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    Some((package, parts.join("/")))
}
