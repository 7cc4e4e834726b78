//! One coroutine per stage. As with threads, a stage knows only its input and output, and keeps its place in its own
//! loop. But passing a line on is a function call, and no stage waits for another.

use coroutine::Coroutine;

fn cat(text: &str) -> Coroutine<'_, (), &str> {
    Coroutine::new(async move |co| {
        for line in text.lines() {
            co.yield_(line).await;
        }
    })
}

fn grep<'a>(pattern: &'a str) -> Coroutine<'a, &'a str, &'a str> {
    Coroutine::<&str, &str>::new(async move |co| {
        while let Some(line) = co.receive().await {
            if line.contains(pattern) {
                co.yield_(line).await;
            }
        }
    })
}

fn count_lines<'a>() -> Coroutine<'a, &'a str, (), u64> {
    Coroutine::new(async |co| {
        let mut lines = 0;
        while co.receive().await.is_some() {
            lines += 1;
        }
        lines
    })
}

/// Gives each line to every target; returns what they return.
fn fanout<'a>(mut targets: Vec<Coroutine<'a, &'a str, (), u64>>) -> Coroutine<'a, &'a str, (), Vec<u64>> {
    Coroutine::<&str, (), _>::new(async move |co| {
        while let Some(line) = co.receive().await {
            for target in &mut targets {
                target.resume(line);
            }
        }
        targets.into_iter().map(Coroutine::finish).collect()
    })
}

pub(crate) fn count(text: &str, patterns: &[&str]) -> Vec<u64> {
    if let [pattern] = patterns {
        return vec![cat(text).pipe(grep(pattern)).pipe(count_lines()).finish()];
    }
    let targets = patterns.iter().map(|pattern| grep(pattern).pipe(count_lines())).collect();
    cat(text).pipe(fanout(targets)).finish()
}
