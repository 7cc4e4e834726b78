//! What the book shows of runs: `recordings.toml` lists each program once, `record` runs them and keeps what they print
//! and trace, `record --check` runs them and compares.
//!
//! A run on the real clock is never twice the same. What is kept are its real figures, and what is compared are both
//! sides with the figures masked. A run on a virtual clock says `exact = true` and is compared to the byte. So is every
//! picture.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use regex::Regex;
use serde::Deserialize;
use wait_timeout::ChildExt;

/// Where the artefacts are.
pub(crate) const TRACES: &str = "book/recorded";
const LIST: &str = "book/recordings.toml";
/// Where a picture must be for a chapter to show it.
const PICTURES: &str = "book/text/pictures";
/// What stands in a command for a file that the program writes, and how the file ends.
const FILES: [(&str, &str); 2] = [(TRACE, "jsonl"), ("PICTURE", "svg")];
const TRACE: &str = "TRACE";
/// A program of the book takes seconds; what takes longer hangs. The time includes its build, which can take minutes.
const PATIENCE: Duration = Duration::from_secs(1_200);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recordings {
    recording: Vec<Recording>,
}

/// One run of a program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recording {
    /// Its files are `recorded/NAME.txt` and, where the program writes them, `recorded/NAME.jsonl` and
    /// `text/pictures/NAME.svg`.
    pub(crate) name: String,
    /// What stands above its timeline.
    title: Option<String>,
    /// What is run, in the root of the repository: a program and its arguments, parted by spaces. Where the word
    /// `TRACE` or `PICTURE` stands the program is given the name of a file to write.
    command: String,
    /// What is run to compare, where the command itself takes minutes: the same with less to do, and so with other
    /// figures alone.
    check: Option<String>,
    /// The run is the same to the byte each time.
    #[serde(default)]
    exact: bool,
    /// Regular expressions of what else differs from run to run.
    #[serde(default)]
    mask: Vec<String>,
    /// The exit code to expect.
    #[serde(default)]
    exit: i32,
    /// What the program writes to its standard error belongs to the text, after its output.
    #[serde(default)]
    errors: bool,
}

impl Recordings {
    /// # Errors
    /// When the list cannot be read, or has a name twice.
    pub(crate) fn read() -> Result<Recordings> {
        let list = fs::read_to_string(LIST).context(LIST)?;
        let recordings: Recordings = toml::from_str(&list).context(LIST)?;
        let mut names = BTreeSet::new();
        for Recording { name, .. } in &recordings.recording {
            ensure!(names.insert(name), "{LIST}: the name `{name}` is given twice");
        }
        Ok(recordings)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Recording> {
        self.recording.iter()
    }

    /// # Errors
    /// When there is none of that name.
    pub(crate) fn get(&self, name: &str) -> Result<&Recording> {
        self.iter()
            .find(|recording| recording.name == name)
            .with_context(|| format!("{LIST} lists no recording `{name}`"))
    }
}

/// Runs the recordings of these names, or all, and keeps or compares what they yield.
///
/// # Errors
/// When one fails, or, if they are only compared, differs. The others are run all the same.
pub(crate) fn run(check: bool, names: &[String]) -> Result<()> {
    let recordings = Recordings::read()?;
    let chosen: Vec<&Recording> = match names {
        [] => recordings.iter().collect(),
        names => names.iter().map(|name| recordings.get(name)).collect::<Result<_>>()?,
    };
    let mut faults = 0;
    for recording in chosen {
        let done = if check { recording.check() } else { recording.keep() };
        match done {
            Ok(()) => println!("{}: {}", recording.name, if check { "as recorded" } else { "recorded" }),
            Err(error) => {
                eprintln!("{}: {error:#}", recording.name);
                faults += 1;
            }
        }
    }
    let again = "`cargo book -- record NAME` records a run again, if the change is meant";
    ensure!(faults == 0, "recordings at fault: {faults}. {again}");
    Ok(())
}

/// What a run yielded: what it printed, and the files that it wrote, by their ending.
struct Yield {
    text: String,
    files: Vec<(&'static str, String)>,
}

impl Recording {
    pub(crate) fn title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.name.clone())
    }

    pub(crate) fn has_trace(&self) -> bool {
        self.command.split(' ').any(|word| word == TRACE)
    }

    fn file(&self, ending: &str) -> PathBuf {
        let folder = if ending == "svg" { PICTURES } else { TRACES };
        Path::new(folder).join(format!("{}.{ending}", self.name))
    }

    fn keep(&self) -> Result<()> {
        let Yield { text, files } = self.run(&self.command)?;
        // Written only where something has changed that counts, so that to record all again changes little.
        for (ending, content) in [("txt", text)].into_iter().chain(files) {
            if !self.file(ending).exists() || self.compare(ending, &content).is_err() {
                fs::write(self.file(ending), content)?;
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<()> {
        let Yield { text, files } = self.run(self.check.as_ref().unwrap_or(&self.command))?;
        self.compare("txt", &text)?;
        files.iter().try_for_each(|(ending, content)| self.compare(ending, content))
    }

    fn compare(&self, ending: &str, content: &str) -> Result<()> {
        match ending {
            "txt" => self.compare_text(content),
            "jsonl" if !self.exact => self.compare_trace(content),
            _ => self.compare_bytes(ending, content),
        }
    }

    fn kept(&self, ending: &str) -> Result<String> {
        let file = self.file(ending);
        fs::read_to_string(&file).with_context(|| format!("{} is not there yet", file.display()))
    }

    fn compare_text(&self, text: &str) -> Result<()> {
        let masks = self.masks()?;
        let kept = self.kept("txt")?;
        let masked = |line: &str| if self.exact { line.to_string() } else { mask(line, &masks) };
        let (old, new) = (kept.lines().map(masked), text.lines().map(masked));
        let (old, new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
        let Some(at) = (0..old.len().max(new.len())).find(|&at| old.get(at) != new.get(at)) else {
            return Ok(());
        };
        let say =
            |lines: &[String]| lines.get(at).map_or("(no such line)".into(), |line| format!("\"{line}\""));
        let file = self.file("txt");
        bail!("{}:{}: recorded is {}, printed was {}", file.display(), at + 1, say(&old), say(&new))
    }

    fn compare_bytes(&self, ending: &str, content: &str) -> Result<()> {
        let kept = self.kept(ending)?;
        let differs = kept.lines().zip(content.lines()).position(|(old, new)| old != new);
        let line = differs.unwrap_or(kept.lines().count().min(content.lines().count())) + 1;
        ensure!(kept == content, "{}:{line}: another one than the recorded", self.file(ending).display());
        Ok(())
    }

    fn compare_trace(&self, trace: &str) -> Result<()> {
        let kept = self.kept("jsonl")?;
        let file = self.file("jsonl");
        let (old, new) = (happenings(&kept)?, happenings(trace)?);
        if let Some(missing) = old.difference(&new).next() {
            bail!("{}: what was recorded did not happen: {missing}", file.display());
        }
        if let Some(more) = new.difference(&old).next() {
            bail!("{}: what happened is not recorded: {more}", file.display());
        }
        Ok(())
    }

    fn masks(&self) -> Result<Vec<Regex>> {
        let known = [
            // Lengths of time; amounts of memory; addresses with a port the system chose; threads and processes.
            r"\d[\d.,]*\s?(ns|µs|us|ms|s|min)\b",
            r"\d[\d.,]*\s?([KMG]i?B|bytes)\b",
            r"(127\.0\.0\.1|\[::1\]|localhost):\d+",
            r"ThreadId\(\d+\)",
            r"\bpid \d+",
        ];
        let own = self.mask.iter().map(String::as_str);
        known
            .into_iter()
            .chain(own)
            .map(|mask| Regex::new(mask).with_context(|| format!("{LIST}: {mask}")))
            .collect()
    }

    fn run(&self, command: &str) -> Result<Yield> {
        let folder = std::env::temp_dir().join(format!("cotask-book-{}-{}", std::process::id(), self.name));
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
        let ran = self.run_in(&folder, command);
        // What is left of it is in the folder for temporary files.
        let _ = fs::remove_dir_all(&folder);
        ran
    }

    /// The command as the reader would type it, what the program printed, and what it wrote into files of this folder.
    fn run_in(&self, folder: &Path, command: &str) -> Result<Yield> {
        let mut words = command.split_whitespace();
        let program = words.next().context("the command is empty")?;
        let written: Vec<_> =
            FILES.into_iter().filter(|(word, _)| words.clone().any(|other| other == *word)).collect();
        let file = |ending: &str| folder.join(format!("{}.{ending}", self.name));
        let mut command = Command::new(program);
        for word in words {
            match written.iter().find(|(known, _)| *known == word) {
                Some((_, ending)) => command.arg(file(ending)),
                None => command.arg(word),
            };
        }
        // Else cargo would tell of the builds, programs would draw for a terminal, and panics would tell of the toolchain.
        command.envs([("CARGO_TERM_QUIET", "true"), ("NO_COLOR", "1"), ("RUST_BACKTRACE", "0")]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().with_context(|| program.to_string())?;
        let output = reader(child.stdout.take());
        let errors = reader(child.stderr.take());
        let Some(status) = child.wait_timeout(PATIENCE)? else {
            child.kill()?;
            child.wait()?;
            bail!("`{}` did not end within {} s", self.command, PATIENCE.as_secs());
        };
        // Files are named as the reader would, who is in the repository's folder as we are.
        let here = std::env::current_dir()?;
        let short = |text: String| {
            [folder, &here].iter().fold(text, |text, path| text.replace(&format!("{}/", path.display()), ""))
        };
        let (output, errors) = (short(collect(output)?), short(collect(errors)?));
        ensure!(
            status.code() == Some(self.exit),
            "`{}` ended with {status}, not with exit code {}:\n{output}{errors}",
            self.command,
            self.exit
        );
        let shown = FILES.iter().fold(self.command.clone(), |shown, (word, ending)| {
            shown.replace(word, &format!("{}.{ending}", self.name))
        });
        let errors = if self.errors { errors } else { String::new() };
        let read = |(word, ending): (&str, &'static str)| {
            let content = fs::read_to_string(file(ending));
            Ok((ending, content.with_context(|| format!("the program wrote no file in place of {word}"))?))
        };
        let files = written.into_iter().map(read).collect::<Result<_>>()?;
        Ok(Yield { text: format!("$ {shown}\n{output}{errors}"), files })
    }
}

/// Reads a pipe to its end on a thread of its own, so that neither of two can fill up.
fn reader(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<std::io::Result<String>> {
    thread::spawn(move || {
        let mut text = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut text)?;
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    })
}

fn collect(reader: thread::JoinHandle<std::io::Result<String>>) -> Result<String> {
    reader.join().ok().context("a reading thread panicked")?.context("what the program printed")
}

fn mask(line: &str, masks: &[Regex]) -> String {
    let masked = masks.iter().fold(line.to_string(), |line, mask| mask.replace_all(&line, "#").into_owned());
    // Columns and rules are as wide as the figures in them.
    let spaces = Regex::new(r"[ ─-]{2,}").expect("a regular expression");
    spaces.replace_all(masked.trim(), " ").into_owned()
}

/// What happens in a trace and is no chance, each once and without order. On a real clock it is chance who is ready first,
/// how often a task is polled, and whether it had to wait at all; who is spawned where, and how it ends, is the program.
fn happenings(trace: &str) -> Result<BTreeSet<String>> {
    let mut happenings = BTreeSet::new();
    for (at, line) in trace.lines().skip(1).enumerate() {
        let event: serde_json::Value =
            serde_json::from_str(line).with_context(|| format!("line {}", at + 2))?;
        let word = |field: &str| event[field].as_str().unwrap_or_default();
        happenings.extend(match word("event") {
            "spawned" => Some(format!("{} {} spawned at {}", word("task"), word("name"), word("source"))),
            "poll_ended" if ["finished", "panicked", "aborted"].contains(&word("outcome")) => {
                Some(format!("{} {}", word("task"), word("outcome")))
            }
            kind @ ("joined" | "abort_requested" | "socket_opened" | "job_queued") => Some(kind.to_string()),
            _ => None,
        });
    }
    Ok(happenings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(exact: bool) -> Recording {
        let list = format!("name = \"a\"\ncommand = \"x\"\nexact = {exact}\nmask = [\"run [0-9]+\"]");
        toml::from_str(&list).unwrap()
    }

    #[test]
    fn figures_are_masked_and_words_are_not() {
        let masks = recording(false).masks().unwrap();
        let masked = |line| mask(line, &masks);
        assert_eq!(masked("took  1.25 ms at 127.0.0.1:40123"), masked("took 803 µs at 127.0.0.1:9"));
        assert_eq!(masked("run 17 done"), masked("run 4 done"));
        assert_eq!(masked("-----  ----"), masked("---  --------"));
        assert_ne!(masked("5 tasks"), masked("6 tasks"));
        assert_ne!(masked("waited 5 ms"), masked("slept 5 ms"));
    }

    #[test]
    fn a_schedule_on_a_real_clock_is_what_happens_and_not_when() {
        let header = "{\"cotask_trace\":1}\n";
        let line = |at: u32, outcome: &str| {
            format!("{{\"at\":{at},\"event\":\"poll_ended\",\"task\":\"0.1.0\",\"outcome\":\"{outcome}\"}}\n")
        };
        let one = header.to_string() + &line(1, "pending") + &line(2, "finished");
        let other = header.to_string() + &line(5, "finished") + &line(3, "pending") + &line(4, "pending");
        assert_eq!(happenings(&one).unwrap(), happenings(&other).unwrap());
        assert_ne!(
            happenings(&one).unwrap(),
            happenings(&(header.to_string() + &line(1, "panicked"))).unwrap()
        );
    }
}
