//! As the coroutines, on tokio's current-thread runtime.

use std::sync::Arc;

use anyhow::Result;
use futures::future::try_join3;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::protocol::{Incoming, Page, Query, Reply, busy, response};
use super::{LONGEST, Site};
use crate::common::accept_on_tokio;

pub(super) fn serve(site: Site, listener: std::net::TcpListener) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let at_once = Arc::new(Semaphore::new(site.at_once as usize));
        let site = Arc::new(site);
        loop {
            let mut stream = accept_on_tokio(&listener).await;
            let (site, at_once) = (site.clone(), at_once.clone());
            tokio::spawn(async move {
                match at_once.try_acquire() {
                    Ok(_permit) => timeout(LONGEST, handle(&site, stream)).await?,
                    Err(_) => anyhow::Ok(stream.write_all(&busy()).await?),
                }
            });
        }
    })
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
