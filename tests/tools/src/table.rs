//! The table: a row for each broken version, a column for each tool.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::attempt::{Attempt, Found};
use crate::model::Model;
use crate::tool::{Exhibit, RIGHT, TOOLS, Tool, versions};
use crate::{Args, MUSEUM, on_std};

/// How wide its first column is.
const NAME: usize = 36;

/// A tool that can be used here, and the program that has it.
struct Ready {
    tool: &'static Tool,
    program: Option<PathBuf>,
}

/// A version of an exhibit, and what each tool makes of it: nothing, if it can do nothing with it.
struct Row {
    exhibit: &'static Model,
    version: &'static str,
    has_threads: bool,
    attempts: Vec<Option<Attempt>>,
}

/// What has been counted.
struct Counts {
    found: Vec<u32>,
    tried: Vec<u32>,
    /// How long the right versions took.
    right: Vec<Duration>,
    bugs: u32,
    false_alarms: u32,
}

/// Prints it, row by row as they are there. Whether no tool complained of anything that is right.
pub fn print(args: &Args) -> Result<bool> {
    let wanted = |exhibit: &&&Model| args.exhibit.as_ref().is_none_or(|name| exhibit.name.contains(name));
    let exhibits: Vec<_> = on_std::museum::MODELS.iter().filter(wanted).collect();
    if exhibits.is_empty() {
        bail!("no exhibit has {:?} in its name", args.exhibit.as_deref().unwrap_or_default());
    }
    let tools = ready(args)?;
    line(&tools, "the run in which the bug showed", tools.iter().map(|ready| ready.tool.name.to_string()));
    let zeros = vec![0; tools.len()];
    let right = vec![Duration::ZERO; tools.len()];
    let mut counts = Counts { found: zeros.clone(), tried: zeros, right, bugs: 0, false_alarms: 0 };
    let mut rows: VecDeque<Row> = VecDeque::new();
    for exhibit in exhibits {
        for (version, (name, _)) in versions(exhibit).into_iter().enumerate() {
            rows.push_back(Row::start(args, &tools, exhibit, version, name)?);
            while rows.front_mut().is_some_and(Row::is_over) {
                rows.pop_front().expect("it is there").print(&tools, &mut counts)?;
            }
        }
    }
    for row in rows {
        row.print(&tools, &mut counts)?;
    }
    summary(args, &tools, &counts);
    Ok(counts.false_alarms == 0)
}

/// The tools that can be used. A sanitizer that cannot be is left without a program, and the reason told.
fn ready(args: &Args) -> Result<Vec<Ready>> {
    let this = std::env::current_exe()?;
    let mut tools = Vec::new();
    for tool in TOOLS.iter().filter(|tool| args.sanitizers || tool.sanitizer.is_none()) {
        let program = match tool.sanitizer {
            None => Some(this.clone()),
            Some(sanitizer) => sanitizer
                .build()
                .inspect_err(|error| eprintln!("{}: cannot be built here: {error}", tool.name))
                .ok(),
        };
        tools.push(Ready { tool, program });
    }
    Ok(tools)
}

impl Row {
    fn start(
        args: &Args,
        tools: &[Ready],
        exhibit: &'static Model,
        version: usize,
        name: &'static str,
    ) -> Result<Row> {
        let which = Exhibit { name: exhibit.name, version };
        let attempt = |Ready { tool, program }: &Ready| -> Result<Option<Attempt>> {
            let Some(program) = program.as_ref().filter(|_| (tool.task)(&which).is_some()) else {
                return Ok(None);
            };
            let mut attempt = Attempt::start(args, program, tool.sanitizer, [tool.name, exhibit.name, name])?;
            attempt.settle(tool.on_threads);
            Ok(Some(attempt))
        };
        let attempts = tools.iter().map(attempt).collect::<Result<_>>()?;
        Ok(Row { exhibit, version: name, has_threads: which.has_threads(), attempts })
    }

    fn is_over(&mut self) -> bool {
        self.attempts.iter_mut().flatten().all(Attempt::is_over)
    }

    fn print(self, tools: &[Ready], counts: &mut Counts) -> Result<()> {
        let short = self.exhibit.name.strip_prefix(MUSEUM).unwrap_or(self.exhibit.name);
        let right = self.version == RIGHT;
        counts.bugs += u32::from(!right);
        let mut cells = Vec::new();
        for (i, attempt) in self.attempts.into_iter().enumerate() {
            let Some(attempt) = attempt else {
                cells.push("n/a".into());
                continue;
            };
            let (found, took) = attempt.finish()?;
            let is_found = !matches!(found, Found::Nothing);
            if right {
                counts.right[i] += took;
            }
            if right && is_found {
                counts.false_alarms += 1;
                let tool = tools[i].tool.name;
                println!("FALSE ALARM: {tool} finds fault with the right version of {short}: {found}");
            }
            counts.tried[i] += u32::from(!right);
            counts.found[i] += u32::from(!right && is_found);
            cells.push(found.to_string());
        }
        if !right {
            let mark = if self.has_threads { "" } else { "*" };
            // Further versions stand below the first.
            let is_first = self.exhibit.mutants[0].name() == self.version;
            let name = match (is_first, self.version) {
                (true, "broken") => format!("{short}{mark}"),
                (true, version) => format!("{short}/{version}{mark}"),
                (false, version) => format!("  /{version}{mark}"),
            };
            line(tools, &name, cells);
        }
        Ok(())
    }
}

fn line(tools: &[Ready], name: &str, cells: impl IntoIterator<Item = String>) {
    print!("{name:<NAME$}");
    for (cell, Ready { tool, .. }) in cells.into_iter().zip(tools) {
        print!(" {cell:>width$}", width = tool.name.len().max(4));
    }
    println!();
}

fn summary(args: &Args, tools: &[Ready], counts: &Counts) {
    line(tools, &format!("found, of {}", counts.bugs), counts.found.iter().map(u32::to_string));
    line(tools, "tried on", counts.tried.iter().map(u32::to_string));
    let seconds = counts.right.iter().map(|took| format!("{:.1}", took.as_secs_f64()));
    line(tools, "seconds for the right versions", seconds);
    println!(
        "\nat most {} runs and {} s a bug and tool; the right versions: {} false alarms",
        args.runs, args.seconds, counts.false_alarms
    );
    println!("-: not found; *: without threads; n/a: no threads to choose from, nothing that tasks await");
    for Ready { tool, .. } in tools {
        println!("{:>8}: {}", tool.name, tool.about);
    }
}
