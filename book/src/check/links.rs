//! Links inside the book: in the pages as they are built, so that included and generated ones are seen too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};
use regex::Regex;

use crate::chapters::files;

use super::faults::Faults;

/// # Errors
/// When the pages cannot be read.
pub(super) fn check(pages: &Path, faults: &mut Faults) -> Result<()> {
    let link = Regex::new("(?:href|src)=\"([^\"]+)\"").expect("a regular expression");
    let id = Regex::new("\\bid=\"([^\"]+)\"").expect("a regular expression");
    let aside = ["print.html", "404.html", "toc.html"];
    let mut texts = BTreeMap::new();
    for file in files(pages)? {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let ours = file.extension().is_some_and(|ending| ending == "html") && !aside.contains(&name.as_str());
        if ours && !file.starts_with(pages.join("timelines")) {
            texts
                .insert(file.clone(), fs::read_to_string(&file).with_context(|| file.display().to_string())?);
        }
    }
    let ids: BTreeMap<&PathBuf, BTreeSet<String>> = texts
        .iter()
        .map(|(file, text)| (file, id.captures_iter(text).map(|found| found[1].to_string()).collect()))
        .collect();
    for (file, text) in &texts {
        let links: BTreeSet<&str> =
            link.captures_iter(text).filter_map(|found| found.get(1)).map(|link| link.as_str()).collect();
        for link in links {
            if link.contains("://") || link.starts_with("data:") || link.starts_with("mailto:") {
                continue;
            }
            let (path, fragment) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() {
                file.clone()
            } else {
                plain(&file.parent().unwrap_or(pages).join(path))
            };
            let page = file.strip_prefix(pages).unwrap_or(file).display();
            if !target.is_file() {
                faults.push(format!("{page}: the link `{link}` leads nowhere"));
            } else if !fragment.is_empty() && ids.get(&target).is_some_and(|ids| !ids.contains(fragment)) {
                faults.push(format!("{page}: the link `{link}` leads to a page without a `{fragment}`"));
            }
        }
    }
    Ok(())
}

/// Without `..`, so that equal files have equal paths.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}
