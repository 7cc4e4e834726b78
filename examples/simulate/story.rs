//! What the hosts of a run did last, in words: told from its trace.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;

use cotask::Id;
use cotask::sim::{Fault, Kind};
use cotask::trace::{Actor, Event, Outcome, Record, Resource, Want};

/// The last `max` things that each host did, and that went wrong.
pub(crate) fn last(records: &[Record], max: usize) -> String {
    let mut story = Story::default();
    let mut hosts = BTreeMap::<String, VecDeque<String>>::new();
    for Record { at, event } in records {
        let Some((host, what)) = story.hear(event) else { continue };
        let lines = hosts.entry(host).or_default();
        lines.push_back(format!("      {:<14} {what}\n", format!("{at:?}")));
        if lines.len() > max {
            lines.pop_front();
        }
    }
    let mut text = String::new();
    for (host, lines) in hosts {
        let _ = writeln!(text, "    {host}");
        text.extend(lines);
    }
    text
}

/// Where the lines on faults stand: among the hosts, none of which can have this name.
const FAULTS: &str = "(faults)";

/// What is known of the run so far.
#[derive(Default)]
struct Story {
    tasks: HashMap<Id, Task>,
    sockets: HashMap<Resource, Socket>,
    /// Whose timer or job it is.
    owners: HashMap<Resource, Id>,
}

/// A task by its host, and by its name there.
#[derive(Clone)]
struct Task {
    host: String,
    name: String,
}

struct Socket {
    host: String,
    kind: &'static str,
    name: String,
}

impl Story {
    /// Takes note of an event. What is worth telling comes with its host.
    fn hear(&mut self, event: &Event) -> Option<(String, String)> {
        match event {
            Event::Spawned { task, by, name, source } => {
                let title = name.as_deref().unwrap_or_default();
                let (host, name) = title.split_once(": ").unwrap_or((title, "main"));
                let task =
                    self.tasks.entry(*task).insert_entry(Task { host: host.into(), name: name.into() });
                let task = task.get().clone();
                let spawner = self.by(*by).filter(|spawner| spawner.host == task.host);
                let what = match spawner {
                    Some(spawner) => format!("{} spawns {} at {source}", spawner.name, task.name),
                    None => format!("{} starts", task.name),
                };
                Some((task.host, what))
            }
            Event::PollEnded { task, outcome } => {
                let how = match outcome {
                    Outcome::Finished => "has finished",
                    Outcome::Panicked => "panics",
                    Outcome::Aborted => "is aborted",
                    Outcome::Pending | Outcome::BudgetSpent => return None,
                };
                self.tasks.remove(task).map(|task| (task.host, format!("{} {how}", task.name)))
            }
            Event::Dropped { task } => {
                let task = self.tasks.remove(task)?;
                Some((task.host, format!("{} is dropped, because its host has stopped or ended", task.name)))
            }
            Event::AbortRequested { task, by } => {
                let aborted = self.tasks.get(task)?.name.clone();
                self.does(*by, format!("aborts {aborted}"))
            }
            Event::Joined { by, .. } => self.does(*by, "has the result of a task".into()),
            Event::Waits { by, on, want } => {
                let what = self.waits_for(*on, *want)?;
                self.does(*by, format!("waits for {what}"))
            }
            Event::SocketOpened { socket, by, kind } => {
                let host = self.by(*by)?.host.clone();
                self.sockets.insert(*socket, Socket { host, kind, name: socket.to_string() });
                None
            }
            // A simulated socket is named as soon as it is open.
            Event::Named { resource, name } => {
                let socket = self.sockets.get_mut(resource)?;
                socket.name = name.to_string();
                Some((socket.host.clone(), format!("there is a new {} {name}", socket.kind)))
            }
            Event::SocketReady { socket, readable, writable, closed } => {
                let socket = self.sockets.get(socket)?;
                let news = [
                    (
                        *readable,
                        if socket.kind == "TcpListener" { "a connection" } else { "something to read" },
                    ),
                    (*writable, "room to write"),
                    (*closed, "its end"),
                ];
                let news: Vec<_> = news.into_iter().filter(|(is, _)| *is).map(|(_, what)| what).collect();
                Some((socket.host.clone(), format!("{} has {}", socket.name, news.join(", "))))
            }
            Event::SocketClosed { socket, by } => {
                let socket = self.sockets.remove(socket)?;
                match self.by(*by) {
                    Some(task) => Some((task.host.clone(), format!("{} closes {}", task.name, socket.name))),
                    None => Some((socket.host, format!("{} is closed", socket.name))),
                }
            }
            Event::TimerSet { timer, by, deadline } => {
                if let Actor::Task(task) = by {
                    self.owners.insert(*timer, *task);
                }
                self.does(*by, format!("sets a timer for {deadline:?}"))
            }
            Event::TimerFired { timer } => {
                let task = self.tasks.get(&self.owners.remove(timer)?)?;
                Some((task.host.clone(), format!("the timer of {} fires", task.name)))
            }
            Event::JobQueued { job, by, .. } => {
                if let Actor::Task(task) = by {
                    self.owners.insert(*job, *task);
                }
                self.does(*by, "hands over a blocking job".into())
            }
            Event::JobDone { job } => {
                let task = self.tasks.get(&self.owners.remove(job)?)?;
                Some((task.host.clone(), format!("the blocking job of {} is done", task.name)))
            }
            Event::Sent { channel, by, queued } => {
                self.does(*by, format!("sends into {channel}, which now has {queued}"))
            }
            Event::Received { channel, by, queued } => {
                self.does(*by, format!("receives from {channel}, which now has {queued}"))
            }
            Event::Fault { what } => Some((FAULTS.into(), fault_in_words(what))),
            _ => None,
        }
    }

    fn by(&self, by: Actor) -> Option<&Task> {
        match by {
            Actor::Task(task) => self.tasks.get(&task),
            _ => None,
        }
    }

    fn does(&self, by: Actor, what: String) -> Option<(String, String)> {
        self.by(by).map(|task| (task.host.clone(), format!("{} {what}", task.name)))
    }

    fn waits_for(&self, on: Resource, want: Want) -> Option<String> {
        Some(match (on, want) {
            (Resource::Socket(..), _) => {
                let socket = self.sockets.get(&on)?;
                let what = match (want, socket.kind) {
                    (Want::Read, "TcpListener") => "a connection at",
                    (Want::Read, "UdpSocket") => "a datagram at",
                    (Want::Read, _) => "something to read from",
                    _ => "a connection or room in",
                };
                format!("{what} {}", socket.name)
            }
            (Resource::Task(task), _) => format!("the end of {}", self.tasks.get(&task)?.name),
            (_, Want::Room) => format!("room in {on}"),
            _ => format!("a value in {on}"),
        })
    }
}

/// A fault of the plan begins, or one acts: `Loss: a packet from ann to bank`.
fn fault_in_words(what: &str) -> String {
    if let Ok(fault) = what.parse::<Fault>() {
        return format!("from now on: {}", fault.in_words());
    }
    let acted = what.split_once(": ").and_then(|(kind, on)| {
        let kind = Kind::ALL.iter().find(|known| format!("{known:?}") == kind)?;
        Some(format!("{} {on}", kind.in_words().replace('.', ":")))
    });
    acted.unwrap_or_else(|| what.to_string())
}
