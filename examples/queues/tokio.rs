//! `coroutines.rs` on tokio's runtime of one thread: what differs are names.

use std::rc::Rc;

use ::tokio::sync::{Mutex, mpsc};
use ::tokio::task::{LocalSet, spawn_local};
use anyhow::Context;
use indicatif::ProgressBar;

use super::{Finding, Order, Plan, QUEUE, Report, explore};

async fn produce(plan: Plan, orders: mpsc::Sender<Order>) {
    let tasks = (0..plan.tasks).map(Order::Task);
    let ends = (0..plan.workers).map(|_| Order::End);
    for order in tasks.chain(ends) {
        if orders.send(order).await.is_err() {
            return;
        }
    }
}

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
/// When the runtime cannot be made, or a task panics.
pub(crate) fn work(plan: Plan, done: &ProgressBar) -> anyhow::Result<Vec<Finding>> {
    let runtime = ::tokio::runtime::Builder::new_current_thread().build().context("tokio's runtime")?;
    let done = done.clone();
    let found = LocalSet::new().block_on(&runtime, async move {
        let (to_workers, orders) = mpsc::channel(QUEUE);
        let (to_collector, reports) = mpsc::channel(QUEUE);
        let orders = Rc::new(Mutex::new(orders));
        for _ in 0..plan.workers {
            spawn_local(worker(plan, orders.clone(), to_collector.clone()));
        }
        drop(to_collector);
        spawn_local(produce(plan, to_workers));
        spawn_local(collect(plan, reports, done)).await
    });
    Ok(found?)
}
