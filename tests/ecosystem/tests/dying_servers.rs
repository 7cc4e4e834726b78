//! A server dies while it is in use: the calls that wait for it fail, other clients are served, and nothing is left.

mod support;

use cotask::spawn;
use cotask::time::timeout;
use ecosystem::on_cotask::http::{Gate, Server, Version, answer};
use ecosystem::on_cotask::http_client::{ask, get};
use ecosystem::servers::Kind;
use ecosystem::{on_cotask, on_tokio};
use futures::channel::{mpsc, oneshot};
use hyper::StatusCode;
use hyper::service::service_fn;
use support::{PATIENCE, alone, example, leaves_nothing, server};

/// Runs `work` beside a hyper server that answers another client all the while.
fn beside_others<T>(work: impl AsyncFnOnce() -> T) -> T {
    leaves_nothing(async || {
        let server = Server::bind("127.0.0.1:0", Version::Http1).await.unwrap();
        let address = server.address().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let (told, _) = mpsc::unbounded();
        let server =
            spawn(server.serve(service_fn(|request| answer(request, Gate::default())), stopped, told));
        let (enough, mut is_enough) = oneshot::channel::<()>();
        let others = spawn(async move {
            let mut served = 0;
            while is_enough.try_recv().is_ok() {
                let answers = ask(address, [get("/hello").unwrap()]).await.unwrap();
                assert_eq!(answers[0].0, StatusCode::OK);
                served += 1;
            }
            served
        });

        let output = timeout(PATIENCE, work()).await.expect("nothing hangs");
        drop(enough);
        assert!(others.await.unwrap() > 0, "the others are served");
        drop(stop);
        server.await.unwrap();
        output
    })
}

/// Runs a program whose server dies, on both hosts. Returns what it reports, which must be the same.
macro_rules! dies {
    ($program:ident, $kind:expr) => {{
        let _alone = alone();
        let Some(mut dying) = server($kind) else { return };
        let address = dying.address();
        let ours = beside_others(async || {
            on_cotask::$program::tour(address).await?;
            on_cotask::$program::orphaned(address, || dying.stop()).await
        });
        let mut dying = server($kind).expect("it is installed");
        let address = dying.address();
        let theirs = on_tokio::host::block_on(async {
            let told = on_tokio::$program::orphaned(address, || dying.stop());
            on_tokio::host::timeout(PATIENCE, told).await.expect("nothing hangs")
        });
        let ours = ours.expect("on cotask");
        assert_eq!(ours, theirs.expect("on tokio"), "cotask and tokio report the same");
        ours
    }};
}

#[test]
fn redis_is_killed() {
    let told = dies!(cache, Kind::Redis);
    assert_eq!(told, ["20 calls failed, and one that came late"]);
}

#[test]
fn postgresql_is_stopped() {
    let told = dies!(database, Kind::PostgreSql);
    let stopped = "57P01 terminating connection due to administrator command";
    assert_eq!(told, [stopped, "connection closed", "connection closed"]);
}

#[test]
fn rabbitmq_is_killed() {
    let told = dies!(work, Kind::RabbitMq);
    assert_eq!(told, ["5 publishers failed, and one worker that waited"]);
}

/// The workers are processes, of which the example kills one.
#[test]
fn a_worker_of_rabbitmq_is_killed() {
    // The others count descriptors, and this one opens some.
    let _alone = alone();
    let Some(server) = server(Kind::RabbitMq) else { return };
    let told = example("work_rabbitmq", &["--jobs", "2000", "--address", &server.address().to_string()]);
    let lines: Vec<&str> = told.lines().collect();
    let [published, killed, first, second, third, done] = lines[..] else { panic!("{told}") };
    assert_eq!(published, "2000 jobs are published, and the broker has confirmed each");
    assert_eq!(killed, "worker 1 hangs after 5 jobs, and is killed");
    assert_eq!(first, "worker 1: 5 jobs, 0 of which another had before; signal: 9 (SIGKILL)");
    assert!([second, third].iter().all(|line| line.ends_with("exit status: 0")), "{told}");
    assert!(done.starts_with("2000 jobs are done, "), "{told}");
    let again = |line: &str| line.split(' ').nth(4).and_then(|word| word.parse::<u32>().ok());
    // Worker 1 did five of the first ten jobs that it was dealt; for each acknowledged job it was dealt one more.
    let again = again(second).expect(second) + again(third).expect(third);
    assert!((5..=10).contains(&again), "{told}");
}
