//! The files that `timeline` reads.

#[path = "../../../examples/timeline/page.rs"]
mod page;
#[path = "../../../examples/timeline/svg.rs"]
mod svg;
#[path = "../../../examples/timeline/trace.rs"]
mod trace;

use trace::Trace;

/// As a trace: both what is made of it and what is said of a wrong line.
pub fn trace(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match Trace::parse(text) {
        Ok(trace) => {
            assert!(trace.tasks() <= trace.events.len());
            let svg = svg::draw(&trace, "a title");
            assert!(svg.ends_with("</svg>\n"), "{svg}");
            // Numbers stand inside of the tags, and names between them: a task may be called "inf".
            let mut tags = svg.split('<').filter_map(|tag| tag.split('>').next());
            assert!(tags.all(|tag| !tag.contains("NaN") && !tag.contains("inf")), "{svg}");
            let page = page::make(text, "a title", &page::sources(&trace));
            assert!(page.contains("a title"));
        }
        Err(error) => assert!(!format!("{error:#}").is_empty()),
    }
}
