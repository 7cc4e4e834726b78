//! Plans: which faults, and when; drawn from a seed, printed and read.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::base::rng::Rng;

use super::fault::{Fault, Kind, ParseError, Short, duration};
use super::parts::{BACKLOG, DISK, USUAL};

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
            // One stream per kind: leaving one out changes none of the others.
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

impl Plan {
    /// As it is printed, and behind each fault, as a comment, what it means.
    ///
    /// # Examples
    /// ```
    /// use cotask::sim::Plan;
    ///
    /// let plan: Plan = "2s loss ann bob ppm=5000\n3s crash bob\n".parse()?;
    /// let in_words = plan.in_words();
    /// assert!(in_words.starts_with("2s loss ann bob ppm=5000  # 0.5% of the packets between ann and bob are lost\n"));
    /// assert_eq!(in_words.parse::<Plan>()?, plan);
    /// # Ok::<(), cotask::sim::ParseError>(())
    /// ```
    pub fn in_words(&self) -> String {
        let lines =
            self.faults.iter().map(|(at, fault)| (format!("{} {fault}", Short(*at)), fault.in_words()));
        let lines: Vec<_> = lines.collect();
        let width = lines.iter().map(|(line, _)| line.len()).max().unwrap_or_default();
        lines.iter().map(|(line, words)| format!("{line:width$}  # {words}\n")).collect()
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
    let (min, max) = USUAL;
    Some(match kind {
        Kind::Latency | Kind::Jitter => (
            Fault::Latency { a: a.clone(), b: b.clone()?, min: MS, max: MS * times },
            Some(Fault::Latency { a, b: b?, min, max }),
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
            (Fault::Backlog { host: a, max: 1 }, Some(Fault::Backlog { host, max: BACKLOG }))
        }
        Kind::SlowDisk => (
            Fault::Disk { host: a, min: MS, max: MS * times },
            Some(Fault::Disk { host, min: DISK.0, max: DISK.1 }),
        ),
        Kind::Descriptors => {
            (Fault::Descriptors { host: a, max: 0 }, Some(Fault::Descriptors { host, max: u32::MAX }))
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

/// One line per fault, the time first: `2s crash server`.
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
