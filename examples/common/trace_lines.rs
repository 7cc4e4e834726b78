//! A trace as a file of lines of JSON, for the example `timeline`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use cotask::trace::Trace;

/// # Errors
/// When the file cannot be written. `-` is none, so that no file of that name is left behind.
pub fn write(trace: &Trace, file: &Path) -> io::Result<()> {
    if file == Path::new("-") {
        let why = "this needs a file, and '-' is none: write /dev/stdout or ./- if you mean that";
        return Err(io::Error::other(why));
    }
    let mut out = BufWriter::new(File::create(file)?);
    trace.write_json_lines(&mut out)?;
    out.flush()
}
