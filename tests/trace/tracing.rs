//! With the feature `tracing`, what is recorded is also emitted there, and a subscriber may use the runtime.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use cotask::Builder;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

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
        if message.0.starts_with("poll_began") {
            cotask::spawn(async {});
        }
        self.0.lock().unwrap().push(message.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[test]
fn what_is_recorded_is_emitted() {
    let lines = Lines::default();
    let runtime = Builder::new().trace(100_000).build().unwrap();
    tracing::subscriber::with_default(lines.clone(), || {
        runtime.block_on(async {
            let (sender, mut receiver) = cotask::sync::mpsc::channel(1);
            sender.send(1).await.unwrap();
            assert_eq!(receiver.recv().await, Some(1));
        });
    });
    let recorded: Vec<String> = runtime.take_trace().records.iter().map(|r| r.event.to_string()).collect();
    let emitted = lines.0.lock().unwrap().clone();
    assert!(emitted.iter().any(|line| line.starts_with("received channel=channel 1")), "{emitted:#?}");
    // What the subscriber caused itself is recorded, but not told to it again.
    assert!(recorded.len() > emitted.len());
    assert!(emitted.iter().all(|line| recorded.contains(line)));
}
