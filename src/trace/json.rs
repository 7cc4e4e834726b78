//! JSON, as much of it as flat records need.

use std::io::{self, Write};

use super::Trace;
use super::events::{Fields, Value, text};

/// The version of the schema: counts up when a reader of the old one would misread the new.
const VERSION: u64 = 1;

impl Trace {
    /// Writes the trace as lines of JSON, each an object; numbers are nanoseconds on the runtime's clock.
    ///
    /// The first line is the header: `cotask_trace` (the version of this schema, 1), `dropped` (how many older
    /// events found no room), `records` (how many lines follow) and, when it has one, the runtime's `name`.
    /// Every other line has `at` and `event`, and what the variant of [`Event`](super::Event) of that name has:
    ///
    /// | `event` | further fields |
    /// |---|---|
    /// | `spawned` | `task`, `by`, `source` (`file:line:column`), `name` when given |
    /// | `scheduled`, `joined`, `abort_requested` | `task`, `by` |
    /// | `poll_began` | `task` |
    /// | `dropped` | `task` |
    /// | `poll_ended` | `task`, `outcome`: `pending`, `budget`, `finished`, `panicked`, `aborted` |
    /// | `parked` | `at_most`, missing when no timer is set |
    /// | `unparked` | |
    /// | `waits` | `by`, `on` (a resource), `want`: `read`, `write`, `value`, `room`, `end` |
    /// | `socket_opened` | `socket`, `by`, `kind` |
    /// | `socket_ready` | `socket`, `readable`, `writable`, `closed` (true or false) |
    /// | `socket_closed` | `socket`, `by` |
    /// | `timer_set` | `timer`, `by`, `deadline` |
    /// | `timer_fired` | `timer` |
    /// | `timer_cancelled` | `timer`, `by` |
    /// | `job_queued` | `job`, `by`, `source` |
    /// | `job_started`, `job_done` | `job` |
    /// | `sent`, `received` | `channel`, `by`, `queued` (values in the channel now) |
    /// | `fault` | `what`: in words, in a [simulation](crate::sim) |
    /// | `named` | `resource`, `name` |
    ///
    /// A task is its [`Id`](crate::Id), as `0.17.2`; `by` is an [`Actor`](super::Actor), as `task 0.17.2` or
    /// `reactor`; every other reference is a [`Resource`](super::Resource), as `socket 4.0` or `channel 1`.
    /// Readers must ignore fields and events that they do not know.
    ///
    /// # Errors
    /// Those of `out`.
    ///
    /// # Examples
    /// ```
    /// let runtime = cotask::Builder::new().trace(1_000).name("clerk").build()?;
    /// runtime.block_on(cotask::yield_now());
    /// let mut lines = Vec::new();
    /// runtime.take_trace().write_json_lines(&mut lines)?;
    /// let lines = String::from_utf8(lines).unwrap();
    /// assert!(lines.starts_with(r#"{"cotask_trace":1,"dropped":0,"records":"#));
    /// assert!(lines.ends_with("\"outcome\":\"finished\"}\n"));
    /// # std::io::Result::Ok(())
    /// ```
    pub fn write_json_lines(&self, mut out: impl Write) -> io::Result<()> {
        let mut header = vec![
            ("cotask_trace", Value::Number(VERSION)),
            ("dropped", Value::Number(self.dropped)),
            ("records", Value::Number(self.records.len() as u64)),
        ];
        header.extend(self.name.as_ref().map(|name| ("name", text(name))));
        write_line(&mut out, &header)?;
        for record in &self.records {
            let (kind, fields) = record.event.words();
            let mut line = vec![("at", Value::Number(record.at.nanos())), ("event", text(kind))];
            line.extend(fields);
            write_line(&mut out, &line)?;
        }
        Ok(())
    }
}

/// The keys are words of ours: nothing in them needs an escape.
fn write_line(out: &mut impl Write, fields: &Fields) -> io::Result<()> {
    for (place, (key, value)) in fields.iter().enumerate() {
        write!(out, "{}\"{key}\":", if place == 0 { '{' } else { ',' })?;
        match value {
            Value::Text(text) => write_text(out, text)?,
            plain => write!(out, "{plain}")?,
        }
    }
    out.write_all(b"}\n")
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(b"\"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(out, "\\{letter}")?,
            '\0'..='\x1f' => write!(out, "\\u{:04x}", letter as u32)?,
            _ => write!(out, "{letter}")?,
        }
    }
    out.write_all(b"\"")
}
