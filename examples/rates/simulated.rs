//! rates in a simulation: every rate comes, once and right, however often it must be asked for.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use cotask::net::lookup_host;
use cotask::sim::{self, random};
use cotask::time::sleep;
use indicatif::ProgressBar;

use super::protocol::{Pair, Quote};
use super::server::{Market, serve_all};
use super::{Job, coroutines};
use crate::common::{Backoff, bind};

const DESKS: [&str; 3] = ["ann", "bob", "cid"];
/// Between two attempts for the same rate.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

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
    let job = job(1).await.expect("the market has an address");
    let error = fetch_together(&job, attempts).await.err().expect("no program listens");
    (sim::elapsed(), format!("{error:#}"))
}

async fn job(pairs: u32) -> Result<Arc<Job>> {
    Ok(Arc::new(Job {
        server: lookup_host("market:80").await?[0],
        pairs,
        workers: 0,
        timeout: Duration::from_secs(1),
        started: Instant::now(),
        progress: ProgressBar::hidden(),
    }))
}

async fn fetch(market: &Market, pairs: u32) -> Result<()> {
    let job = job(pairs).await?;
    let quotes = fetch_together(&job, u32::MAX).await?;
    let prices = |pair: Pair| (pair, market.price(pair));
    assert!(
        quotes.iter().map(|quote| (quote.pair, quote.price)).eq(job.pairs().map(prices)),
        "the quotes are not those that were asked for, each once"
    );
    Ok(())
}

async fn fetch_together(job: &Arc<Job>, attempts: u32) -> Result<Vec<Quote>> {
    let fetched = job.pairs().map(|pair| cotask::spawn(fetch_patiently(job.clone(), pair, attempts)));
    let tasks: Vec<_> = fetched.collect();
    let mut quotes = Vec::with_capacity(tasks.len());
    for task in tasks {
        quotes.push(task.await??);
    }
    Ok(quotes)
}

/// Asks again after an error, up to `attempts` times. To ask twice does no harm: the market's state does not change.
async fn fetch_patiently(job: Arc<Job>, pair: Pair, attempts: u32) -> Result<Quote> {
    let mut backoff = Backoff::new(FIRST_PAUSE, LONGEST_PAUSE);
    for _ in 1..attempts {
        match coroutines::fetch(job.clone(), pair).await {
            Ok(quote) => return Ok(quote),
            Err(_) => sleep(backoff.pause(random())).await,
        }
    }
    coroutines::fetch(job, pair).await
}
