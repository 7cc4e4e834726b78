//! An execution that failed, and what can be made of it.

use std::fmt;
use std::fs;
use std::io::{self, IsTerminal};
use std::panic::PanicHookInfo;
use std::path::{Path, PathBuf};

use crate::picture::{self, Picture};
use crate::recorder::{At, OUTLIVES, Panic, Recorder};

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An assertion, or any other panic.
    Panic,
    /// Every thread that is left waits for another.
    Deadlock,
    /// Two threads were at a [`Cell`](crate::cell::Cell) at once, one of them writing.
    Race,
    /// An [`Arc`](crate::sync::Arc) was left at the end.
    Leak,
    /// More switches than [`Model::max_branches`](crate::Model::max_branches): a loop that need not end.
    Endless,
    /// The model does what loom cannot explore. It may be right.
    Limit,
    /// The model did not do the same as in the execution before, where loom let it: what it does depends on something
    /// that is not made anew in each execution, or not made of this package's types.
    Outlives,
}

/// A panic of this package's own, which says that the exploration cannot go on.
pub(crate) struct Complaint {
    pub kind: Kind,
    pub message: String,
    pub at: At,
}

impl Panic {
    /// From what the panic hook gets. The place decides what kind of failure it is: loom's words come from loom's sources,
    /// and a model may use the same words.
    pub(crate) fn of(info: &PanicHookInfo<'_>) -> Panic {
        let at = info.location().map(|location| (location.file().to_owned(), location.line()));
        let payload = info.payload();
        if let Some(complaint) = payload.downcast_ref::<Complaint>() {
            let (kind, message) = (complaint.kind, complaint.message.clone());
            let at = Some((complaint.at.file().to_owned(), complaint.at.line()));
            return Panic { kind, message, at, by_loom: false, lane: None };
        }
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or(payload.downcast_ref::<String>().map(String::as_str));
        let message = text.unwrap_or("a panic with a value that is no text").trim().to_owned();
        let by_loom = at.as_ref().is_some_and(|(file, _)| is_looms(file));
        let (kind, message) = if by_loom { looms(message) } else { (Kind::Panic, message) };
        Panic { kind, message, at, by_loom, lane: None }
    }
}

/// Whether a file is one of loom's sources, wherever they lie.
fn is_looms(file: &str) -> bool {
    let folders: Vec<&str> = file.split(['/', '\\']).collect();
    folders.windows(2).any(|pair| (pair[0] == "loom" || pair[0].starts_with("loom-")) && pair[1] == "src")
}

/// What loom means by this message, and what is said instead.
fn looms(message: String) -> (Kind, String) {
    let has = |text| message.contains(text);
    let (kind, message) = match () {
        () if message.starts_with("deadlock") => {
            (Kind::Deadlock, "every thread that is left waits for another")
        }
        () if has("Causality violation") => {
            (Kind::Race, "two threads at one cell at once, and one of them writes")
        }
        () if has("leaked.") => (Kind::Leak, "an Arc is left at the end"),
        () if has("exceeded maximum number of branches") => {
            (Kind::Endless, "it goes round in circles: more switches than the model may have")
        }
        () if has("Is the model fully deterministic?") => (Kind::Outlives, OUTLIVES),
        () => {
            return (
                Kind::Limit,
                format!("loom itself gave up, which need not be the model's fault: {message}"),
            );
        }
    };
    (kind, message.into())
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Panic => "panic",
            Kind::Deadlock => "deadlock",
            Kind::Race => "data race",
            Kind::Leak => "leak",
            Kind::Endless => "no end",
            Kind::Limit => "limit",
            Kind::Outlives => "not repeatable",
        })
    }
}

/// The first execution of a model that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The model's name.
    pub name: String,
    /// Which execution it was, counted from 1; of a replay, 1.
    pub execution: usize,
    /// What kind of failure.
    pub kind: Kind,
    /// What the model said, or what loom meant.
    pub message: String,
    pub(crate) replayed: bool,
    pub(crate) told: bool,
    picture: Box<Picture>,
}

impl Failure {
    pub(crate) fn new(name: &str, recorder: Recorder, replayed: bool) -> Failure {
        let (kind, message) = match &recorder.recording.panic {
            Some(Panic { kind: Kind::Panic, message, .. }) if recorder.panicked_on_the_same_path => {
                (Kind::Outlives, format!("{OUTLIVES}. Now it panicked: {message}"))
            }
            Some(panic) => (panic.kind, panic.message.clone()),
            None => (Kind::Panic, "it ended without a message".into()),
        };
        let mut failure = Failure {
            name: name.into(),
            execution: recorder.executions,
            kind,
            message,
            replayed,
            told: recorder.told,
            picture: Box::default(),
        };
        failure.picture =
            Box::new(Picture::new(&recorder.recording, kind, &failure.message, failure.summary()));
        failure
    }

    /// In one line: what failed, how, in which execution.
    pub fn summary(&self) -> String {
        let which = match (self.replayed, self.execution) {
            (true, 1) => "replayed".into(),
            (true, more) => format!("not in the execution of the replay file, but {} later", more - 1),
            (false, number) => format!("execution {number}"),
        };
        let first_line = self.message.lines().next().unwrap_or_default();
        format!("{} FAILED ({which}): {}: {first_line}", self.name, self.kind)
    }

    /// The swim lanes as text, without colours, for lines of 120 characters. Of a long execution, its end.
    pub fn text(&self) -> String {
        picture::text(&self.picture, 120, false)
    }

    pub(crate) fn coloured_text(&self) -> String {
        let colours =
            io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(120);
        picture::text(&self.picture, width, colours)
    }

    /// The swim lanes as a drawing that stands alone, light and dark.
    pub fn svg(&self) -> String {
        picture::svg(&self.picture)
    }

    /// The swim lanes as a page that stands alone, light and dark, for screens of any width.
    pub fn html(&self) -> String {
        picture::html(&self.picture)
    }

    /// Writes `NAME.svg` and `NAME.html` into a folder, which is made if need be. Returns the path of the page.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<PathBuf> {
        fs::create_dir_all(folder)?;
        let file = folder.join(file_name(&self.name));
        let with = |extension: &str| PathBuf::from(format!("{}.{extension}", file.display()));
        fs::write(with("svg"), self.svg())?;
        fs::write(with("html"), self.html())?;
        Ok(with("html"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

impl std::error::Error for Failure {}

/// A model's name as that of a file.
pub(crate) fn file_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || "-_".contains(c) { c } else { '-' }).collect()
}
