//! Models of everything that crosses threads, explored by loom under every interleaving. Run them with
//! `cargo loom`.
//!
//! ```text
//! cargo loom                    all models and all mutants
//! cargo loom mpsc               those with "mpsc" in their name
//! cargo loom museum             the exhibits of tests/museum
//! cargo loom exercise           how far you are with tests/exercises; with a NAME, what comes next (another program)
//! cargo loom --no-mutants       the models only
//! cargo loom --list             what there is
//! cargo loom --picture inbox/no_write_to_the_eventfd
//!                               how the model of that name fails with that mutant
//! cargo loom --help             all that it can be asked
//! ```
//! The command is the small package `tests/cargo-loom`, which builds this program and runs it.
//!
//! A model alone proves little: it may miss what it is meant to find. So each has **mutants**, named
//! weakenings of the code (a wake left out, a check outside of the lock), and must fail for every one of
//! them. Mutants are texts replaced in a copy of the sources; the sources themselves stay clean. When a
//! text is no longer found, that is an error.
//!
//! # A failure
//!
//! The execution that fails is printed as swim lanes: one column per thread, one row per step, with the value read
//! and the thread that wrote it. The same as a page and as a drawing stand in `target/loom/pictures`. The last
//! line printed is a command that runs that one execution again.
//!
//! # To add a model
//!
//! Copy the shortest file beside this one, `mutex.rs`, change it, and name it in [`models`]. Then:
//!
//! - two or three threads, one or two operations each: the executions multiply;
//! - only types of the kit and of `interleave`, which are loom's with a memory. What is not loom's (a `std`
//!   atomic, a thread-local) it cannot interleave, and what stays from one execution to the next breaks the exploration;
//! - wait with `interleave::future::block_on`, never in a loop. A loop that does nothing never ends under a
//!   scheduler that may choose the other thread forever;
//! - data whose *visibility* matters goes through an atomic with `Relaxed`: then only the kit can have
//!   ordered it;
//! - mind what loom gets wrong: `limits.rs`. Use `fence(SeqCst)`, not `SeqCst` accesses; take a lock of your own with a
//!   compare-exchange, not a swap; yield under a lock that another thread tries;
//! - internals are reachable through `cotask::inside`, which exists in this build only;
//! - first write the mutant, and see the model fail.
//!
//! A model of code that is not the kit's (an exhibit, an exercise) stands beside it in one file: the right
//! version is the `body`, each broken one a `Mutant::Body`. See `orderings.rs`.

#[macro_use]
#[path = "../../examples/common/print.rs"]
mod print;
#[cfg(cotask_loom)]
mod answer;
#[cfg(cotask_loom)]
mod blocking;
#[cfg(cotask_loom)]
#[path = "../cargo-loom/src/built.rs"]
mod built;
#[cfg(cotask_loom)]
mod command_line;
#[cfg(cotask_loom)]
mod cores;
/// The exercises of `tests/exercises`: of each the answer, with the version to begin with as its mutant.
#[cfg(cotask_loom)]
#[path = "../exercises/exercises.rs"]
mod exercises;
#[cfg(cotask_loom)]
mod fairness;
#[cfg(cotask_loom)]
mod handle;
#[cfg(cotask_loom)]
mod inbox;
#[cfg(cotask_loom)]
mod limits;
#[allow(dead_code, reason = "the program of the exercises uses the rest")]
#[cfg(cotask_loom)]
mod model;
#[cfg(cotask_loom)]
mod mpsc;
/// The exhibits of `tests/museum`, each a model whose broken versions are its mutants.
#[cfg(cotask_loom)]
#[allow(dead_code, reason = "what some of them do without threads is for `cargo test` and tests/tools")]
#[path = "../museum/exhibits.rs"]
mod museum;
#[cfg(cotask_loom)]
mod mutants;
#[cfg(cotask_loom)]
mod mutex;
#[cfg(cotask_loom)]
mod notify;
#[cfg(cotask_loom)]
mod oneshot;
#[cfg(cotask_loom)]
mod orderings;
#[cfg(cotask_loom)]
mod process;
#[cfg(cotask_loom)]
mod runner;
#[cfg(cotask_loom)]
mod semaphore;
#[cfg(cotask_loom)]
mod table;

/// Every model, in the order of the table.
#[cfg(cotask_loom)]
fn models() -> Vec<&'static model::Model> {
    [
        orderings::MODELS,
        limits::MODELS,
        inbox::MODELS,
        handle::MODELS,
        cores::MODELS,
        oneshot::MODELS,
        mpsc::MODELS,
        semaphore::MODELS,
        mutex::MODELS,
        notify::MODELS,
        fairness::MODELS,
        blocking::MODELS,
        museum::MODELS,
        &exercises::EXERCISES.iter().map(|exercise| &exercise.check).collect::<Vec<_>>(),
    ]
    .concat()
}

#[cfg(cotask_loom)]
fn main() -> std::process::ExitCode {
    runner::main(&models())
}

#[cfg(not(cotask_loom))]
fn main() {
    // A test runner that asks for a list finds no tests.
    if !std::env::args().any(|argument| argument == "--list") {
        println!("loom: no model in this build: run `cargo loom`");
    }
}
