//! Faults: what can go wrong, as plain data.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The enum, and the words in which each variant is printed and read.
macro_rules! faults {
    ($(#[$about:meta])* pub enum Fault { $($(#[$doc:meta])* $word:literal $name:ident { $($field:ident: $type:ty),* })* }) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Eq, Hash, Debug)]
        #[allow(missing_docs, reason = "the fields are named after what they are")]
        pub enum Fault {
            $($(#[$doc])* $name { $($field: $type),* },)*
        }

        impl fmt::Display for Fault {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Fault::$name { $($field),* } => {
                        f.write_str($word)?;
                        $($field.print(stringify!($field), f)?;)*
                    })*
                }
                Ok(())
            }
        }

        fn read(line: &str) -> Option<Fault> {
            let mut words = line.split_whitespace();
            let fault = match words.next()? {
                $($word => Fault::$name { $($field: Field::read(stringify!($field), words.next()?)?),* },)*
                _ => return None,
            };
            words.next().is_none().then_some(fault)
        }
    };
}

faults! {
/// Something that goes wrong from some moment on, or comes right again.
///
/// What [`link`](super::link), [`partition`](super::partition), [`Host`](super::Host) and their like do by hand is
/// one of these each. Shares are in parts per million: `10_000` is one in a hundred. Hosts are named; a fault that
/// names a host which does not exist does nothing.
///
/// Printed, and read, a fault is its word, its hosts, and its other fields as `name=value`: `loss client server ppm=5000`.
///
/// # Examples
/// ```
/// use cotask::sim::Fault;
///
/// let fault: Fault = "partition client server".parse()?;
/// assert_eq!(fault, Fault::Partition { a: "client".into(), b: "server".into() });
/// assert_eq!(fault.to_string(), "partition client server");
/// # Ok::<(), cotask::sim::ParseError>(())
/// ```
pub enum Fault {
    /// Packets between the two take a time drawn between the two bounds. Unequal bounds are jitter.
    "latency" Latency { a: String, b: String, min: Duration, max: Duration }
    /// This share of packets is lost. TCP hides it as delay: 200 ms the first time, then twice as long each time.
    "loss" Loss { a: String, b: String, ppm: u32 }
    /// This share of datagrams arrives twice.
    "duplicate" Duplicate { a: String, b: String, ppm: u32 }
    /// This share of datagrams is held up for up to ten times the latency, so that later ones overtake them.
    "reorder" Reorder { a: String, b: String, ppm: u32 }
    /// Each direction carries so many bytes a second at most; 0 sets no bound.
    "bandwidth" Bandwidth { a: String, b: String, bytes: u64 }
    /// Nothing arrives, either way. TCP repeats what is lost once it is healed, or gives up after 15 minutes.
    "partition" Partition { a: String, b: String }
    /// Nothing arrives at `to` from `from`.
    "partition-one-way" PartitionOneWay { from: String, to: String }
    /// Both directions work again.
    "heal" Heal { a: String, b: String }
    /// Every connection between the two is reset, for both.
    "reset" Reset { a: String, b: String }
    /// The host stops: its tasks' futures are dropped, its connections are reset or fall silent, as drawn.
    "crash" Crash { host: String }
    /// The host starts anew, from the closure that it was made with. One that is up crashes first.
    "restart" Restart { host: String }
    /// The host's clock runs fast by this much, or slow if negative. At least -999,999.
    "skew" Skew { host: String, ppm: i32 }
    /// The host's clock jumps ahead.
    "jump-forward" JumpForward { host: String, by: Duration }
    /// The host's clock jumps back.
    "jump-back" JumpBack { host: String, by: Duration }
    /// Each blocking job takes a time drawn between the two bounds.
    "disk" Disk { host: String, min: Duration, max: Duration }
    /// The host may have so many sockets open; opening more fails with `EMFILE`.
    "descriptors" Descriptors { host: String, max: u32 }
    /// Connections to this port of the host are refused, even if a listener is there; 0 is every port.
    "refuse" Refuse { host: String, port: u16 }
    /// They are accepted again.
    "accept" Accept { host: String, port: u16 }
    /// So many connections wait to be accepted at each listener of the host; more are not answered.
    "backlog" Backlog { host: String, max: u32 }
    /// This share of the host's reads and writes transfers only a part.
    "short" Short { host: String, ppm: u32 }
    /// With each packet that arrives anywhere, this share of times a task or a socket is woken for no reason.
    "spurious" Spurious { ppm: u32 }
}
}

impl Fault {
    /// What it means, in words.
    ///
    /// # Examples
    /// ```
    /// let fault: cotask::sim::Fault = "partition-one-way client server".parse()?;
    /// assert_eq!(fault.in_words(), "nothing gets through from client to server");
    /// # Ok::<(), cotask::sim::ParseError>(())
    /// ```
    pub fn in_words(&self) -> String {
        let takes = |min: &Duration, max: &Duration| match min == max {
            true => format!("{min:?}"),
            false => format!("{min:?} to {max:?}"),
        };
        let share = |ppm: &u32| match ppm {
            0 => "none".into(),
            ppm => format!("{}%", f64::from(*ppm) / 10_000.0),
        };
        let port = |port: &u16| if *port == 0 { "any port".into() } else { format!("port {port}") };
        match self {
            Fault::Latency { a, b, min, max } => {
                format!("each packet between {a} and {b} takes {}", takes(min, max))
            }
            Fault::Loss { a, b, ppm } => {
                format!("{} of the packets between {a} and {b} are lost", share(ppm))
            }
            Fault::Duplicate { a, b, ppm } => {
                format!("{} of the datagrams between {a} and {b} arrive twice", share(ppm))
            }
            Fault::Reorder { a, b, ppm } => {
                format!("{} of the datagrams between {a} and {b} are held up", share(ppm))
            }
            Fault::Bandwidth { a, b, bytes: 0 } => {
                format!("{a} and {b} may send each other as much as they like")
            }
            Fault::Bandwidth { a, b, bytes } => {
                format!("{a} and {b} can send each other {bytes} bytes per second")
            }
            Fault::Partition { a, b } => format!("nothing gets through between {a} and {b}"),
            Fault::PartitionOneWay { from, to } => format!("nothing gets through from {from} to {to}"),
            Fault::Heal { a, b } => format!("packets get through between {a} and {b}"),
            Fault::Reset { a, b } => format!("every connection between {a} and {b} is reset"),
            Fault::Crash { host } => format!("{host} stops, and its tasks are dropped"),
            Fault::Restart { host } => format!("{host} starts anew"),
            Fault::Skew { host, ppm: 0 } => format!("the clock of {host} runs right"),
            Fault::Skew { host, ppm } => {
                let way = if *ppm > 0 { "fast" } else { "slow" };
                format!("the clock of {host} runs {} {way}", share(&ppm.unsigned_abs()))
            }
            Fault::JumpForward { host, by } => format!("the clock of {host} jumps ahead by {by:?}"),
            Fault::JumpBack { host, by } => format!("the clock of {host} jumps back by {by:?}"),
            Fault::Disk { host, min, max } => {
                format!("each blocking job of {host} takes {}", takes(min, max))
            }
            Fault::Descriptors { host, max: u32::MAX } => format!("{host} may open any number of sockets"),
            Fault::Descriptors { host, max } => format!("{host} may have {max} sockets open"),
            Fault::Refuse { host, port: at } => format!("{host} refuses connections to {}", port(at)),
            Fault::Accept { host, port: at } => format!("{host} accepts connections to {}", port(at)),
            Fault::Backlog { host, max } => {
                format!("{max} connections may wait at each listener of {host}")
            }
            Fault::Short { host, ppm } => {
                format!("{} of the reads and writes of {host} transfer only a part", share(ppm))
            }
            Fault::Spurious { ppm } => {
                format!("with {} of the packets, a task or a socket is woken for no reason", share(ppm))
            }
        }
    }
}

/// The enum, and all of its variants in one list.
macro_rules! kinds {
    ($(#[$about:meta])* pub enum Kind { $(#[doc = $doc:literal] $name:ident,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Kind {
            $(#[doc = $doc] $name,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: [Kind; [$(Kind::$name),*].len()] = [$(Kind::$name),*];

            /// What happened, in a sentence.
            ///
            /// # Examples
            /// ```
            /// assert_eq!(cotask::sim::Kind::Crash.in_words(), "A host crashed.");
            /// ```
            pub fn in_words(self) -> &'static str {
                match self {
                    $(Kind::$name => $doc.trim_ascii(),)*
                }
            }
        }
    };
}

kinds! {
/// A kind of fault, counted each time one really acted: a packet that was lost, not the share that was set.
pub enum Kind {
    /// A packet took a latency other than the usual one.
    Latency,
    /// A packet took a latency that was drawn from between two different bounds.
    Jitter,
    /// TCP repeated what was lost.
    Loss,
    /// A datagram was lost.
    DatagramLost,
    /// A datagram was delivered twice.
    DatagramDuplicated,
    /// A datagram was held up so that later ones could overtake it.
    DatagramReordered,
    /// A packet had to wait for those before it.
    Bandwidth,
    /// A packet met a link cut both ways.
    Partition,
    /// A packet met a link cut one way.
    PartitionOneWay,
    /// A connection was reset.
    Reset,
    /// A connection was refused although a listener was there.
    Refused,
    /// A connection met a full accept queue.
    BacklogFull,
    /// A blocking job took longer than usual.
    SlowDisk,
    /// No descriptor was left.
    Descriptors,
    /// A host's clock was asked while it ran fast or slow.
    ClockSkew,
    /// A host's clock jumped.
    ClockJump,
    /// A host crashed.
    Crash,
    /// A host was started anew.
    Restart,
    /// A task or socket was woken for no reason.
    Spurious,
    /// A read gave less than there was.
    ShortRead,
    /// A write took less than there was room for.
    ShortWrite,
}
}

/// The largest unit in which it is a whole number: `1500ms`.
pub(super) struct Short(pub(super) Duration);

const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let (unit, size) =
            UNITS.into_iter().find(|&(_, size)| nanos.is_multiple_of(size)).unwrap_or(("ns", 1));
        write!(f, "{}{unit}", nanos / size)
    }
}

/// Why a [`Fault`] or a [`Plan`](super::Plan) could not be read, with the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError(pub(super) String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

pub(super) fn duration(word: &str) -> Option<Duration> {
    let digits = word.trim_end_matches(char::is_alphabetic);
    let (_, size) = UNITS.into_iter().find(|&(unit, _)| unit == &word[digits.len()..])?;
    let nanos = digits.parse::<u128>().ok()?.checked_mul(size)?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

/// A field of a fault: a host's name as it is, anything else as `name=value`.
trait Field: Sized {
    fn print(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn read(name: &str, word: &str) -> Option<Self>;
}

impl Field for String {
    fn print(&self, _: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {self}")
    }

    fn read(_: &str, word: &str) -> Option<Self> {
        Some(word.into())
    }
}

impl Field for Duration {
    fn print(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " {name}={}", Short(*self))
    }

    fn read(name: &str, word: &str) -> Option<Self> {
        duration(value(name, word)?)
    }
}

macro_rules! numbers {
    ($($number:ty),*) => {$(
        impl Field for $number {
            fn print(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, " {name}={self}")
            }

            fn read(name: &str, word: &str) -> Option<Self> {
                value(name, word)?.parse().ok()
            }
        }
    )*};
}

numbers!(u16, u32, u64, i32);

fn value<'a>(name: &str, word: &'a str) -> Option<&'a str> {
    word.strip_prefix(name)?.strip_prefix('=')
}

impl FromStr for Fault {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Fault, ParseError> {
        let hint = "a fault is as `loss client server ppm=5000`; see `cotask::sim::Fault`";
        read(line).ok_or_else(|| ParseError(format!("no fault: `{line}` ({hint})")))
    }
}
