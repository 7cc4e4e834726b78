//! The names of the styles.

use std::fmt;

/// A way to make work concurrent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Style {
    /// One thing after the other, blocking
    Sequential,
    /// A thread for each connection or request
    Threads,
    /// A fixed number of threads that take work from a queue
    Pool,
    /// Worker processes
    Processes,
    /// A state machine by hand over mio
    Callbacks,
    /// Tasks on cotask, one thread
    Coroutines,
    /// Tasks on cotask, with the work that computes or blocks on its blocking pool
    Blocking,
    /// Tasks on tokio's current-thread runtime
    Tokio,
    /// Python's asyncio, from its standard library
    Asyncio,
}

impl Style {
    /// All of them, in the order of tables.
    pub(crate) const ALL: [Style; 9] = [
        Style::Sequential,
        Style::Threads,
        Style::Pool,
        Style::Processes,
        Style::Callbacks,
        Style::Coroutines,
        Style::Blocking,
        Style::Tokio,
        Style::Asyncio,
    ];

    /// The name as the command line has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Style::Sequential => "sequential",
            Style::Threads => "threads",
            Style::Pool => "pool",
            Style::Processes => "processes",
            Style::Callbacks => "callbacks",
            Style::Coroutines => "coroutines",
            Style::Blocking => "blocking",
            Style::Tokio => "tokio",
            Style::Asyncio => "asyncio",
        }
    }

    /// Whether the style is written with `async`.
    pub(crate) const fn is_async(self) -> bool {
        matches!(self, Style::Coroutines | Style::Blocking | Style::Tokio | Style::Asyncio)
    }
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The program text of a workload in one style, for reading side by side.
pub(crate) struct Source {
    pub(crate) style: Style,
    pub(crate) file: &'static str,
    pub(crate) text: &'static str,
    /// Whether it runs on cotask, so that `--trace` has something to record.
    pub(crate) on_cotask: bool,
}

impl Source {
    /// A style that is not written for cotask and has a runtime of cotask run beside its work.
    pub(crate) const fn beside_cotask(self) -> Source {
        Source { on_cotask: true, ..self }
    }
}

/// Names a style of a workload and its source.
pub(crate) const fn source(style: Style, file: &'static str, text: &'static str) -> Source {
    Source { style, file, text, on_cotask: matches!(style, Style::Coroutines | Style::Blocking) }
}
