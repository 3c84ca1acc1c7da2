# SPDX-License-Identifier: Apache-2.0
"""A cluster of Ray on this machine: nodes that are processes of ``ray start``, each with its own ports and object store."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ray

HOST = "127.0.0.1"
STORE = 600 << 20  # bytes of a node's object store; /dev/shm holds all of them
ENVIRONMENT = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    # By default workers get only what others leave, and nodes here compete with whatever else runs.
    "RAY_worker_niceness": "0",
    # Of a node that is gone others learn by this; the default is half a minute.
    "RAY_health_check_timeout_ms": "5000",
    "RAY_health_check_period_ms": "2000",
    # A test must not fail because this machine's memory is others'.
    "RAY_memory_monitor_refresh_ms": "0",
}


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server((HOST, 0))) for _ in range(count)]
        return [str(each.getsockname()[1]) for each in sockets]


def descendants(pid):
    """Return all processes that one has started, and those have started, and so on."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child)]
    return found


def children(pid):
    with contextlib.suppress(OSError):
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(each) for task in tasks for each in Path(task, "children").read_text().split()]
    return []


class Node:
    """A node: its processes, and the CPUs that it says it has."""

    def __init__(self, folder, cpus, head=None):
        ports = free_ports(7)
        options = [
            "--head",
            "--port",
            ports[0],
            "--temp-dir",
            str(folder),
            "--ray-client-server-port",
            ports[6],
        ]
        if head is not None:
            options = ["--address", head.address]
        self.address = f"{HOST}:{ports[0]}"
        command = [
            *(sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"),
            *("--node-ip-address", HOST, "--num-cpus", str(cpus)),
            *("--object-store-memory", str(STORE), "--node-manager-port", ports[1]),
            *("--object-manager-port", ports[2], "--dashboard-agent-listen-port", ports[3]),
            *("--dashboard-agent-grpc-port", ports[4], "--runtime-env-agent-port", ports[5]),
            *(("--include-dashboard", "false") if head is None else ()),
            *options,
        ]  # fmt: skip
        self.log = Path(tempfile.mkstemp(dir=folder, suffix=".log")[1])
        with self.log.open("w") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=file, start_new_session=True
            )

    def kill(self):
        """End all of it at once, as a machine does that loses power."""
        pids = [self.process.pid, *descendants(self.process.pid)]
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def has_ended(self):
        return self.process.poll() is not None

    def pids(self):
        return [self.process.pid, *descendants(self.process.pid)]


@contextlib.contextmanager
def cluster(*cpus):
    """Start a head node and others, with so many CPUs each, and connect to them; yields the nodes."""
    os.environ.update(ENVIRONMENT)
    # Short: sockets lie in it.
    with tempfile.TemporaryDirectory(prefix="r", dir="/tmp", ignore_cleanup_errors=True) as folder:
        nodes = []
        try:
            nodes.append(started(folder, cpus[0], None, lambda head: connects(head.address)))
            for count in cpus[1:]:
                before = alive()
                nodes.append(started(folder, count, nodes[0], lambda _: alive() > before))
            yield nodes
        finally:
            ray.shutdown()
            for node in reversed(nodes):
                node.kill()


def started(folder, cpus, head, is_there):
    """Return a node that is there.

    A second one, should another program have taken a port of the first in time, or Ray have given it up, as it does after
    half a minute on a machine with much to do.
    """
    for attempt in range(3):
        node = Node(folder, cpus, head)
        try:
            wait_for(lambda: node.has_ended() or is_there(node), node.log, 60 if head else 180)
            if not node.has_ended():
                return node
            raise TimeoutError(node.log.read_text()[-3000:])
        except BaseException as error:
            node.kill()
            if attempt == 2 or not isinstance(error, TimeoutError):
                raise
    return None


def alive():
    return sum(node["Alive"] for node in ray.nodes())


def connects(address):
    """Connect to a cluster, if its first node has told it of itself, which it does after the port is open."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port))).close()
        ray.init(address, log_to_driver=False, logging_level="ERROR")
    except OSError:  # among them Ray's ConnectionError
        return False
    return True


def wait_for(holds, log=None, seconds=180):
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(log.read_text()[-3000:] if log else "it did not happen")
        time.sleep(0.2)
