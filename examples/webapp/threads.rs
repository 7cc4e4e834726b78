//! A thread for each visitor, and one more for each query that need not wait for another.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, Builder};

use anyhow::{Context, Result};

use super::Site;
use super::protocol::{Page, Query, busy};
use super::sequential::{ask, handle};
use crate::common::accept_blocking;

pub(super) fn serve(site: &Site, listener: &TcpListener) -> Result<()> {
    let visitors = Arc::new(AtomicU32::new(0));
    loop {
        let (mut stream, _) = accept_blocking(listener);
        if visitors.fetch_add(1, Ordering::Relaxed) >= site.at_once {
            visitors.fetch_sub(1, Ordering::Relaxed);
            // It may have gone already.
            let _ = stream.write_all(&busy());
            continue;
        }
        let (site, visitors) = (site.clone(), visitors.clone());
        // `thread::spawn` would panic where the system grants no more threads.
        let thread = Builder::new().spawn(move || {
            let _ = handle(stream, |user| page(&site, user));
            visitors.fetch_sub(1, Ordering::Relaxed);
        });
        thread.context("no thread for a visitor")?;
    }
}

/// One query, and then three at once, of which one may be given up.
fn page(site: &Site, user: u64) -> Result<Page> {
    let key = ask(site, Query::User, user, None)?;
    thread::scope(|scope| {
        let orders = Builder::new().spawn_scoped(scope, || ask(site, Query::Orders, key, None));
        let friends = Builder::new().spawn_scoped(scope, || ask(site, Query::Friends, key, None));
        let ad = ask(site, Query::Ad, key, Some(site.patience)).ok();
        let orders = orders?.join().expect("asking does not panic")?;
        let friends = friends?.join().expect("asking does not panic")?;
        Ok(Page { key, orders, friends, ad })
    })
}
