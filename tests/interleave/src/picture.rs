//! A recording as rows of swim lanes, for the text, the drawing and the page.

mod failed;
mod fold;
mod html;
mod names;
mod rows;
mod svg;
mod text;

pub(crate) use html::html;
pub(crate) use svg::svg;
pub(crate) use text::text;

/// Swim lanes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    pub title: String,
    pub lanes: Vec<String>,
    pub rows: Vec<Row>,
}

/// A step that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// From 1.
    pub number: usize,
    /// The last step that this row stands for: its own number, except where steps repeat.
    pub last: usize,
    pub lane: usize,
    /// What was done.
    pub what: String,
    /// What explains it: whose value was read, or which thread holds the lock. May be empty.
    pub why: String,
    /// The file and line.
    pub place: String,
    /// The line itself.
    pub source: String,
    /// The row, counted from 0, that this one got its value, lock or wake-up from, where that is another lane's.
    pub from: Option<usize>,
    pub kind: RowKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RowKind {
    Step,
    /// One of the last before the failure.
    Last,
    /// The failure itself.
    Failure,
}

/// Text for a document of tags.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
