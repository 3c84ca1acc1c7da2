# SPDX-License-Identifier: Apache-2.0
"""Conversations that no client has: random bytes, wrong lengths, half packets, changed packets."""

import contextlib
import random
import socket
import struct
import time
from concurrent.futures import ThreadPoolExecutor

from tests.rpc.peers import tvmgo_server
from tvmgo.rpc import connect, wire

VERSION = b"0.8.0"
INIT = struct.pack("<iQ", wire.INIT_SERVER, len(VERSION)) + VERSION + struct.pack("<i", 0)


def text(value):
    return struct.pack("<iQ", 8, len(value)) + value


REQUESTS = [
    struct.pack("<ii", wire.GET_FUNCTION, 1) + text(b"tvm.rpc.server.listdir"),
    struct.pack("<iiiq", wire.FREE_HANDLE, 1, 4, 0),
    struct.pack("<iQi", wire.CALL, 1 << 40, 1) + text(b"."),
    struct.pack("<iiiii", wire.SET_DEVICE, 1, 6, 1, 0),
    struct.pack("<iiiiiiqiqiBBHi", wire.ALLOCATE, 4, 6, 1, 0, 1, 64, 1, 64, 5, 2, 32, 1, 0),
    struct.pack("<iQiiiBBHqQQ", wire.COPY_FROM, 0, 1, 0, 1, 2, 32, 1, 4, 0, 16),
    struct.pack("<iQiiiBBHqQQ", wire.COPY_TO, 0, 1, 0, 1, 2, 32, 1, 4, 0, 16) + bytes(16),
    struct.pack("<i", wire.SHUTDOWN),
]


def changed(chance, data):
    """Return `data` with a few bytes changed, left out or put in."""
    data = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            data[at:at] = chance.randbytes(chance.randint(1, 9))
        elif kind == 1:
            del data[at : at + chance.randint(1, 9)]
        elif kind == 2 and at < len(data):
            data[at] = chance.randrange(256)
        else:
            numbers = (-1, 0, 1, 2**31 - 1, -(2**31), 2**63 - 1)
            data[at : at + 8] = struct.pack("<q", chance.choice(numbers))
    return bytes(data)


def words(chance, key):
    """Return what is said in one conversation."""
    kind = chance.randrange(10)
    hello = wire.greeting(f"client:{key}")
    if kind == 0:
        return chance.randbytes(chance.randint(1, 200))
    if kind == 1:
        return struct.pack("<ii", wire.MAGIC, chance.choice([-1, 2**31 - 1, 5000, 4096]))
    if kind == 2:
        return hello[: chance.randrange(len(hello))]
    if kind in (3, 4):
        return changed(chance, hello)
    if kind == 5:
        return hello + chance.randbytes(chance.randint(1, 100))
    if kind == 6:
        length = chance.choice([2**64 - 1, 2**63, 2**30, 2**20, 3, 0])
        return hello + struct.pack("<Q", length) + chance.randbytes(chance.randint(0, 50))
    packets = [INIT, *chance.sample(REQUESTS, chance.randint(0, 4))]
    at = chance.randrange(len(packets))
    if kind == 7:
        packets[at] = changed(chance, packets[at])
    said = hello + b"".join(map(wire.framed, packets))
    if kind == 8:
        return said[: chance.randrange(len(hello), len(said))]
    return hello + changed(chance, said[len(hello) :])


def greet(address, said):
    """Open a connection and say something."""
    sock = socket.create_connection(address, 10)
    with contextlib.suppress(OSError):
        sock.sendall(said)
    return sock


def converse(address, key, seed):
    """Say what is wrong in a way that `seed` chooses, look at the answer or do not, and go."""
    chance = random.Random(seed)
    with greet(address, words(chance, key)) as sock:
        if chance.random() < 0.5:
            sock.settimeout(0.02)
            with contextlib.suppress(OSError):
                while sock.recv(4096):
                    pass


def measure(count):
    """Have so many conversations with a server, and return what is left of them, by name."""
    server = tvmgo_server("--key", "sesame", "--sessions", "16")
    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(lambda seed: converse(server.address, "sesame", seed), range(count)):
            pass
    with connect(*server.address, "sesame", timeout=60) as session:
        session.upload(b"x", "x")
    end = time.monotonic() + 60
    while (server.children() or server.files()) and time.monotonic() < end:
        time.sleep(0.1)
    left = {
        "processes": len(server.children()),
        "folders": len(server.files()),
        "descriptors": server.descriptors(),
    }
    with open(f"/proc/{server.process.pid}/status") as status:
        memory = next(line.split()[1] for line in status if line.startswith("VmHWM"))
    server.close()
    if left["processes"] or left["folders"]:
        raise SystemExit(f"of {count} broken conversations {left} are left")
    return {"count": count, **left, "mib": int(memory) / 1024}
