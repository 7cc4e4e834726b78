//! A task for each visitor; the three queries that need not wait for each other are joined, one of them with a timeout.

use std::rc::Rc;

use anyhow::Result;
use cotask::net::{TcpListener, TcpStream};
use cotask::sync::Semaphore;
use cotask::time::timeout;
use futures::future::try_join3;
use futures::{AsyncReadExt, AsyncWriteExt};

use super::protocol::{Incoming, Page, Query, Reply, busy, response};
use super::{LONGEST, Site};
use crate::common::{accept, block_on};

pub(super) fn serve(site: Site, listener: std::net::TcpListener) -> Result<()> {
    block_on(async { serve_all(site, TcpListener::from_std(listener)?).await })
}

/// Serves for as long as it is polled.
pub(super) async fn serve_all(site: Site, listener: TcpListener) -> Result<()> {
    let at_once = Rc::new(Semaphore::new(site.at_once as usize));
    let site = Rc::new(site);
    loop {
        let mut stream = accept(&listener).await;
        let (site, at_once) = (site.clone(), at_once.clone());
        cotask::spawn(async move {
            match at_once.try_acquire() {
                Ok(_permit) => timeout(LONGEST, handle(&site, stream)).await?,
                Err(_) => Ok(stream.write_all(&busy()).await?),
            }
        });
    }
}

async fn handle(site: &Site, mut visitor: TcpStream) -> Result<()> {
    let mut request = Incoming::new();
    let user = loop {
        let read = visitor.read(request.room()).await?;
        if let Some(user) = request.user(read)? {
            break user;
        }
    };
    visitor.write_all(&response(&page(site, user).await)).await?;
    Ok(())
}

/// One query, and then three at once, of which one may be given up.
async fn page(site: &Site, user: u64) -> Result<Page> {
    let key = ask(site, Query::User, user).await?;
    let ad = async { Ok(timeout(site.patience, ask(site, Query::Ad, key)).await.ok().and_then(Result::ok)) };
    let (orders, friends) = (ask(site, Query::Orders, key), ask(site, Query::Friends, key));
    let (orders, friends, ad) = try_join3(orders, friends, ad).await?;
    Ok(Page { key, orders, friends, ad })
}

async fn ask(site: &Site, query: Query, key: u64) -> Result<u64> {
    let mut database = TcpStream::connect(site.database).await?;
    database.write_all(&query.line(key)).await?;
    let mut reply = Reply::default();
    loop {
        let read = database.read(reply.room()).await?;
        if let Some(number) = reply.number(read)? {
            return Ok(number);
        }
    }
}
