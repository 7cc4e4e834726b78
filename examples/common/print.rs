//! `print!`, `println!` and `eprintln!` for programs, in the place of those of the standard library, which panic where the
//! output takes no more. These end the program with a word of why; when the reader of a pipe has gone, without a word.
//!
//! A program has them with these lines above its other modules:
//!
//! ```ignore
//! #[macro_use]
//! #[path = "../common/print.rs"]
//! mod print;
//! ```

use std::fmt;
use std::io::{self, ErrorKind, Write};

#[allow(unused_macros)]
macro_rules! print {
    ($($text:tt)*) => { $crate::print::out(format_args!($($text)*)) };
}

#[allow(unused_macros)]
macro_rules! println {
    () => { $crate::print::out(format_args!("\n")) };
    ($($text:tt)*) => { $crate::print::out(format_args!("{}\n", format_args!($($text)*))) };
}

#[allow(unused_macros)]
macro_rules! eprintln {
    () => { $crate::print::error(format_args!("")) };
    ($($text:tt)*) => { $crate::print::error(format_args!($($text)*)) };
}

/// What a shell reports of a program that SIGPIPE ended: 128 + 13.
const BROKEN_PIPE: i32 = 141;

/// Writes to standard output.
#[allow(dead_code)]
pub(crate) fn out(text: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let Err(why) = out.write_fmt(text).and_then(|()| out.flush()) else { return };
    if why.kind() == ErrorKind::BrokenPipe {
        std::process::exit(BROKEN_PIPE);
    }
    error(format_args!("error: cannot write to standard output: {why}"));
    std::process::exit(1);
}

/// Writes a line to standard error. Where that fails, there is no place left to say so.
#[allow(dead_code)]
pub(crate) fn error(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{text}");
}
