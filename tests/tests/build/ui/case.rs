//! One folder of SQL and one call of the macro.

use crate::scratch::Scratch;

/// A case; its name is also that of its folder and of its file.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    /// Path below the case's folder, and contents.
    files: &'static [(&'static str, &'static str)],
    /// As `files`, for what is not text.
    bytes: &'static [(&'static str, &'static [u8])],
    /// The arguments of the macro; `None` for only the folder.
    arguments: Option<&'static str>,
    /// For a link, or a name that is not UTF-8.
    prepare: Option<fn(&std::path::Path)>,
    /// The number of diagnostics: one per mistake.
    pub mistakes: usize,
}

/// A case of one mistake, in one of `files`.
pub const fn case(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Case {
    Case { name, files, bytes: &[], arguments: None, prepare: None, mistakes: 1 }
}

impl Case {
    /// Adds files that are not text.
    pub const fn bytes(mut self, files: &'static [(&'static str, &'static [u8])]) -> Self {
        self.bytes = files;
        self
    }

    /// Calls the macro with these arguments.
    pub const fn arguments(mut self, arguments: &'static str) -> Self {
        self.arguments = Some(arguments);
        self
    }

    /// Does more to the folder.
    pub const fn prepare(mut self, prepare: fn(&std::path::Path)) -> Self {
        self.prepare = Some(prepare);
        self
    }

    /// Expects this many diagnostics.
    pub const fn mistakes(mut self, mistakes: usize) -> Self {
        self.mistakes = mistakes;
        self
    }

    /// Writes the folder.
    pub fn write(&self, project: &Scratch) {
        let folder = project.path(self.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (path, contents) in self.files {
            project.write(&format!("{}/{path}", self.name), contents);
        }
        for (path, contents) in self.bytes {
            project.write(&format!("{}/{path}", self.name), contents);
        }
        if let Some(prepare) = self.prepare {
            prepare(&folder);
        }
    }

    /// The call of the macro, as the user writes it.
    pub fn call(&self) -> String {
        match self.arguments {
            None => format!("embed_migrations!({:?})", self.name),
            Some(arguments) => format!("embed_migrations!({arguments})"),
        }
    }
}
