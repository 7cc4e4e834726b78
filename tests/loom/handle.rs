//! A model of `Handle`: another thread spawns and joins while the runtime ends.

use cotask::inside::{Inbox, handle};
use loom::sync::Arc;
use loom::thread;

use crate::model::{Model, Mutant};

pub const MODELS: &[&Model] = &[&SPAWN_AGAINST_THE_END];

static SPAWN_AGAINST_THE_END: Model = Model {
    name: "handle",
    about: "a task spawned from another thread while the runtime ends: whoever joins it is always told",
    invariants: &[10],
    bound: Some(3),
    body: || {
        let inbox = Arc::new(Inbox::new(Box::new(|| ())));
        let theirs = handle(inbox.clone());
        let joining = thread::spawn(move || {
            let error = theirs.spawn(|| async {}).join().unwrap_err();
            assert!(error.is_cancelled());
        });
        drop(inbox.close());
        joining.join().unwrap();
    },
    mutants: &[
        Mutant::Source {
            name: "nothing_is_refused",
            file: "src/inbox.rs",
            from: "        if state.closed {\n            return;\n        }\n",
            to: "",
        },
        Mutant::Source {
            name: "what_is_left_is_forgotten",
            file: "src/inbox.rs",
            from: "        state.closed = true;\n        mem::take(&mut state.mail)",
            to: "        state.closed = true;\n        mem::forget(mem::take(&mut state.mail));\n        Mail::default()",
        },
    ],
};
