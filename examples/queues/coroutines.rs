//! Worker tasks on one thread, and a channel in each direction. The same shape as `pool.rs`, but only one worker runs
//! at a time: the queues order the work and bound the memory, but add no second core.

use std::rc::Rc;

use cotask::JoinError;
use cotask::sync::{Mutex, mpsc};
use indicatif::ProgressBar;

use super::{Finding, Order, Plan, QUEUE, Report, explore};
use crate::common::block_on;

async fn produce(plan: Plan, orders: mpsc::Sender<Order>) {
    let tasks = (0..plan.tasks).map(Order::Task);
    let ends = (0..plan.workers).map(|_| Order::End);
    for order in tasks.chain(ends) {
        if orders.send(order).await.is_err() {
            return;
        }
    }
}

// ANCHOR: worker
async fn worker(plan: Plan, orders: Rc<Mutex<mpsc::Receiver<Order>>>, reports: mpsc::Sender<Report>) {
    loop {
        let order = orders.lock().await.recv().await;
        let report = match order {
            Some(Order::Task(task)) => Report::Found(explore(task, plan.weight)),
            Some(Order::End) | None => Report::End,
        };
        let is_end = matches!(report, Report::End);
        if reports.send(report).await.is_err() || is_end {
            return;
        }
    }
}
// ANCHOR_END: worker

async fn collect(plan: Plan, mut reports: mpsc::Receiver<Report>, done: ProgressBar) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut at_work = plan.workers;
    while at_work > 0 {
        match reports.recv().await {
            Some(Report::Found(finding)) => {
                found.push(finding);
                done.inc(1);
            }
            Some(Report::End) => at_work -= 1,
            None => break,
        }
    }
    found
}

/// # Errors
///
/// When a task panics.
pub(crate) fn work(plan: Plan, done: &ProgressBar) -> Result<Vec<Finding>, JoinError> {
    let done = done.clone();
    block_on(async move {
        let (to_workers, orders) = mpsc::channel(QUEUE);
        let (to_collector, reports) = mpsc::channel(QUEUE);
        let orders = Rc::new(Mutex::new(orders));
        for _ in 0..plan.workers {
            cotask::spawn(worker(plan, orders.clone(), to_collector.clone()));
        }
        drop(to_collector);
        cotask::spawn(produce(plan, to_workers));
        cotask::spawn(collect(plan, reports, done)).await
    })
}
