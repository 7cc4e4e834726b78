//! Two threads for each member: one reads what it says, the other writes what it is to hear.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::Builder;

use anyhow::{Context, Result};

use super::{FRAME, Frame, House, LONGEST, Policy, WELCOME, frame, keep_little};
use crate::common::accept_blocking;

/// What is to be written to a member.
#[derive(Clone)]
enum Outbox {
    Bounded(SyncSender<Frame>),
    Unbounded(Sender<Frame>),
}

struct Member {
    outbox: Outbox,
    stream: TcpStream,
}

#[derive(Clone)]
struct Room {
    members: Arc<Mutex<BTreeMap<u64, Member>>>,
    policy: Policy,
}

pub(super) fn serve(house: House, listener: &TcpListener) -> Result<()> {
    let room = Room { members: Arc::default(), policy: house.policy };
    for number in 0.. {
        let (stream, address) = accept_blocking(listener);
        if keep_little(&stream).and_then(|()| stream.set_write_timeout(Some(LONGEST))).is_err() {
            // It has gone already.
            continue;
        }
        let (outbox, messages) = outbox(house);
        let _ = outbox.deliver(house.policy, frame(WELCOME));
        let (reading, writing) = (stream.try_clone()?, stream.try_clone()?);
        room.members().insert(number, Member { outbox, stream });
        let of_reader = room.clone();
        // `thread::spawn` would panic where the system grants no more threads.
        let writer = Builder::new().spawn(|| write(writing, messages));
        let reader = Builder::new().spawn(move || read(&of_reader, number, reading));
        writer.and(reader).with_context(|| format!("no threads for {address}"))?;
    }
    Ok(())
}

fn outbox(house: House) -> (Outbox, Receiver<Frame>) {
    if house.policy == Policy::Unbounded {
        let (send, receive) = channel();
        (Outbox::Unbounded(send), receive)
    } else {
        let (send, receive) = sync_channel(house.queue);
        (Outbox::Bounded(send), receive)
    }
}

impl Outbox {
    /// `false` when the member has gone, or must go.
    fn deliver(&self, policy: Policy, message: Frame) -> bool {
        match self {
            Outbox::Bounded(queue) if policy == Policy::Cut => {
                !matches!(queue.try_send(message), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)))
            }
            Outbox::Bounded(queue) => queue.send(message).is_ok(),
            Outbox::Unbounded(queue) => queue.send(message).is_ok(),
        }
    }
}

fn write(mut stream: TcpStream, messages: Receiver<Frame>) {
    for message in messages {
        if stream.write_all(&*message).is_err() {
            return;
        }
    }
}

/// Reads what a member says until it leaves, and passes it on.
fn read(room: &Room, number: u64, mut stream: TcpStream) {
    let mut message = [0; FRAME];
    while stream.read_exact(&mut message).is_ok() {
        room.tell_all_but(number, &Arc::new(message));
    }
    room.members().remove(&number);
}

impl Room {
    fn members(&self) -> MutexGuard<'_, BTreeMap<u64, Member>> {
        self.members.lock().expect("no thread panics while it holds the room")
    }

    fn tell_all_but(&self, speaker: u64, message: &Frame) {
        // Copied out, since delivering may wait, and others must get into the room meanwhile.
        let members = self.members();
        let others = members.iter().filter(|(number, _)| **number != speaker);
        let outboxes: Vec<(u64, Outbox)> =
            others.map(|(number, member)| (*number, member.outbox.clone())).collect();
        drop(members);
        for (number, outbox) in outboxes {
            if !outbox.deliver(self.policy, message.clone())
                && let Some(member) = self.members().remove(&number)
            {
                // Ends its two threads too; it may have gone already.
                let _ = member.stream.shutdown(Shutdown::Both);
            }
        }
    }
}
