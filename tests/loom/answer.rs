//! How a command answers: its exit code, and what it says to a name that it does not know.

use std::error::Error;
use std::process::ExitCode;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// 0 if all is well, 1 if something failed, 2 if it could not be tried.
pub fn exit_code(result: Result<bool>) -> ExitCode {
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("cargo loom: {error}");
            ExitCode::from(2)
        }
    }
}

/// The error for a name that is none of the `known`: these in columns, and last which of them may be meant. `what` is
/// what they are, in the singular.
pub fn unknown(what: &str, name: &str, known: &[&str]) -> Box<dyn Error> {
    let meant = match &similar(name, known)[..] {
        [] => String::new(),
        [one] => format!("; did you mean {one}?"),
        [others @ .., last] => format!("; did you mean {} or {last}?", others.join(", ")),
    };
    format!("each {what} that there is:\n{}no {what} is called {name:?}{meant}", columns(known)).into()
}

/// The names that are most like this one, at most three.
fn similar<'a>(name: &str, known: &[&'a str]) -> Vec<&'a str> {
    let most = 1 + name.chars().count() / 4;
    // Of a long name a part may be meant: `inbx` is near to `inbox_two_wakers` too.
    let to = |known: &str| {
        let parts = known.match_indices('_').map(|(end, _)| &known[..end]).chain(known.split('_'));
        parts.map(|part| 1 + distance(name, part)).chain([distance(name, known)]).min().unwrap_or(usize::MAX)
    };
    let mut near: Vec<(usize, &str)> = known.iter().map(|known| (to(known), *known)).collect();
    near.retain(|(distance, _)| *distance <= most);
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().map(|(_, name)| name).take(3).collect()
}

/// How many letters must be changed, added or taken away to turn one text into the other.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut before = line;
        row[0] = line + 1;
        for (column, theirs) in other.chars().enumerate() {
            let changed = before + usize::from(letter != theirs);
            before = row[column + 1];
            row[column + 1] = changed.min(before + 1).min(row[column] + 1);
        }
    }
    row[row.len() - 1]
}

/// The names beside each other, in lines of at most 100 characters, read from top to bottom.
fn columns(names: &[&str]) -> String {
    let width = 2 + names.iter().map(|name| name.chars().count()).max().unwrap_or_default();
    let lines = names.len().div_ceil((98 / width).max(1));
    let line = |line: usize| {
        let cells = names.iter().skip(line).step_by(lines).map(|name| format!("{name:<width$}"));
        format!("  {}\n", cells.collect::<String>().trim_end())
    };
    (0..lines).map(line).collect()
}
