//! rates in a simulation: every rate comes, once and right, however often it must be asked for.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use cotask::net::lookup_host;
use cotask::sim;
use cotask::time::sleep;
use indicatif::ProgressBar;

use super::protocol::Pair;
use super::server::{Market, serve_all};
use super::{Job, coroutines};
use crate::common::bind;

const DESKS: [&str; 3] = ["ann", "bob", "cid"];

/// The program of the simulation: a quote server, and desks that want `pairs` rates so many times, with such a pause.
pub(crate) async fn run(rounds: u32, pairs: u32, pause: Duration) {
    let market = Market { latency: Duration::from_millis(50), jitter: Duration::from_millis(20), seed: 1 };
    let quotes = market.clone();
    sim::host("market", move || {
        let market = quotes.clone();
        async move { serve_all(bind("0.0.0.0:80").await, market).await }
    });
    let desks = DESKS.map(|name| {
        let (market, done) = (market.clone(), Rc::new(Cell::new(0)));
        sim::host(name, move || {
            let (market, done) = (market.clone(), Rc::clone(&done));
            async move {
                while done.get() < rounds {
                    fetch(&market, pairs).await?;
                    done.set(done.get() + 1);
                    sleep(pause).await;
                }
                anyhow::Ok(())
            }
        })
    });
    for desk in desks {
        desk.done().await.expect("only a fault ends a client early");
    }
}

/// Returns how long a client tries for a rate from a market that does not listen, and its error message.
pub(crate) async fn give_up(attempts: u32) -> (Duration, String) {
    sim::host("market", std::future::pending::<()>);
    let job = job(1, attempts).await.expect("the market has an address");
    let error = coroutines::fetch_together(&job).await.err().expect("nobody listens");
    (sim::elapsed(), format!("{error:#}"))
}

async fn job(pairs: u32, attempts: u32) -> Result<Arc<Job>> {
    Ok(Arc::new(Job {
        server: lookup_host("market:80").await?[0],
        pairs,
        workers: 0,
        timeout: Duration::from_secs(1),
        attempts,
        started: Instant::now(),
        progress: ProgressBar::hidden(),
    }))
}

async fn fetch(market: &Market, pairs: u32) -> Result<()> {
    let job = job(pairs, u32::MAX).await?;
    let quotes = coroutines::fetch_together(&job).await?;
    let prices = |pair: Pair| (pair, market.price(pair));
    assert!(
        quotes.iter().map(|quote| (quote.pair, quote.price)).eq(job.pairs().map(prices)),
        "the quotes are not those that were asked for, each once"
    );
    Ok(())
}
