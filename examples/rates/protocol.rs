//! The quote protocol, without any I/O: `GET /rates/EURUSD` is answered with `1.2345`.

use std::fmt;
use std::time::Duration;

use anyhow::{Result, bail, ensure};

/// ISO 4217 codes, enough of them for 10,000 pairs.
const CODES: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD \
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD \
    HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD \
    MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG \
    QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD USD";

const CURRENCIES: u32 = (CODES.len() as u32 + 1) / 4;

/// How many pairs there are.
pub(super) const MOST_PAIRS: u32 = CURRENCIES * (CURRENCIES - 1);

/// Two different currencies, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair(u32);

impl Pair {
    /// # Panics
    ///
    /// When `number` is not below [`MOST_PAIRS`].
    pub(super) fn new(number: u32) -> Pair {
        assert!(number < MOST_PAIRS, "there are {MOST_PAIRS} pairs");
        Pair(number)
    }

    /// The pair that `path` asks for, which is to be `/rates/` and two codes.
    pub(super) fn of_path(path: &str) -> Option<Pair> {
        let codes = path.strip_prefix("/rates/").filter(|codes| codes.len() == 6 && codes.is_ascii())?;
        let (base, quote) = (position(&codes[..3])?, position(&codes[3..])?);
        let quote = if quote > base { quote - 1 } else { quote };
        (codes[..3] != codes[3..]).then(|| Pair(base * (CURRENCIES - 1) + quote))
    }

    /// A number from `seed` and this pair, the same on every machine (SplitMix64's output function).
    pub(super) fn number(self, seed: u64) -> u64 {
        let mut z = seed.wrapping_add(u64::from(self.0 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn codes(self) -> (&'static str, &'static str) {
        let (base, quote) = (self.0 / (CURRENCIES - 1), self.0 % (CURRENCIES - 1));
        let quote = if quote >= base { quote + 1 } else { quote };
        (code(base), code(quote))
    }
}

fn code(number: u32) -> &'static str {
    let start = number as usize * 4;
    &CODES[start..start + 3]
}

fn position(code: &str) -> Option<u32> {
    (0..CURRENCIES).find(|number| self::code(*number) == code)
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, quote) = self.codes();
        write!(f, "{base}/{quote}")
    }
}

/// A rate that was fetched.
pub(super) struct Quote {
    pub(super) pair: Pair,
    /// In ten-thousandths.
    pub(super) price: u64,
    /// How long after the start of the whole it was there.
    pub(super) after: Duration,
}

impl fmt::Display for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.pair, price_text(self.price))
    }
}

/// A price as the server writes it: `1.2345`.
pub(super) fn price_text(price: u64) -> String {
    format!("{}.{:04}", price / 10_000, price % 10_000)
}

/// The path of a pair.
pub(super) fn path(pair: Pair) -> String {
    let (base, quote) = pair.codes();
    format!("/rates/{base}{quote}")
}

/// The price that `text` is, as the server writes it.
pub(super) fn price(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').filter(|(_, fraction)| fraction.len() == 4)?;
    format!("{whole}{fraction}").parse().ok()
}

/// The request for a pair, on a connection that is used once.
pub(super) fn request(pair: Pair) -> Vec<u8> {
    format!("GET {} HTTP/1.1\r\nHost: quotes\r\nConnection: close\r\n\r\n", path(pair)).into_bytes()
}

/// The server's answer to a request: a price, or word that there is no such pair.
pub(super) fn response(price: Option<u64>) -> Vec<u8> {
    let (status, body) = match price {
        Some(price) => ("200 OK", price_text(price)),
        None => ("404 Not Found", "no such pair".to_string()),
    };
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}").into_bytes()
}

/// The longest head and body that either side takes.
const LONGEST: usize = 512;

/// Bytes of a message that is still arriving.
pub(super) struct Incoming {
    buffer: [u8; LONGEST],
    filled: usize,
}

impl Incoming {
    pub(super) fn new() -> Incoming {
        Incoming { buffer: [0; LONGEST], filled: 0 }
    }

    /// Where the next bytes are to be read to. Never empty.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.buffer[self.filled..]
    }

    /// Takes note of `read` bytes in [`room`](Incoming::room), and returns the price if the answer is complete.
    ///
    /// # Errors
    ///
    /// When the peer has closed (`read` is 0), the answer is no HTTP, too long, not a 200, or no price.
    pub(super) fn price(&mut self, read: usize) -> Result<Option<u64>> {
        let filled = self.took(read)?;
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut response = httparse::Response::new(&mut headers);
        let head = match response.parse(filled) {
            Ok(httparse::Status::Complete(head)) => head,
            Ok(httparse::Status::Partial) => return self.not_yet(),
            Err(error) => bail!("the answer is not HTTP ({error})"),
        };
        let length =
            response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
        let Some(length) = length else { bail!("the answer does not tell its length") };
        let Some(body) = filled[head..].get(..length) else { return self.not_yet() };
        let body = String::from_utf8_lossy(body);
        let code = response.code.unwrap_or(0);
        ensure!(code == 200, "the server answers {code}: {body}");
        self::price(&body).map_or_else(|| bail!("'{body}' is no price"), |price| Ok(Some(price)))
    }

    /// Takes note of `read` bytes, and returns the requested path if the request is complete.
    ///
    /// # Errors
    ///
    /// When the peer has closed, or sent something else than an HTTP request of reasonable length.
    pub(super) fn path(&mut self, read: usize) -> Result<Option<String>> {
        let filled = self.took(read)?;
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut request = httparse::Request::new(&mut headers);
        match request.parse(filled) {
            Ok(httparse::Status::Complete(_)) => Ok(request.path.map(String::from)),
            Ok(httparse::Status::Partial) => self.not_yet(),
            Err(error) => bail!("the request is not HTTP ({error})"),
        }
    }

    fn took(&mut self, read: usize) -> Result<&[u8]> {
        ensure!(read > 0, "the connection was closed after {} bytes", self.filled);
        self.filled += read;
        Ok(&self.buffer[..self.filled])
    }

    fn not_yet<T>(&self) -> Result<Option<T>> {
        ensure!(self.filled < LONGEST, "the message is longer than {LONGEST} bytes");
        Ok(None)
    }
}
