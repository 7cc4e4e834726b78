//! What this process has open, for tests that check that nothing is left open.

/// Returns how many descriptors this process has open.
///
/// Files of `/proc` and `/sys` do not count. Those are the listing itself and what the C library reads for its own
/// purposes: once per process, `free` opens `/proc/sys/vm/overcommit_memory`, on whatever thread it runs.
pub fn descriptors() -> usize {
    // Linux links this folder to /proc/self/fd.
    let listing = std::fs::read_dir("/dev/fd").expect("the system lists descriptors");
    let open = listing.map(|entry| std::fs::read_link(entry?.path()));
    open.filter(|target| match target {
        Ok(path) => !path.starts_with("/proc") && !path.starts_with("/sys"),
        // Another thread has closed it by now. Systems other than Linux have no links here.
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    })
    .count()
}
