//! Internals, for the models in `tests/loom` alone: they drive the parts of the runtime without its executor, which
//! sleeps in the system's poller and so cannot be modelled.

use std::future::{Future, poll_fn};
use std::io;
use std::num::NonZeroUsize;
use std::rc::Rc;

pub use crate::base::key::TaskKey;
use crate::base::shim::Arc;
pub use crate::executor::inbox::{Inbox, Mail, Registry};
use crate::executor::run::Run;
use crate::sync::Notify;
use crate::task::Task;
use crate::task::remote::RemoteJoinHandle;
pub use crate::task::remote::RemoteOwner;

use super::cores::Cores;
use super::handle::Handle;

/// The registry of this process: a new one in each execution of a model.
pub(crate) fn registry() -> &'static Registry {
    interleave::lazy_static! { static ref REGISTRY: Registry = Registry::default(); }
    &REGISTRY
}

/// A handle to a runtime of which there is nothing but the inbox, and what tells it to stop.
pub fn handle(inbox: Arc<Inbox>, stop: Arc<Notify>) -> Handle {
    Handle::new(inbox, stop, None)
}

/// Threads that run what `make` makes, with the handles that stop it.
pub fn cores<R: FnOnce()>(
    count: NonZeroUsize,
    make: impl FnOnce(usize) -> io::Result<(Handle, R)> + Clone + Send + 'static,
) -> io::Result<Cores> {
    Cores::start_each(count, make)
}

/// A task of another thread, before that thread has heard of it.
pub fn remote<T>() -> (RemoteJoinHandle<T>, RemoteOwner<T>) {
    RemoteJoinHandle::new()
}

/// A task without an executor: its holder runs it.
pub struct Loose(Rc<dyn Run>);

impl Loose {
    /// The task that another thread spawned, on its own thread.
    pub fn remote<F: Future + 'static>(owner: RemoteOwner<F::Output>, future: F) -> Loose {
        Loose(owner.body(Task::new(future)))
    }

    /// Runs it to its end.
    pub async fn run(&self) {
        poll_fn(|cx| self.0.run(cx)).await;
    }

    /// Cancels it, as the end of a runtime does.
    pub fn cancel(&self) {
        self.0.cancel();
    }
}
