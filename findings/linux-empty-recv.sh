#!/usr/bin/env bash
# Question: A TCP socket has nothing to read. What does it return when it is asked for no bytes?
# Guess: 0, with read and with recv: nothing was asked for, so nothing is missing.
# Version: Linux 6 (the running kernel is printed below).
# What happens: read(2) returns 0. recv(2) says EAGAIN on a socket that does not block, and blocks on one that does:
#   it waits for at least one byte, of which it then takes none. Rust's TcpStream reads with recv.
# Source: Linux 6.1, net/socket.c, sock_read_iter ("Match SYS5 behaviour"); include/net/sock.h, sock_rcvlowat, which
#   returns at least 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
uname -r
python3 - <<'PYTHON'
import ctypes, errno, os, socket

libc = ctypes.CDLL(None, use_errno=True)
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.setblocking(False)

def recv_nothing():
    buffer = ctypes.create_string_buffer(1)
    returned = libc.recv(client.fileno(), buffer, 0, 0)
    return errno.errorcode[ctypes.get_errno()] if returned < 0 else returned

seen = {"read, nothing there": len(os.read(client.fileno(), 0)), "recv, nothing there": recv_nothing()}
server.sendall(b"x")
client.setblocking(True)
client.recv(1, socket.MSG_PEEK)
client.setblocking(False)
seen["recv, a byte is there"] = recv_nothing()
for what, outcome in seen.items():
    print(f"{what}: {outcome}")
assert list(seen.values()) == [0, "EAGAIN", 0], seen
PYTHON
