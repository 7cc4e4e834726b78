//! What the compiler says of a program that is wrong: it names the types that the user wrote, and shows the way.

use std::any::type_name;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use cotask::net::{
    AsyncFd, Incoming, OwnedReadHalf, OwnedWriteHalf, TcpListener, TcpStream, UdpSocket, UnixDatagram,
    UnixListener, UnixStream,
};

/// The library that was built for this test: of those beside it, the newest that is not newer than the test. The test of the
/// README builds one of its own there, perhaps at this moment.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("the test's own file");
    let folder = test.parent().expect("the folder of all that was built");
    let files =
        std::fs::read_dir(folder).expect("the folder can be read").map(|file| file.expect("a file").path());
    let is_library = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("libcotask-") && name.ends_with(".rlib")
    };
    let modified =
        |path: &PathBuf| path.metadata().and_then(|data| data.modified()).expect("the time of a file");
    let linked = modified(&test);
    let libraries = files.filter(is_library).filter(|library| modified(library) <= linked);
    libraries.max_by_key(modified).expect("the library was built")
}

/// What the compiler says of `body`, the body of an `async fn` that returns nothing.
#[track_caller]
fn complaint(arguments: &str, body: &str) -> String {
    static PROGRAMS: AtomicUsize = AtomicUsize::new(0);
    let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("cotask-messages-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder of its own");
    let program = folder.join("program.rs");
    std::fs::write(&program, format!("pub async fn program({arguments}) {{ {body} }}"))
        .expect("a file in it");
    let library = built();
    let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "--out-dir"])
        .arg(&folder)
        .args(["--extern", &format!("cotask={}", library.display())])
        .args(["-L", &format!("dependency={}", library.parent().expect("a folder").display())])
        .arg(&program)
        .output()
        .expect("the compiler starts");
    std::fs::remove_dir_all(folder).expect("the folder is removed");
    assert!(!output.status.success(), "it compiles: {body}");
    String::from_utf8(output.stderr).expect("text")
}

/// Messages name `TcpStream`, not what it is made of.
#[track_caller]
fn names(kind: &str, message: &str) {
    assert!(message.contains(kind), "{kind} is not named:\n{message}");
    for inside in ["mio::", "Socket<", "Listener<"] {
        assert!(!message.contains(inside), "{inside} is shown:\n{message}");
    }
}

#[test]
fn types_have_the_names_that_the_user_writes() {
    names("TcpStream", type_name::<TcpStream>());
    names("TcpListener", type_name::<TcpListener>());
    names("UdpSocket", type_name::<UdpSocket>());
    names("UnixStream", type_name::<UnixStream>());
    names("UnixListener", type_name::<UnixListener>());
    names("UnixDatagram", type_name::<UnixDatagram>());
    names("AsyncFd<std::io::pipe::PipeReader>", type_name::<AsyncFd<std::io::PipeReader>>());
    names("OwnedReadHalf<cotask::net::unix::UnixStream>", type_name::<OwnedReadHalf<UnixStream>>());
    names("OwnedWriteHalf", type_name::<OwnedWriteHalf>());
    names("cotask::net::unix::UnixListener>", type_name::<Incoming<UnixListener>>());
}

#[test]
fn a_wrong_type_is_called_by_its_name() {
    for kind in ["TcpStream", "TcpListener", "UdpSocket", "UnixStream", "UnixListener", "UnixDatagram"] {
        let message = complaint(&format!("socket: cotask::net::{kind}"), "let () = socket;");
        names(&format!("expected `{kind}`, found `()`"), &message);
    }
    let connection = |body| complaint("listener: &cotask::net::TcpListener", body);
    names(
        "expected `Result<(TcpStream, SocketAddr), Error>`",
        &connection("let () = listener.accept().await;"),
    );
    names("expected `Incoming<'_>`", &connection("let () = listener.incoming();"));
    let halves =
        |kind| complaint(&format!("stream: cotask::net::{kind}"), "let (_, ()) = stream.into_split();");
    names("expected `OwnedWriteHalf`", &halves("TcpStream"));
    names("expected `OwnedWriteHalf<UnixStream>`", &halves("UnixStream"));
}

/// Without the trait in scope the compiler finds it, unless a method of ours that is private has the same name.
#[test]
fn a_read_without_its_trait_is_told_which_trait_to_import() {
    let import = |argument: &str, body: &str, what: &str| {
        let message = complaint(&format!("mut stream: {argument}"), body);
        assert!(message.contains("no method named"), "{message}");
        assert!(message.contains(&format!("trait `{what}`")) && message.contains("import"), "{message}");
        assert!(!message.contains("private"), "{message}");
        names(argument.trim_start_matches("&cotask::").trim_start_matches("cotask::"), &message);
    };
    for kind in ["cotask::net::TcpStream", "cotask::net::UnixStream", "&cotask::net::TcpStream"] {
        import(kind, "stream.read(&mut [0; 8]).await.unwrap();", "AsyncReadExt");
        import(kind, "stream.read_vectored(&mut []).await.unwrap();", "AsyncReadExt");
        import(kind, "stream.read_exact(&mut [0; 8]).await.unwrap();", "AsyncReadExt");
        import(kind, "stream.write(b\"x\").await.unwrap();", "AsyncWriteExt");
        import(kind, "stream.write_vectored(&[]).await.unwrap();", "AsyncWriteExt");
        import(kind, "stream.write_all(b\"x\").await.unwrap();", "AsyncWriteExt");
    }
    import("cotask::net::OwnedReadHalf", "stream.read(&mut [0; 8]).await.unwrap();", "AsyncReadExt");
    import("cotask::net::OwnedWriteHalf", "stream.write(b\"x\").await.unwrap();", "AsyncWriteExt");
}
