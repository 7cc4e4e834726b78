//! Worker threads, and a channel in each direction. The channel of tasks has one receiver, which the workers
//! share behind a lock: the worker that holds it waits for the next task, the others wait for the lock.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, scope};

use indicatif::ProgressBar;

use super::{Finding, Order, Plan, QUEUE, Report, explore};

fn produce(plan: Plan, orders: SyncSender<Order>) {
    let tasks = (0..plan.tasks).map(Order::Task);
    let ends = (0..plan.workers).map(|_| Order::End);
    for order in tasks.chain(ends) {
        if orders.send(order).is_err() {
            return;
        }
    }
}

// ANCHOR: worker
fn worker(plan: Plan, orders: &Mutex<Receiver<Order>>, reports: SyncSender<Report>) {
    loop {
        let order = orders.lock().expect("no thread panics under it").recv();
        let report = match order {
            Ok(Order::Task(task)) => Report::Found(explore(task, plan.weight)),
            Ok(Order::End) | Err(_) => Report::End,
        };
        let is_end = matches!(report, Report::End);
        if reports.send(report).is_err() || is_end {
            return;
        }
    }
}
// ANCHOR_END: worker

fn collect(plan: Plan, reports: Receiver<Report>, done: &ProgressBar) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut at_work = plan.workers;
    while at_work > 0 {
        match reports.recv() {
            Ok(Report::Found(finding)) => {
                found.push(finding);
                done.inc(1);
            }
            Ok(Report::End) => at_work -= 1,
            Err(_) => break,
        }
    }
    found
}

/// # Errors
///
/// When a thread cannot be started.
pub(crate) fn work(plan: Plan, done: &ProgressBar) -> io::Result<Vec<Finding>> {
    let (to_workers, orders) = sync_channel(QUEUE);
    let (to_collector, reports) = sync_channel(QUEUE);
    let orders = Mutex::new(orders);
    let orders = &orders;
    scope(|scope| {
        // Locals of this closure, so that an early return drops both and ends the threads that did start.
        let (to_workers, to_collector, reports) = (to_workers, to_collector, reports);
        for _ in 0..plan.workers {
            let reports = to_collector.clone();
            Builder::new().spawn_scoped(scope, move || worker(plan, orders, reports))?;
        }
        drop(to_collector);
        Builder::new().spawn_scoped(scope, move || produce(plan, to_workers))?;
        Ok(collect(plan, reports, done))
    })
}
