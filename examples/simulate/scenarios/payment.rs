//! A retry that is not idempotent: a customer pays, hears nothing, and pays again.
//!
//! No answer means one of two things, and the customer cannot know which: the request was lost, or the answer was.
//! If the answer was lost, a retry asks for the same payment twice. The repair is the bank's: together with the
//! balance, it keeps which payments it has made, and answers one that it knows as it did before.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use cotask::sim::{self, random};
use cotask::time::sleep;

use super::Version;
use super::wire::{ask, serve};

use crate::common::Backoff;

const CUSTOMERS: [&str; 4] = ["ann", "bob", "cid", "dora"];
const PAYMENTS: u64 = 6;
const AMOUNT: u64 = 5;
const START: u64 = 1_000;

/// The bank's disk: it outlives the bank's crashes.
#[derive(Default)]
struct Ledger {
    paid: u64,
    /// The answers that were given, by the names of the payments.
    answers: BTreeMap<String, String>,
}

pub(super) async fn run(version: Version) {
    let ledger = Rc::new(RefCell::new(Ledger::default()));
    let disk = Rc::clone(&ledger);
    sim::host("bank", move || bank(version, Rc::clone(&disk)));
    let customers = CUSTOMERS.map(|name| sim::host(name, move || customer(name)));
    for customer in customers {
        customer.done().await;
    }
    let owed = CUSTOMERS.len() as u64 * PAYMENTS * AMOUNT;
    let paid = ledger.borrow().paid;
    assert!(paid == owed, "the customers paid {owed}, and the bank took {paid} of them");
}

// ANCHOR: bank
async fn bank(version: Version, ledger: Rc<RefCell<Ledger>>) {
    serve(async move |payment| {
        let mut ledger = ledger.borrow_mut();
        if version == Version::Repaired
            && let Some(answer) = ledger.answers.get(payment)
        {
            return answer.clone();
        }
        ledger.paid += AMOUNT;
        let answer = format!("{} are left", START - ledger.paid);
        ledger.answers.insert(payment.to_string(), answer.clone());
        answer
    })
    .await
}
// ANCHOR_END: bank

// ANCHOR: customer
async fn customer(name: &str) {
    for number in 0..PAYMENTS {
        sleep(Duration::from_millis(random() % 100)).await;
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
        let payment = format!("payment {number} of {name}");
        while ask("bank:80", &payment, Duration::from_millis(500)).await.is_err() {
            sleep(backoff.pause(random())).await;
        }
    }
}
// ANCHOR_END: customer
