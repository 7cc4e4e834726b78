//! The programs with cotask as their host.

pub mod host;

#[path = "../programs/cache.rs"]
pub mod cache;
#[path = "../programs/chat.rs"]
pub mod chat;
#[path = "../programs/database.rs"]
pub mod database;
#[path = "../programs/http.rs"]
pub mod http;
#[path = "../programs/http_client.rs"]
pub mod http_client;
#[path = "../programs/load.rs"]
pub mod load;
#[path = "../programs/notes.rs"]
pub mod notes;
#[path = "../programs/quic.rs"]
pub mod quic;
#[path = "../programs/quic_client.rs"]
pub mod quic_client;
#[path = "../programs/tls.rs"]
pub mod tls;
#[path = "../programs/work.rs"]
pub mod work;

use std::time::Duration;

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedSender, unbounded};

/// Until Ctrl-C, or for so many seconds: how long an example serves.
pub async fn until_ctrl_c(seconds: Option<u64>) {
    let time = seconds.map_or(Duration::MAX, Duration::from_secs);
    if let Ok(Err(error)) = cotask::time::timeout(time, cotask::signal::ctrl_c()).await {
        eprintln!("Ctrl-C cannot be heard here: {error}");
    }
}

/// Where a server tells of its troubles; they are printed.
///
/// # Panics
/// Outside of a runtime.
pub fn printed() -> UnboundedSender<String> {
    let (told, heard) = unbounded();
    cotask::spawn(heard.for_each(async |trouble: String| eprintln!("{trouble}")));
    told
}
