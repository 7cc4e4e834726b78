//! What lanes and primitives are called.

use std::collections::HashMap;

use crate::recorder::{Lane, Object, Recording};
use crate::source::{Sources, bare};

/// The names of all primitives, unlike each other.
pub(super) fn object_names(recording: &Recording, sources: &Sources) -> Vec<String> {
    let name = |object: &Object| {
        let of = bare(object.of);
        let kind = if of.is_empty() { object.kind.to_lowercase() } else { format!("{}<{of}>", object.kind) };
        sources.name(object.made).unwrap_or(kind)
    };
    // An `Arc` has the name of what it holds, and does not often show.
    let shown = recording.objects.iter().map(|object| object.kind != "Arc");
    number(recording.objects.iter().map(name).zip(shown).collect())
}

pub(super) fn lane_names(recording: &Recording, sources: &Sources) -> Vec<String> {
    let name = |(i, lane): (usize, &Lane)| {
        let name = lane.name.clone().or_else(|| sources.name(lane.spawned));
        (name.unwrap_or_else(|| format!("thread {i}")), true)
    };
    number(recording.lanes.iter().enumerate().map(name).collect())
}

/// Numbers those that share a name, of those that count.
fn number(names: Vec<(String, bool)>) -> Vec<String> {
    let mut times: HashMap<String, (usize, usize)> = HashMap::new();
    for (name, counts) in &names {
        times.entry(name.clone()).or_default().0 += usize::from(*counts);
    }
    let numbered = names.into_iter().map(|(name, counts)| match times.get_mut(&name) {
        Some((all, so_far)) if counts && *all > 1 => {
            *so_far += 1;
            format!("{name}#{so_far}")
        }
        _ => name,
    });
    numbered.collect()
}
