//! What the tests of the guests share. Each test program uses its own part of it.
#![allow(dead_code)]

#[path = "../../../process/open.rs"]
mod open;

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::mpsc;
use std::sync::{Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use cotask::{Handle, Runtime, yield_now};
use ecosystem::on_cotask::http::{Gate, Server, Version, answer};
use ecosystem::servers::{self, Kind};
use hyper::service::service_fn;
pub use open::descriptors;

/// Longer than anything here takes.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Tests that count descriptors, which belong to the process, run one at a time.
pub fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Runs `work` on a runtime, and checks that all its tasks then end and all its descriptors are closed.
pub fn leaves_nothing<T>(work: impl AsyncFnOnce() -> T) -> T {
    let before = descriptors();
    let runtime = Runtime::new().expect("a runtime");
    let output = runtime.block_on(async {
        let tasks = runtime.tasks();
        let output = work().await;
        let ended = cotask::time::timeout(PATIENCE, async {
            while runtime.tasks() > tasks {
                yield_now().await;
            }
        });
        assert!(ended.await.is_ok(), "{} tasks are left, {tasks} were there before", runtime.tasks());
        output
    });
    drop(runtime);
    assert_eq!(descriptors(), before, "descriptors after and before");
    output
}

/// Reports that something was not tested. It bypasses the test harness, which hides the output of a test that passes.
pub fn skipped(what: &str, why: &str) {
    let _ = writeln!(std::io::stderr().lock(), "SKIPPED {what}: {why}");
}

/// Returns the path of a program, if it is installed.
pub fn installed(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Runs an example of this package, and returns what it printed.
pub fn example(name: &str, arguments: &[&str]) -> String {
    // TARGET/debug/deps/NAME-0123456789abcdef
    let test = std::env::current_exe().expect("this test");
    let program = test.ancestors().nth(2).expect("a target directory").join("examples").join(name);
    // `cargo test` has built it, but not `cargo test --test NAME`.
    if !program.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", "ecosystem", "--example", name]);
        build.args((!cfg!(debug_assertions)).then_some("--release"));
        assert!(build.status().expect("cargo starts").success(), "the example {name} does not build");
    }
    run(&program, arguments)
}

/// Runs a program, which must succeed, and returns what it printed.
pub fn run(program: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } =
        Command::new(program).args(arguments).output().expect("it starts");
    let text = String::from_utf8_lossy(&stdout).into_owned();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{} {arguments:?}: {status}\n{text}\n{errors}", program.display());
    text
}

/// Starts a real server, if it is installed.
pub fn server(kind: Kind) -> Option<servers::Server> {
    if kind.installed().is_none() {
        skipped(kind.package(), "it is not installed");
        return None;
    }
    Some(servers::Server::start(kind).expect("it starts where it is installed"))
}

/// A server on a thread and a runtime of its own, for clients that are other programs. Dropping it ends it.
pub struct Background {
    pub address: SocketAddr,
    handle: Handle,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Background {
    pub fn serve(version: Version) -> Background {
        let (announce, announced) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = Runtime::new().expect("a runtime");
            let (told, mut heard) = futures::channel::mpsc::unbounded();
            let server = runtime.block_on(Server::bind("127.0.0.1:0", version)).expect("a server");
            let address = server.address().expect("an address");
            announce.send((address, runtime.handle())).expect("the test waits for it");
            let service = service_fn(|request| answer(request, Gate::default()));
            runtime.spawn(server.serve(service, std::future::pending::<()>(), told));
            runtime.run();
            drop(runtime);
            std::iter::from_fn(|| heard.try_recv().ok()).collect()
        });
        let (address, handle) = announced.recv().expect("the server starts");
        Background { address, handle, thread: Some(thread) }
    }

    /// Ends the server, and returns the errors that it reported.
    pub fn end(mut self) -> Vec<String> {
        self.handle.shutdown();
        self.thread.take().expect("it ends once").join().expect("the server's thread")
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.handle.shutdown();
        if let Some(thread) = self.thread.take() {
            // A test that fails has more to say than its server.
            let _ = thread.join();
        }
    }
}
