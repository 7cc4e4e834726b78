//! The table for people and the JSON for programs.

use std::process::Command;

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Map, Value, json};

use crate::rounds::{Measured, Plan, Program};
use crate::rows::Against;
use crate::runtimes::Peer;

/// Every column's figures, and what cotask was to reach.
pub(crate) fn table(measured: &[Measured]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    let peers = Peer::value_variants().iter().map(|peer| peer.name());
    let first = ["row", "unit"].map(str::to_owned);
    let last = ["of tokio's", "quartiles", "reach", "met"].map(str::to_owned);
    table.set_header(first.into_iter().chain(peers).chain(last));
    for measured in measured {
        let verdict = measured.verdict();
        let figure = |&peer: &Peer| match measured.median(Program::Peer(peer), |sample| Some(sample.value)) {
            Some(value) if value < 100.0 => format!("{value:.1}"),
            Some(value) => format!("{value:.0}"),
            None => "-".to_owned(),
        };
        let mut cells = vec![measured.row.name(), measured.row.unit().to_owned()];
        cells.extend(Peer::value_variants().iter().map(figure));
        let reach = measured.row.reach();
        let own = if reach.against == Against::Tokio { "" } else { " of its own" };
        cells.push(verdict.ratio.map_or("-".to_owned(), |ratio| format!("{:.3}{own}", ratio.median)));
        cells.push(
            verdict.ratio.map_or("-".to_owned(), |ratio| format!("{:.3}..{:.3}", ratio.lower, ratio.upper)),
        );
        cells.push(reach.limit.to_string());
        cells.push(verdict.met.map_or("-", |met| if met { "yes" } else { "NO" }).to_owned());
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What the table has no room for: a line for each limit that is missed, and for each peer that failed.
pub(crate) fn remarks(measured: &[Measured]) -> Vec<String> {
    let mut lines = Vec::new();
    for measured in measured {
        let row = measured.row.name();
        lines.extend(measured.verdict().missed.iter().map(|missed| format!("{row}: {missed}")));
        for column in &measured.columns {
            let known = matches!(column.program, Program::Peer(peer) if peer.absent(measured.row).is_some());
            if let (Some(why), false) = (&column.absent, known) {
                lines.push(format!("{row}: no figure of {:?}: {why}", column.program));
            }
        }
    }
    lines
}

/// Everything, as scripts read it. A peer without a figure is null, and `absent` says why.
pub(crate) fn json(measured: &[Measured], plan: &Plan) -> Value {
    json!({
        "rows": measured.iter().map(json_row).collect::<Vec<_>>(),
        "rounds": plan.rounds,
        "quick": plan.quick,
        "machine": machine(),
        "versions": versions(),
    })
}

fn json_row(measured: &Measured) -> Value {
    let verdict = measured.verdict();
    let reach = measured.row.reach();
    let of_tokio = verdict.ratio.filter(|_| reach.against == Against::Tokio);
    let of_itself = verdict.ratio.filter(|_| reach.against != Against::Tokio);
    let spread = verdict.ratio.map(|ratio| [ratio.lower, ratio.upper]);
    let mut row = Map::new();
    row.insert("row".to_owned(), measured.row.name().into());
    let mut wall = Map::new();
    let mut absent = Map::new();
    for &peer in Peer::value_variants() {
        let program = Program::Peer(peer);
        row.insert(peer.name(), json!(measured.median(program, |sample| Some(sample.value))));
        wall.insert(peer.name(), json!(measured.median(program, |sample| sample.wall)));
        if let Some(why) = measured.column(program).and_then(|column| column.absent.as_ref()) {
            absent.insert(peer.name(), json!(why));
        }
    }
    let also = reach.also.iter().map(|&(peer, at_most)| {
        let ratio = measured.ratio(Program::Peer(Peer::Cotask), Program::Peer(peer));
        (peer.name(), json!({ "ratio": ratio.map(|ratio| ratio.median), "reach": at_most }))
    });
    let rest = json!({
        "unit": measured.row.unit(),
        "ratio_tokio": of_tokio.map(|ratio| ratio.median),
        "ratio_itself": of_itself.map(|ratio| ratio.median),
        "ratio_spread": spread,
        "reach": reach.limit.bound(),
        "also": also.collect::<Map<_, _>>(),
        "met": verdict.met,
        "missed": verdict.missed,
        "wall_ns": wall,
        "absent": absent,
    });
    row.extend(rest.as_object().cloned().unwrap_or_default());
    Value::Object(row)
}

fn machine() -> Value {
    let system = rustix::system::uname();
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    json!({
        "processor": model.map(|(_, name)| name),
        "cores": std::thread::available_parallelism().ok(),
        "kernel": system.release().to_string_lossy(),
        "architecture": system.machine().to_string_lossy(),
    })
}

fn versions() -> Value {
    let mut versions = Map::new();
    for package in ["cotask", "tokio", "smol", "monoio", "compio", "mio"] {
        versions.insert(package.to_owned(), locked_versions(package).into());
    }
    let rustc = Command::new("rustc").arg("--version").output();
    let rustc = rustc.ok().and_then(|output| String::from_utf8(output.stdout).ok());
    versions.insert("rustc".to_owned(), rustc.map(|version| version.trim().to_owned()).into());
    Value::Object(versions)
}

/// The versions that this program was built with: there may be two of one package.
fn locked_versions(package: &str) -> Vec<&'static str> {
    let lock = include_str!("../../../Cargo.lock");
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines();
    let mut versions = Vec::new();
    while lines.by_ref().any(|line| line == name) {
        let version = lines.next().and_then(|line| line.strip_prefix("version = "));
        versions.extend(version.map(|version| version.trim_matches('"')));
    }
    versions
}
