//! `--against COMMIT`: this build of cotask beside an earlier one, row by row.
//!
//! The commit is checked out into a worktree below `target` and built there with its own copy of this package. Then both
//! programs measure each row in turn, in an order shuffled anew in each round. So a machine that slows down
//! during the run slows both down.
//!
//! A row is worse when the lower quartile of its ratio is above 1. Two equal programs look so in about one row of
//! eleven after nine rounds, because seven heads among nine coins are no rarity. So a row that looks worse is
//! measured again with twice as many rounds, and all its rounds count.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};

use crate::rounds::sample_of;
use crate::rows::Row;
use crate::runtimes::Peer;
use crate::sample::Sample;
use crate::spread::Spread;

/// Fewer rounds make quartiles that say nothing.
pub(crate) const MIN_ROUNDS: usize = 9;

/// The build that this one is measured against.
pub(crate) struct Earlier {
    program: PathBuf,
    /// What the report calls it.
    pub(crate) name: String,
}

impl Earlier {
    /// Checks a commit out and builds it.
    ///
    /// # Errors
    /// When there is no such commit, when git or cargo do not start, and when that commit does not build.
    pub(crate) fn build(commit: &str) -> Result<Earlier> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let id = git(&top, &["rev-parse", "--verify", "--quiet", &format!("{commit}^{{commit}}")]);
        let id = id.with_context(|| format!("--against {commit}: this repository has no such commit"))?;
        let name = git(&top, &["log", "-1", "--format=%h %s", &id])?;

        let folder = top.join("target/against");
        let tree = folder.join("tree");
        if tree.join(".git").exists() {
            git(&tree, &["checkout", "--quiet", "--detach", "--force", &id])?;
        } else {
            let tree = tree.to_str().context("the path of the worktree is not UTF-8")?;
            // Forced, because git still lists the worktree of a `target` that was deleted.
            git(&top, &["worktree", "add", "--quiet", "--force", "--detach", tree, &id])?;
        }
        eprintln!("building {name}");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            // As the workspace says for this build: a commit of before need not have said it.
            .args(["build", "--release", "--quiet", "--package", "peers"])
            .args(["--config", "profile.release.package.peers.codegen-units=1", "--target-dir"])
            .arg(folder.join("build"))
            .current_dir(&tree)
            .status()
            .context("cargo does not start")?;
        ensure!(status.success(), "{name} does not build, see above");
        let program = format!("peers{}", std::env::consts::EXE_SUFFIX);
        Ok(Earlier { program: folder.join("build/release").join(program), name })
    }

    /// A program that has been built already.
    pub(crate) fn built(program: &Path) -> Result<Earlier> {
        ensure!(program.is_file(), "--against-program {}: there is no such file", program.display());
        Ok(Earlier { program: program.to_owned(), name: program.display().to_string() })
    }

    /// The rows that it has.
    fn rows(&self) -> Result<Vec<String>> {
        let listed = Command::new(&self.program).arg("--list").output();
        let listed = listed.with_context(|| format!("cannot start {}", self.program.display()))?;
        ensure!(listed.status.success(), "{} --list: {}", self.program.display(), listed.status);
        let text = String::from_utf8(listed.stdout).context("its list of rows is no text")?;
        Ok(text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
    }
}

fn git(folder: &Path, arguments: &[&str]) -> Result<String> {
    let output = Command::new("git").arg("-C").arg(folder).args(arguments).output();
    let output = output.context("git does not start")?;
    let trouble = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {}: {}", arguments.join(" "), trouble.trim());
    Ok(String::from_utf8(output.stdout).context("git's answer is no text")?.trim().to_owned())
}

/// What a row's ratio shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Better,
    Same,
    Worse,
}

impl Change {
    fn of(ratio: Spread) -> Change {
        if ratio.lower > 1.0 {
            Change::Worse
        } else if ratio.upper < 1.0 {
            Change::Better
        } else {
            Change::Same
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Change::Better => "better",
            Change::Same => "same",
            Change::Worse => "WORSE",
        })
    }
}

/// One row: a sample of each build per round.
pub(crate) struct Compared {
    row: Row,
    now: Vec<Sample>,
    before: Vec<Sample>,
    /// Why there are none.
    absent: Option<String>,
}

impl Compared {
    fn ratio(&self) -> Option<Spread> {
        let rounds = self.now.iter().zip(&self.before);
        Spread::of(rounds.map(|(now, before)| now.value / before.value).collect())
    }

    pub(crate) fn change(&self) -> Option<Change> {
        self.ratio().map(Change::of)
    }

    fn median(samples: &[Sample]) -> Option<f64> {
        Spread::of(samples.iter().map(|sample| sample.value).collect()).map(|spread| spread.median)
    }

    fn measure(&mut self, earlier: &Earlier, rounds: usize, operations: u64) -> Result<()> {
        let this = std::env::current_exe().context("cannot find the path of this program")?;
        let sample = |program: &Path| {
            let mut command = Command::new(program);
            command.args(["measure", &self.row.name(), &Peer::Cotask.name(), &operations.to_string()]);
            sample_of(command)
        };
        for _ in 0..rounds {
            if fastrand::bool() {
                self.now.push(sample(&this)?);
                self.before.push(sample(&earlier.program)?);
            } else {
                self.before.push(sample(&earlier.program)?);
                self.now.push(sample(&this)?);
            }
        }
        Ok(())
    }
}

/// Measures each row on both builds.
pub(crate) fn run(
    earlier: &Earlier,
    rows: &[Row],
    rounds: usize,
    operations: impl Fn(Row) -> u64,
) -> Result<Vec<Compared>> {
    let known = earlier.rows()?;
    if let [row] = rows
        && !known.contains(&row.name())
    {
        bail!("{} has no row {}", earlier.name, row.name());
    }
    let mut compared = Vec::new();
    for &row in rows {
        let mut figures = Compared { row, now: Vec::new(), before: Vec::new(), absent: None };
        if row == Row::RecorderOff {
            figures.absent = Some("compares two builds of its own; yield_1000 is the same work".to_owned());
        } else if !known.contains(&row.name()) {
            figures.absent = Some(format!("{} has no such row", earlier.name));
        } else {
            eprintln!("{}: {rounds} rounds", row.name());
            figures.measure(earlier, rounds, operations(row))?;
            if figures.change() == Some(Change::Worse) {
                eprintln!("{}: looks worse, {} rounds more", row.name(), 2 * rounds);
                figures.measure(earlier, 2 * rounds, operations(row))?;
            }
        }
        compared.push(figures);
    }
    Ok(compared)
}

/// The rows for people.
pub(crate) fn table(compared: &[Compared]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["row", "unit", "now", "before", "ratio", "quartiles", "rounds", ""]);
    for row in compared {
        let figure =
            |samples| Compared::median(samples).map_or("-".to_owned(), |value| format!("{value:.1}"));
        let ratio = row.ratio();
        table.add_row([
            row.row.name(),
            row.row.unit().to_owned(),
            figure(&row.now),
            figure(&row.before),
            ratio.map_or("-".to_owned(), |ratio| format!("{:.3}", ratio.median)),
            ratio.map_or("-".to_owned(), |ratio| format!("{:.3}..{:.3}", ratio.lower, ratio.upper)),
            row.now.len().to_string(),
            row.change().map_or_else(|| row.absent.clone().unwrap_or_default(), |change| change.to_string()),
        ]);
    }
    for column in table.column_iter_mut().skip(2).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// The rows for programs.
pub(crate) fn json(earlier: &Earlier, compared: &[Compared]) -> Value {
    let row = |row: &Compared| {
        json!({
            "row": row.row.name(),
            "unit": row.row.unit(),
            "now": Compared::median(&row.now),
            "before": Compared::median(&row.before),
            "ratio": row.ratio().map(|ratio| ratio.median),
            "ratio_spread": row.ratio().map(|ratio| [ratio.lower, ratio.upper]),
            "rounds": row.now.len(),
            "change": row.change().map(|change| change.to_string().to_lowercase()),
            "absent": row.absent,
        })
    };
    json!({ "against": earlier.name, "rows": compared.iter().map(row).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(ratios: &[f64]) -> Option<Change> {
        let sample = |value| Sample { value, wall: None };
        let now = ratios.iter().map(|&ratio| sample(ratio)).collect();
        let before = ratios.iter().map(|_| sample(1.0)).collect();
        Compared { row: Row::Yield2, now, before, absent: None }.change()
    }

    #[test]
    fn a_row_is_worse_when_its_quartiles_lie_above_one() {
        assert_eq!(change(&[1.02, 1.03, 1.04, 1.05, 0.9]), Some(Change::Worse));
        assert_eq!(change(&[0.98, 1.03, 1.04, 1.05, 0.9]), Some(Change::Same));
        assert_eq!(change(&[0.97, 0.98, 0.96, 0.95, 1.2]), Some(Change::Better));
        assert_eq!(change(&[]), None);
    }
}
