//! Shows the pages on this machine, over the runtime that the book is about: a task a connection, and the building, which
//! blocks, on the blocking pool.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use cotask::net::{TcpListener, TcpStream};
use cotask::sync::Mutex;
use cotask::{signal, time};
use futures::future::{Either, select};
use futures::{AsyncReadExt, AsyncWriteExt};

use crate::render;

/// A request of a browser is short; what is longer is none.
const LONGEST_REQUEST: usize = 16 * 1024;
/// A browser may keep a connection for its next request as long as this.
const IDLE: Duration = Duration::from_secs(60);
/// What the pages are made of.
const SOURCES: [&str; 5] = ["book", "src", "examples", "tests", ".cargo"];

/// Serves until Ctrl-C.
///
/// # Errors
/// When the port is taken, or the book cannot be built at the start. Later a book that cannot be built is told in its place.
pub(crate) fn run(port: u16) -> Result<()> {
    let mut built = newest();
    render::build()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    cotask::block_on(async {
        let at_fault = || format!("cannot listen on {address} (`--port 0` takes a free port)");
        let listener = TcpListener::bind(address).await.with_context(at_fault)?;
        println!("http://{}/ shows the book; Ctrl-C ends it", listener.local_addr()?);
        let state = std::rc::Rc::new(Mutex::new(built.take()));
        let connections = async {
            loop {
                let (stream, _) = listener.accept().await?;
                let state = std::rc::Rc::clone(&state);
                // A connection that breaks is its browser's affair.
                cotask::spawn(async move { connection(stream, &state).await.unwrap_or(()) });
            }
        };
        match select(std::pin::pin!(connections), signal::ctrl_c()).await {
            Either::Left((ended, _)) => ended,
            Either::Right((stopped, _)) => stopped.context("cannot listen for Ctrl-C"),
        }
    })
}

async fn connection(mut stream: TcpStream, built: &Mutex<Option<SystemTime>>) -> io::Result<()> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let Ok(read) = time::timeout(IDLE, stream.read(&mut buffer)).await else { return Ok(()) };
        match read? {
            0 => return Ok(()),
            read => request.extend_from_slice(&buffer[..read]),
        }
        let mut headers = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(&request) {
            Ok(httparse::Status::Complete(length)) => {
                let target = parsed.path.unwrap_or("/").to_string();
                request.drain(..length);
                let (status, kind, body) = answer(&target, built).await;
                let head = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\r\n",
                    body.len()
                );
                stream.write_all(head.as_bytes()).await?;
                stream.write_all(&body).await?;
            }
            Ok(httparse::Status::Partial) if request.len() < LONGEST_REQUEST => {}
            _ => return Ok(()),
        }
    }
}

type Answer = (&'static str, &'static str, Vec<u8>);

async fn answer(target: &str, built: &Mutex<Option<SystemTime>>) -> Answer {
    let Some(file) = file(target) else {
        return ("404 Not Found", "text/plain", b"no such page".to_vec());
    };
    if kind(&file) == HTML
        && let Err(error) = rebuild(built).await
    {
        return ("500 Internal Server Error", "text/plain; charset=utf-8", format!("{error:#}").into_bytes());
    }
    let path = file.clone();
    match cotask::spawn_blocking(move || fs::read(path)).await {
        Ok(Ok(body)) => ("200 OK", kind(&file), body),
        _ => ("404 Not Found", "text/plain", format!("there is no {}", file.display()).into_bytes()),
    }
}

/// Builds again when a source is newer than the pages. One at a time: the others wait, and find it done.
async fn rebuild(built: &Mutex<Option<SystemTime>>) -> Result<()> {
    let mut built = built.lock().await;
    let newest = cotask::spawn_blocking(newest).await?;
    if newest > *built {
        cotask::spawn_blocking(render::build).await??;
        *built = newest;
    }
    Ok(())
}

/// When a source was last changed.
fn newest() -> Option<SystemTime> {
    fn newest_in(path: &Path) -> Option<SystemTime> {
        let metadata = fs::metadata(path).ok()?;
        if !metadata.is_dir() {
            return metadata.modified().ok();
        }
        let entries = fs::read_dir(path).ok()?.flatten();
        entries
            .filter(|entry| entry.file_name() != "node_modules")
            .filter_map(|entry| newest_in(&entry.path()))
            .max()
    }
    SOURCES.iter().filter_map(|source| newest_in(Path::new(source))).max()
}

/// The file of a request's target, which stays inside the pages.
fn file(target: &str) -> Option<PathBuf> {
    let path = target.split(['?', '#']).next()?.trim_start_matches('/');
    let relative = Path::new(path);
    let inside = relative.components().all(|part| matches!(part, Component::Normal(_)));
    let file = Path::new(render::OUT).join(relative);
    let file = if path.is_empty() || path.ends_with('/') { file.join("index.html") } else { file };
    inside.then_some(file)
}

const HTML: &str = "text/html; charset=utf-8";

fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("html") => HTML,
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_stays_inside_the_pages() {
        assert_eq!(file("/"), Some(Path::new(render::OUT).join("index.html")));
        assert_eq!(
            file("/3-inside/task.html?highlight=wake"),
            Some(Path::new(render::OUT).join("3-inside/task.html"))
        );
        assert_eq!(file("/../Cargo.toml"), None);
        assert_eq!(file("/a/../../Cargo.toml"), None);
    }
}
