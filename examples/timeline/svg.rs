//! A picture of a short trace: one lane per task, with polls, wakes, and where the thread slept.
//!
//! Pauses are drawn short, by a low power of their length, as on the page. Otherwise a run that sleeps for
//! milliseconds and polls for microseconds is an empty picture.

use std::collections::HashMap;
use std::fmt::Write;

use super::page::escaped;
use super::trace::{Event, Trace};

const WIDTH: f64 = 1000.0;
const GUTTER: f64 = 130.0;
const LANE: f64 = 30.0;
const TOP: f64 = 64.0;

/// Colours that can be read on white and on black, and a box of the page's own colour behind them all.
const STYLE: &str = "
  svg { font: 13px system-ui, sans-serif; background: #fff }
  .text { fill: #1b1f27 } .dim { fill: #5b6472 } .line { stroke: #c3c8d1 } .sleep { fill: #e7eaf1 }
  .queued { fill: #f0b429 } .poll { fill: #2f6fd0 } .done { fill: #2a8a4a } .bad { fill: #c2334d }
  .wake { stroke: #6a7280; fill: none } .head { fill: #6a7280 }
  @media (prefers-color-scheme: dark) {
    svg { background: #14171c }
    .text { fill: #e7eaf0 } .dim { fill: #a3adbb } .line { stroke: #3d4551 } .sleep { fill: #272f3d }
    .queued { fill: #c99a1e } .poll { fill: #6ea3f5 } .done { fill: #57c27d } .bad { fill: #f0708a }
    .wake { stroke: #8d97a6 } .head { fill: #8d97a6 }
  }";

struct Lane {
    name: String,
    from: f64,
    to: f64,
}

/// Back to front.
#[derive(Default)]
struct Layers {
    sleeps: String,
    queued: String,
    polls: String,
    wakes: String,
}

/// The picture of a whole trace.
pub(crate) fn draw(trace: &Trace, title: &str) -> String {
    let places = places(trace);
    let x = |place: usize| GUTTER + places[place] / places[places.len() - 1] * (WIDTH - GUTTER - 20.0);
    let mut lanes: Vec<Lane> = Vec::new();
    let mut by_task: HashMap<&str, usize> = HashMap::new();
    let mut runnable: HashMap<usize, (usize, Option<usize>)> = HashMap::new();
    let mut layers = Layers::default();
    let (mut poll, mut sleep, mut slept) = (None, None, Vec::new());

    for (place, event) in trace.events.iter().enumerate() {
        let lane = event.text("task").map(|task| {
            *by_task.entry(task).or_insert_with(|| {
                let name = event.text("name").unwrap_or(task).to_string();
                lanes.push(Lane { name, from: x(place), to: WIDTH - 20.0 });
                lanes.len() - 1
            })
        });
        match (event.kind.as_str(), lane) {
            ("scheduled", Some(lane)) => {
                let by = event.text("by").and_then(|by| by.strip_prefix("task "));
                runnable.insert(lane, (place, by.and_then(|task| by_task.get(task).copied())));
            }
            ("poll_began", Some(lane)) => {
                poll = Some(place);
                if let Some((woken, by)) = runnable.remove(&lane) {
                    let (from, to) = (x(woken), x(place));
                    rect(&mut layers.queued, "queued", from, middle(lane) - 3.0, to - from, 6.0);
                    let start = by.map_or(TOP - 14.0, middle);
                    if by != Some(lane) {
                        arrow(&mut layers.wakes, (from, start), (to, middle(lane)));
                    }
                }
            }
            ("poll_ended", Some(lane)) => {
                let class = match event.text("outcome") {
                    Some("finished") => "done",
                    Some("panicked" | "aborted") => "bad",
                    _ => "poll",
                };
                let from = poll.take().map_or(GUTTER, x);
                let width = (x(place) - from).max(2.0);
                rect(&mut layers.polls, class, from, middle(lane) - 10.0, width, 20.0);
                if class != "poll" {
                    lanes[lane].to = x(place);
                }
            }
            ("dropped", Some(lane)) => {
                runnable.remove(&lane);
                lanes[lane].to = x(place);
            }
            ("parked", _) => sleep = Some((place, event.at)),
            ("unparked", _) => {
                if let Some((parked, since)) = sleep.take() {
                    slept.push((x(parked), x(place), event.at - since));
                }
            }
            _ => {}
        }
    }
    let bottom = TOP + LANE * lanes.len() as f64;
    for (from, to, length) in slept {
        rect(&mut layers.sleeps, "sleep", from, 36.0, to - from, bottom - 30.0);
        if to - from > 60.0 {
            label(
                &mut layers.sleeps,
                "dim",
                "middle",
                (from + to) / 2.0,
                48.0,
                &format!("asleep {}", time(length)),
            );
        }
    }
    assemble(title, &lanes, &layers, bottom, trace)
}

fn assemble(title: &str, lanes: &[Lane], layers: &Layers, bottom: f64, trace: &Trace) -> String {
    let height = bottom + 44.0;
    let length = time(trace.events[trace.events.len() - 1].at - trace.events[0].at);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\">\n\
         <title>{}</title>\n<style>{STYLE}\n</style>\n",
        escaped(title)
    );
    label(&mut svg, "text", "start", 12.0, 20.0, &format!("{title}: {length} in all"));
    label(
        &mut svg,
        "dim",
        "end",
        WIDTH - 20.0,
        20.0,
        "arrows: from the wake to the poll; pauses drawn short",
    );
    label(&mut svg, "dim", "end", GUTTER - 10.0, TOP - 10.0, "reactor, timers");
    svg += &layers.sleeps;
    for (row, lane) in lanes.iter().enumerate() {
        label(&mut svg, "text", "end", GUTTER - 10.0, middle(row) + 4.0, &lane.name);
        let y = middle(row);
        let _ = writeln!(
            svg,
            "<line class=\"line\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{y}\" y2=\"{y}\"/>",
            lane.from, lane.to
        );
    }
    svg = svg + &layers.queued + &layers.wakes + &layers.polls;
    let words =
        [("queued", "runnable"), ("poll", "polled"), ("done", "finished"), ("sleep", "the thread sleeps")];
    for (place, (class, words)) in words.into_iter().enumerate() {
        let x = GUTTER + 130.0 * place as f64;
        rect(&mut svg, class, x, bottom + 18.0, 12.0, 12.0);
        label(&mut svg, "dim", "start", x + 18.0, bottom + 28.0, words);
    }
    svg + "</svg>\n"
}

/// Where each event stands: the pause before it counts by a low power of its length.
fn places(trace: &Trace) -> Vec<f64> {
    let mut last = trace.events[0].at;
    let mut place = 0.0;
    let step = |event: &Event| {
        place += 0.4 + ((event.at - last) as f64 / 500.0).powf(0.3);
        last = event.at;
        place
    };
    trace.events.iter().map(step).collect()
}

fn middle(lane: usize) -> f64 {
    TOP + LANE * (lane as f64 + 0.5)
}

fn rect(svg: &mut String, class: &str, x: f64, y: f64, width: f64, height: f64) {
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"/>"
    );
}

fn label(svg: &mut String, class: &str, anchor: &str, x: f64, y: f64, text: &str) {
    let text = escaped(text);
    let _ = writeln!(
        svg,
        "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>"
    );
}

fn arrow(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let middle = (y1 + y2) / 2.0;
    let bend = x2 - ((x2 - x1) / 2.0).max(8.0);
    let _ = writeln!(
        svg,
        "<path class=\"wake\" d=\"M{x1:.1} {y1:.1}C{x1:.1} {middle:.1} {bend:.1} {y2:.1} {x2:.1} {y2:.1}\"/>\
         <path class=\"head\" d=\"M{x2:.1} {y2:.1}l-6 -3.5v7z\"/>"
    );
}

/// Nanoseconds as a person says them.
fn time(nanos: u64) -> String {
    match nanos {
        0..1_000 => format!("{nanos} ns"),
        1_000..1_000_000 => format!("{:.1} µs", nanos as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} ms", nanos as f64 / 1e6),
        _ => format!("{:.2} s", nanos as f64 / 1e9),
    }
}
