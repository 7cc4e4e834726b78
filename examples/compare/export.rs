//! Every run as CSV or JSON.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::cells::{Results, title};
use super::common::Run;
use super::plot;

/// `{"runs": [...]}`, one object a run; and `system_calls`, where they were counted.
pub(crate) fn json(file: &Path, results: &Results) -> io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(file)?);
    let mut object = serde_json::json!({ "runs": results.runs() });
    let cells = results.groups.iter().flat_map(|group| group.cells.iter().map(move |cell| (group, cell)));
    let counts: Vec<serde_json::Value> = cells
        .filter_map(|(group, cell)| {
            let (workload, style, n) = (group.workload.name, cell.style.name(), cell.n);
            let calls = cell.system_calls?;
            Some(serde_json::json!({ "workload": workload, "style": style, "n": n, "system_calls": calls }))
        })
        .collect();
    if !counts.is_empty() {
        object["system_calls"] = counts.into();
    }
    serde_json::to_writer_pretty(&mut out, &object)?;
    writeln!(out)?;
    out.flush()
}

/// Each plot of the report in a file of its own, `WORKLOAD-FIGURE.svg`.
pub(crate) fn plots(folder: &Path, results: &Results) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    for group in &results.groups {
        let drawn = group.workload.styles.iter().map(|source| source.style);
        let drawn: Vec<_> =
            drawn.filter(|style| group.cells.iter().any(|cell| cell.style == *style)).collect();
        for figure in group.workload.plots {
            if let Some(plot) = plot::over_n(group, *figure)? {
                let (name, _unit) = title(*figure);
                let file = format!("{}-{}.svg", group.workload.name, name.replace(' ', "-").to_lowercase());
                fs::write(folder.join(file), plot::for_file(&plot, &drawn))?;
            }
        }
    }
    Ok(())
}

/// The same fields as columns; a figure that was not measured is an empty one.
pub(crate) fn csv(file: &Path, runs: &[&Run]) -> io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(file)?);
    writeln!(
        out,
        "workload,style,n,wall_ms,cpu_ms,peak_pss_kib,threads,switches,p50_us,p99_us,p999_us,errors,answer,ok,why"
    )?;
    for run in runs {
        let Run { workload, style, n, errors, answer, ok, .. } = run;
        let [wall, cpu] = [run.wall_ms, run.cpu_ms].map(|ms| ms.map_or(String::new(), |ms| ms.to_string()));
        let counts = [run.peak_pss_kib, run.threads, run.switches, run.p50_us, run.p99_us, run.p999_us];
        let counts = counts.map(|count| count.map_or(String::new(), |count| count.to_string())).join(",");
        // Only the reason is free text.
        let why = run.why.replace('"', "\"\"");
        writeln!(out, "{workload},{style},{n},{wall},{cpu},{counts},{errors},{answer},{ok},\"{why}\"")?;
    }
    out.flush()
}
