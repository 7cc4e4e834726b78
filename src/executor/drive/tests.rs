use crate::executor::current;
use crate::{Builder, yield_now};

use super::*;

/// A turn may end just as the run queue becomes empty. Then the thread sleeps between two full turns.
#[test]
fn a_sleep_is_not_taken_for_a_poll() {
    const MAX_POLLS: usize = 61;
    Builder::new().virtual_time().build().unwrap().block_on(async {
        let turn = || current::executor("this test").turn.jobs();
        let shortest_turn = async |polls| {
            let mut shortest = MAX_POLLS;
            for _ in 0..polls {
                yield_now().await;
                shortest = shortest.min(turn());
            }
            shortest
        };
        shortest_turn(100 * MAX_POLLS).await;
        // Several rounds, as the thread may get up on the way to the deadline, find nothing to poll, and sleep again.
        for polls in (0..5).flat_map(|_| 0..=MAX_POLLS) {
            shortest_turn(polls).await;
            crate::time::sleep(Duration::from_millis(10)).await;
            let shortest = shortest_turn(2 * MAX_POLLS).await;
            assert_eq!(shortest, MAX_POLLS, "after {polls} polls and a sleep");
        }
    });
}
