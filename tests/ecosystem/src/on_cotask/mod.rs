//! The programs with cotask as their host.

pub mod host;

#[cfg(feature = "guests")]
#[path = "../programs/cache.rs"]
pub mod cache;
#[cfg(feature = "guests")]
#[path = "../programs/chat.rs"]
pub mod chat;
#[cfg(feature = "guests")]
#[path = "../programs/database.rs"]
pub mod database;
#[path = "../programs/http.rs"]
pub mod http;
#[path = "../programs/http_client.rs"]
pub mod http_client;
#[cfg(feature = "guests")]
#[path = "../programs/load.rs"]
pub mod load;
#[cfg(feature = "guests")]
#[path = "../programs/notes.rs"]
pub mod notes;
#[cfg(feature = "guests")]
#[path = "../programs/quic.rs"]
pub mod quic;
#[cfg(feature = "guests")]
#[path = "../programs/quic_client.rs"]
pub mod quic_client;
#[cfg(feature = "guests")]
#[path = "../programs/tls.rs"]
pub mod tls;
#[cfg(feature = "guests")]
#[path = "../programs/work.rs"]
pub mod work;

use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use cotask::time::sleep;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};
use futures::channel::oneshot;
use futures::future::{Either, select};

/// Waits for Ctrl-C, or for so many seconds: how long an example serves.
pub async fn until_ctrl_c(seconds: Option<u64>) {
    let time = seconds.map_or(Duration::MAX, Duration::from_secs);
    if let Ok(Err(error)) = cotask::time::timeout(time, cotask::signal::ctrl_c()).await {
        eprintln!("Ctrl-C cannot be heard here: {error}");
    }
}

/// Waits for a second Ctrl-C, once the server ends and has sent through `ends` how many connections are still open.
/// Prints what the server waits for, and for how long, unless the connections close at once.
pub async fn ctrl_c_again(ends: oneshot::Receiver<usize>, grace: Duration) {
    let Ok(open) = ends.await else { return pending().await };
    let mut again = cotask::signal::ctrl_c();
    let heard = match select(&mut again, pin!(sleep(Duration::from_millis(200)))).await {
        Either::Left((heard, _)) => heard,
        Either::Right(_) => {
            let ctrl_c = "Ctrl-C ends that at once";
            eprintln!(
                "connections are still open (at most {open}); they have {grace:?} to finish, and {ctrl_c}"
            );
            again.await
        }
    };
    if heard.is_err() {
        // Ctrl-C cannot be heard: the grace period ends the wait.
        pending().await
    }
}

/// Returns a sender for a server's errors, and prints what it is sent.
///
/// # Panics
/// Outside of a runtime.
pub fn printed() -> UnboundedSender<String> {
    let (told, heard) = unbounded();
    cotask::spawn(heard.for_each(async |trouble: String| eprintln!("{trouble}")));
    told
}
