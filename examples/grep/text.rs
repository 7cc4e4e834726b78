//! A text to search: sentences of a sea story, made up, the same ones every time.

use crate::common::progress;

const WORDS: [&str; 64] = [
    "the", "a", "of", "and", "to", "in", "that", "his", "it", "was", "he", "with", "as", "for", "all",
    "this", "at", "by", "but", "not", "from", "him", "so", "on", "one", "now", "had", "have", "there",
    "were", "they", "which", "like", "upon", "then", "out", "old", "over", "some", "other", "ship", "sea",
    "man", "captain", "boat", "water", "head", "time", "deck", "whale", "crew", "night", "wind", "eyes",
    "line", "long", "hand", "great", "white", "still", "world", "day", "mast", "harpoon",
];

/// `lines` lines of 5 to 12 words each.
pub(crate) fn make(lines: u64) -> String {
    let bar = progress(lines, "writing");
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    // xorshift64 (Marsaglia, 2003): good enough to mix words.
    let mut below = |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 33) % limit
    };
    let mut text = String::new();
    for line in 0..lines {
        for word in 0..5 + below(8) {
            if word > 0 {
                text.push(' ');
            }
            text.push_str(WORDS[below(WORDS.len() as u64) as usize]);
        }
        text.push('\n');
        if line % 65_536 == 0 {
            bar.set_position(line);
        }
    }
    bar.finish_and_clear();
    text
}
