//! `lookup_host`: names, addresses, and what is neither.

use cotask::net::{TcpStream, lookup_host};

use crate::errors::said_once;
use crate::support::run;

#[test]
fn looking_names_up() {
    run(async {
        let found = lookup_host("localhost:80").await.unwrap();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
        assert_eq!(lookup_host(("::1", 7)).await.unwrap(), ["[::1]:7".parse().unwrap()]);

        // RFC 6761: no name under `invalid` exists.
        let nonsense = TcpStream::connect("no-such-host.invalid:80").await.unwrap_err();
        assert!(nonsense.to_string().starts_with("look up no-such-host.invalid:80: "), "{nonsense}");
        for garbage in ["", "localhost", "localhost:http", "localhost:65536", ":::::", "\0:1", "127.0.0.1"] {
            let error = TcpStream::connect(garbage).await.unwrap_err();
            assert!(error.to_string().starts_with(&format!("look up {garbage}: ")), "{error}");
            said_once(error);
        }
    });
}
