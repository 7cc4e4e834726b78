//! RabbitMQ on cotask: workers, each a process of its own, share jobs, and one of them is killed.
//!
//! ```console
//! $ cargo run --release -p ecosystem --example work_rabbitmq
//! ```

#[macro_use]
#[path = "../../../examples/common/print.rs"]
mod print;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::pin;
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::Parser;
use cotask::net::{AsyncFd, Direction};
use ecosystem::on_cotask::until_ctrl_c;
use ecosystem::on_cotask::work::{QUEUE, connect, consumer, done_with, end, job, publish, queue, worker};
use ecosystem::servers::{Kind, Server};
use futures::StreamExt;
use futures::future::{Either, select};
use futures::stream::FuturesUnordered;
use lapin::message::Delivery;

/// Publishes jobs for workers, each a process of its own. The first worker hangs after a few jobs and is killed. The
/// others get the jobs that it had in hand.
///
/// The jobs go through the queue `cotask-jobs` and the results through `cotask-results`. Both are deleted at the end.
#[derive(Parser)]
#[command(name = "work_rabbitmq")]
struct Arguments {
    /// Where RabbitMQ listens, which must admit the user `guest`. Without this, a private server is started, if
    /// installed, and ended again; that takes some seconds.
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,

    /// How many jobs.
    #[arg(long, default_value_t = 10_000)]
    jobs: u32,

    /// How many workers. The first hangs, if there are others.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    workers: u32,

    /// Run as the worker with this number.
    #[arg(long, hide = true, requires = "address")]
    worker: Option<u32>,

    /// Hang after this many jobs.
    #[arg(long, hide = true, requires = "worker")]
    hangs_after: Option<u32>,
}

fn main() -> Result<()> {
    let Arguments { address, jobs, workers, worker, hangs_after } = Arguments::parse();
    if let (Some(number), Some(address)) = (worker, address) {
        return cotask::block_on(work(number, hangs_after, address));
    }
    let (address, _private) = Server::at_or_start(address, Kind::RabbitMq)?;
    cotask::block_on(async {
        match select(pin!(share(address, jobs, workers)), pin!(until_ctrl_c(None))).await {
            Either::Left((shared, _)) => shared,
            Either::Right(_) => {
                eprintln!("interrupted: the next run discards what is left in the queues of {address}");
                Ok(())
            }
        }
    })
}

/// The queue in which the workers report finished jobs.
const RESULTS: &str = "cotask-results";

/// How many unacknowledged jobs a worker may have.
const AT_A_TIME: u16 = 10;

/// After how many jobs the first worker hangs. The broker deals jobs out in turn, so it gets more than these.
const HANGS_AFTER: u32 = 5;

/// Publishes the jobs and waits until all are done.
async fn share(address: SocketAddr, jobs: u32, workers: u32) -> Result<()> {
    let connection = connect(address).await.context("is RabbitMQ there? Without --address one is started")?;
    let channel = queue(&connection, QUEUE).await?;
    let told = queue(&connection, RESULTS).await?;
    let mut results = consumer(&told, RESULTS, "all results", 100).await?;

    let hangs_after = (workers > 1).then_some(HANGS_AFTER);
    let mut processes = Vec::new();
    let mut ends = FuturesUnordered::new();
    for number in 1..=workers {
        let (process, output) = start(number, hangs_after.filter(|_| number == 1), address)?;
        processes.push(Worker { process, done: 0, again: 0 });
        ends.push(async move {
            closed(&output).await;
            number
        });
    }
    let mut done = BTreeSet::new();
    let (mut ready, mut twice) = (0, 0);
    while done.len() < jobs as usize || ready < workers {
        let (report, delivery) = match select(pin!(report(&mut results)), ends.next()).await {
            Either::Left((report, _)) => report?,
            Either::Right((Some(1), _)) if hangs_after.is_some() => continue,
            Either::Right((ended, _)) => bail!("worker {} has ended too early", ended.unwrap_or(1)),
        };
        done_with(delivery).await?;
        let Some((job, again)) = report.done else {
            ready += 1;
            // Only once all workers are ready; a worker that came later would find few jobs left.
            if ready == workers {
                publish(&channel, jobs).await?;
                println!("{jobs} jobs are published, and the broker has confirmed each");
            }
            continue;
        };
        let worker = report.worker.checked_sub(1).and_then(|at| processes.get_mut(at as usize));
        let worker = worker.context("a result of an unknown worker")?;
        worker.done += 1;
        worker.again += u32::from(again);
        twice += u32::from(!done.insert(job));
        if report.worker == 1 && Some(worker.done) == hangs_after {
            worker.process.kill()?;
            println!("worker 1 hangs after {HANGS_AFTER} jobs, and is killed");
        }
    }
    // This ends the workers' streams: there will be no more jobs.
    channel.queue_delete(QUEUE.into(), Default::default()).await?;
    while ends.next().await.is_some() {}
    for (number, worker) in (1..).zip(&mut processes) {
        let status = worker.process.wait()?;
        let Worker { done, again, .. } = worker;
        println!("worker {number}: {done} jobs, {again} of which another had before; {status}");
    }
    println!("{} jobs are done, {twice} of them twice", done.len());
    told.queue_delete(RESULTS.into(), Default::default()).await?;
    drop((channel, told, results));
    end(connection).await
}

/// A worker, as seen from outside.
struct Worker {
    process: Child,
    done: u32,
    again: u32,
}

impl Drop for Worker {
    fn drop(&mut self) {
        // The process has ended already, unless we give up early.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts a worker. A pipe goes each way and carries no data: it closes when the process at its other end has ended,
/// however that ended.
fn start(
    number: u32,
    hangs_after: Option<u32>,
    address: SocketAddr,
) -> Result<(Child, AsyncFd<ChildStdout>)> {
    let mut process = Command::new(std::env::current_exe()?)
        .args(["--address", &address.to_string(), "--worker", &number.to_string()])
        .args(hangs_after.map(|jobs| format!("--hangs-after={jobs}")))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("a worker could not be started")?;
    let output = process.stdout.take().context("it was asked for")?;
    Ok((process, pipe(output)?))
}

fn pipe<T: AsFd>(end: T) -> Result<AsyncFd<T>> {
    rustix::io::ioctl_fionbio(&end, true)?;
    Ok(AsyncFd::new(end)?)
}

/// Waits until a pipe is closed at its other end. Discards what comes through it.
async fn closed(pipe: &AsyncFd<impl AsFd>) {
    let read = || Ok(rustix::io::read(pipe.get_ref(), &mut [0; 64])?);
    loop {
        pipe.readable().await;
        match pipe.try_io(Direction::Read, read) {
            Ok(1..) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(0) | Err(_) => return,
        }
    }
}

/// Runs a worker's process: does jobs until there are no more, or until the parent process has ended.
async fn work(number: u32, hangs_after: Option<u32>, address: SocketAddr) -> Result<()> {
    let from_above = pipe(std::io::stdin())?;
    match select(pin!(do_jobs(number, hangs_after, address)), pin!(closed(&from_above))).await {
        Either::Left((done, _)) => done,
        Either::Right(_) => Ok(()),
    }
}

async fn do_jobs(number: u32, hangs_after: Option<u32>, address: SocketAddr) -> Result<()> {
    let connection = connect(address).await?;
    let tells = connection.create_channel().await?;
    let tell = async |done| {
        let report = Report { worker: number, done }.to_bytes();
        let options = Default::default();
        tells.basic_publish("".into(), RESULTS.into(), options, &report, Default::default()).await
    };
    let mut jobs = worker(&connection, &format!("worker {number}"), AT_A_TIME).await?;
    tell(None).await?;
    let mut done = 0;
    while let Some(delivery) = jobs.next().await {
        if Some(done) == hangs_after {
            std::future::pending::<()>().await;
        }
        let delivery = delivery?;
        // Report first, then acknowledge: if the worker dies in between, the job is done twice. In the other order, a
        // job could be done without a report.
        tell(Some((job(&delivery)?, delivery.redelivered))).await?;
        done_with(delivery).await?;
        done += 1;
    }
    drop((jobs, tells));
    end(connection).await
}

/// A worker's report.
struct Report {
    worker: u32,
    /// The finished job, and whether another worker had it before; `None` means that the worker is ready.
    done: Option<(u32, bool)>,
}

impl Report {
    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.worker.to_be_bytes().to_vec();
        if let Some((job, again)) = self.done {
            bytes.extend(job.to_be_bytes());
            bytes.push(again.into());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Report> {
        let (worker, rest) = bytes.split_first_chunk()?;
        let done = match rest {
            [] => None,
            [job @ .., again @ 0..=1] => Some((u32::from_be_bytes(job.try_into().ok()?), *again == 1)),
            _ => return None,
        };
        Some(Report { worker: u32::from_be_bytes(*worker), done })
    }
}

async fn report(reports: &mut lapin::Consumer) -> Result<(Report, Delivery)> {
    let delivery = reports.next().await.context("the queue of the results is gone")??;
    Ok((Report::from_bytes(&delivery.data).context("that is no result")?, delivery))
}
