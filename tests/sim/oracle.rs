//! The oracle can fail: for each invariant that it knows, a run that broke it would be found.

use std::time::Duration;

use cotask::Builder;
use cotask::sim::Oracle;
use cotask::trace::{Actor, Event, Outcome, Record};
use futures::{AsyncReadExt, AsyncWriteExt};

/// A run with timers, sockets, channels, an abort and a task that yields often, and that is as it should be.
fn good() -> Vec<Record> {
    let runtime = Builder::new().trace(100_000).build().unwrap();
    runtime.block_on(async {
        drop(cotask::spawn_named("once", async {}));
        cotask::spawn(async {
            for _ in 0..2_000 {
                cotask::yield_now().await;
            }
        })
        .await
        .unwrap();
        let listener = cotask::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = cotask::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_exact(&mut [0; 3]).await.unwrap();
        });
        let mut client = cotask::net::TcpStream::connect(address).await.unwrap();
        cotask::time::sleep(Duration::from_millis(2)).await;
        client.write_all(b"abc").await.unwrap();
        server.await.unwrap();
        let (sender, mut receiver) = cotask::sync::mpsc::channel(2);
        sender.send(1).await.unwrap();
        assert_eq!(receiver.recv().await, Some(1));
        let hangs = cotask::spawn(std::future::pending::<()>());
        cotask::yield_now().await;
        hangs.abort();
        hangs.await.unwrap_err();
    });
    runtime.take_trace().records
}

fn place(records: &[Record], what: impl Fn(&Event) -> bool) -> usize {
    records.iter().rposition(|record| what(&record.event)).expect("the run has such an event")
}

/// The number of the invariant that a run breaks which was made out of a good one.
fn broken(change: impl FnOnce(&mut Vec<Record>)) -> Option<u8> {
    let mut records = good();
    assert_eq!(Oracle::check(&records), Ok(()));
    change(&mut records);
    Oracle::check(&records).expect_err("the fault is not seen").invariant
}

fn again(records: &mut Vec<Record>, place: usize) {
    records.insert(place, records[place].clone());
}

#[test]
fn a_task_that_is_queued_twice_breaks_1() {
    let scheduled = |event: &Event| matches!(event, Event::Scheduled { by: Actor::Timer, .. });
    assert_eq!(broken(|run| again(run, place(run, scheduled))), Some(1));
}

#[test]
fn a_wake_in_a_poll_that_is_forgotten_breaks_2() {
    let forgotten = |run: &mut Vec<Record>| {
        let yielded =
            |event: &Event| matches!(event, Event::Scheduled { task, by: Actor::Task(by) } if task == by);
        // Behind the end of that poll.
        let place = place(run, yielded) + 2;
        let at = run[place].at;
        run.insert(place, Record { at, event: Event::Parked { at_most: None } });
    };
    assert_eq!(broken(forgotten), Some(2));
}

#[test]
fn a_poll_after_the_end_breaks_3() {
    let polled_again = |run: &mut Vec<Record>| {
        let ended = |event: &Event| matches!(event, Event::PollEnded { outcome: Outcome::Finished, .. });
        let place = place(run, ended);
        let Event::PollEnded { task, .. } = run[place].event else { unreachable!() };
        let at = run[place].at;
        run.insert(place + 1, Record { at, event: Event::PollBegan { task } });
    };
    assert_eq!(broken(polled_again), Some(3));
}

#[test]
fn a_poll_without_a_wake_breaks_4() {
    let scheduled = |event: &Event| matches!(event, Event::Scheduled { by: Actor::Timer, .. });
    assert_eq!(broken(|run| drop(run.remove(place(run, scheduled)))), Some(4));
}

#[test]
fn a_socket_that_wakes_somebody_else_breaks_5() {
    let somebody_else = |run: &mut Vec<Record>| {
        let by_socket = |event: &Event| matches!(event, Event::Scheduled { by: Actor::Reactor, .. });
        let place = place(run, by_socket);
        let Event::Scheduled { task: woken, .. } = run[place].event else { unreachable!() };
        let mut others = run.iter().filter_map(|record| match record.event {
            Event::Spawned { task, .. } if task != woken => Some(task),
            _ => None,
        });
        let task = others.next_back().unwrap();
        run[place].event = Event::Scheduled { task, by: Actor::Reactor };
    };
    assert_eq!(broken(somebody_else), Some(5));
}

#[test]
fn to_sleep_while_somebody_is_runnable_breaks_6() {
    let asleep = |run: &mut Vec<Record>| {
        let place = place(run, |event| matches!(event, Event::Scheduled { by: Actor::Timer, .. }));
        let at = run[place].at;
        run.insert(place + 1, Record { at, event: Event::Parked { at_most: None } });
    };
    assert_eq!(broken(asleep), Some(6));
}

#[test]
fn to_wake_again_and_again_for_nothing_breaks_6() {
    let spinning = |run: &mut Vec<Record>| {
        let at = run.last().unwrap().at;
        for _ in 0..200 {
            run.push(Record { at, event: Event::Parked { at_most: None } });
            run.push(Record { at, event: Event::Unparked });
        }
    };
    assert_eq!(broken(spinning), Some(6));
}

#[test]
fn a_task_that_is_passed_over_breaks_7() {
    let passed_over = |run: &mut Vec<Record>| {
        let once = run.iter().find_map(|record| match &record.event {
            Event::Spawned { task, name: Some(name), .. } if &**name == "once" => Some(*task),
            _ => None,
        });
        let (its, mut rest): (Vec<Record>, Vec<Record>) = run.drain(..).partition(|record| {
            matches!(record.event, Event::PollBegan { task } | Event::PollEnded { task, .. } if Some(task) == once)
        });
        assert_eq!(its.len(), 2);
        // After the many polls of the task that yields, and before the first sleep.
        let place = rest.iter().position(|record| matches!(record.event, Event::Parked { .. })).unwrap();
        let at = rest[place].at;
        rest.splice(place..place, its.into_iter().map(|Record { event, .. }| Record { at, event }));
        *run = rest;
    };
    assert_eq!(broken(passed_over), Some(7));
}

#[test]
fn a_value_that_is_lost_breaks_9() {
    assert_eq!(
        broken(|run| drop(run.remove(place(run, |event| matches!(event, Event::Sent { .. }))))),
        Some(9)
    );
}

#[test]
fn a_socket_that_is_closed_twice_or_never_breaks_10() {
    let closed = |event: &Event| matches!(event, Event::SocketClosed { .. });
    assert_eq!(broken(|run| again(run, place(run, closed))), Some(10));
    let mut oracle = Oracle::new();
    let mut records = good();
    records.remove(place(&records, closed));
    records.iter().try_for_each(|record| oracle.see(record.at, &record.event)).unwrap();
    assert_eq!(oracle.end_of_runtime().unwrap_err().invariant, Some(10));
}

#[test]
fn a_timer_that_is_early_breaks_11() {
    let early = |run: &mut Vec<Record>| {
        let place = place(run, |event| matches!(event, Event::TimerSet { .. }));
        let Event::TimerSet { deadline, .. } = &mut run[place].event else { unreachable!() };
        *deadline += Duration::from_secs(60);
    };
    assert_eq!(broken(early), Some(11));
}

#[test]
fn a_task_that_goes_on_when_it_is_aborted_breaks_12() {
    let goes_on = |run: &mut Vec<Record>| {
        let aborted = |event: &Event| matches!(event, Event::PollEnded { outcome: Outcome::Aborted, .. });
        let place = place(run, aborted);
        let Event::PollEnded { outcome, .. } = &mut run[place].event else { unreachable!() };
        *outcome = Outcome::Pending;
    };
    assert_eq!(broken(goes_on), Some(12));
}
