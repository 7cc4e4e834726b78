//! What a run gave: for people, and as the record that `compare` reads.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Latencies, Percentiles, Style, Usage, Workload};

/// A hash of an answer (64-bit FNV-1a): enough to compare the answers of styles, nothing to defend with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) const fn new() -> Hash {
        Hash(0xcbf2_9ce4_8422_2325)
    }

    /// The hash as a number.
    pub(crate) const fn value(self) -> u64 {
        self.0
    }

    /// The hash of what was hashed so far, followed by `bytes`.
    pub(crate) fn and(self, bytes: &[u8]) -> Hash {
        Hash(bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)))
    }
}

/// The result of a workload in one style, with what it cost.
#[derive(Clone)]
pub(crate) struct Outcome {
    n: u64,
    usage: Usage,
    words: String,
    hash: Hash,
    latencies: Option<Percentiles>,
    operations: u64,
    errors: u64,
    why: String,
    also: BTreeMap<String, f64>,
}

impl Outcome {
    /// The outcome of work of size `n`, whose answer is still to be given.
    pub(crate) fn new(n: u64, usage: Usage) -> Outcome {
        Outcome {
            n,
            usage,
            words: String::new(),
            hash: Hash::new(),
            latencies: None,
            operations: n,
            errors: 0,
            why: String::new(),
            also: BTreeMap::new(),
        }
    }

    /// The answer in words, and the bytes in which all styles must agree.
    pub(crate) fn answer(self, words: impl Into<String>, bytes: &[u8]) -> Outcome {
        self.answer_hash(words, Hash::new().and(bytes))
    }

    /// The answer in words, and a hash in which all styles must agree.
    pub(crate) fn answer_hash(self, words: impl Into<String>, hash: Hash) -> Outcome {
        Outcome { words: words.into(), hash, ..self }
    }

    /// The latencies that were recorded here.
    pub(crate) fn latencies(self, latencies: &Latencies) -> Outcome {
        self.percentiles(latencies.percentiles())
    }

    /// The latencies that another process recorded.
    pub(crate) fn percentiles(self, latencies: Option<Percentiles>) -> Outcome {
        Outcome { latencies, ..self }
    }

    /// How many operations the work consisted of, where it is not `n`: [`Figure::CpuEach`](super::Figure) divides by it.
    pub(crate) fn operations(self, operations: u64) -> Outcome {
        Outcome { operations, ..self }
    }

    /// How many operations failed, and how the first of them did. Any at all makes the run a failed one.
    pub(crate) fn errors(self, errors: u64, first: impl Into<String>) -> Outcome {
        Outcome { errors, why: first.into(), ..self }
    }

    /// One more figure of this workload, such as ("missed ticks", 3.0).
    pub(crate) fn also(mut self, name: &str, value: f64) -> Outcome {
        self.also.insert(name.to_string(), value);
        self
    }
}

/// One run as a record: what `--json` prints, and what `compare --json FILE` collects.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    pub(crate) workload: String,
    pub(crate) style: String,
    pub(crate) n: u64,
    pub(crate) wall_ms: Option<f64>,
    pub(crate) cpu_ms: Option<f64>,
    pub(crate) peak_pss_kib: Option<u64>,
    pub(crate) threads: Option<u64>,
    pub(crate) switches: Option<u64>,
    pub(crate) p50_us: Option<u64>,
    pub(crate) p99_us: Option<u64>,
    pub(crate) p999_us: Option<u64>,
    pub(crate) operations: u64,
    pub(crate) errors: u64,
    /// The hash of the answer, in hexadecimal.
    pub(crate) answer: String,
    pub(crate) ok: bool,
    /// Why it is not `ok`.
    pub(crate) why: String,
    #[serde(default)]
    pub(crate) also: BTreeMap<String, f64>,
}

impl Run {
    pub(crate) fn new(workload: &Workload, style: Style, outcome: &Outcome) -> Run {
        let Outcome { n, usage, hash, latencies, operations, errors, why, also, .. } = outcome;
        Run {
            workload: workload.name.to_string(),
            style: style.to_string(),
            n: *n,
            wall_ms: Some(round(usage.wall.as_secs_f64() * 1e3)),
            cpu_ms: usage.cpu.map(|cpu| round(cpu.as_secs_f64() * 1e3)),
            peak_pss_kib: usage.peak_pss_kib,
            threads: usage.threads,
            switches: usage.switches,
            p50_us: latencies.map(|latencies| latencies.p50_us),
            p99_us: latencies.map(|latencies| latencies.p99_us),
            p999_us: latencies.map(|latencies| latencies.p999_us),
            operations: *operations,
            errors: *errors,
            answer: format!("{:016x}", hash.0),
            ok: *errors == 0,
            why: why.clone(),
            also: also.clone(),
        }
    }

    /// A run that gave no result at all.
    pub(crate) fn failed(workload: &str, style: Style, n: u64, why: String) -> Run {
        Run {
            workload: workload.to_string(),
            style: style.to_string(),
            n,
            wall_ms: None,
            cpu_ms: None,
            peak_pss_kib: None,
            threads: None,
            switches: None,
            p50_us: None,
            p99_us: None,
            p999_us: None,
            operations: 0,
            errors: 0,
            answer: String::new(),
            ok: false,
            why,
            also: BTreeMap::new(),
        }
    }

    /// The result as a few lines of text.
    pub(crate) fn for_people(&self, workload: &Workload, outcome: &Outcome) -> String {
        let mut text = format!("{}\n", outcome.words);
        let mut line = |name: &str, value: Option<String>| {
            let value = value.unwrap_or_else(|| "not told by this system".into());
            let _ = writeln!(text, "  {name:<20}{value}");
        };
        line("style", Some(format!("{}, {} {}", self.style, self.n, workload.counts)));
        line("wall", self.wall_ms.map(|ms| format!("{ms:.1} ms")));
        line("CPU", self.cpu_ms.map(|ms| format!("{ms:.1} ms (user + system)")));
        line("peak memory", self.peak_pss_kib.map(|kib| format!("{:.1} MiB", kib as f64 / 1024.0)));
        line("threads", self.threads.map(|threads| threads.to_string()));
        line("switches", self.switches.map(|switches| switches.to_string()));
        if let Some(Percentiles { p50_us, p99_us, p999_us, .. }) = outcome.latencies {
            let [p50, p99, p999] = [p50_us, p99_us, p999_us].map(|us| us as f64 / 1e3);
            line("latency", Some(format!("p50 {p50:.2} ms, p99 {p99:.2} ms, p99.9 {p999:.2} ms")));
        }
        for (name, value) in &self.also {
            line(name, Some(format!("{value}")));
        }
        if self.errors > 0 {
            line("errors", Some(format!("{}, the first: {}", self.errors, self.why)));
        }
        line("answer", Some(self.answer.clone()));
        text
    }
}

/// Milliseconds to the microsecond, for a JSON that can be read.
fn round(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}
