//! The channels, locks and notifications of `sync`: polled by hand, dropped at every point, and held to naive models.

mod cancel;
mod foreign_code;
mod locks;
mod mpsc;
mod mpsc_model;
mod notify;
mod notify_model;
mod oneshot;
mod permits_model;
