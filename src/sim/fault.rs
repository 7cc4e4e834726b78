//! Faults: what can go wrong, as plain data.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::order::Rng;

/// Something that goes wrong from some moment on, or comes right again.
///
/// What [`link`](super::link), [`partition`](super::partition), [`Host`](super::Host) and their like do by hand is
/// one of these each. Shares are in parts per million: `10_000` is one in a hundred. Hosts are named; a fault that
/// names a host which does not exist does nothing.
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
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "the fields are named after what they are")]
pub enum Fault {
    /// Packets between the two take a time drawn between the two bounds. Unequal bounds are jitter.
    Latency { a: String, b: String, least: Duration, most: Duration },
    /// This share of packets is lost. TCP hides it as delay: 200 ms the first time, then twice as long each time.
    Loss { a: String, b: String, ppm: u32 },
    /// This share of datagrams arrives twice.
    Duplicate { a: String, b: String, ppm: u32 },
    /// This share of datagrams is held up for up to ten times the latency, so that later ones overtake them.
    Reorder { a: String, b: String, ppm: u32 },
    /// Each direction carries so many bytes a second at most; 0 sets no bound.
    Bandwidth { a: String, b: String, bytes: u64 },
    /// Nothing arrives, either way. TCP repeats what is lost once it is healed, or gives up after 15 minutes.
    Partition { a: String, b: String },
    /// Nothing arrives at `to` from `from`.
    PartitionOneWay { from: String, to: String },
    /// Both directions work again.
    Heal { a: String, b: String },
    /// Every connection between the two is reset, for both.
    Reset { a: String, b: String },
    /// The host stops: its tasks' futures are dropped, its connections are reset or fall silent, as drawn.
    Crash { host: String },
    /// The host starts anew, from the closure that it was made with. One that is up crashes first.
    Restart { host: String },
    /// The host's clock runs fast by this much, or slow if negative. At least -999,999.
    Skew { host: String, ppm: i32 },
    /// The host's clock jumps ahead.
    JumpForward { host: String, by: Duration },
    /// The host's clock jumps back.
    JumpBack { host: String, by: Duration },
    /// Each blocking job takes a time drawn between the two bounds.
    Disk { host: String, least: Duration, most: Duration },
    /// The host may have so many sockets open; more give the error `EMFILE`.
    Descriptors { host: String, most: u32 },
    /// Connections to this port of the host are refused, though somebody may listen; 0 is every port.
    Refuse { host: String, port: u16 },
    /// They are accepted again.
    Accept { host: String, port: u16 },
    /// So many connections wait to be accepted at each listener of the host; more are not answered.
    Backlog { host: String, most: u32 },
    /// This share of the host's reads and writes transfers only a part.
    Short { host: String, ppm: u32 },
    /// With each packet that arrives anywhere, this share of times a task or a socket is woken for no reason.
    Spurious { ppm: u32 },
}

/// A kind of fault, counted each time one really acted: a packet that was lost, not the share that was set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Kind {
    /// A packet took a latency other than the usual one.
    Latency,
    /// ... drawn from between two different bounds.
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
    /// A connection was refused though somebody listened.
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

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 21] = {
        use Kind::*;
        [
            Latency,
            Jitter,
            Loss,
            DatagramLost,
            DatagramDuplicated,
            DatagramReordered,
            Bandwidth,
            Partition,
            PartitionOneWay,
            Reset,
            Refused,
            BacklogFull,
            SlowDisk,
            Descriptors,
            ClockSkew,
            ClockJump,
            Crash,
            Restart,
            Spurious,
            ShortRead,
            ShortWrite,
        ]
    };
}

/// What goes wrong, and when, counted from the beginning of the simulation.
///
/// # Examples
/// ```
/// use cotask::sim::Plan;
///
/// let plan: Plan = "2s crash server\n3500ms restart server  # it is back\n".parse()?;
/// assert_eq!(plan.faults.len(), 2);
/// assert_eq!(plan.to_string().parse::<Plan>()?, plan);
/// # Ok::<(), cotask::sim::ParseError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Plan {
    /// In any order; those of one moment happen in the order in which they stand.
    pub faults: Vec<(Duration, Fault)>,
}

impl Plan {
    /// Draws a plan from a seed: for each kind some faults among these hosts before `horizon`, and for each that
    /// would last its end, so that a program can recover. Kinds that come with another (a restart with its crash,
    /// jitter with latency) are drawn with that.
    ///
    /// # Examples
    /// ```
    /// use cotask::sim::{Kind, Plan};
    /// use std::time::Duration;
    ///
    /// let draw = |seed| Plan::draw(seed, &["client", "server"], Duration::from_secs(60), &Kind::ALL);
    /// assert_eq!(draw(7), draw(7));
    /// assert_ne!(draw(7), draw(8));
    /// ```
    pub fn draw(seed: u64, hosts: &[&str], horizon: Duration, kinds: &[Kind]) -> Plan {
        let mut plan = Plan::default();
        for &kind in kinds {
            // A stream a kind: to leave one out changes nothing of the others.
            let mut rng = Rng::stream(seed, &format!("plan {kind:?}"));
            for _ in 0..rng.below(3) {
                let from = rng.between(Duration::ZERO, horizon);
                let until = rng.between(from, horizon);
                let Some((begin, end)) = draw_fault(kind, hosts, &mut rng) else { continue };
                plan.faults.push((from, begin));
                plan.faults.extend(end.map(|end| (until, end)));
            }
        }
        plan.faults.sort_by_key(|&(at, _)| at);
        plan
    }
}

/// A fault of a kind, and what ends it.
fn draw_fault(kind: Kind, hosts: &[&str], rng: &mut Rng) -> Option<(Fault, Option<Fault>)> {
    const MS: Duration = Duration::from_millis(1);
    let host = hosts.get(rng.below(hosts.len().max(1)))?.to_string();
    let others: Vec<&&str> = hosts.iter().filter(|&&other| other != host).collect();
    let peer = others.get(rng.below(others.len().max(1))).map(|peer| peer.to_string());
    let (a, b) = (host.clone(), peer);
    let ppm = 1_000 + rng.below(200_000) as u32;
    let times = 1 + rng.below(300) as u32;
    let (least, most) = super::link::USUAL;
    Some(match kind {
        Kind::Latency | Kind::Jitter => (
            Fault::Latency { a: a.clone(), b: b.clone()?, least: MS, most: MS * times },
            Some(Fault::Latency { a, b: b?, least, most }),
        ),
        Kind::Loss | Kind::DatagramLost => {
            (Fault::Loss { a: a.clone(), b: b.clone()?, ppm }, Some(Fault::Loss { a, b: b?, ppm: 0 }))
        }
        Kind::DatagramDuplicated => (
            Fault::Duplicate { a: a.clone(), b: b.clone()?, ppm },
            Some(Fault::Duplicate { a, b: b?, ppm: 0 }),
        ),
        Kind::DatagramReordered => {
            (Fault::Reorder { a: a.clone(), b: b.clone()?, ppm }, Some(Fault::Reorder { a, b: b?, ppm: 0 }))
        }
        Kind::Bandwidth => (
            Fault::Bandwidth { a: a.clone(), b: b.clone()?, bytes: 1_000 * u64::from(times) },
            Some(Fault::Bandwidth { a, b: b?, bytes: 0 }),
        ),
        Kind::Partition => (Fault::Partition { a: a.clone(), b: b.clone()? }, Some(Fault::Heal { a, b: b? })),
        Kind::PartitionOneWay => {
            (Fault::PartitionOneWay { from: a.clone(), to: b.clone()? }, Some(Fault::Heal { a, b: b? }))
        }
        Kind::Reset => (Fault::Reset { a, b: b? }, None),
        Kind::Refused => (Fault::Refuse { host: a, port: 0 }, Some(Fault::Accept { host, port: 0 })),
        Kind::Restart => return None,
        Kind::BacklogFull => {
            (Fault::Backlog { host: a, most: 1 }, Some(Fault::Backlog { host, most: super::host::BACKLOG }))
        }
        Kind::SlowDisk => (
            Fault::Disk { host: a, least: MS, most: MS * times },
            Some(Fault::Disk { host, least: super::host::DISK.0, most: super::host::DISK.1 }),
        ),
        Kind::Descriptors => {
            (Fault::Descriptors { host: a, most: 0 }, Some(Fault::Descriptors { host, most: u32::MAX }))
        }
        Kind::ClockSkew => {
            (Fault::Skew { host: a, ppm: ppm as i32 - 100_000 }, Some(Fault::Skew { host, ppm: 0 }))
        }
        Kind::ClockJump if ppm.is_multiple_of(2) => (Fault::JumpForward { host, by: MS * times * 10 }, None),
        Kind::ClockJump => (Fault::JumpBack { host, by: MS * times * 10 }, None),
        Kind::Crash => (Fault::Crash { host: a }, Some(Fault::Restart { host })),
        Kind::Spurious => (Fault::Spurious { ppm }, Some(Fault::Spurious { ppm: 0 })),
        Kind::ShortRead | Kind::ShortWrite => {
            (Fault::Short { host: a, ppm }, Some(Fault::Short { host, ppm: 0 }))
        }
    })
}

/// The largest unit in which it is a whole number: `1500ms`.
struct Short(Duration);

const UNITS: [(&str, u128); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let (unit, size) =
            UNITS.into_iter().find(|&(_, size)| nanos.is_multiple_of(size)).unwrap_or(("ns", 1));
        write!(f, "{}{unit}", nanos / size)
    }
}

/// A word a fault, then its hosts and its amounts: `latency client server 1ms 20ms`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Latency { a, b, least, most } => {
                write!(f, "latency {a} {b} {} {}", Short(*least), Short(*most))
            }
            Fault::Loss { a, b, ppm } => write!(f, "loss {a} {b} {ppm}ppm"),
            Fault::Duplicate { a, b, ppm } => write!(f, "duplicate {a} {b} {ppm}ppm"),
            Fault::Reorder { a, b, ppm } => write!(f, "reorder {a} {b} {ppm}ppm"),
            Fault::Bandwidth { a, b, bytes } => write!(f, "bandwidth {a} {b} {bytes}"),
            Fault::Partition { a, b } => write!(f, "partition {a} {b}"),
            Fault::PartitionOneWay { from, to } => write!(f, "partition-one-way {from} {to}"),
            Fault::Heal { a, b } => write!(f, "heal {a} {b}"),
            Fault::Reset { a, b } => write!(f, "reset {a} {b}"),
            Fault::Crash { host } => write!(f, "crash {host}"),
            Fault::Restart { host } => write!(f, "restart {host}"),
            Fault::Skew { host, ppm } => write!(f, "skew {host} {ppm}ppm"),
            Fault::JumpForward { host, by } => write!(f, "jump-forward {host} {}", Short(*by)),
            Fault::JumpBack { host, by } => write!(f, "jump-back {host} {}", Short(*by)),
            Fault::Disk { host, least, most } => write!(f, "disk {host} {} {}", Short(*least), Short(*most)),
            Fault::Descriptors { host, most } => write!(f, "descriptors {host} {most}"),
            Fault::Refuse { host, port } => write!(f, "refuse {host} {port}"),
            Fault::Accept { host, port } => write!(f, "accept {host} {port}"),
            Fault::Backlog { host, most } => write!(f, "backlog {host} {most}"),
            Fault::Short { host, ppm } => write!(f, "short {host} {ppm}ppm"),
            Fault::Spurious { ppm } => write!(f, "spurious {ppm}ppm"),
        }
    }
}

/// Why a [`Fault`] or a [`Plan`] could not be read, with the line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ParseError(String);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ParseError {}

fn duration(word: &str) -> Option<Duration> {
    let digits = word.trim_end_matches(char::is_alphabetic);
    let (_, size) = UNITS.into_iter().find(|&(unit, _)| unit == &word[digits.len()..])?;
    let nanos = digits.parse::<u128>().ok()?.checked_mul(size)?;
    u64::try_from(nanos).ok().map(Duration::from_nanos)
}

fn share<T: FromStr>(word: &str) -> Option<T> {
    word.strip_suffix("ppm")?.parse().ok()
}

fn fault(words: &[&str]) -> Option<Fault> {
    let name = |word: &str| word.to_string();
    Some(match *words {
        ["latency", a, b, least, most] => {
            Fault::Latency { a: name(a), b: name(b), least: duration(least)?, most: duration(most)? }
        }
        ["loss", a, b, ppm] => Fault::Loss { a: name(a), b: name(b), ppm: share(ppm)? },
        ["duplicate", a, b, ppm] => Fault::Duplicate { a: name(a), b: name(b), ppm: share(ppm)? },
        ["reorder", a, b, ppm] => Fault::Reorder { a: name(a), b: name(b), ppm: share(ppm)? },
        ["bandwidth", a, b, bytes] => Fault::Bandwidth { a: name(a), b: name(b), bytes: bytes.parse().ok()? },
        ["partition", a, b] => Fault::Partition { a: name(a), b: name(b) },
        ["partition-one-way", from, to] => Fault::PartitionOneWay { from: name(from), to: name(to) },
        ["heal", a, b] => Fault::Heal { a: name(a), b: name(b) },
        ["reset", a, b] => Fault::Reset { a: name(a), b: name(b) },
        ["crash", host] => Fault::Crash { host: name(host) },
        ["restart", host] => Fault::Restart { host: name(host) },
        ["skew", host, ppm] => Fault::Skew { host: name(host), ppm: share(ppm)? },
        ["jump-forward", host, by] => Fault::JumpForward { host: name(host), by: duration(by)? },
        ["jump-back", host, by] => Fault::JumpBack { host: name(host), by: duration(by)? },
        ["disk", host, least, most] => {
            Fault::Disk { host: name(host), least: duration(least)?, most: duration(most)? }
        }
        ["descriptors", host, most] => Fault::Descriptors { host: name(host), most: most.parse().ok()? },
        ["refuse", host, port] => Fault::Refuse { host: name(host), port: port.parse().ok()? },
        ["accept", host, port] => Fault::Accept { host: name(host), port: port.parse().ok()? },
        ["backlog", host, most] => Fault::Backlog { host: name(host), most: most.parse().ok()? },
        ["short", host, ppm] => Fault::Short { host: name(host), ppm: share(ppm)? },
        ["spurious", ppm] => Fault::Spurious { ppm: share(ppm)? },
        _ => return None,
    })
}

impl FromStr for Fault {
    type Err = ParseError;

    fn from_str(line: &str) -> Result<Fault, ParseError> {
        let words: Vec<&str> = line.split_whitespace().collect();
        fault(&words).ok_or_else(|| {
            ParseError(format!(
                "no fault: `{line}` (a line is as `loss client server 5000ppm`; see `cotask::sim::Fault`)"
            ))
        })
    }
}

/// A line a fault, the time first: `2s crash server`.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.iter().try_for_each(|(at, fault)| writeln!(f, "{} {fault}", Short(*at)))
    }
}

/// As printed; empty lines and what follows a `#` count for nothing.
impl FromStr for Plan {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Plan, ParseError> {
        let mut plan = Plan::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            let Some((at, rest)) = line.split_once(char::is_whitespace) else {
                if line.is_empty() {
                    continue;
                }
                return Err(ParseError(format!("line {}: `{line}` is not a time and a fault", number + 1)));
            };
            let told = |why: String| ParseError(format!("line {}: {why}", number + 1));
            let at = duration(at).ok_or_else(|| told(format!("`{at}` is no time (as 2s or 1500ms)")))?;
            plan.faults.push((at, rest.parse().map_err(|error: ParseError| told(error.0))?));
        }
        Ok(plan)
    }
}
