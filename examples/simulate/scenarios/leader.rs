//! A leader that does not notice a partition: it goes on to answer from what it knows, while the others have a new leader.
//!
//! Three nodes keep a number. One leads: a write is confirmed when a majority has it, so no confirmed write is lost. But
//! a read is answered by the leader alone. Cut off from the other two, but not from its clients, it still believes that
//! it leads, and what it says is old. The repair: before it answers, a majority must confirm that it still leads.
//! Source: D. Ongaro, J. Ousterhout, "In Search of an Understandable Consensus Algorithm", 2014 (section 8: read-only
//! requests), of which this is a small relative: one number in place of a log.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use cotask::sim::{self, random};
use cotask::time::{Instant, sleep};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::Version;
use super::wire::{ask, numbers, serve};

const NODES: [&str; 3] = ["north", "south", "west"];
const MAJORITY: usize = 2;
const WRITES: u64 = 20;
const BEAT: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_millis(200);

/// What a node has on its disk.
#[derive(Clone, Copy, Default)]
struct Disk {
    /// The highest term it has heard of; it obeys no node of a lower one.
    term: u64,
    /// The term and the number within it of the last write, and what was written.
    written: (u64, u64, u64),
}

struct Node {
    name: &'static str,
    version: Version,
    disk: Rc<RefCell<Disk>>,
    /// The term in which this node leads, if it does.
    leads: Cell<Option<u64>>,
    /// The last write that a majority has.
    confirmed: Cell<u64>,
    heard: Cell<Instant>,
}

pub(super) async fn run(version: Version) {
    for name in NODES {
        let disk = Rc::default();
        sim::host(name, move || node(version, name, Rc::clone(&disk)));
    }
    let confirmed = Rc::new(Cell::new(0));
    let told = Rc::clone(&confirmed);
    let writer = sim::host("writer", move || write(Rc::clone(&told)));
    sim::host("reader", move || read(Rc::clone(&confirmed)));
    writer.done().await;
}

async fn node(version: Version, name: &'static str, disk: Rc<RefCell<Disk>>) {
    let node = Rc::new(Node {
        name,
        version,
        disk,
        leads: Cell::new(None),
        confirmed: Cell::new(0),
        heard: Cell::new(Instant::now()),
    });
    cotask::spawn(Rc::clone(&node).watch());
    serve(async move |question| node.answer(question).await).await
}

impl Node {
    // ANCHOR: get
    /// Reads the number.
    async fn get(&self) -> Option<String> {
        let term = self.leads_in()?;
        let number = self.confirmed.get();
        if self.version == Version::Repaired {
            self.majority("beat", [term, 0, 0]).await?;
        }
        Some(format!("number {number}"))
    }
    // ANCHOR_END: get

    /// Writes the number, and confirms it when a majority has it.
    async fn set(&self, number: u64) -> Option<String> {
        let term = self.leads_in()?;
        let (_, place, _) = self.disk.borrow().written;
        self.majority("store", [term, place + 1, number]).await?;
        self.confirmed.set(self.confirmed.get().max(number));
        Some("done".into())
    }

    async fn answer(&self, question: &str) -> String {
        let answer = match question.split_once(' ') {
            Some((word @ ("vote" | "beat" | "store"), _)) => {
                numbers(question).map(|message| self.obey(word, message))
            }
            Some(("set", number)) => self.set(number.parse().unwrap_or_default()).await,
            _ => self.get().await,
        };
        answer.unwrap_or_else(|| "not here".into())
    }

    /// The term in which this node leads, for all it knows.
    fn leads_in(&self) -> Option<u64> {
        self.leads.get().filter(|&term| term == self.disk.borrow().term)
    }

    /// Hears a node that leads in a term, or wants to.
    fn obey(&self, word: &str, [term, place, number]: [u64; 3]) -> String {
        let mut disk = self.disk.borrow_mut();
        // A node gives one vote a term: its own, if it wants to lead in it.
        let refused = if word == "vote" { term <= disk.term } else { term < disk.term };
        if refused {
            return format!("no {} 0 0", disk.term);
        }
        disk.term = term;
        self.heard.set(Instant::now());
        if word == "store" {
            disk.written = disk.written.max((term, place, number));
        }
        let (term, place, number) = disk.written;
        format!("yes {term} {place} {number}")
    }

    /// Says the same to all three nodes, this one included. Gives the latest that the first two who agree have
    /// written; `None` when there are no two.
    async fn majority(&self, word: &str, message: [u64; 3]) -> Option<(u64, u64, u64)> {
        let [term, place, number] = message;
        let question = format!("{word} {term} {place} {number}");
        let others = NODES.iter().filter(|name| **name != self.name);
        // Tasks, so that also the slower of the two hears it.
        let mut answers: FuturesUnordered<_> = others
            .map(|name| {
                let (node, question) = (format!("{name}:80"), question.clone());
                cotask::spawn(async move { ask(&node, &question, PATIENCE).await })
            })
            .collect();
        let mut agreed = Vec::new();
        let mut answer = self.obey(word, message);
        loop {
            match (answer.starts_with("yes"), numbers(&answer)) {
                (true, Some([term, place, number])) => agreed.push((term, place, number)),
                (false, Some([later, _, _])) => {
                    let mut disk = self.disk.borrow_mut();
                    disk.term = disk.term.max(later);
                }
                _ => {}
            }
            if agreed.len() == MAJORITY {
                return agreed.into_iter().max();
            }
            answer = answers.next().await?.ok().and_then(Result::ok).unwrap_or_default();
        }
    }

    /// Keeps the others quiet while this node leads, and wants to lead when it has not heard of a leader for a while.
    async fn watch(self: Rc<Self>) {
        loop {
            let patience = BEAT * 3 + Duration::from_millis(random() % 300);
            if let Some(term) = self.leads_in() {
                let node = Rc::clone(&self);
                cotask::spawn(async move { node.majority("beat", [term, 0, 0]).await });
            } else if self.heard.get().elapsed() > patience {
                self.stand().await;
            }
            sleep(BEAT).await;
        }
    }

    /// Stands for election. The elected node first writes what a majority may have; from then on a majority has it.
    async fn stand(&self) -> Option<()> {
        let term = self.disk.borrow().term + 1;
        let (_, _, number) = self.majority("vote", [term, 0, 0]).await?;
        self.majority("store", [term, 0, number]).await?;
        self.confirmed.set(number);
        self.leads.set(Some(term));
        Some(())
    }
}

async fn write(confirmed: Rc<Cell<u64>>) {
    let mut nodes = NODES.iter().cycle();
    let mut node = NODES[0];
    for number in 1..=WRITES {
        while !matches!(
            ask(&format!("{node}:80"), &format!("set {number}"), PATIENCE * 2).await.as_deref(),
            Ok("done")
        ) {
            sleep(Duration::from_millis(20 + random() % 50)).await;
            node = nodes.next().expect("a cycle has no end");
        }
        confirmed.set(number);
        sleep(Duration::from_millis(random() % 100)).await;
    }
}

async fn read(confirmed: Rc<Cell<u64>>) {
    let mut nodes = NODES.iter().cycle();
    let mut node = NODES[0];
    loop {
        let before = confirmed.get();
        let answer = ask(&format!("{node}:80"), "get", PATIENCE * 2).await;
        match answer.as_deref().ok().and_then(numbers) {
            Some([number]) => {
                assert!(number >= before, "{node} says {number}, when {before} had been confirmed");
            }
            None => node = nodes.next().expect("a cycle has no end"),
        }
        sleep(Duration::from_millis(20 + random() % 50)).await;
    }
}
