//! Where to: addresses, and names that must be looked up first.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::base::budget;
use crate::sim;
use crate::task::spawn::spawn_blocking;

use super::error::naming;

/// What names one or more socket addresses: an address, `("127.0.0.1", 80)`, `"localhost:80"`.
///
/// Addresses in digits cost nothing. A name is looked up by the system, which blocks; that happens on the
/// blocking pool. This trait is sealed.
pub trait ToSocketAddrs: sealed::Target {}

impl<T: sealed::Target + ?Sized> ToSocketAddrs for T {}

mod sealed {
    use std::net::SocketAddr;

    /// Either known, or to be looked up as host and port.
    pub enum Address {
        Known(Vec<SocketAddr>),
        Name(String),
    }

    pub trait Target {
        fn address(&self) -> Address;
    }
}

use sealed::{Address, Target};

/// The addresses of a host.
///
/// # Errors
/// When the name is not of the form `host:port`, or the system does not know the host.
///
/// # Examples
/// ```
/// # cotask::block_on(async {
/// let addresses = cotask::net::lookup_host("localhost:80").await?;
/// assert!(addresses.iter().all(|address| address.ip().is_loopback()));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
pub async fn lookup_host(host: impl ToSocketAddrs) -> io::Result<Vec<SocketAddr>> {
    budget::proceed().await;
    let name = match host.address() {
        Address::Known(addresses) => return Ok(addresses),
        Address::Name(name) => name,
    };
    if let Some(world) = sim::world() {
        return world.look_up(&name).map_err(naming("look up", name));
    }
    let question = name.clone();
    let answer =
        spawn_blocking(move || std::net::ToSocketAddrs::to_socket_addrs(&question).map(Iterator::collect));
    answer.await.map_err(io::Error::other).and_then(|found| found).map_err(naming("look up", name))
}

/// Tries the addresses of `host` one after the other. The error is that of the last one.
pub(super) async fn first_of<T>(
    host: impl ToSocketAddrs,
    what: &str,
    mut attempt: impl AsyncFnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last = None;
    for address in lookup_host(host).await? {
        match attempt(address).await.map_err(naming(what, address)) {
            Ok(value) => return Ok(value),
            Err(error) => last = Some(error),
        }
    }
    Err(last
        .unwrap_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{what}: no address was given"))))
}

impl<T: Target + ?Sized> Target for &T {
    fn address(&self) -> Address {
        (**self).address()
    }
}

impl Target for str {
    fn address(&self) -> Address {
        self.parse().map_or_else(|_| Address::Name(self.to_owned()), |address| Address::Known(vec![address]))
    }
}

impl Target for String {
    fn address(&self) -> Address {
        self.as_str().address()
    }
}

impl Target for (&str, u16) {
    fn address(&self) -> Address {
        match self.0.parse::<IpAddr>() {
            Ok(ip) => Address::Known(vec![SocketAddr::new(ip, self.1)]),
            Err(_) => Address::Name(format!("{}:{}", self.0, self.1)),
        }
    }
}

impl Target for (String, u16) {
    fn address(&self) -> Address {
        (self.0.as_str(), self.1).address()
    }
}

impl Target for [SocketAddr] {
    fn address(&self) -> Address {
        Address::Known(self.to_vec())
    }
}

macro_rules! known {
    ($($address:ty),*) => {$(
        impl Target for $address {
            fn address(&self) -> Address {
                Address::Known(vec![SocketAddr::from(*self)])
            }
        }
    )*};
}

known!(SocketAddr, SocketAddrV4, SocketAddrV6, (IpAddr, u16), (Ipv4Addr, u16), (Ipv6Addr, u16));
