//! A process without a descriptor left.

use std::fs::File;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Takes every descriptor that is left, after lowering the limit so that they are few. Run it [alone](crate::alone).
pub fn take_every_descriptor() -> Vec<File> {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit is known");
    setrlimit(Resource::RLIMIT_NOFILE, 100, hard).expect("the limit can be lowered");
    let mut taken = Vec::new();
    loop {
        match File::open("/dev/null") {
            Ok(file) => taken.push(file),
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(Errno::EMFILE as i32));
                return taken;
            }
        }
    }
}
