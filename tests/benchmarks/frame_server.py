"""A server process that sends one prepared stream to every request, each frame in a chunk and a write of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"


@contextmanager
def frame_server(stream: bytes) -> Iterator[str]:
    """The base URL of a server that answers anything with ``stream``, in a process of its own so that its CPU is not counted."""
    process = subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(stream)
        process.stdin.close()
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def serve(stream: bytes) -> None:
    """Answers one request after another until the process is killed."""
    frames = [b"%x\r\n%b\r\n" % (len(frame), frame) for frame in (part + b"\n\n" for part in stream.split(b"\n\n")[:-1])]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            peer, _ = listener.accept()
            with peer:
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _answer(peer, frames)


def _answer(peer: socket.socket, frames: list[bytes]) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += peer.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    sizes = [int(line.partition(b":")[2]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")]
    missing = sum(sizes) - len(body)
    while missing > 0:
        missing -= len(peer.recv(65536))
    try:
        peer.sendall(HEAD)
        for frame in frames:
            peer.sendall(frame)
        peer.sendall(b"0\r\n\r\n")
    except ConnectionError:
        return


if __name__ == "__main__":
    serve(sys.stdin.buffer.read())
