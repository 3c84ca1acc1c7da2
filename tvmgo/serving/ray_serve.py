# SPDX-License-Identifier: Apache-2.0
"""A model on Ray Serve: replicas that merge requests, and exchange the model while they serve."""

from __future__ import annotations

import asyncio
import math
import os
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tvmgo.exceptions import TVMError, TVMValueError
from tvmgo.model.errors import ModelClosedError, QueueFullError
from tvmgo.model.files.model_files import existing
from tvmgo.model.requests.request import check_seconds
from tvmgo.serving.warm import CALLERS, WarmModel

__all__ = ["ray_application"]

# Of a replica: what runs, what gathers meanwhile for the next run, and some to spare.
MAX_ONGOING = 64
STATUSES = (
    (QueueFullError, 503),
    (ModelClosedError, 503),
    (CALLERS, 422),
)


class Replica:
    """What a replica runs: the model of a path that Serve gives it by `reconfigure`, also when it starts."""

    def __init__(self, cpus: int, max_batch: int | None, max_delay: float, timeout: float) -> None:
        # As many requests at a time as the replica has CPUs; other replicas of the machine have the parameters, too.
        self._load = partial(
            WarmModel,
            max_batch=max_batch,
            max_delay=max_delay,
            concurrency=cpus,
            threads=1,
            private=False,
        )
        self._timeout = timeout
        self._served: WarmModel | None = None
        self._ready = asyncio.Event()

    async def reconfigure(self, config: Mapping[str, Any]) -> None:
        """Load the files of a path, or load them anew; requests that are here are answered by the old ones.

        A failure leaves all as it was, and Serve says that the deployment is unhealthy.
        """
        # This thread's loop alone submits requests and exchanges the model: none comes to one that is closed.
        new = await asyncio.to_thread(self._load, config["path"])
        old, self._served = self._served, new
        self._ready.set()
        if old is not None:
            threading.Thread(target=old.close, name="tvmgo-close").start()

    async def predict(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Answer a request of another deployment or a handle: a dict of arrays for one of arrays."""
        await self._ready.wait()  # Serve may send requests before it has given the path
        assert self._served is not None
        future = asyncio.wrap_future(self._served.submit(inputs))
        answer: dict[str, Any] = await asyncio.wait_for(future, self._timeout)
        return answer

    async def __call__(self, request: Request) -> Response:
        """Answer a request by HTTP: ``{"inputs": {...}}`` with ``{"outputs": {...}}``."""
        try:
            document = await request.json()
            inputs = document["inputs"]
        except (ValueError, TypeError, KeyError):
            return refusal(400, 'expected JSON: {"inputs": {name: numbers}}')
        try:
            answer = await self.predict(inputs)
        except asyncio.TimeoutError:
            return refusal(504, f"no answer within {self._timeout:g} s")
        except TVMError as error:
            return refusal(
                next((code for kinds, code in STATUSES if isinstance(error, kinds)), 500),
                str(error),
            )
        return JSONResponse({"outputs": {name: numbers(each) for name, each in answer.items()}})


def refusal(status: int, detail: str) -> Response:
    return JSONResponse({"detail": detail}, status)


def numbers(array: Any) -> Any:
    """Return nested lists; what JSON has no number for is None."""
    array = np.asarray(array)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        array = np.where(np.isfinite(array), array.astype(object), None)
    return array.tolist()


def ray_application(
    path: str | os.PathLike[str],
    *,
    num_cpus: float = 1,
    max_batch: int | None = None,
    max_delay: float = 0.0,
    timeout: float = 30.0,
    **options: Any,
) -> Any:
    """Make an application of Ray Serve that answers requests by a model: for `ray.serve.run`.

    Parameters
    ----------
    path : path-like
        What `tvmgo.Model.load` takes; at the same place on every node. Parameters are mapped: all replicas of a
        machine have them in memory once, and nobody must write to the files.
    num_cpus : float, default 1
        Of a replica; it runs as many requests at a time.
    max_batch : int, optional
        How many rows run together at most, if the model's rows are independent. Default: the largest size of the
        export. 1: requests do not wait for each other.
    max_delay : float, default 0
        How many seconds a request waits for others while nothing runs; under load they gather while others run.
    timeout : float, default 30
        Seconds after which a request that is not answered is an error.
    **options
        For `ray.serve.deployment`. Default: ``num_replicas="auto"``, by which Serve starts and ends replicas as load
        asks for, and 64 for ``max_ongoing_requests``, of which half are what autoscaling aims at. The path becomes
        a part of ``user_config``: where only that is another one than before, replicas load the files while they
        serve, so ``user_config={"version": 2}`` says that there are new ones at the same path.

    Returns
    -------
    ray.serve.Application

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no such path here, or a number is none.

    Notes
    -----
    Takes POST of ``{"inputs": {"x": [[1, 2]]}}``, and answers ``{"outputs": {...}}``; what is wrong with a request is
    422, too many are 503, too late is 504. A handle's ``predict.remote({"x": array})`` gives a dict of arrays.
    """
    if not num_cpus > 0 or not math.isfinite(num_cpus):
        raise TVMValueError(f"num_cpus: expected a number above 0, got {num_cpus!r}")
    check_seconds("timeout", timeout)
    if "num_replicas" not in options and "autoscaling_config" not in options:
        options["num_replicas"] = "auto"
        options["autoscaling_config"] = {"target_ongoing_requests": MAX_ONGOING // 2}
    options.setdefault("max_ongoing_requests", MAX_ONGOING)
    options.setdefault("name", "tvmgo")
    actor = {"num_cpus": num_cpus, **options.pop("ray_actor_options", {})}
    config = {**(options.pop("user_config", None) or {}), "path": existing("path", path)}
    deployment = serve.deployment(Replica, ray_actor_options=actor, user_config=config, **options)
    return deployment.bind(max(1, int(num_cpus)), max_batch, max_delay, timeout)
