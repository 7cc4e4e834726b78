#!/usr/bin/env bash
# Question: An urgent byte of TCP lies between 4096 and 4096 ordinary bytes. A program takes it with MSG_OOB, and then waits for
#           an event and reads with a buffer of 8192. How much does it get, and does the event mention urgent data?
# Guess:    The urgent byte is gone, and so is its mark: one read returns all 8192 bytes.
# Version:  Linux 6.18 (the script prints the version that it runs on)
# What happens: The byte is gone, and with it EPOLLPRI. The mark is not: the read stops there, after 4096 bytes. Edge-triggered
#           epoll reports nothing more, though 4096 bytes wait to be read. A short read does not show that a socket is drained,
#           and no event says so.
# Source:   Linux, net/ipv4/tcp.c: `tcp_recv_urg` keeps `urg_data` as TCP_URG_READ, `tcp_poll` reports EPOLLPRI only for
#           TCP_URG_VALID, and `tcp_recvmsg_locked` stops at the mark for either.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
uname -sr
python3 - <<'PYTHON'
import select, socket, time

listener = socket.create_server(("127.0.0.1", 0))
writer = socket.create_connection(listener.getsockname())
reader, _ = listener.accept()
reader.setblocking(False)
epoll = select.epoll()
epoll.register(reader, select.EPOLLIN | select.EPOLLPRI | select.EPOLLET)

writer.sendall(b"a" * 4096)
writer.send(b"!", socket.MSG_OOB)
writer.sendall(b"b" * 4096)
deadline = time.monotonic() + 30
while len(reader.recv(8192, socket.MSG_PEEK)) < 4096 or not select.select([], [], [reader], 0)[2]:
    assert time.monotonic() < deadline, "the bytes do not arrive over loopback"

urgent = reader.recv(1, socket.MSG_OOB)
events = epoll.poll(30)
first = len(reader.recv(8192))
later = epoll.poll(0.2)
rest = len(reader.recv(8192))
print(f"urgent byte {urgent}; event: IN {bool(events[0][1] & select.EPOLLIN)}, PRI {bool(events[0][1] & select.EPOLLPRI)}")
print(f"first read: {first} of 8192; events after it: {later}; a second read: {rest}")
assert urgent == b"!" and events[0][1] & select.EPOLLIN and not events[0][1] & select.EPOLLPRI
assert (first, later, rest) == (4096, [], 4096)
PYTHON
