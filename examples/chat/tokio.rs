//! As the coroutines, on tokio's current-thread runtime.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use futures::future::select;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::timeout;

use super::{FRAME, Frame, House, LONGEST, Policy, WELCOME, frame, keep_little};
use crate::common::accept_on_tokio;

struct Member {
    outbox: Sender<Frame>,
    task: JoinHandle<()>,
}

struct Room {
    members: RefCell<BTreeMap<u64, Member>>,
    policy: Policy,
}

pub(super) fn serve(house: House, listener: std::net::TcpListener) -> Result<()> {
    // A bound that no queue can reach is no bound.
    let capacity = if house.policy == Policy::Unbounded { usize::MAX >> 4 } else { house.queue };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    LocalSet::new().block_on(&runtime, async {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let room = Rc::new(Room { members: RefCell::default(), policy: house.policy });
        for number in 0.. {
            let stream = accept_on_tokio(&listener).await;
            if keep_little(&stream).is_err() {
                // It has gone already.
                continue;
            }
            let (outbox, messages) = channel(capacity);
            let _ = outbox.try_send(frame(WELCOME));
            let task = spawn_local(member(room.clone(), number, stream, messages));
            room.members.borrow_mut().insert(number, Member { outbox, task });
        }
        Ok(())
    })
}

/// Serves a member until it leaves.
async fn member(room: Rc<Room>, number: u64, mut stream: TcpStream, messages: Receiver<Frame>) {
    let (reading, writing) = stream.split();
    select(pin!(read(&room, number, reading)), pin!(write(writing, messages))).await;
    room.members.borrow_mut().remove(&number);
}

async fn write(mut stream: WriteHalf<'_>, mut messages: Receiver<Frame>) -> std::io::Result<()> {
    while let Some(message) = messages.recv().await {
        timeout(LONGEST, stream.write_all(&*message)).await??;
    }
    Ok(())
}

async fn read(room: &Room, number: u64, mut stream: ReadHalf<'_>) -> std::io::Result<()> {
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
