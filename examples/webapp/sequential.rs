//! One visitor after the other, one query after the other.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::Result;

use super::protocol::{Incoming, Page, Query, Reply, response};
use super::{LONGEST, Site};
use crate::common::accept_blocking;

pub(super) fn serve(site: &Site, listener: &TcpListener) -> Result<()> {
    loop {
        let (stream, _) = accept_blocking(listener);
        // A visitor who goes away is no concern of the next one.
        let _ = handle(stream, |user| page(site, user));
    }
}

/// Reads the visitor's request, makes the page, sends it.
pub(super) fn handle(mut visitor: TcpStream, page: impl Fn(u64) -> Result<Page>) -> Result<()> {
    visitor.set_read_timeout(Some(LONGEST))?;
    let mut request = Incoming::new();
    let user = loop {
        let read = visitor.read(request.room())?;
        if let Some(user) = request.user(read)? {
            break user;
        }
    };
    visitor.write_all(&response(&page(user)))?;
    Ok(())
}

/// The four queries, each waiting for the one before.
pub(super) fn page(site: &Site, user: u64) -> Result<Page> {
    let key = ask(site, Query::User, user, None)?;
    let orders = ask(site, Query::Orders, key, None)?;
    let friends = ask(site, Query::Friends, key, None)?;
    let ad = ask(site, Query::Ad, key, Some(site.patience)).ok();
    Ok(Page { key, orders, friends, ad })
}

/// Asks the database, and blocks the thread until the answer is there, or for as long as `patience` says.
pub(super) fn ask(site: &Site, query: Query, key: u64, patience: Option<Duration>) -> Result<u64> {
    let mut database = TcpStream::connect(site.database)?;
    database.set_read_timeout(patience)?;
    database.write_all(&query.line(key))?;
    let mut reply = Reply::default();
    loop {
        let read = database.read(reply.room())?;
        if let Some(number) = reply.number(read)? {
            return Ok(number);
        }
    }
}
