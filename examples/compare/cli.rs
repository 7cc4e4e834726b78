//! The command line of `compare`.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use clap::builder::PossibleValuesParser;

use super::WORKLOADS;
use super::cells::Results;
use super::common::{Size, Style, Workload, writable};
use super::runner::Runner;
use super::{export, machine, report, syscalls, table};

/// Run the kit's workloads in every style on this machine, and compare them
///
/// Without arguments: all workloads in all styles, in about a minute on two cores. The table grows while it runs; then a
/// report is written, with plots over N and the programs side by side.
#[derive(Parser)]
#[command(name = "compare")]
struct Args {
    /// Which workloads to run, all if none is named
    #[arg(value_name = "WORKLOAD", value_parser = PossibleValuesParser::new(WORKLOADS.iter().map(|known| known.name)))]
    names: Vec<String>,
    /// Which styles to run, separated by commas
    #[arg(long, value_enum, value_delimiter = ',')]
    styles: Vec<Style>,
    /// Smaller and fewer runs, about half a minute in all
    #[arg(long, conflicts_with = "full")]
    quick: bool,
    /// Larger and more runs, several minutes in all
    #[arg(long)]
    full: bool,
    /// Add asyncio versions, where python3 is there
    #[arg(long)]
    python: bool,
    /// Count the system calls too, in a run apart, where strace is there
    #[arg(long)]
    system_calls: bool,
    /// Write every run to this file, as comma-separated values
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// Write every run to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write each plot of the report to a file of its own in this folder, as SVG
    #[arg(long, value_name = "FOLDER")]
    plots: Option<PathBuf>,
    /// Write the report to this file
    #[arg(long, value_name = "FILE", default_value = "target/compare/index.html")]
    report: PathBuf,
}

pub(crate) fn main() -> ExitCode {
    let args = Args::parse();
    match can_write(&args).and_then(|()| compare(&args, &choose(&args.names))) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The named workloads, each once, in the kit's order.
fn choose(names: &[String]) -> Vec<&'static Workload> {
    let wanted = |workload: &&Workload| names.is_empty() || names.iter().any(|name| name == workload.name);
    WORKLOADS.iter().copied().filter(|workload| wanted(workload)).collect()
}

/// Looks at all that is to be written before anything is measured, which takes a minute. Makes the folders.
fn can_write(args: &Args) -> Result<()> {
    let plot = args.plots.as_ref().map(|folder| folder.join("plot.svg"));
    let report = Some(&args.report);
    for (flag, file, folder) in [
        ("--json", args.json.as_ref(), None),
        ("--csv", args.csv.as_ref(), None),
        ("--plots", plot.as_ref(), args.plots.as_deref()),
        ("--report", report, args.report.parent()),
    ] {
        let Some(file) = file else { continue };
        let made = folder.map_or(Ok(()), fs::create_dir_all);
        made.and_then(|()| writable(file))
            .with_context(|| format!("{flag}: cannot write {}", file.display()))?;
    }
    Ok(())
}

fn compare(args: &Args, chosen: &[&'static Workload]) -> Result<ExitCode> {
    let size = match (args.quick, args.full) {
        (true, _) => Size::Quick,
        (_, true) => Size::Full,
        _ => Size::Normal,
    };
    let python = args.python || args.styles.contains(&Style::Asyncio);
    let python = match machine::python().filter(|_| python) {
        Some(_) => true,
        None if python => {
            eprintln!("asyncio is left out: there is no python3 to run it with");
            false
        }
        None => false,
    };
    let wanted = |style: Style| match style {
        Style::Asyncio => python,
        style => args.styles.is_empty() || args.styles.contains(&style),
    };
    let system_calls = args.system_calls && syscalls::available();
    if args.system_calls && !system_calls {
        eprintln!("system calls are not counted: there is no strace, or it may not trace");
    }
    let mut runner = Runner::new(size, chosen.len(), system_calls)?;
    let mut results = Results::new();
    println!("{}", table::heading());
    for workload in chosen {
        if !workload.styles.iter().any(|source| wanted(source.style)) {
            let has: Vec<_> = workload.styles.iter().map(|source| source.style.name()).collect();
            println!("{:<15}has none of these styles; it has: {}", workload.name, has.join(", "));
            continue;
        }
        if !runner.run(workload, &wanted, &mut results)? {
            break;
        }
    }
    if results.is_empty() && runner.interrupted() {
        eprintln!("interrupted: nothing was measured yet");
        return Ok(ExitCode::from(130));
    }
    anyhow::ensure!(!results.is_empty(), "nothing was run");
    let runs = results.runs();
    if let Some(file) = &args.json {
        export::json(file, &results).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(file) = &args.csv {
        export::csv(file, &runs).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if let Some(folder) = &args.plots {
        export::plots(folder, &results)
            .with_context(|| format!("cannot write plots to {}", folder.display()))?;
    }
    report::write(&args.report, &results, &machine::describe())
        .with_context(|| format!("cannot write {}", args.report.display()))?;
    println!("\nreport: {}", args.report.display());
    if runner.interrupted() {
        eprintln!("interrupted: the report holds what was measured until then");
        return Ok(ExitCode::from(130));
    }
    let failed = runs.iter().filter(|run| !run.ok).count();
    if failed > 0 {
        eprintln!("{failed} of {} runs failed", runs.len());
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
