# SPDX-License-Identifier: Apache-2.0
"""The other side: servers and clients in processes of their own."""

import json
import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from tests.helpers import run_python, search_path

TVMGO_SERVER = "import sys; from tvmgo.cli import main; sys.exit(main(sys.argv[1:]))"

# `tvm.rpc.Server` serves in one more process, which a plain kill would leave behind.
STOCK_SERVER = """
import socket, sys
from tvm.rpc.server import _listen_loop
sock = socket.create_server(("127.0.0.1", 0))
print('{"host": "127.0.0.1", "port": %d}' % sock.getsockname()[1], flush=True)
_listen_loop(sock, sock.getsockname()[1], sys.argv[1], None, None, None)
"""


class Peer:
    """A server in a process of its own, with the folder that it makes its folders in."""

    def __init__(self, command, *, env=(), prefix=(), python=(sys.executable,)):
        self.folder = tempfile.TemporaryDirectory()
        self.errors = Path(self.folder.name, "stderr")
        with open(self.errors, "w") as errors:
            self.process = subprocess.Popen(
                [*prefix, *python, "-c", *command],
                env={
                    **os.environ,
                    "PYTHONPATH": search_path(),
                    "TMPDIR": self.folder.name,
                    **dict(env),
                },
                cwd=self.folder.name,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        line = self.process.stdout.readline()
        assert line, self.errors.read_text()
        told = json.loads(line)
        self.address = told["host"], told["port"]

    def files(self):
        """What it has in its folder."""
        return [path.name for path in Path(self.folder.name).iterdir() if path != self.errors]

    def children(self):
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return path.read_text().split()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        self.folder.cleanup()


def tvmgo_server(*words, **options):
    return Peer(
        [TVMGO_SERVER, "rpc", "server", "--port", "0", "--json", *map(str, words)], **options
    )


def stock_server(key="", **options):
    return Peer([STOCK_SERVER, key], **options)


def stock_client(address, code, key="", library=""):
    """Run `code` by apache-tvm with a session named `remote`; return what it prints."""
    script = f"""
import tvm, numpy as np
from tvm import rpc
remote = rpc.connect({address[0]!r}, {address[1]}, {key!r})
library = {str(library)!r}
{textwrap.dedent(code)}
"""
    done = run_python(script)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()
