//! The two protocols, without any I/O: HTTP towards the visitors, lines towards the database.

use anyhow::{Context, Result, bail, ensure};

use crate::common::Hash;

/// What is asked of the database: a line like `orders 17`, answered by a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Query {
    /// The visitor's identity: a key that the other three queries need.
    User,
    Orders,
    Friends,
    /// Sometimes very slow.
    Ad,
}

impl Query {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Query::User => "user",
            Query::Orders => "orders",
            Query::Friends => "friends",
            Query::Ad => "ad",
        }
    }

    /// The line that asks for what belongs to `key`.
    pub(super) fn line(self, key: u64) -> Vec<u8> {
        format!("{} {key}\n", self.name()).into_bytes()
    }

    /// What `line` asks, and for which key.
    pub(super) fn of_line(line: &str) -> Option<(Query, u64)> {
        let (name, key) = line.trim_end().split_once(' ')?;
        let all = [Query::User, Query::Orders, Query::Friends, Query::Ad];
        Some((all.into_iter().find(|query| query.name() == name)?, key.parse().ok()?))
    }

    /// What the database knows: made from the question, the same on every machine.
    pub(super) fn answer(self, key: u64) -> u64 {
        Hash::new().and(self.name().as_bytes()).and(&key.to_le_bytes()).value() % 1_000_000
    }
}

/// A line with a number that is still arriving from the database.
#[derive(Default)]
pub(super) struct Reply {
    bytes: [u8; 32],
    filled: usize,
}

impl Reply {
    /// Where the next bytes are to be read to. Never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Takes note of `read` bytes in [`room`](Reply::room), and returns the number once the line is complete.
    ///
    /// # Errors
    ///
    /// When the database has closed, or the line is too long or no number.
    pub(super) fn number(&mut self, read: usize) -> Result<Option<u64>> {
        ensure!(read > 0, "the database closed the connection");
        self.filled += read;
        let Some(line) = self.bytes[..self.filled].strip_suffix(b"\n") else {
            ensure!(self.filled < self.bytes.len(), "the database's answer is too long");
            return Ok(None);
        };
        let line = String::from_utf8_lossy(line);
        line.parse().map(Some).with_context(|| format!("the database answers '{line}'"))
    }
}

/// What a page is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) key: u64,
    pub(super) orders: u64,
    pub(super) friends: u64,
    /// It did not come in time, otherwise.
    pub(super) ad: Option<u64>,
}

impl Page {
    /// The page of `user` as it must be, with its advertisement.
    pub(super) fn expected(user: u64) -> Page {
        let key = Query::User.answer(user);
        let [orders, friends, ad] = [Query::Orders, Query::Friends, Query::Ad].map(|query| query.answer(key));
        Page { key, orders, friends, ad: Some(ad) }
    }

    pub(super) fn text(&self) -> String {
        let Page { key, orders, friends, ad } = self;
        let ad = ad.map_or("-".to_string(), |ad| ad.to_string());
        format!("key {key} orders {orders} friends {friends} ad {ad}")
    }
}

/// The request for a user's page.
pub(super) fn request(user: u64) -> Vec<u8> {
    format!("GET /users/{user} HTTP/1.1\r\nHost: webapp\r\nConnection: close\r\n\r\n").into_bytes()
}

/// The answer to a visitor: the page, or why there is none.
pub(super) fn response(page: &Result<Page>) -> Vec<u8> {
    match page {
        Ok(page) => message("200 OK", &page.text()),
        Err(error) => message("502 Bad Gateway", &format!("{error:#}")),
    }
}

/// The answer to a visitor who is turned away.
pub(super) fn busy() -> Vec<u8> {
    message("503 Service Unavailable", "too many visitors")
}

fn message(status: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// The longest head and body that either side takes.
const LONGEST: usize = 512;

/// An HTTP message that is still arriving.
pub(super) struct Incoming {
    bytes: [u8; LONGEST],
    filled: usize,
}

impl Incoming {
    pub(super) fn new() -> Incoming {
        Incoming { bytes: [0; LONGEST], filled: 0 }
    }

    /// Where the next bytes are to be read to. Never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.bytes[self.filled..]
    }

    /// Takes note of `read` bytes, and returns the user whose page is wanted once the request is complete.
    ///
    /// # Errors
    ///
    /// When the visitor has gone, or asks for something else.
    pub(super) fn user(&mut self, read: usize) -> Result<Option<u64>> {
        let filled = self.took(read)?;
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(filled)?.is_partial() {
            return self.not_yet();
        }
        let path = request.path.unwrap_or_default();
        let user = path.strip_prefix("/users/").and_then(|user| user.parse().ok());
        user.map(Some).with_context(|| format!("there is no page {path}"))
    }

    /// Takes note of `read` bytes, and returns the status and the body once the response is complete.
    ///
    /// # Errors
    ///
    /// When the server has closed, or what it sends is no HTTP.
    pub(super) fn response(&mut self, read: usize) -> Result<Option<(u16, String)>> {
        let filled = self.took(read)?;
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(head) = response.parse(filled).context("the answer is not HTTP")?
        else {
            return self.not_yet();
        };
        let length =
            response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
        let Some(length) = length else { bail!("the answer does not tell its length") };
        let Some(body) = filled[head..].get(..length) else { return self.not_yet() };
        Ok(Some((response.code.unwrap_or(0), String::from_utf8_lossy(body).into_owned())))
    }

    fn took(&mut self, read: usize) -> Result<&[u8]> {
        ensure!(read > 0, "the connection was closed after {} bytes", self.filled);
        self.filled += read;
        Ok(&self.bytes[..self.filled])
    }

    fn not_yet<T>(&self) -> Result<Option<T>> {
        ensure!(self.filled < LONGEST, "the message is longer than {LONGEST} bytes");
        Ok(None)
    }
}
