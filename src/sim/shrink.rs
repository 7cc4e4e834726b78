//! Shrinking: of the faults that were planned, those that it takes.

use std::future::Future;
use std::time::Duration;

use super::{Builder, Failure, Fault, Plan};

/// The least that was found to fail in the same way: [`shrink`].
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The faults that are left. None of them can be left out, with this seed.
    pub plan: Plan,
    /// How it fails with them.
    pub failure: Failure,
    /// When, on the simulation's clock.
    pub at: Duration,
    /// How many runs it took to find out.
    pub runs: u32,
}

/// Looks for fewer and earlier faults under which `program` fails in the same way as it does in the simulation that
/// `builder` describes, which has `plan`.
///
/// The same way is: the same kind of failure on the same host, with the same words but for the numbers in them. Faults are
/// left out until none can be (source: A. Zeller, R. Hildebrandt, "Simplifying and Isolating Failure-Inducing
/// Input", IEEE Transactions on Software Engineering 28(2), 2002: ddmin); then each is moved towards the beginning,
/// which makes the run shorter. `None` when the program does not fail at all.
///
/// # Examples
/// ```
/// use std::time::Duration;
///
/// use cotask::net::{TcpListener, TcpStream};
/// use cotask::sim::{self, Plan, Simulation};
///
/// let plan: Plan = "1s latency client server min=5ms max=9ms\n2s reset client server\n3s crash server\n".parse()?;
/// let shrunk = sim::shrink(&Simulation::builder().seed(1), &plan, || async {
///     sim::host("server", || async {
///         let listener = TcpListener::bind("0.0.0.0:80").await.unwrap();
///         loop {
///             listener.accept().await.unwrap();
///         }
///     });
///     let client = sim::host("client", || async {
///         for _ in 0..5 {
///             cotask::time::sleep(Duration::from_secs(1)).await;
///             TcpStream::connect("server:80").await.expect("the server never crashes");
///         }
///     });
///     client.done().await;
/// });
/// let plan = shrunk.unwrap().plan.to_string();
/// assert!(plan.ends_with(" crash server\n") && plan.lines().count() == 1, "{plan}");
/// # Ok::<(), cotask::sim::ParseError>(())
/// ```
pub fn shrink<F: Future<Output = ()>>(
    builder: &Builder,
    plan: &Plan,
    program: impl Fn() -> F,
) -> Option<Shrunk> {
    let mut runs = 0;
    let mut failure_with = |faults: &[(Duration, Fault)]| {
        runs += 1;
        let plan = Plan { faults: faults.to_vec() };
        let report = builder.clone().plan(plan).build().run(program());
        report.result.err().map(|failure| (failure, report.virtual_time))
    };
    let (failure, _) = failure_with(&plan.faults)?;
    let wanted = signature(&failure);
    let mut fails_at = |faults: &[(Duration, Fault)]| {
        failure_with(faults).filter(|(failure, _)| signature(failure) == wanted).map(|(_, at)| at)
    };
    let mut faults = ddmin(plan.faults.clone(), |faults| fails_at(faults).is_some());
    let mut length = fails_at(&faults)?;
    for place in 0..faults.len() {
        // First to whole milliseconds, which are easier to read.
        for divisor in [1, 2, 2, 2, 2, 2, 2, 2, 2] {
            let mut earlier = faults.clone();
            earlier[place].0 = Duration::from_millis(faults[place].0.as_millis() as u64 / divisor);
            match fails_at(&earlier).filter(|at| *at <= length) {
                Some(at) => (faults, length) = (earlier, at),
                None if divisor > 1 => break,
                None => {}
            }
        }
    }
    let (failure, at) = failure_with(&faults)?;
    Some(Shrunk { plan: Plan { faults }, failure, at, runs })
}

/// A failure without the numbers that differ from run to run.
fn signature(failure: &Failure) -> String {
    let mut signature = String::new();
    for letter in failure.to_string().chars() {
        match letter {
            '0'..='9' if signature.ends_with('#') => {}
            '0'..='9' => signature.push('#'),
            letter => signature.push(letter),
        }
    }
    signature
}

/// The items without which `fails` does not hold: none can be left out alone. `fails` holds for all of them.
fn ddmin<T: Clone>(mut items: Vec<T>, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    if fails(&[]) {
        return Vec::new();
    }
    let mut parts = 2;
    while items.len() >= 2 {
        let chunks: Vec<Vec<T>> = items.chunks(items.len().div_ceil(parts)).map(<[T]>::to_vec).collect();
        let without = |left_out: usize| -> Vec<T> {
            let kept = chunks.iter().enumerate().filter(|(place, _)| *place != left_out);
            kept.flat_map(|(_, chunk)| chunk.iter().cloned()).collect()
        };
        if let Some(chunk) = chunks.iter().find(|chunk| fails(chunk)) {
            items = chunk.clone();
            parts = 2;
        // Of two halves each is the other's complement.
        } else if chunks.len() > 2
            && let Some(rest) = (0..chunks.len()).map(without).find(|rest| fails(rest))
        {
            items = rest;
            parts = (parts - 1).max(2);
        } else if parts >= items.len() {
            break;
        } else {
            parts = (parts * 2).min(items.len());
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_it_takes() {
        for needed in [vec![], vec![3], vec![0, 19], vec![2, 3, 11], (0..20).collect()] {
            let mut tried = 0;
            let left = ddmin((0..20).collect(), |items| {
                tried += 1;
                needed.iter().all(|item| items.contains(item))
            });
            assert_eq!(left, needed);
            assert!(tried <= 400, "{tried}");
        }
    }

    #[test]
    fn where_either_of_two_will_do_one_is_left() {
        let left = ddmin((0..9).collect(), |items: &[i32]| items.contains(&2) || items.contains(&7));
        assert_eq!(left.len(), 1);
    }
}
