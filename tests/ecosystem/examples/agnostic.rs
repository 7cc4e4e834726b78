//! Which parts of one runtime work inside another: a table whose cells are measured when it is printed.
//!
//! ```console
//! $ cargo run -p ecosystem --example agnostic
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;
#[path = "../tests/agnostic/measure.rs"]
mod measure;
#[path = "../tests/agnostic/probes.rs"]
mod probes;
#[path = "../tests/agnostic/rows.rs"]
mod rows;

use clap::Parser;
use measure::{Host, Outcome};

/// Uses parts of cotask, tokio, smol and futures inside each of the three runtimes, each in a process of its own, and
/// prints the outcomes. They are the same on every machine, except that threads are listed on Linux only.
#[derive(Parser)]
#[command(name = "agnostic")]
struct Arguments {
    /// Only rows whose name contains this.
    #[arg(default_value = "")]
    name: String,
}

fn main() {
    let all = rows::rows();
    if measure::answer(&all) {
        return;
    }
    let wanted = Arguments::parse().name;
    let mut notes: Vec<String> = Vec::new();
    let head = ["what", "inside cotask", "inside tokio", "inside smol", "why"].map(str::to_owned);
    let mut lines = vec![head];
    for row in all.iter().filter(|row| row.what.contains(&wanted)) {
        let [ours, tokio, smol] = Host::ALL.map(|host| cell(measure::measure(&[], row, host), &mut notes));
        lines.push([row.what.to_owned(), ours, tokio, smol, row.why.to_owned()]);
    }
    let widths = [0, 1, 2, 3].map(|column| lines.iter().map(|line| line[column].len()).max().unwrap_or(0));
    for line in &lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        println!("{} | {}", cells.collect::<Vec<_>>().join(" | "), line[4]);
    }
    println!("works + NAME: its library starts a thread of that name, which the host has not got");
    println!(
        "blocks: it comes back with what it waited for, and no task of the thread has run in the meantime"
    );
    for (number, note) in (1..).zip(&notes) {
        println!("[{number}] {note}");
    }
}

/// Returns the text of a cell. A panic's message goes into `notes`, which are printed below the table.
fn cell(outcome: Outcome, notes: &mut Vec<String>) -> String {
    let Outcome::Panics(message) = outcome else { return outcome.to_string() };
    let place = notes.iter().position(|note| *note == message).unwrap_or_else(|| {
        notes.push(message);
        notes.len() - 1
    });
    format!("panics [{}]", place + 1)
}
