"""What one delivery costs at the very least: one `send` of a frame on this machine, with nothing around it.

`python -m benchmarks.limit` prints microseconds. The reading side is a process of its own on the other core.
"""

from __future__ import annotations

import json
import os
import select
import socket
import time

from benchmarks import machine

FRAME = b"\x81\x7e\x01\x5e" + b"x" * 350  # as long as a message of 200 characters is on its way to a member
SOCKETS, SECONDS = 500, 2.0


def microseconds(seconds: float = SECONDS, sockets: int = SOCKETS) -> float:
    """Processor time per send to one of many connections, the kernel's work included."""
    server, generator = machine.cores()
    listener = socket.create_server(("127.0.0.1", 0), backlog=sockets)
    reader = os.fork()
    if reader == 0:
        try:
            machine.settle(generator, machine.may_be_realtime())
            _read(listener.getsockname(), sockets)
        finally:
            os._exit(0)
    outs = [listener.accept()[0] for _ in range(sockets)]
    listener.close()
    before, core = os.sched_getscheduler(0), os.sched_getaffinity(0)
    param = os.sched_getparam(0)
    try:
        machine.settle(server, machine.may_be_realtime())
        return _write(outs, seconds)
    finally:
        os.sched_setaffinity(0, core)
        os.sched_setscheduler(0, before, param)
        for out in outs:
            out.close()
        os.waitpid(reader, 0)


def _write(outs: list[socket.socket], seconds: float) -> float:
    for out in outs:
        out.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sends = [out.send for out in outs]
    end, cpu, count = time.perf_counter() + seconds, time.process_time(), 0
    while time.perf_counter() < end:
        for send in sends:
            send(FRAME)
        count += len(sends)
    return round((time.process_time() - cpu) / count * 1e6, 2)


def _read(address: tuple[str, int], sockets: int) -> None:
    poll = select.epoll()
    held = [socket.create_connection(address) for _ in range(sockets)]
    for one in held:
        poll.register(one.fileno(), select.EPOLLIN)
    while True:
        for fd, _what in poll.poll():
            if not os.read(fd, 65_536):
                return


if __name__ == "__main__":
    print(json.dumps({"microseconds_per_send": microseconds()}))
