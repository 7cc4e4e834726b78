//! With the feature `tracing`, what is recorded is also emitted there, and a subscriber may use the runtime.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use cotask::Builder;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps each event, and spawns a task at those whose name begins so.
#[derive(Clone, Default)]
struct Lines {
    kept: Arc<Mutex<Vec<String>>>,
    spawns_at: &'static str,
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            write!(self.0, "{value:?}").unwrap();
        }
    }
}

impl Subscriber for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "cotask"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        // What it spawns is recorded too: neither a lock nor a cell is held while a subscriber runs.
        if message.0.starts_with(self.spawns_at) {
            cotask::spawn(async {});
        }
        self.kept.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn what_is_recorded_is_emitted() {
    let (recorded, emitted) = run("poll_began");
    assert!(emitted.iter().any(|line| line.starts_with("received channel=channel 1")), "{emitted:#?}");
    // What the subscriber caused itself is recorded, but not told to it again.
    assert!(recorded.len() > emitted.len());
    assert!(emitted.iter().all(|line| recorded.contains(line)));
}

#[test]
fn a_subscriber_may_spawn_at_every_event() {
    let (_, emitted) = run("poll_began");
    for line in emitted {
        let name = line.split(' ').next().unwrap().to_owned();
        let (recorded, emitted) = run(String::leak(name.clone()));
        assert!(recorded.len() > emitted.len(), "{name}");
    }
}

/// What a run records, and what it emits to a subscriber that spawns a task at each event of this name.
fn run(spawns_at: &'static str) -> (Vec<String>, Vec<String>) {
    let lines = Lines { spawns_at, ..Lines::default() };
    let runtime = Builder::new().trace(100_000).build().unwrap();
    tracing::subscriber::with_default(lines.clone(), || {
        runtime.block_on(async {
            let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
            let sending = cotask::spawn(async move { sender.send(1).await });
            assert_eq!(receiver.recv().await, Some(1));
            sending.await.unwrap().unwrap();
            cotask::time::sleep(std::time::Duration::from_millis(1)).await;
        });
    });
    let recorded = runtime.take_trace().records.iter().map(|record| record.event.to_string()).collect();
    let emitted = lines.kept.lock().unwrap().clone();
    (recorded, emitted)
}
