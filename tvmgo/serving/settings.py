# SPDX-License-Identifier: Apache-2.0
"""What a server is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tvmgo.exceptions import TVMValueError
from tvmgo.model.cpus import share_out

MIB = 1 << 20
# By which prometheus_client is told that processes write their figures into files of a folder.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


@dataclass(frozen=True)
class Settings:
    """How a server listens, and how its models run.

    Attributes
    ----------
    host : str
        The address that both ports are opened at; loopback by default.
    port, grpc_port : int
        Of REST and of gRPC; `grpc_port` 0 opens none.
    workers : int
        How many processes answer REST. With more than one the process that starts them answers gRPC.
    threads : int
        For the kernels of each request.
    max_batch : int or None
        How many rows run together at most, of models whose rows are independent. None: the
        largest size of the export. 1: requests do not wait for each other.
    max_delay : float
        How many seconds a request waits for others at most while nothing runs. With 0 requests
        gather while earlier ones run.
    timeout : float
        Seconds after which a request that is not answered is an error; also for the body to come.
    max_bytes : int
        How long the body or message of a request may be.
    access_log : bool
        Whether there is a line for each request.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int = 8081
    workers: int = 1
    threads: int = 1
    max_batch: int | None = None
    max_delay: float = 0.0
    timeout: float = 30.0
    max_bytes: int = 64 * MIB
    access_log: bool = False

    def __post_init__(self) -> None:
        for name, least, most in (
            ("port", 1, 65535),
            ("grpc_port", 0, 65535),
            ("workers", 1, 1024),
            ("threads", 1, 1024),
            ("max_batch", 1, None),
            ("max_delay", 0, 60),
            ("max_bytes", 1, None),
        ):
            value = getattr(self, name)
            if value is not None and not (value >= least and (most is None or value <= most)):
                limit = f"{least} or more" if most is None else f"{least} to {most}"
                raise TVMValueError(f"{name}: expected {limit}, got {value}")
        if not self.timeout > 0:
            raise TVMValueError(f"timeout: expected seconds above 0, got {self.timeout}")
        if self.port == self.grpc_port:
            raise TVMValueError(f"grpc_port: expected another one than port, got {self.port}")

    @property
    def concurrency(self) -> int:
        """How many requests of a model each process runs at a time: its share of the CPUs."""
        at_a_time, _ = share_out(None, self.threads)
        return max(1, at_a_time // self.workers)


def named(paths: Sequence[str]) -> dict[str, str]:
    """Return where each model is, by its name: that of its folder, or of its bundle without the ending.

    Raises
    ------
    ValueError
        If two have one name.
    """
    places: dict[str, str] = {}
    for path in paths:
        place = Path(path).absolute()
        name = place.stem if place.is_file() else place.name
        if name in places:
            raise TVMValueError(f"two models of the name {name!r}: {places[name]} and {place}")
        places[name] = str(place)
    return places
