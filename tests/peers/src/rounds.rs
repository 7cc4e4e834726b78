//! Runs every row of every peer in a process of its own, round after round.
//!
//! A machine's speed drifts. So one round measures all peers of a row shortly one after the other, in an order
//! shuffled anew, and only figures of the same round are divided by each other.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};

use crate::recorder::{self, Builds};
use crate::rows::{Against, Row};
use crate::runtimes::Peer;
use crate::sample::Sample;

/// What is to be measured.
pub(crate) struct Plan {
    pub(crate) rows: Vec<Row>,
    pub(crate) rounds: usize,
    pub(crate) quick: bool,
    /// Operations a run, in place of each row's own number.
    pub(crate) operations: Option<u64>,
}

impl Plan {
    /// Rounds in which a program measures a row. A quick run spends its time where a reach depends on it: memory
    /// does not vary from round to round, and no reach is against threads.
    fn rounds(&self, row: Row, program: Program) -> usize {
        let settled = row == Row::IdleConnectionBytes || program == Program::Peer(Peer::Threads);
        if self.quick && settled { 1 } else { self.rounds }
    }
}

/// One row as measured: a column for each peer, and one for what else cotask is measured against.
pub(crate) struct Measured {
    pub(crate) row: Row,
    pub(crate) columns: Vec<Column>,
}

/// The runs of one program in one row.
pub(crate) struct Column {
    pub(crate) program: Program,
    /// One sample per round; `None` where there was none.
    pub(crate) samples: Vec<Option<Sample>>,
    /// Why there are none.
    pub(crate) absent: Option<String>,
}

/// What is run to fill a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Peer(Peer),
    /// cotask in a build without the recorder.
    WithoutRecorder,
    /// cotask on one core, in the row that has it on two.
    OnOneCore,
}

impl Measured {
    fn new(row: Row) -> Self {
        let peer = |&peer: &Peer| Column {
            program: Program::Peer(peer),
            samples: Vec::new(),
            absent: peer.absent(row).map(str::to_owned),
        };
        let mut columns: Vec<_> = Peer::value_variants().iter().map(peer).collect();
        let further = match row.reach().against {
            Against::Tokio => None,
            Against::WithoutRecorder => Some(Program::WithoutRecorder),
            Against::OneCore => Some(Program::OnOneCore),
        };
        columns.extend(further.map(|program| Column { program, samples: Vec::new(), absent: None }));
        Measured { row, columns }
    }

    /// The column of one program, which has no samples where it is absent.
    pub(crate) fn column(&self, program: Program) -> Option<&Column> {
        self.columns.iter().find(|column| column.program == program)
    }
}

/// Carries out the plan.
pub(crate) fn run(plan: &Plan) -> Result<Vec<Measured>> {
    let mut measured: Vec<_> = plan.rows.iter().map(|&row| Measured::new(row)).collect();
    let builds = recorder_builds(&mut measured);
    let progress = progress_bar(&measured, plan);
    for round in 0..plan.rounds {
        for Measured { row, columns } in &mut measured {
            let operations = plan.operations.unwrap_or(row.operations(plan.quick));
            let takes_part =
                |column: &&mut Column| column.absent.is_none() && round < plan.rounds(*row, column.program);
            let mut order: Vec<_> = columns.iter_mut().filter(takes_part).collect();
            fastrand::shuffle(&mut order);
            for column in order {
                progress.set_message(format!("{} of {:?}", row.name(), column.program));
                let sample = measure_in_child(*row, column.program, operations, builds.as_ref());
                column.samples.push(sample.as_ref().ok().copied());
                // A peer that cannot run a row is left out of its further rounds; the report says why.
                column.absent = sample.err().map(|error| format!("{error:#}"));
                progress.inc(1);
            }
        }
    }
    progress.finish_and_clear();
    Ok(measured)
}

/// Makes the two builds if a row needs them; marks that row as absent if they cannot be made.
fn recorder_builds(measured: &mut [Measured]) -> Option<Builds> {
    let row = measured.iter_mut().find(|measured| measured.row == Row::RecorderOff)?;
    match recorder::build() {
        Ok(builds) => Some(builds),
        Err(error) => {
            for column in row.columns.iter_mut().filter(|column| column.absent.is_none()) {
                column.absent = Some(format!("{error:#}"));
            }
            None
        }
    }
}

fn progress_bar(measured: &[Measured], plan: &Plan) -> ProgressBar {
    let rounds = measured.iter().flat_map(|measured| {
        let present = measured.columns.iter().filter(|column| column.absent.is_none());
        present.map(|column| plan.rounds(measured.row, column.program))
    });
    let runs: usize = rounds.sum();
    let style = ProgressStyle::with_template("{elapsed:>4} [{bar:30}] {pos}/{len} {msg}");
    ProgressBar::new(runs as u64)
        .with_style(style.expect("the template is well-formed").progress_chars("=> "))
}

/// Starts this program again to measure one row of one peer, and reads the sample that it prints.
fn measure_in_child(row: Row, program: Program, operations: u64, builds: Option<&Builds>) -> Result<Sample> {
    let mut command = match (program, row, builds) {
        (Program::WithoutRecorder, _, Some(builds)) => builds.measure_yields(&builds.without),
        (Program::Peer(Peer::Cotask), Row::RecorderOff, Some(builds)) => builds.measure_yields(&builds.with),
        (Program::WithoutRecorder, _, None) => bail!("there is no build without the recorder"),
        (Program::Peer(peer), _, _) => this_program(row, peer)?,
        (Program::OnOneCore, _, _) => {
            let mut command = this_program(row, Peer::Cotask)?;
            command.arg("--cores=1");
            command
        }
    };
    command.arg(operations.to_string());
    sample_of(command)
}

/// Runs a process that measures, and reads the sample that it prints.
pub(crate) fn sample_of(mut command: Command) -> Result<Sample> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot start {command:?}"))?;
    let trouble = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let why = trouble.lines().find_map(|line| line.strip_prefix("error: ")).or(trouble.lines().next());
        bail!("{}", why.unwrap_or("it ended without saying why"));
    }
    std::io::stderr().write_all(trouble.as_bytes())?;
    serde_json::from_slice(&output.stdout).context("its output is no sample")
}

fn this_program(row: Row, peer: Peer) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("cannot find the path of this program")?);
    command.args(["measure", &row.name(), &peer.name()]);
    Ok(command)
}
