//! A trace as `Trace::write_json_lines` of cotask writes it.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

/// The version of the schema that this reads.
const VERSION: u64 = 1;

pub(crate) struct Trace {
    pub(crate) events: Vec<Event>,
}

pub(crate) struct Event {
    pub(crate) at: u64,
    pub(crate) kind: String,
    fields: Map<String, Value>,
}

impl Event {
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field)?.as_str()
    }
}

impl Trace {
    /// # Errors
    /// Which line is at fault, and how.
    pub(crate) fn parse(text: &str) -> Result<Trace> {
        let mut lines = text.lines();
        let header = lines.next().context("the file is empty, and no trace")?;
        let no_header = "line 1 is not the header of a trace: give a file of JSON lines (one that ends in .json is for \
                         Perfetto alone)";
        let header: Value = serde_json::from_str(header).context(no_header)?;
        let version = header["cotask_trace"].as_u64().context(no_header)?;
        ensure!(version == VERSION, "the trace has version {version}; this program reads version {VERSION}");
        let mut last = 0;
        let events = lines.enumerate().map(|(number, line)| {
            let number = number + 2;
            let fields: Map<String, Value> =
                serde_json::from_str(line).with_context(|| format!("line {number} is no event"))?;
            let at = fields.get("at").and_then(Value::as_u64);
            let kind = fields.get("event").and_then(Value::as_str).map(str::to_string);
            let (at, kind) = at.zip(kind).with_context(|| format!("line {number} lacks `at` or `event`"))?;
            ensure!(at >= last, "line {number} is from before the line above it: {at} ns after {last} ns");
            last = at;
            Ok(Event { at, kind, fields })
        });
        let events = events.collect::<Result<Vec<_>>>()?;
        ensure!(!events.is_empty(), "the trace has no events");
        Ok(Trace { events })
    }

    pub(crate) fn tasks(&self) -> usize {
        self.events.iter().filter_map(|event| event.text("task")).collect::<HashSet<_>>().len()
    }
}
