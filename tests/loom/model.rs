//! What a model is, and how one is explored.

/// A small concurrent program, whose every interleaving must keep what it asserts.
pub struct Model {
    /// What `cargo loom NAME` calls it.
    pub name: &'static str,
    /// What it proves, in one line.
    pub about: &'static str,
    /// The numbers of the crate's invariants that it holds up.
    pub invariants: &'static [u8],
    /// How often a thread may be interrupted where it could have gone on; `None` explores everything. Real
    /// bugs need two or three such switches; each more multiplies the executions.
    pub bound: Option<usize>,
    /// The program. It runs once for each interleaving, so it makes all that it uses anew, through loom's
    /// types.
    pub body: fn(),
    /// Weakenings that this model must notice. A model that none breaks proves nothing.
    pub mutants: &'static [Mutant],
}

/// A weakening that a model must notice: by a failed assertion, a deadlock, or no end.
pub enum Mutant {
    /// Text of the kit's source, which must stand in `file` exactly once, replaced. The kit is copied for
    /// it, so that the sources themselves know nothing of mutants.
    Source { name: &'static str, file: &'static str, from: &'static str, to: &'static str },
    /// The same program over something broken: for code that stands beside the model, not in the kit.
    Body { name: &'static str, body: fn() },
}

impl Mutant {
    /// What the mutant is called.
    pub fn name(&self) -> &'static str {
        match self {
            Mutant::Source { name, .. } | Mutant::Body { name, .. } => name,
        }
    }
}

/// A broken primitive of `tests/exercises`, whose model the reader writes.
pub struct Exercise {
    /// The hidden model, with the answer's version and, as its mutant, the one that the reader began with.
    pub check: Model,
    /// For a reader whose model finds nothing.
    pub hint: &'static str,
    /// What is run to see how far the reader is, in the order of [`Stage`].
    pub stages: [fn(); 4],
}

/// What is run over which version.
#[derive(Clone, Copy)]
pub enum Stage {
    /// The reader's model over the version they began with: it must fail.
    Starter,
    /// The reader's model over the answer: it must hold.
    Solution,
    /// The reader's model over the reader's version.
    Mine,
    /// The hidden model over the reader's version.
    Check,
}

impl Exercise {
    /// What the reader calls it.
    pub fn name(&self) -> &'static str {
        self.check.name.trim_start_matches("exercise_")
    }
}

/// What a process that explored a model completely prints, before the number.
#[cfg(cotask_loom)]
pub const EXPLORED: &str = "explored completely, executions: ";

/// Explores `body` completely, in this process. Returns whether every interleaving passes. Reports the first that
/// fails: in full, with its picture under the name `called` and the command that shows it `again`, or in one line
/// if `quiet`.
#[cfg(cotask_loom)]
pub fn explore(called: &str, again: String, bound: Option<usize>, quiet: bool, body: fn()) -> bool {
    let model = interleave::Model::new(called).preemption_bound(bound).replayed_by(again);
    let result = if quiet { model.recording(false).explore(body) } else { model.explore_and_tell(body) };
    match result {
        Ok(explored) => println!("{EXPLORED}{}", explored.executions),
        Err(ref failure) if quiet => eprintln!("{failure}"),
        Err(_) => {}
    }
    result.is_ok()
}
