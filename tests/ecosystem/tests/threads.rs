//! Guests made for other runtimes start no part of those runtimes in secret.

mod support;

use std::collections::BTreeSet;

use ecosystem::on_cotask::{cache, database};
use ecosystem::servers::Kind;
use support::server;

/// The names of this process's threads.
fn threads() -> BTreeSet<String> {
    let threads = std::fs::read_dir("/proc/self/task").expect("/proc").flatten();
    // A thread may end while we look.
    threads.flat_map(|thread| std::fs::read_to_string(thread.path().join("comm"))).collect()
}

/// tokio names its threads after itself, and smol's timers run on a thread `async-io`. This test program runs nothing on
/// tokio: what is started there stays for as long as the process does.
#[test]
fn redis_and_tokio_postgres_start_no_thread() {
    let before = threads();
    if let Some(server) = server(Kind::Redis) {
        cotask::block_on(cache::tour(server.address())).unwrap();
    }
    if let Some(server) = server(Kind::PostgreSql) {
        cotask::block_on(database::tour(server.address())).unwrap();
    }
    assert_eq!(threads(), before);
}
