//! Alone in its process: what a simulation takes of the machine is counted.
#![cfg(target_os = "linux")]

use cotask::net::{TcpListener, TcpStream};
use cotask::sim::Simulation;

fn files_and_threads() -> (usize, usize) {
    let count = |folder| std::fs::read_dir(folder).expect("Linux tells").count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[test]
fn a_simulation_takes_no_descriptor_and_no_thread() {
    let before = files_and_threads();
    let report = Simulation::builder().build().run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, _) = listener.accept().await.unwrap();
        cotask::spawn_blocking(|| ()).await.unwrap();
        let within = files_and_threads();
        drop((client, server));
        within
    });
    assert_eq!(report.result.unwrap(), before);
}
