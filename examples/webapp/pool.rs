//! A fixed number of threads behind a bounded queue: a visitor that finds it full is turned away.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::thread::{self, Builder};

use anyhow::{Context, Result, bail};

use super::Site;
use super::protocol::busy;
use super::sequential::{handle, page};
use crate::common::accept_blocking;

pub(super) fn serve(site: &Site, listener: &TcpListener) -> Result<()> {
    // Those who are being served do not stand in the queue.
    let (queue, next) = sync_channel(site.at_once.saturating_sub(site.workers) as usize);
    let next = Mutex::new(next);
    thread::scope(|scope| {
        for number in 1..=site.workers {
            let thread = Builder::new().spawn_scoped(scope, || work(site, &next));
            thread.with_context(|| format!("no worker thread {number}"))?;
        }
        loop {
            let (stream, _) = accept_blocking(listener);
            match queue.try_send(stream) {
                Ok(()) => {}
                Err(TrySendError::Full(mut stream)) => {
                    // It may have gone already.
                    let _ = stream.write_all(&busy());
                }
                Err(TrySendError::Disconnected(_)) => bail!("all workers have ended"),
            }
        }
    })
}

fn work(site: &Site, next: &Mutex<Receiver<TcpStream>>) {
    loop {
        // The worker that waits holds the lock; the others queue for it.
        let received = next.lock().expect("no worker panics while it receives").recv();
        let Ok(stream) = received else { return };
        // A visitor who goes away is no concern of the next one.
        let _ = handle(stream, |user| page(site, user));
    }
}
