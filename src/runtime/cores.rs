//! Many cores: a thread per core, a runtime per thread, and connections dealt out to them in turn.
//!
//! A runtime of this kit is one thread. To use more cores, start more of them: nothing is shared but what is
//! sent, so no task ever waits for a lock that another core holds. One runtime accepts and hands each
//! connection to the next in turn, which is portable, and even whatever the kernel does; a connection then
//! stays on its core.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;

use crate::base::shim::thread::{self, JoinHandle};
use crate::base::shim::{Arc, Mutex};
use crate::executor::inbox::Job;
use crate::net::{Io, TcpListener, TcpStream, ToSocketAddrs};
use crate::sync::oneshot;
use crate::task::spawn::spawn;

use super::builder::Builder;
use super::handle::Handle;

/// Runtimes on threads of their own. Dropping it stops them and waits for their threads.
///
/// A task of one of these runtimes may own it, and drop it: then it waits for the other threads, and its own ends
/// once that task gives way. A [blocking job](crate::spawn_blocking) of one of them must not: the job waits for the
/// thread, and the thread for the job.
///
/// # Examples
/// ```
/// use cotask::cores::Cores;
///
/// let cores = Cores::start(2.try_into().unwrap())?;
/// let answers: Vec<u32> = cores
///     .handles()
///     .map(|handle| handle.spawn(|| async { 6 * 7 }).join().unwrap())
///     .collect();
/// assert_eq!(answers, [42, 42]);
/// cores.stop()?;
/// # std::io::Result::Ok(())
/// ```
pub struct Cores {
    cores: Vec<Core>,
    next: Cell<usize>,
}

struct Core {
    handle: Handle,
    thread: JoinHandle<io::Result<()>>,
}

impl Cores {
    /// Starts `count` threads named `cotask-core-0` and so on, each with a runtime as it comes.
    ///
    /// # Errors
    /// When the system cannot start a thread, or provide a poller for a runtime. Those already started are stopped.
    ///
    /// # Examples
    /// ```
    /// let cores = cotask::cores::Cores::start(2.try_into().unwrap())?;
    /// assert_eq!(cores.handles().len(), 2);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn start(count: NonZeroUsize) -> io::Result<Cores> {
        Cores::start_with(count, Builder::new())
    }

    /// As [`start`](Cores::start), with runtimes made by `builder`.
    ///
    /// # Errors
    /// As [`start`](Cores::start).
    ///
    /// # Examples
    /// ```
    /// use cotask::cores::Cores;
    /// use cotask::{Builder, blocking};
    ///
    /// // Each core has a blocking pool of its own.
    /// let pool = blocking::Config { max_threads: 4, ..Default::default() };
    /// let cores = Cores::start_with(2.try_into().unwrap(), Builder::new().blocking(pool))?;
    /// cores.stop()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn start_with(count: NonZeroUsize, builder: Builder) -> io::Result<Cores> {
        Cores::start_each(count, move |_number| {
            let runtime = builder.clone().build()?;
            Ok((runtime.handle(), move || runtime.run()))
        })
    }

    /// Calls `make` with each core's number on that core's thread. What it makes, a runtime or in a model what
    /// stands for one, is run there until its handle says to shut down.
    ///
    /// Models: `cores_stop`, `cores_failed_start`.
    pub(crate) fn start_each<R: FnOnce()>(
        count: NonZeroUsize,
        make: impl FnOnce(usize) -> io::Result<(Handle, R)> + Clone + Send + 'static,
    ) -> io::Result<Cores> {
        // When one cannot be started this is dropped, and stops the others.
        let mut cores = Cores { cores: Vec::with_capacity(count.get()), next: Cell::new(0) };
        for number in 0..count.get() {
            cores.cores.push(Core::start(number, make.clone())?);
        }
        Ok(cores)
    }

    /// The runtimes, in the order of their numbers.
    ///
    /// # Examples
    /// ```
    /// # let cores = cotask::cores::Cores::start(2.try_into().unwrap())?;
    /// for handle in cores.handles() {
    ///     handle.spawn(|| async { println!("hello from {:?}", std::thread::current().name()) });
    /// }
    /// # std::io::Result::Ok(())
    /// ```
    pub fn handles(&self) -> impl ExactSizeIterator<Item = &Handle> {
        self.cores.iter().map(|core| &core.handle)
    }

    /// The runtime whose turn it is: each call returns the next one. Those that have ended are passed over while
    /// another one is left.
    ///
    /// # Examples
    /// ```
    /// # let cores = cotask::cores::Cores::start(2.try_into().unwrap())?;
    /// let thread = || async { std::thread::current().id() };
    /// let threads = [(); 3].map(|()| cores.next().spawn(thread).join().unwrap());
    /// assert!(threads[0] == threads[2] && threads[0] != threads[1]);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn next(&self) -> &Handle {
        let turn = |_| {
            let number = self.next.replace((self.next.get() + 1) % self.cores.len());
            &self.cores[number].handle
        };
        (0..self.cores.len()).map(turn).find(|handle| !handle.is_closed()).unwrap_or(&self.cores[0].handle)
    }

    /// Stops every runtime and waits for its thread, unless it is the thread that calls this. Tasks that have not
    /// finished are dropped there.
    ///
    /// # Errors
    /// When one of the threads has panicked; its message went to the panic hook.
    ///
    /// # Examples
    /// ```
    /// let cores = cotask::cores::Cores::start(1.try_into().unwrap())?;
    /// let forever = cores.next().spawn(std::future::pending::<()>);
    /// cores.stop()?;
    /// assert!(forever.join().unwrap_err().is_cancelled());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn stop(mut self) -> io::Result<()> {
        self.stop_all()
    }

    fn stop_all(&mut self) -> io::Result<()> {
        self.cores.iter().for_each(|core| core.handle.shutdown());
        // A task of theirs may do this: its own thread cannot wait for itself, and stops when the task gives way.
        let this = thread::current().id();
        let others = self.cores.drain(..).enumerate().filter(|(_, core)| core.thread.thread().id() != this);
        let ends = others.map(|(number, core)| join(number, core.thread));
        // Each is waited for, also after one that has panicked.
        ends.fold(Ok(()), io::Result::and)
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        // The panic hook has reported any thread that panicked.
        let _ = self.stop_all();
    }
}

impl fmt::Debug for Cores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cores").field("count", &self.cores.len()).finish_non_exhaustive()
    }
}

impl Core {
    fn start<R: FnOnce()>(
        number: usize,
        make: impl FnOnce(usize) -> io::Result<(Handle, R)> + Send + 'static,
    ) -> io::Result<Core> {
        let (sender, started) = oneshot::channel();
        // A runtime stays on the thread that made it, so the thread makes it, and sends the way to it.
        let run = move || {
            let (handle, run) = make(number)?;
            drop(sender.send(handle));
            run();
            Ok(())
        };
        let thread = thread::Builder::new().name(format!("cotask-core-{number}")).spawn(run)?;
        match started.blocking_recv() {
            Ok(handle) => Ok(Core { handle, thread }),
            Err(_) => Err(join(number, thread).expect_err("a core that sends no handle ends with an error")),
        }
    }
}

fn join(number: usize, thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    let panicked = |_| Err(io::Error::other(format!("the thread cotask-core-{number} panicked")));
    thread.join().unwrap_or_else(panicked)
}

/// A listener served by several cores: [`serve`]. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    error: Arc<Mutex<Option<io::Error>>>,
    cores: Cores,
}

impl Server {
    /// The address it listens at.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::TcpStream;
    /// # let handler = async |_: TcpStream| ();
    /// let server = cotask::cores::serve("127.0.0.1:0", 1.try_into().unwrap(), handler)?;
    /// assert_ne!(server.local_addr().port(), 0);
    /// # std::io::Result::Ok(())
    /// ```
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// The last error at accepting, or that a core has ended, if there was one since this was asked last. The server
    /// has gone on.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::TcpStream;
    /// # let handler = async |_: TcpStream| ();
    /// # let server = cotask::cores::serve("127.0.0.1:0", 1.try_into().unwrap(), handler)?;
    /// if let Some(error) = server.take_error() {
    ///     eprintln!("{error}");
    /// }
    /// # std::io::Result::Ok(())
    /// ```
    pub fn take_error(&self) -> Option<io::Error> {
        self.error.lock().take()
    }

    /// Stops listening, drops the connections, and waits for the threads.
    ///
    /// # Errors
    /// When one of the threads has panicked.
    ///
    /// # Examples
    /// ```
    /// # use cotask::net::TcpStream;
    /// # let handler = async |_: TcpStream| ();
    /// let server = cotask::cores::serve("127.0.0.1:0", 1.try_into().unwrap(), handler)?;
    /// let address = server.local_addr();
    /// server.stop()?;
    /// assert!(std::net::TcpStream::connect(address).is_err());
    /// # std::io::Result::Ok(())
    /// ```
    pub fn stop(self) -> io::Result<()> {
        self.cores.stop()
    }
}

/// Listens at `address` and serves each connection with `handler` on one of `count` cores, in turn.
///
/// `handler` is called on the core's thread; the future that it makes is a task there, and need not be `Send`.
/// An error at accepting for want of descriptors is survived: see [`TcpListener::accept`]. When the thread of a core has
/// ended, because it panicked, its connections are closed, and those that come later go to the others. The first core
/// accepts: when that one has ended, the server listens no more.
///
/// # Errors
/// When the address cannot be bound, naming it, or the cores cannot be started.
///
/// # Examples
/// ```
/// use cotask::cores::serve;
/// use cotask::net::TcpStream;
/// use std::io::{Read, Write};
///
/// let server = serve("127.0.0.1:0", 2.try_into().unwrap(), async |stream: TcpStream| {
///     let _ = futures::io::copy(&stream, &mut &stream).await;
/// })?;
/// for word in ["to", "and", "fro"] {
///     let mut client = std::net::TcpStream::connect(server.local_addr())?;
///     client.write_all(word.as_bytes())?;
///     client.shutdown(std::net::Shutdown::Write)?;
///     let mut answer = String::new();
///     client.read_to_string(&mut answer)?;
///     assert_eq!(answer, word);
/// }
/// server.stop()?;
/// # std::io::Result::Ok(())
/// ```
pub fn serve<H>(
    address: impl ToSocketAddrs + Send + 'static,
    count: NonZeroUsize,
    handler: H,
) -> io::Result<Server>
where
    H: AsyncFn(TcpStream) + Clone + Send + 'static,
{
    let cores = Cores::start(count)?;
    let targets: Vec<Handle> = cores.handles().cloned().collect();
    let error = Arc::new(Mutex::new(None));
    let last_error = Arc::clone(&error);
    let (sender, bound) = oneshot::channel();
    cores.next().spawn(move || async move {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                drop(sender.send(listener.local_addr()));
                deal_out(&listener, &targets, handler, &last_error).await;
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    });
    let address =
        bound.blocking_recv().unwrap_or_else(|_| Err(io::Error::other("the accepting core panicked")))?;
    Ok(Server { address, error, cores })
}

// ANCHOR: deal
/// Accepts connections and sends each to the next core in turn, until this future is dropped.
async fn deal_out<H>(
    listener: &TcpListener,
    targets: &[Handle],
    handler: H,
    last_error: &Arc<Mutex<Option<io::Error>>>,
) where
    H: AsyncFn(TcpStream) + Clone + Send + 'static,
{
    let mut place = listener.0.place();
    let mut turns = targets.iter().cycle();
    loop {
        let accepted = poll_fn(|cx| listener.0.poll_accept_raw(cx, Some(&mut place))).await;
        let stream = match accepted.and_then(|(stream, _)| stream.into_os()) {
            Ok(stream) => stream,
            Err(error) => {
                *last_error.lock() = Some(error);
                continue;
            }
        };
        let (handler, error) = (handler.clone(), Arc::clone(last_error));
        let mut job: Job = Box::new(move || match TcpStream::watch(Io::Os(stream)) {
            Ok(stream) => drop(spawn(async move { handler(stream).await })),
            Err(not_watched) => *error.lock() = Some(not_watched),
        });
        // When all refuse it, all are stopping, and the connection is closed here.
        for core in turns.by_ref().take(targets.len()) {
            match core.send(job) {
                Ok(()) => break,
                Err(refused) => job = refused,
            }
            *last_error.lock() = Some(io::Error::other("a core has ended: the others serve its connections"));
        }
    }
}
// ANCHOR_END: deal

#[cfg(all(test, not(cotask_loom)))]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    /// No user can end a single core of a server: this stands for one whose poller has failed.
    #[test]
    fn a_server_deals_nothing_to_a_core_that_has_ended() {
        let echo = async |stream: TcpStream| drop(futures::io::copy(&stream, &mut &stream).await);
        let server = serve("127.0.0.1:0", 3.try_into().unwrap(), echo).unwrap();
        let second = &server.cores.cores[1].handle;
        second.shutdown();
        while !second.is_closed() {
            std::thread::yield_now();
        }
        for number in 0..30 {
            let mut client = std::net::TcpStream::connect(server.local_addr()).unwrap();
            client.write_all(b"x").unwrap();
            client.shutdown(std::net::Shutdown::Write).unwrap();
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap_or_else(|error| panic!("client {number}: {error}"));
            assert_eq!(answer, "x", "client {number}");
        }
        let error = server.take_error().expect("the user is told");
        assert!(error.to_string().contains("has ended"), "{error}");
        assert!(server.stop().is_ok());
    }
}
