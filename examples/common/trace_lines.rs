//! A trace as a file of lines of JSON, for the example `timeline`.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use cotask::trace::Trace;

pub fn write(trace: &Trace, file: &Path) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(file)?);
    trace.write_json_lines(&mut out)?;
    out.flush()
}
