//! What a simulation takes of the machine.

use cotask::net::{TcpListener, TcpStream};
use cotask::sim::Simulation;

use crate::alone::alone;
use crate::open::descriptors;

fn descriptors_and_threads() -> (usize, usize) {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux lists threads").count();
    (descriptors(), threads)
}

#[test]
fn a_simulation_takes_no_descriptor_and_no_thread() {
    alone("machine::a_simulation_takes_no_descriptor_and_no_thread", || {
        let before = descriptors_and_threads();
        let report = Simulation::builder().build().run(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            cotask::spawn_blocking(|| ()).await.unwrap();
            let within = descriptors_and_threads();
            drop((client, server));
            within
        });
        assert_eq!(report.result.unwrap(), before);
    });
}
