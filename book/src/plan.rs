//! The plan of the rooms in `src/lib.rs`, and whether the imports keep to it.
//!
//! The plan lists the folders from top to bottom, and below each its files from left to right, top to bottom. An import
//! may only go from a folder to one further down, and from a file to one further on in the same folder. The tool that
//! checks this has no plan, but no circles either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Result, ensure};

use crate::invariants;
use crate::layers::{Edge, Imports, Module, circles};

/// Folders, each with its files, in the order of the plan.
struct Plan(Vec<(String, Vec<String>)>);

/// What in `src/` contradicts the plan, and circles in the sources of this tool.
///
/// # Errors
/// When a source cannot be read, or the plan.
pub(crate) fn faults() -> Result<Vec<String>> {
    let plan = Plan::parse(&invariants::rooms()?)?;
    let imports = Imports::read(Path::new("src"))?;
    let edges = imports.edges();
    let mut faults = plan.faults(&imports.modules().cloned().collect::<Vec<_>>(), &edges);
    for (folder, edges) in [("src", edges), ("book/src", Imports::read(Path::new("book/src"))?.edges())] {
        for circle in circles(&edges) {
            let files: Vec<_> = circle.iter().map(|file| file.join("/")).collect();
            faults.push(format!("{folder}: files import each other in a circle: {}", files.join(" ")));
        }
    }
    Ok(faults)
}

impl Plan {
    /// A line with `name/` begins a folder, and says in words what it is; the lines below name its files.
    fn parse(drawing: &str) -> Result<Plan> {
        let mut folders: Vec<(String, Vec<String>)> = Vec::new();
        for line in drawing.lines() {
            let mut words = line.split_whitespace().filter(|word| *word != "\u{2022}").peekable();
            match (words.peek().and_then(|word| word.strip_suffix('/')), folders.last_mut()) {
                (Some(folder), _) => folders.push((folder.to_owned(), Vec::new())),
                (None, Some((_, files))) => files.extend(words.map(str::to_owned)),
                (None, None) => {}
            }
        }
        ensure!(!folders.is_empty(), "the drawing in src/lib.rs names no folder, as in `base/`");
        Ok(Plan(folders))
    }

    fn faults(&self, modules: &[Module], edges: &BTreeSet<Edge>) -> Vec<String> {
        let mut at: BTreeMap<(&str, Option<&str>), (usize, usize)> = BTreeMap::new();
        for (row, (folder, files)) in self.0.iter().enumerate() {
            at.insert((folder, None), (row, 0));
            at.extend(
                files
                    .iter()
                    .enumerate()
                    .map(|(n, file)| ((folder.as_str(), Some(file.as_str())), (row, n + 1))),
            );
        }
        let place = |module: &Module| {
            let file = module.get(1).map(String::as_str);
            module.first().and_then(|folder| at.get(&(folder.as_str(), file))).copied()
        };
        let there: BTreeSet<_> = modules.iter().filter_map(place).collect();
        let missing = modules.iter().filter(|module| !module.is_empty() && place(module).is_none());
        let mut faults: Vec<String> = missing
            .map(|module| format!("src/{}: the plan in src/lib.rs does not name it", module.join("/")))
            .collect();
        for ((folder, file), place) in &at {
            if !there.contains(place) {
                let file = file.unwrap_or_default();
                faults.push(format!("src/lib.rs: the plan names {folder}/{file}, which does not exist"));
            }
        }
        for (from, to) in edges {
            let (Some(above), Some(below)) = (place(from), place(to)) else { continue };
            // A folder's `mod.rs` has no place among its files: circles show whether it imports upwards.
            let among_files = above.1 > 0 && below.1 > 0 && above != below;
            if above.0 > below.0 || (above.0 == below.0 && among_files && above.1 > below.1) {
                faults.push(format!(
                    "src/{}: imports {}, which stands above it in the plan",
                    from.join("/"),
                    to.join("/")
                ));
            }
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(path: &str) -> Module {
        path.split('/').map(str::to_owned).collect()
    }

    fn faults(modules: &[&str], edges: &[(&str, &str)]) -> Vec<String> {
        let plan = Plan::parse(
            "  roof/   what is above\n          tiles  beams\n\u{2022} base/   what bears\n          stone",
        )
        .unwrap();
        let modules: Vec<Module> = modules.iter().map(|path| module(path)).collect();
        plan.faults(&modules, &edges.iter().map(|(from, to)| (module(from), module(to))).collect())
    }

    const HOUSE: [&str; 5] = ["roof", "roof/tiles", "roof/beams", "base", "base/stone"];

    #[test]
    fn imports_that_go_down_are_no_fault() {
        let down = [
            ("roof/tiles", "roof/beams"),
            ("roof/beams", "base/stone"),
            ("roof/beams", "roof"),
            ("roof", "roof/tiles"),
        ];
        assert_eq!(faults(&HOUSE, &down), Vec::<String>::new());
    }

    #[test]
    fn an_import_that_goes_up_is_named() {
        let up = [("base/stone", "roof/tiles"), ("roof/beams", "roof/tiles")];
        assert_eq!(
            faults(&HOUSE, &up),
            [
                "src/base/stone: imports roof/tiles, which stands above it in the plan",
                "src/roof/beams: imports roof/tiles, which stands above it in the plan"
            ]
        );
    }

    #[test]
    fn the_plan_and_the_files_are_the_same() {
        let modules = ["roof", "roof/tiles", "roof/nails", "base", "base/stone", "cellar"];
        assert_eq!(
            faults(&modules, &[]),
            [
                "src/roof/nails: the plan in src/lib.rs does not name it",
                "src/cellar: the plan in src/lib.rs does not name it",
                "src/lib.rs: the plan names roof/beams, which does not exist"
            ]
        );
    }
}
