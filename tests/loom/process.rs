//! A process for each exploration: a deadlock in loom panics twice and may abort, and one failed model must
//! not take the others with it.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::model::EXPLORED;

/// How an exploration ended.
pub enum Outcome {
    /// Every interleaving was explored, and none failed.
    Complete { executions: usize },
    /// One interleaving failed.
    Failed {
        /// In a few words.
        how: String,
        /// All that it printed.
        log: String,
    },
    /// It was stopped.
    TimeLimit,
}

/// Runs an exploration to its end or to the limit.
pub fn run(command: &mut Command, limit: Duration) -> std::io::Result<(Outcome, Duration)> {
    let start = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let output = drain(child.stdout.take());
    let errors = drain(child.stderr.take());
    // The pipe closes when the process ends, so this waits for just that.
    let ended = errors.recv_timeout(limit);
    if let Err(RecvTimeoutError::Timeout) = ended {
        child.kill()?;
    }
    let status = child.wait()?;
    let took = start.elapsed();
    let output = output.recv().unwrap_or_default();
    let outcome = match ended {
        Err(_) => Outcome::TimeLimit,
        Ok(log) => {
            let executions = output.lines().find_map(|line| line.strip_prefix(EXPLORED)?.parse().ok());
            match executions {
                Some(executions) if status.success() => Outcome::Complete { executions },
                _ => Outcome::Failed { how: describe(&log), log },
            }
        }
    };
    Ok((outcome, took))
}

/// Reads a pipe to its end on a thread of its own, so that neither of a process's two can fill up and block
/// it.
fn drain(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // An error ends the text early; the exit status still tells.
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// What the model said of its failure, without its name.
fn describe(log: &str) -> String {
    let Some((_, said)) = log.lines().find_map(|line| line.split_once(" FAILED (")) else {
        return "ended without a message".into();
    };
    let (which, how) = said.split_once("): ").unwrap_or(("", said));
    // A panic has words of the model's own, and a limit says which.
    let worded = |kind| kind == "panic" || kind == "limit";
    let how = how.split_once(": ").map_or(how, |(kind, _)| if worded(kind) { how } else { kind });
    let short: String = how.chars().take(60).collect();
    format!("{short}, in {which}")
}
