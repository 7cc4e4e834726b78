//! Ctrl-C and SIGTERM: the program ends, writes a trace if one was asked for, and leaves no temporary files.

use std::sync::atomic::{AtomicBool, Ordering};

use super::peer;

/// A signal has come, and its handler is about to end the program.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Has Ctrl-C end the program with code 130, and SIGTERM with 143. The terminal interrupts all of our processes; only the
/// one that a person has started says so.
pub(super) fn end_on_signals(started_by_a_person: bool) {
    // A handler that could not be installed costs no more than a word, a temporary directory and a trace.
    let _ = ctrlc::set_handler(move || end(130, "\ninterrupted", started_by_a_person));
    #[cfg(unix)]
    let _ = on_sigterm(move || end(143, "terminated", started_by_a_person));
}

fn end(code: i32, word: &str, started_by_a_person: bool) -> ! {
    ENDING.store(true, Ordering::SeqCst);
    if started_by_a_person && !peer::is_helper() {
        eprintln!("{word}");
    }
    super::exit(code)
}

/// Called when the work has ended: does not return once a signal has come. Whatever the work says then (a file has gone, say) is
/// because of the signal.
pub(super) fn let_them_end_it() {
    while ENDING.load(Ordering::SeqCst) {
        std::thread::park();
    }
}

/// Calls `end` on a thread of its own when SIGTERM comes.
#[cfg(unix)]
fn on_sigterm(end: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
    use std::io::Read;
    let (mut heard, signal) = std::os::unix::net::UnixStream::pair()?;
    signal_hook::low_level::pipe::register(signal_hook::consts::SIGTERM, signal)?;
    std::thread::spawn(move || {
        if heard.read_exact(&mut [0]).is_ok() {
            end();
        }
    });
    Ok(())
}
