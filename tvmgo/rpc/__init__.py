# SPDX-License-Identifier: Apache-2.0
"""Devices far away: upload a library to another machine, run it and time it there.

RPC runs whatever code it is sent. It belongs on networks in which everybody is trusted.
"""

from tvmgo.rpc import graph  # for what importing it does: graphs run remotely as locally
from tvmgo.rpc.session import Session, connect

__all__ = ["Session", "connect"]

del graph
