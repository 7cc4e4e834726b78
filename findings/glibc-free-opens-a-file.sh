#!/usr/bin/env bash
# Question: a test counts the entries of /proc/self/fd before and after its work. Can another thread, which only allocates and
#           frees memory, change the count?
# Guess:    no: memory comes from brk, mmap and madvise, which need no descriptor.
# Version:  glibc 2.36 (Debian 12), strace 6.1, any Rust
# What happens: yes, once per process. The first time that the heap of a thread other than the first shrinks, `free` opens
#           /proc/sys/vm/overcommit_memory, reads one byte and closes it. It decides so whether it may only advise the kernel
#           to take the pages back, or must map them anew. Memory that the first thread frees never leads to it. A count that
#           another thread takes at that moment is one too high: we saw a test fail once in a few hundred runs.
# Source:   glibc 2.36, malloc/arena.c, `shrink_heap`, and sysdeps/unix/sysv/linux/malloc-sysdep.h, `check_may_shrink_heap`
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
if ! strace=$(command -v strace); then
    apt-get download --quiet strace=6.1-0.1
    dpkg-deb --extract strace_*.deb .
    strace=$PWD/usr/bin/strace
fi
cat > observe.rs <<'RUST'
fn allocates_and_frees() {
    let blocks: Vec<Vec<u8>> = (0..64).map(|_| vec![1; 64 << 10]).collect();
    drop(blocks);
}

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("first") => allocates_and_frees(),
        _ => {
            for _ in 0..3 {
                std::thread::spawn(allocates_and_frees).join().unwrap();
            }
        }
    }
}
RUST
rustc --edition 2021 observe.rs

# Opened after the program's start, which reads /proc/self/maps and libraries.
opened() {
    "$strace" -f -e trace=openat,open -o calls ./observe "$1"
    echo "$2: $(grep -c overcommit_memory calls || true) times opened"
}
observed=$(opened first "the first thread frees 4 MiB"; opened others "three other threads free 4 MiB each")
echo "$observed"
expected='the first thread frees 4 MiB: 0 times opened
three other threads free 4 MiB each: 1 times opened'
[ "$observed" = "$expected" ] || { echo "this has changed; it was:"; echo "$expected"; exit 1; }
