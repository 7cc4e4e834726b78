//! A chapter of a part has its shape, and each exercise its answer.

use crate::chapters::Chapter;

use super::faults::Faults;

/// What each chapter has, in this order: how a line begins.
const SHAPE: [&str; 9] = [
    "# ",
    "Minutes to read: {{#minutes}}",
    "> **Question.** ",
    "## What you will be able to do",
    "<details class=\"predict\">",
    "## The invariant",
    "## What goes wrong without it",
    "## Exercises",
    "## In tokio and smol",
];
pub(super) fn check(chapter: &Chapter, faults: &mut Faults) {
    let (prose, _) = chapter.parts();
    let opened = prose.iter().filter(|(_, line)| line.trim_start().starts_with("<details")).count();
    let closed = prose.iter().filter(|(_, line)| line.contains("</details>")).count();
    if opened != closed {
        faults.push(format!("{}: {opened} folds are opened and {closed} closed", chapter.at(1)));
    }
    if chapter.part.is_none() {
        return;
    }
    let mut lines = prose.iter();
    let mut last = 1;
    for part in SHAPE {
        match lines.find(|(_, line)| line.starts_with(part)) {
            Some((at, _)) => last = *at,
            None => {
                faults.push(format!("{}: below this line there is no \"{}\"", chapter.at(last), part.trim()));
                return;
            }
        }
    }
    exercises(chapter, &prose, faults);
}

/// Each `### ` below "Exercises" says what a good answer has, and has one.
fn exercises(chapter: &Chapter, prose: &[(usize, &str)], faults: &mut Faults) {
    let below = prose.iter().skip_while(|(_, line)| !line.starts_with(SHAPE[7])).skip(1);
    let section: Vec<_> = below.take_while(|(_, line)| !line.starts_with("## ")).collect();
    let starts: Vec<usize> = (0..section.len()).filter(|&at| section[at].1.starts_with("### ")).collect();
    if starts.is_empty() {
        faults.push(format!(
            "{}: no exercise (`### 1. Title`)",
            chapter.at(section.first().map_or(1, |line| line.0))
        ));
    }
    for (number, &start) in starts.iter().enumerate() {
        let end = starts.get(number + 1).copied().unwrap_or(section.len());
        let exercise = &section[start..end];
        let has = |what: &str| exercise.iter().any(|(_, line)| line.contains(what));
        let place = chapter.at(section[start].0);
        if !has("A good answer") {
            faults.push(format!("{place}: the exercise does not say what \"A good answer …\" has"));
        }
        if !has("<details class=\"answer\">") {
            faults.push(format!("{place}: the exercise has no answer (`<details class=\"answer\">`)"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "# T\n\nMinutes to read: {{#minutes}}\n\n> **Question.** Why?\n\n## What you will be able to do\n\n\
        <details class=\"predict\"><summary>What?</summary>\n\nThat.\n\n</details>\n\n## The invariant\n\n\
        ## What goes wrong without it\n\n## Exercises\n\n### 1. One\n\nDo. A good answer says so.\n\n\
        <details class=\"answer\"><summary>Answer</summary>\n\nSo.\n\n</details>\n\n## In tokio and smol\n";

    fn faults(text: String) -> usize {
        let chapter = Chapter { title: String::new(), part: Some("I".into()), file: None, text };
        let mut faults = Faults::new();
        check(&chapter, &mut faults);
        faults.len()
    }

    #[test]
    fn each_missing_piece_is_a_fault() {
        assert_eq!(faults(WHOLE.into()), 0);
        for piece in [
            "Minutes to read: {{#minutes}}",
            "> **Question.** Why?",
            "## The invariant",
            "A good answer",
            "### 1. One",
            "</details>",
        ] {
            assert_eq!(faults(WHOLE.replacen(piece, "", 1)), 1, "{piece}");
        }
        assert_eq!(faults(WHOLE.replace("details class=\"answer\"", "details")), 1);
    }
}
