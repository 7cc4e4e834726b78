//! webapp in a simulation: every visitor sees their own page in the end, and no visitor ever another one.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use anyhow::Result;
use cotask::net::lookup_host;
use cotask::sim::{self, random};
use cotask::time::sleep;

use super::database::{self, Speed};
use super::visitors::{Args, Crowd, Seen, Wrong, fetch};
use super::{Site, coroutines};
use crate::common::{Backoff, bind};

const VISITORS: [&str; 3] = ["ann", "bob", "cid"];
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The program of the simulation: a database, a web server, and hosts from each of which `visits` visitors come, with
/// `pause` between two of them.
pub(crate) async fn run(visits: u64, pause: Duration) {
    sim::host("database", || async {
        let (latency, slow) = (Duration::from_millis(5), Duration::from_millis(500));
        let speed = Speed { latency, slow, slow_percent: 5 };
        database::serve_all(bind("0.0.0.0:80").await, speed).await
    });
    sim::host("web", || async {
        let database = lookup_host("database:80").await?[0];
        let site = Site { database, patience: Duration::from_millis(50), workers: 0, at_once: 2 };
        coroutines::serve_all(site, bind("0.0.0.0:80").await).await
    });
    let visitors = [0, 1, 2].map(|number: usize| {
        let first = number as u64 * visits;
        let next = Rc::new(Cell::new(first));
        sim::host(VISITORS[number], move || visit(Rc::clone(&next), first + visits, pause))
    });
    for visitor in visitors {
        visitor.done().await.expect("only a fault ends a client early");
    }
}

async fn visit(next: Rc<Cell<u64>>, end: u64, pause: Duration) -> Result<()> {
    let address = lookup_host("web:80").await?[0];
    let crowd = Crowd { rate: 1, visits: 1, timeout: Duration::from_secs(2) };
    let args = Args { address, crowd, on_command: false };
    let patient = || Backoff::new(Duration::from_millis(200), LONGEST_PAUSE);
    let mut backoff = patient();
    while next.get() < end {
        match fetch(&args, next.get()).await {
            Ok(Seen::Page { .. }) => {
                next.set(next.get() + 1);
                backoff = patient();
                sleep(pause).await;
            }
            Err(error) if error.is::<Wrong>() => panic!("{error:#}"),
            Ok(Seen::Busy) | Err(_) => sleep(backoff.pause(random())).await,
        }
    }
    Ok(())
}
