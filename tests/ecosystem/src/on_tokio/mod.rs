//! The programs with tokio as their host.

// Each program's file is compiled once more, against this host: that is the point.
#![allow(clippy::duplicate_mod)]

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
