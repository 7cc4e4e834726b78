//! What the files of `src/` import from each other, and which import each other in a circle.
//!
//! An import is a `use` or a path. It is followed through re-exports to the file that has the item. Not counted are tests,
//! the re-exports of `lib.rs` and of a folder's `mod.rs`, and the naming of a module itself, because only its items
//! are used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

/// A path of modules below the crate's root: `["net", "tcp"]`.
pub(crate) type Module = Vec<String>;

/// One file of `src/`.
#[derive(Default)]
struct File {
    items: BTreeSet<String>,
    /// What a `use` brings into scope: the name here, and the path it stands for.
    aliases: BTreeMap<String, Vec<String>>,
    /// Modules that a `use …::*` brings into scope.
    globs: Vec<Vec<String>>,
    /// Paths of more than one segment, as written.
    paths: BTreeSet<Vec<String>>,
    /// What it re-exports, which is not counted.
    exports: BTreeSet<Vec<String>>,
}

/// An import: the file that imports, and the file that has the item.
pub(crate) type Edge = (Module, Module);

/// The files of a crate and what they import.
pub(crate) struct Imports {
    files: BTreeMap<Module, File>,
}

impl Imports {
    /// Reads all files of a crate.
    ///
    /// # Errors
    /// When a file cannot be read or is no Rust.
    pub(crate) fn read(src: &Path) -> Result<Imports> {
        let mut files = BTreeMap::new();
        for path in crate::chapters::files(src)? {
            if path.extension().is_none_or(|ending| ending != "rs") || path.ends_with("tests.rs") {
                continue;
            }
            let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let parsed = syn::parse_file(&text).with_context(|| path.display().to_string())?;
            let mut file = File::default();
            file.take(&parsed.items);
            files.insert(module_of(path.strip_prefix(src).unwrap_or(&path)), file);
        }
        Ok(Imports { files })
    }

    /// The modules of the files.
    pub(crate) fn modules(&self) -> impl Iterator<Item = &Module> {
        self.files.keys()
    }

    /// Every import between two files.
    pub(crate) fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (module, file) in self.files.iter().filter(|(module, _)| !module.is_empty()) {
            let names = file.aliases.values().filter(|path| !file.exports.contains(*path));
            let paths = names.chain(&file.paths).chain(&file.globs);
            edges.extend(
                paths
                    .filter_map(|path| self.resolve(module, path, 0))
                    .filter(|target| target != module && !target.is_empty())
                    .map(|target| (module.clone(), target)),
            );
        }
        edges
    }

    /// The file that has the item a path leads to; `None` for other crates, for locals and for modules.
    fn resolve(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        // Re-exports in a circle do not compile; this ends a misreading of ours.
        if depth > 20 {
            return None;
        }
        let (first, rest) = path.split_first()?;
        let (mut module, rest) = match first.as_str() {
            "crate" => (Module::new(), rest),
            "self" => (from.clone(), rest),
            "super" => (from[..from.len().checked_sub(1)?].to_vec(), rest),
            _ => (from.clone(), path),
        };
        let mut rest = rest.to_vec();
        while rest.first().is_some_and(|segment| segment == "super") {
            module.pop()?;
            rest.remove(0);
        }
        loop {
            let (name, after) = rest.split_first()?;
            let mut child = module.clone();
            child.push(name.clone());
            // A function may have the name of a module beside it, and a path that ends here means the function.
            let is_item = |file: &File| after.is_empty() && file.items.contains(name);
            if self.files.contains_key(&child) && !self.files.get(&module).is_some_and(is_item) {
                module = child;
                rest = after.to_vec();
                continue;
            }
            let file = self.files.get(&module)?;
            if file.items.contains(name) {
                return Some(module);
            }
            if let Some(alias) = file.aliases.get(name) {
                let longer: Vec<String> = alias.iter().chain(after).cloned().collect();
                return if longer == path { None } else { self.resolve(&module, &longer, depth + 1) };
            }
            return file.globs.iter().find_map(|glob| {
                let longer: Vec<String> = glob.iter().chain(&rest).cloned().collect();
                self.resolve(&module, &longer, depth + 1)
            });
        }
    }
}

/// The module of a file, by its path below `src/`.
fn module_of(path: &Path) -> Module {
    let mut module: Module =
        path.with_extension("").iter().map(|part| part.to_string_lossy().into()).collect();
    if module.last().is_some_and(|last| last == "mod") || module == ["lib"] {
        module.pop();
    }
    module
}

/// Groups of files that reach each other. A walk from each file is enough, because there are few.
pub(crate) fn circles(edges: &BTreeSet<Edge>) -> Vec<Vec<Module>> {
    let reach = |start: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![start.clone()]);
        while let Some(module) = open.pop() {
            for (_, to) in edges.iter().filter(|(from, _)| *from == module) {
                if seen.insert(to.clone()) {
                    open.push(to.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<Module, BTreeSet<Module>> =
        edges.iter().map(|(from, _)| (from.clone(), reach(from))).collect();
    let mut circles: Vec<Vec<Module>> = Vec::new();
    for (module, to) in reached.iter().filter(|(module, to)| to.contains(*module)) {
        if !circles.iter().any(|circle| circle.contains(module)) {
            let together =
                to.iter().filter(|other| reached.get(*other).is_some_and(|back| back.contains(module)));
            circles.push(together.cloned().collect());
        }
    }
    circles
}

impl File {
    /// Takes in the items of a file, or of a module inside it.
    fn take(&mut self, items: &[Item]) {
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Use(item) => {
                    let exported = !matches!(item.vis, syn::Visibility::Inherited);
                    self.take_use(&item.tree, &mut Vec::new(), exported);
                }
                Item::Mod(item) => {
                    if let Some((_, inner)) = &item.content {
                        self.take(inner);
                    }
                }
                _ => {
                    self.items.extend(name_of(item));
                    Paths(&mut self.paths).visit_item(item);
                }
            }
        }
    }

    fn take_use(&mut self, tree: &UseTree, before: &mut Vec<String>, exported: bool) {
        let mut alias = |name: String, path: Vec<String>| {
            if exported {
                self.exports.insert(path.clone());
            }
            self.aliases.insert(name, path);
        };
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.take_use(&path.tree, before, exported);
                before.pop();
            }
            UseTree::Name(name) if name.ident == "self" => {
                alias(before.last().cloned().unwrap_or_default(), before.clone());
            }
            UseTree::Name(name) => {
                alias(name.ident.to_string(), [&before[..], &[name.ident.to_string()]].concat());
            }
            UseTree::Rename(rename) => {
                let path = if rename.ident == "self" {
                    before.clone()
                } else {
                    [&before[..], &[rename.ident.to_string()]].concat()
                };
                alias(rename.rename.to_string(), path);
            }
            UseTree::Glob(_) => self.globs.push(before.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.take_use(tree, before, exported);
                }
            }
        }
    }
}

/// Collects the paths of an item, also those inside macros.
struct Paths<'a>(&'a mut BTreeSet<Vec<String>>);

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if segments.len() > 1 {
            self.0.insert(segments);
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.tokens(call.tokens.clone());
        visit::visit_macro(self, call);
    }

    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }
}

impl Paths<'_> {
    /// `a::b::c` among tokens that are no syntax yet.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.end(&mut path);
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.end(&mut path);
                    self.tokens(group.stream());
                    colons = 0;
                }
                _ => {
                    self.end(&mut path);
                    colons = 0;
                }
            }
        }
        self.end(&mut path);
    }

    fn end(&mut self, path: &mut Vec<String>) {
        let path = std::mem::take(path);
        if path.len() > 1 {
            self.0.insert(path);
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let syn::Meta::List(list) = &attribute.meta else { return false };
        let condition = list.tokens.to_string();
        list.path.is_ident("cfg")
            && (condition == "test"
                || condition.starts_with("all (test")
                || condition.starts_with("all(test"))
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name_of(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of three files, of which two import each other, one of them through a re-export.
    #[test]
    fn imports_are_followed_to_the_file_that_has_the_item() {
        let folder = std::env::temp_dir().join(format!("cotask-layers-{}", std::process::id()));
        fs::create_dir_all(folder.join("room")).unwrap();
        for (name, text) in [
            ("lib.rs", "mod door; mod room;"),
            ("door.rs", "use crate::room::{self, Table}; pub struct Door(Table); fn f() { room::sit() }"),
            ("room/mod.rs", "mod table; pub use table::Table; pub fn sit() {}"),
            (
                "room/table.rs",
                "pub struct Table; #[cfg(test)] mod tests { use crate::nothing::At; }\nfn g() { assert!(crate::door::Door::is_shut()) }",
            ),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        let edges = Imports::read(&folder).unwrap().edges();
        fs::remove_dir_all(&folder).unwrap();
        let shown: Vec<_> =
            edges.iter().map(|(from, to)| format!("{} {}", from.join("/"), to.join("/"))).collect();
        assert_eq!(shown, ["door room", "door room/table", "room/table door"]);
        let circle: Vec<_> = circles(&edges).concat().iter().map(|module| module.join("/")).collect();
        assert_eq!(circle, ["door", "room/table"]);
    }
}
