//! Step 4: a function that stops in the middle and goes on. What `async fn` compiles
//! to, written out by hand.
//!
//! `cargo run --example step04_coroutines`

mod help;

use std::cell::RefCell;
use std::future::Future;
use std::mem::size_of_val;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};

use help::record;

// ANCHOR: ask
/// Where question and answer change hands.
#[derive(Default)]
struct Desk {
    question: RefCell<Option<String>>,
    answer: RefCell<Option<String>>,
}

/// Stops until there is an answer.
struct Ask(Rc<Desk>);

impl Future for Ask {
    type Output = String;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<String> {
        match self.0.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        }
    }
}

fn ask(desk: &Rc<Desk>, question: String) -> Ask {
    desk.question.replace(Some(question));
    Ask(Rc::clone(desk))
}
// ANCHOR_END: ask

// ANCHOR: async_fn
/// It stops twice. What it knows at each stop, `name`, and where it stands must be kept
/// somewhere.
async fn interview(desk: Rc<Desk>) -> String {
    let name = ask(&desk, "What is your name?".into()).await;
    let home = ask(&desk, format!("Where do you live, {name}?")).await;
    format!("{name} of {home}")
}
// ANCHOR_END: async_fn

// ANCHOR: by_hand
/// The same by hand: a variant for each place where it can stand still, with what it
/// knows there.
enum Interview {
    Start { desk: Rc<Desk> },
    Name { desk: Rc<Desk>, ask: Ask },
    Home { name: String, ask: Ask },
    Over,
}

impl Future for Interview {
    type Output = String;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<String> {
        loop {
            let next = match &mut *self {
                Interview::Start { desk } => {
                    let ask = ask(desk, "What is your name?".into());
                    Interview::Name { desk: Rc::clone(desk), ask }
                }
                Interview::Name { desk, ask: answer } => {
                    let name = ready!(Pin::new(answer).poll(cx));
                    let ask = ask(desk, format!("Where do you live, {name}?"));
                    Interview::Home { name, ask }
                }
                Interview::Home { name, ask } => {
                    let home = ready!(Pin::new(ask).poll(cx));
                    let portrait = format!("{name} of {home}");
                    *self = Interview::Over;
                    return Poll::Ready(portrait);
                }
                Interview::Over => panic!("polled after it was complete"),
            };
            *self = next;
        }
    }
}
// ANCHOR_END: by_hand

// ANCHOR: resume
#[derive(Debug, PartialEq)]
enum Resumed {
    Yielded(String),
    Complete(String),
}

struct Coroutine {
    body: Pin<Box<dyn Future<Output = String>>>,
    desk: Rc<Desk>,
}

impl Coroutine {
    /// Lets the body run until it stops. To close it is to drop it.
    fn resume(&mut self, answer: Option<&str>) -> Resumed {
        self.desk.answer.replace(answer.map(str::to_string));
        // No waker is needed: the caller decides when to go on.
        let mut cx = Context::from_waker(Waker::noop());
        match self.body.as_mut().poll(&mut cx) {
            Poll::Ready(value) => Resumed::Complete(value),
            Poll::Pending => {
                Resumed::Yielded(self.desk.question.take().expect("it stops only to ask"))
            }
        }
    }
}
// ANCHOR_END: resume

fn hold(
    number: u64,
    called: &str,
    body: impl Future<Output = String> + 'static,
    desk: Rc<Desk>,
) {
    println!("{called}, {} bytes:", size_of_val(&body));
    let mut coroutine = Coroutine { body: Box::pin(body), desk };
    record::spawned(number, called);
    for answer in [None, Some("Ada"), Some("London")] {
        record::scheduled(number);
        record::poll_began(number);
        let resumed = coroutine.resume(answer);
        let outcome =
            if let Resumed::Complete(_) = resumed { "finished" } else { "pending" };
        record::poll_ended(number, outcome);
        println!("  resume({answer:?}) -> {resumed:?}");
    }
}

fn main() {
    let _recording = help::begin("Step 4: coroutines, and what `async fn` compiles to");
    let desk = Rc::new(Desk::default());
    hold(0, "async fn", interview(Rc::clone(&desk)), Rc::clone(&desk));
    hold(1, "by hand", Interview::Start { desk: Rc::clone(&desk) }, Rc::clone(&desk));

    // ANCHOR: close
    let mut coroutine =
        Coroutine { body: Box::pin(interview(Rc::clone(&desk))), desk: Rc::clone(&desk) };
    coroutine.resume(None);
    println!("stopped in the middle: the desk has {} owners", Rc::strong_count(&desk));
    drop(coroutine);
    println!("dropped there:         the desk has {} owner", Rc::strong_count(&desk));
    // ANCHOR_END: close
}
