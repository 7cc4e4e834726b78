//! Runs the cases one after the other, each in a process of its own.

use std::ffi::OsString;
use std::fs;
use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;

use super::cells::{Group, Results};
use super::common::{Figure, Run, Size, Style, Workload, progress};
use super::{syscalls, table, verdict};

/// A run that takes longer is ended, and is a failed one.
const LONGEST_RUN: Duration = Duration::from_secs(90);

/// What a run, or the person at the keyboard, has to say.
enum Event {
    /// One of the two outputs of run `number` was closed; this is what it held.
    Closed {
        number: u64,
        error: bool,
        text: String,
    },
    Interrupted,
}

pub(crate) struct Runner {
    program: PathBuf,
    size: Size,
    /// When all workloads should be done.
    ends: Instant,
    /// How many workloads are still to be run.
    left: u32,
    /// How long one workload may take, whatever time there is.
    most: Duration,
    /// How long the workload that runs may take.
    budget: Duration,
    /// How many runs there were so far, to tell a late event of an earlier run.
    number: u64,
    send: Sender<Event>,
    events: Receiver<Event>,
    interrupted: Arc<AtomicBool>,
    system_calls: bool,
}

impl Runner {
    /// A runner that shares its time between `workloads`.
    pub(crate) fn new(size: Size, workloads: usize, system_calls: bool) -> Result<Runner> {
        // In all, and for one workload at most.
        let (all, one) = match size {
            Size::Quick => (28, 5),
            Size::Normal => (58, 12),
            Size::Full => (420, 60),
        };
        let (send, events) = channel();
        let interrupted = Arc::new(AtomicBool::new(false));
        let (flag, to_us) = (interrupted.clone(), send.clone());
        // Without the handler Ctrl-C still ends the program, only without a report.
        let _ = ctrlc::set_handler(move || {
            flag.store(true, Ordering::SeqCst);
            let _ = to_us.send(Event::Interrupted);
        });
        Ok(Runner {
            program: std::env::current_exe().context("cannot find this program's own file")?,
            size,
            ends: Instant::now() + Duration::from_secs(all),
            left: workloads as u32,
            most: Duration::from_secs(one),
            budget: Duration::ZERO,
            number: 0,
            send,
            events,
            interrupted,
            system_calls,
        })
    }

    pub(crate) fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }

    /// How often the cases of the table, and those of the sweep, are run: at least, and at most. The styles that the verdict
    /// compares are run more often than that if it needs it.
    fn rounds(&self) -> [(u32, u32); 2] {
        match self.size {
            Size::Quick => [(1, 3), (1, 1)],
            Size::Normal => [(1, 5), (1, 3)],
            Size::Full => [(3, 9), (3, 5)],
        }
    }

    /// Runs a workload in the styles that are wanted, and prints its rows. `false` after Ctrl-C.
    pub(crate) fn run(
        &mut self,
        workload: &'static Workload,
        wanted: &dyn Fn(Style) -> bool,
        results: &mut Results,
    ) -> Result<bool> {
        let styles = || workload.styles.iter().map(|source| source.style).filter(|style| wanted(*style));
        let sizes = (workload.cases)(self.size);
        let possible = |style, n| (workload.args)(self.size, style, n).map(|args| (style, n, args));
        let largest = |style| sizes.iter().rev().find_map(|n| possible(style, *n));
        // The rows of the table come first, so that there is something to look at.
        let rows: Vec<Case> = styles().filter_map(largest).collect();
        let sweep: Vec<Case> = sizes
            .iter()
            .flat_map(|n| styles().filter_map(|style| possible(style, *n)))
            .filter(|case| !rows.iter().any(|row| row.0 == case.0 && row.1 == case.1))
            .collect();

        let [row_rounds, sweep_rounds] = self.rounds();
        let started = Instant::now();
        // What the workloads before this one have left or taken is shared by those that come.
        let share = self.ends.saturating_duration_since(started) / self.left.max(1);
        self.budget = share.min(self.most);
        self.left = self.left.saturating_sub(1);
        let bar = progress((rows.len() + sweep.len()) as u64, workload.name);
        let mut group = Group { workload, cells: Vec::new() };
        // Two thirds of the time are for the rows. The verdict may take more.
        let until = started + self.budget * 2 / 3;
        self.repeat(&rows, (0..1, 1), until, &mut group, &bar)?;
        self.settle(workload.decides, &rows, started + share.max(self.budget * 2), &mut group, &bar)?;
        for figure in verdict::others(workload.decides) {
            self.settle(figure, &rows, until, &mut group, &bar)?;
        }
        let (least, most) = row_rounds;
        self.repeat(&rows, (1..most, least), until, &mut group, &bar)?;
        for n in &sizes {
            group.check_answers(*n);
        }
        bar.suspend(|| {
            for cell in group.rows() {
                println!("{}", table::row(workload, cell));
            }
        });
        if self.system_calls {
            self.count_system_calls(&rows, &mut group, &bar)?;
        }
        let (least, most) = sweep_rounds;
        self.repeat(&sweep, (0..most, least), started + self.budget, &mut group, &bar)?;
        for n in &sizes {
            group.check_answers(*n);
        }
        bar.finish_and_clear();
        // A failure in the sweep is not in the rows that were printed.
        for cell in group.cells.iter().filter(|cell| cell.failure().is_some()) {
            if !group.rows().any(|row| row.style == cell.style && row.n == cell.n) {
                println!("{}", table::row(workload, cell));
            }
        }
        results.groups.push(group);
        Ok(!self.interrupted())
    }

    /// Runs the two styles that are compared by `figure` until there are enough runs of both, or the time is up.
    fn settle(
        &mut self,
        figure: Figure,
        rows: &[Case],
        until: Instant,
        group: &mut Group,
        bar: &ProgressBar,
    ) -> Result<()> {
        while !self.interrupted()
            && Instant::now() < until.min(self.ends)
            && let Some(style) = verdict::short_of_runs(group, figure)
            && let Some((_, n, args)) = rows.iter().find(|row| row.0 == style)
        {
            bar.inc_length(1);
            self.case(style, *n, args, group, bar)?;
        }
        Ok(())
    }

    /// Runs all `cases` in rounds, so that a slow minute of the machine meets all of them alike.
    fn repeat(
        &mut self,
        cases: &[Case],
        (rounds, least): (Range<u32>, u32),
        until: Instant,
        group: &mut Group,
        bar: &ProgressBar,
    ) -> Result<()> {
        for round in rounds {
            for (style, n, args) in cases {
                let cell = group.cells.iter().find(|cell| cell.style == *style && cell.n == *n);
                // A failure is reported once, and a very slow case is not repeated.
                let enough = cell.is_some_and(|cell| {
                    cell.failure().is_some() || cell.runs.iter().any(|run| slow(run, self.budget))
                });
                // On a machine that has other things to do, fewer rounds must be enough.
                let now = Instant::now();
                let late = (round >= least && now >= until) || (round > 0 && now >= until + self.budget / 2);
                if self.interrupted() || enough || late {
                    continue;
                }
                if round > 0 {
                    bar.inc_length(1);
                }
                self.case(*style, *n, args, group, bar)?;
            }
        }
        Ok(())
    }

    /// Runs a case once and puts the run into its cell.
    fn case(
        &mut self,
        style: Style,
        n: u64,
        args: &[String],
        group: &mut Group,
        bar: &ProgressBar,
    ) -> Result<()> {
        bar.set_message(format!("{} {style} {n}", group.workload.name));
        let command = Command::new(&self.program);
        let run = self.one(command, group.workload, style, n, args)?;
        // A run that Ctrl-C cut short says nothing about its style.
        if !self.interrupted() {
            group.add(style, n, run);
        }
        bar.inc(1);
        Ok(())
    }

    /// Runs each case once more, under strace.
    fn count_system_calls(&mut self, cases: &[Case], group: &mut Group, bar: &ProgressBar) -> Result<()> {
        let file = syscalls::summary_file();
        for (style, n, args) in cases.iter().filter(|(style, ..)| syscalls::countable(*style)) {
            if self.interrupted() {
                break;
            }
            bar.set_message(format!("{} {style} {n}, system calls", group.workload.name));
            let command = syscalls::command(&self.program, &file);
            let run = self.one(command, group.workload, *style, *n, args)?;
            let summary = fs::read_to_string(&file).unwrap_or_default();
            if let Some(cell) = group.cells.iter_mut().find(|cell| cell.style == *style && cell.n == *n) {
                cell.system_calls = syscalls::total(&summary).filter(|_| run.ok);
            }
        }
        // It is not there if nothing was countable.
        let _ = fs::remove_file(&file);
        Ok(())
    }

    /// One run in a process of its own; whatever goes wrong with it becomes a failed run.
    fn one(
        &mut self,
        mut command: Command,
        workload: &Workload,
        style: Style,
        n: u64,
        args: &[String],
    ) -> Result<Run> {
        self.number += 1;
        let number = self.number;
        let mut child = command
            .args(["run", workload.name, "--json", "--style", style.name()])
            .args(args.iter().map(OsString::from))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        let stdout = child.stdout.take().expect("its output was asked for");
        let stderr = child.stderr.take().expect("its output was asked for");
        self.listen(number, false, stdout);
        self.listen(number, true, stderr);
        let failed = |why| Ok(Run::failed(workload.name, style, n, why));
        let Some([text, errors]) = self.outputs(number, &mut child)? else {
            return failed(format!("no result within {LONGEST_RUN:?}"));
        };
        let status = child.wait().context("cannot wait for a run")?;
        match serde_json::from_str::<Run>(&text) {
            Ok(run) => Ok(run),
            Err(_) => {
                let last = errors.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing");
                failed(format!("{} ({status})", last.trim_start_matches("error: ")))
            }
        }
    }

    /// Collects an output until it closes, on a thread that ends then.
    fn listen(&self, number: u64, error: bool, mut output: impl Read + Send + 'static) {
        let send = self.send.clone();
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // A truncated output holds no result, and is reported as such.
            let _ = output.read_to_end(&mut bytes);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let _ = send.send(Event::Closed { number, error, text });
        });
    }

    /// Both outputs of a run, once both are closed; `None` if that takes too long, and the run is ended.
    fn outputs(&self, number: u64, child: &mut Child) -> Result<Option<[String; 2]>> {
        let deadline = Instant::now() + LONGEST_RUN;
        let (mut out, mut err) = (None, None);
        loop {
            match self.events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(Event::Closed { number: of, error, text }) if of == number => {
                    *(if error { &mut err } else { &mut out }) = Some(text);
                }
                Ok(Event::Closed { .. }) => {}
                Ok(Event::Interrupted) | Err(RecvTimeoutError::Timeout) => {
                    child.kill().context("cannot end a run")?;
                    child.wait().context("cannot wait for a run")?;
                    return Ok(None);
                }
                Err(RecvTimeoutError::Disconnected) => unreachable!("the runner holds a sender itself"),
            }
            if let (Some(out), Some(err)) = (&mut out, &mut err) {
                return Ok(Some([std::mem::take(out), std::mem::take(err)]));
            }
        }
    }
}

/// A style, an N, and the arguments for it.
type Case = (Style, u64, Vec<String>);

/// Whether one run took so much of its workload's time that it is not repeated.
fn slow(run: &Run, budget: Duration) -> bool {
    run.wall_ms.is_some_and(|ms| ms > budget.as_secs_f64() * 1e3 / 6.0)
}
