//! What the recorder writes is what its documentation and the trace-event format say.

use std::collections::HashMap;
use std::time::Duration;

use cotask::net::{TcpListener, TcpStream};
use cotask::sync::mpsc;
use cotask::trace::{self, Trace};
use cotask::{Builder, spawn_named};
use futures::{AsyncReadExt, AsyncWriteExt};
use serde_json::{Map, Value};

use crate::{checker, perfetto};

type Line = Map<String, Value>;

/// A name with everything in it that needs an escape somewhere.
const NAME: &str = "a \"b\" \\ </script>\n\u{1} \u{1f980}";

/// A run with sockets, timers, channels, a job, joins and an abort.
fn record(builder: Builder) -> Trace {
    let runtime = builder.name("sample").build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        trace::name(&listener, "door");
        let address = listener.local_addr().unwrap();
        let server = spawn_named(NAME, async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).await.unwrap();
            text
        });
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"hello").await.unwrap();
        client.close().await.unwrap();
        assert_eq!(server.await.unwrap(), "hello");

        let (sender, mut receiver) = mpsc::channel(1);
        trace::name(&sender, "letters");
        let reader = spawn_named("reader", async move { while receiver.recv().await.is_some() {} });
        for letter in 'a'..'e' {
            sender.send(letter).await.unwrap();
        }
        drop(sender);
        reader.await.unwrap();

        let late = cotask::time::timeout(Duration::from_millis(2), std::future::pending::<()>()).await;
        assert!(late.is_err());
        let soon =
            cotask::time::timeout(Duration::from_secs(9), cotask::time::sleep(Duration::from_millis(1)))
                .await;
        assert!(soon.is_ok());
        assert_eq!(cotask::spawn_blocking(|| 7).await.unwrap(), 7);
        let forever = cotask::spawn(std::future::pending::<()>());
        forever.abort();
        assert!(forever.await.is_err());
    });
    let trace = runtime.take_trace();
    checker::check(&trace.records).unwrap();
    trace
}

fn json_lines(trace: &Trace) -> Vec<Line> {
    let mut bytes = Vec::new();
    trace.write_json_lines(&mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect()
}

/// The fields of each event, as the documentation of `write_json_lines` has them; `?` marks what may be missing.
const SCHEMA: &[(&str, &str)] = &[
    ("spawned", "task by source name?"),
    ("scheduled", "task by"),
    ("joined", "task by"),
    ("abort_requested", "task by"),
    ("poll_began", "task"),
    ("poll_ended", "task outcome"),
    ("parked", "at_most?"),
    ("unparked", ""),
    ("waits", "by on want"),
    ("socket_opened", "socket by kind"),
    ("socket_ready", "socket readable writable closed"),
    ("socket_closed", "socket by"),
    ("timer_set", "timer by deadline"),
    ("timer_fired", "timer"),
    ("timer_cancelled", "timer by"),
    ("job_queued", "job by source"),
    ("job_started", "job"),
    ("job_done", "job"),
    ("sent", "channel by queued"),
    ("received", "channel by queued"),
    ("named", "resource name"),
];

#[test]
fn json_lines_keep_to_their_schema() {
    let trace = record(Builder::new().trace(100_000));
    let lines = json_lines(&trace);
    let (header, lines) = lines.split_first().unwrap();
    assert_eq!(header["cotask_trace"], 1);
    assert_eq!(header["dropped"], 0);
    assert_eq!(header["name"], "sample");
    assert_eq!(header["records"], lines.len());
    assert_eq!(lines.len(), trace.records.len());

    let schema: HashMap<&str, &str> = SCHEMA.iter().copied().collect();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut last = 0;
    for (line, record) in lines.iter().zip(&trace.records) {
        let kind = line["event"].as_str().unwrap();
        let fields = schema.get(kind).unwrap_or_else(|| panic!("not in the schema: {line:?}"));
        let must = fields.split_whitespace().filter(|field| !field.ends_with('?'));
        assert!(must.clone().all(|field| line.contains_key(field)), "{line:?}");
        let may = |key: &str| fields.split_whitespace().any(|field| field.trim_end_matches('?') == key);
        assert!(line.keys().all(|key| key == "at" || key == "event" || may(key)), "{line:?}");
        for (key, value) in line {
            let right = match key.as_str() {
                "at" | "at_most" | "deadline" | "queued" => value.is_u64(),
                "readable" | "writable" | "closed" => value.is_boolean(),
                _ => value.is_string(),
            };
            assert!(right, "{key} of {line:?}");
        }
        let at = line["at"].as_u64().unwrap();
        assert!(at >= last, "{line:?}");
        last = at;
        // The one-line form has the same words.
        assert!(record.event.to_string().starts_with(kind), "{} is not {kind}", record.event);
        *seen.entry(kind.to_string()).or_default() += 1;
    }
    let missing: Vec<_> = schema.keys().filter(|kind| !seen.contains_key(**kind)).collect();
    assert!(missing.is_empty(), "the sample has no {missing:?}");
    assert!(lines.iter().any(|line| line.get("name").is_some_and(|name| name == NAME)), "escaped and back");
    let named =
        lines.iter().filter(|line| line["event"] == "named").map(|line| line["resource"].as_str().unwrap());
    assert_eq!(
        named.map(|resource| resource.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["socket", "channel"]
    );
}

#[test]
fn a_header_tells_how_many_were_dropped() {
    let lines = json_lines(&Trace { dropped: 5, ..record(Builder::new().trace(100_000)) });
    assert_eq!(lines[0]["dropped"], 5);
}

/// How the name ends of what has begun and has not ended.
const NOT_ENDED: &str = ": not ended";

/// The rules of the trace-event format: which phases have which fields, and how they pair.
fn check_chrome(text: &str) -> HashMap<String, usize> {
    let file: Value = serde_json::from_str(text).unwrap();
    assert_eq!(file["displayTimeUnit"], "ns");
    let events = file["traceEvents"].as_array().unwrap();
    let mut phases: HashMap<String, usize> = HashMap::new();
    let mut slices: HashMap<(u64, u64), Vec<(i64, i64)>> = HashMap::new();
    let mut threads = HashMap::new();
    let (mut starts, mut ends) = (HashMap::new(), HashMap::new());
    let mut open: HashMap<(String, String), i64> = HashMap::new();
    for event in events {
        let phase = event["ph"].as_str().unwrap();
        let nanos = |key: &str| (event[key].as_f64().unwrap() * 1000.0).round() as i64;
        let ts = nanos("ts");
        let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
        let name = event["name"].as_str().unwrap();
        assert!(ts >= 0 && !name.is_empty(), "{event}");
        *phases.entry(phase.to_string()).or_default() += 1;
        match phase {
            "M" => {
                assert!(
                    matches!(name, "process_name" | "thread_name") && event["args"]["name"].is_string(),
                    "{event}"
                );
                if name == "thread_name" {
                    assert!(threads.insert(thread, &event["args"]["name"]).is_none(), "two names: {event}");
                }
            }
            "X" => {
                let length = nanos("dur");
                assert!(length >= 0 && event["args"].is_object(), "{event}");
                slices.entry(thread).or_default().push((ts, ts + length));
            }
            "s" => assert!(starts.insert(event["id"].as_u64().unwrap(), (thread, ts)).is_none(), "{event}"),
            "f" => {
                assert_eq!(event["bp"], "e", "{event}");
                assert!(ends.insert(event["id"].as_u64().unwrap(), (thread, ts)).is_none(), "{event}");
            }
            "b" | "e" => {
                let key = (event["id"].as_str().unwrap().to_string(), name.to_string());
                if phase == "b" {
                    assert!(open.insert(key, ts).is_none(), "begun twice: {event}");
                } else {
                    assert!(open.remove(&key).is_some_and(|begun| begun <= ts), "not begun: {event}");
                }
            }
            "i" => assert_eq!(event["s"], "t", "{event}"),
            "B" => assert!(name.ends_with(NOT_ENDED), "a slice without an end says so: {event}"),
            other => panic!("no phase {other:?}: {event}"),
        }
    }
    assert!(open.keys().all(|(_, name)| name.ends_with(NOT_ENDED)), "without an end: {open:?}");
    assert_eq!(starts.len(), ends.len());
    for (id, (thread, end)) in &ends {
        let (waker, start) = starts[id];
        assert!(start <= *end, "flow {id} goes back in time");
        // A flow is drawn between two slices.
        let inside = |thread, at| slices[thread].iter().any(|&(from, to)| from <= at && at <= to);
        assert!(inside(&waker, start) && inside(thread, *end), "flow {id} hangs in the air");
    }
    for (thread, slices) in &mut slices {
        assert!(threads.contains_key(thread), "no name for {thread:?}");
        slices.sort_unstable();
        assert!(
            slices.windows(2).all(|pair| pair[0].1 <= pair[1].0 || pair[1].1 <= pair[0].1),
            "slices cross"
        );
    }
    phases
}

fn chrome(trace: &Trace) -> String {
    let mut bytes = Vec::new();
    perfetto::write(trace, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn chrome_events_obey_the_format() {
    let trace = record(Builder::new().trace(100_000));
    let phases = check_chrome(&chrome(&trace));
    for phase in ["M", "X", "s", "f", "b", "e", "i"] {
        assert!(phases.contains_key(phase), "no {phase}");
    }
    assert_eq!(phases["s"], phases["f"]);
    // A trace that begins and ends in the middle has no loose ends either.
    for from in 0..trace.records.len() {
        let records = trace.records[from..from + (trace.records.len() - from) / 2].to_vec();
        check_chrome(&chrome(&Trace { records, dropped: from as u64, name: None }));
    }
}

/// A run that hangs: seen from another thread, while a poll does not return.
#[test]
fn a_run_that_hangs_is_shown_with_what_has_not_ended() {
    let runtime = Builder::new().name("sample").trace(1_000).build().unwrap();
    let handle = runtime.handle();
    let (started, is_started) = std::sync::mpsc::channel();
    let (end, ends) = std::sync::mpsc::channel::<()>();
    let text = runtime.block_on(async {
        spawn_named("sleeper", cotask::time::sleep(Duration::from_secs(3_600)));
        let _job = cotask::spawn_blocking(move || {
            started.send(()).unwrap();
            ends.recv()
        });
        cotask::yield_now().await;
        is_started.recv().unwrap();
        spawn_named("starved", async {});
        let text = std::thread::spawn(move || chrome(&handle.take_trace())).join().unwrap();
        drop(end);
        text
    });
    check_chrome(&text);
    let file: Value = serde_json::from_str(&text).unwrap();
    let events = file["traceEvents"].as_array().unwrap();
    let open = events.iter().filter(|event| event["name"].as_str().unwrap().ends_with(NOT_ENDED));
    let open: Vec<String> =
        open.map(|event| format!("{} {}", event["ph"].as_str().unwrap(), event["name"])).collect();
    let has = |phase: &str, words: &str| {
        open.iter().filter(|name| name.starts_with(phase) && name.contains(words)).count()
    };
    assert_eq!(open.len(), 4, "{open:?}");
    assert_eq!(has("B", "0.0): not ended"), 1, "the poll under way: {open:?}");
    assert_eq!(has("B", "starved"), 1, "{open:?}");
    assert_eq!(has("b", "timer"), 1, "{open:?}");
    assert_eq!(has("b", "runs"), 1, "the job: {open:?}");
    // What another thread took is gone.
    assert!(!runtime.take_trace().records.iter().any(|record| record.event.to_string().contains("spawned")));
}

#[test]
fn nothing_is_recorded_when_off() {
    let trace = record(Builder::new());
    assert!(trace.records.is_empty() && trace.dropped == 0);
}
