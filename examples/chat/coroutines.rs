//! A task for each member, which reads and writes at once; all tasks share one thread, and so the room needs no lock.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use cotask::JoinHandle;
use cotask::net::{TcpListener, TcpStream};
use cotask::sync::mpsc::{Receiver, Sender, channel};
use cotask::time::timeout;
use futures::future::select;
use futures::{AsyncReadExt, AsyncWriteExt};

use super::{FRAME, Frame, House, LONGEST, Policy, WELCOME, frame, keep_little};
use crate::common::{accept, block_on};

struct Member {
    outbox: Sender<Frame>,
    task: JoinHandle<()>,
}

struct Room {
    members: RefCell<BTreeMap<u64, Member>>,
    policy: Policy,
}

pub(super) fn serve(house: House, listener: std::net::TcpListener) -> Result<()> {
    block_on(async { serve_all(house, TcpListener::from_std(listener)?, keep_little).await })
}

/// Serves for as long as it is polled, and calls `prepare` on each new connection first.
pub(super) async fn serve_all(
    house: House,
    listener: TcpListener,
    prepare: impl Fn(&TcpStream) -> std::io::Result<()>,
) -> Result<()> {
    // A bound that no queue can reach is no bound.
    let capacity = if house.policy == Policy::Unbounded { usize::MAX >> 4 } else { house.queue };
    let room = Rc::new(Room { members: RefCell::default(), policy: house.policy });
    for number in 0.. {
        let stream = accept(&listener).await;
        if prepare(&stream).is_err() {
            // It has gone already.
            continue;
        }
        let (outbox, messages) = channel(capacity);
        let _ = outbox.try_send(frame(WELCOME));
        let task = cotask::spawn(member(room.clone(), number, stream, messages));
        room.members.borrow_mut().insert(number, Member { outbox, task });
    }
    Ok(())
}

/// Serves a member until it leaves.
async fn member(room: Rc<Room>, number: u64, stream: TcpStream, messages: Receiver<Frame>) {
    select(pin!(read(&room, number, &stream)), pin!(write(&stream, messages))).await;
    room.members.borrow_mut().remove(&number);
}

async fn write(mut stream: &TcpStream, mut messages: Receiver<Frame>) -> std::io::Result<()> {
    while let Some(message) = messages.recv().await {
        timeout(LONGEST, stream.write_all(&*message)).await??;
    }
    Ok(())
}

async fn read(room: &Room, number: u64, mut stream: &TcpStream) -> std::io::Result<()> {
    loop {
        let mut message = Arc::new([0; FRAME]);
        let bytes = Arc::get_mut(&mut message).expect("the message is not shared yet");
        stream.read_exact(bytes).await?;
        room.tell_all_but(number, &message).await;
    }
}

impl Room {
    async fn tell_all_but(&self, speaker: u64, message: &Frame) {
        // Copied out, since delivering may wait, and others must get into the room meanwhile.
        let outboxes: Vec<(u64, Sender<Frame>)> = {
            let members = self.members.borrow();
            let others = members.iter().filter(|(number, _)| **number != speaker);
            others.map(|(number, member)| (*number, member.outbox.clone())).collect()
        };
        for (number, outbox) in outboxes {
            let delivered = match self.policy {
                Policy::Cut => outbox.try_send(message.clone()).is_ok(),
                Policy::Wait | Policy::Unbounded => outbox.send(message.clone()).await.is_ok(),
            };
            if !delivered && let Some(member) = self.members.borrow_mut().remove(&number) {
                member.task.abort();
            }
        }
    }
}
