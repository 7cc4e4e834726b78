#!/usr/bin/env bash
# Question: A TCP peer closes, and its system answers what is sent to it later with a reset. What do a write and a read
#   report then?
# Guess: ECONNRESET, once, to the call that comes first.
# Version: Linux 6 (the running kernel is printed below).
# What happens: a write reports EPIPE, and a read the end of the stream, before and after: no call ever reports
#   ECONNRESET. That is reported only if the reset came before the end of the stream.
# Source: Linux 6.1, net/ipv4/tcp_input.c, tcp_reset (in the state CLOSE_WAIT the error is EPIPE), and net/ipv4/tcp.c,
#   tcp_recvmsg_locked (SOCK_DONE is asked before sk_err).
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
uname -r
python3 - <<'PYTHON'
import select, socket

def pair():
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    return client, listener.accept()[0]

def outcome(call):
    try:
        return call()
    except OSError as error:
        return type(error).__name__

def until_reset(client):
    poll = select.poll()
    poll.register(client, 0)
    assert poll.poll(30_000), "no reset came"

def calls(client):
    return [outcome(lambda: client.recv(8)), outcome(lambda: client.send(b"x")), outcome(lambda: client.recv(8))]

client, server = pair()
server.close()
assert client.recv(8) == b""
client.send(b"too late")
until_reset(client)
behind = calls(client)

client, server = pair()
client.send(b"never read")
server.recv(1, socket.MSG_PEEK)
server.close()
until_reset(client)
before = calls(client)

print("read, write, read; the end came, then a reset:", behind)
print("read, write, read; a reset without an end:    ", before)
assert behind == [b"", "BrokenPipeError", b""], behind
assert before == ["ConnectionResetError", "BrokenPipeError", b""], before
PYTHON
