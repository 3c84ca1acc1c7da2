# SPDX-License-Identifier: Apache-2.0
"""An asyncio pipeline around a model: read, predict, store, none faster than the next.

    python examples/pipeline.py DIRECTORY [requests]

DIRECTORY is what `tvmgo.Model.load` takes. The stages are connected by bounded queues, so that what is read waits
for what is answered and memory stays flat however much comes in. Ctrl-C ends it: requests in the
queue are taken out, those that run end, nothing is left behind.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import numpy as np

import tvmgo

WAITING = 8  # between two stages
TIMEOUT = 10.0  # seconds until a request must have begun

Inputs = dict[str, np.ndarray]
Store = Callable[[int, Inputs, dict[str, Any]], Awaitable[None]]


async def random_requests(model: tvmgo.Model, count: int) -> AsyncIterator[Inputs]:
    """Stand for what reads from a socket or a disk; open dimensions are 1."""
    numbers = np.random.default_rng(0)
    for _ in range(count):
        inputs = {}
        for info in model.inputs:
            shape = [n if isinstance(n, int) else 1 for n in info.shape or ()]
            inputs[info.name] = numbers.random(shape).astype(str(info.dtype))
        yield inputs
        await asyncio.sleep(0)


async def pipeline(
    model: tvmgo.Model, requests: AsyncIterator[Inputs], store: Store, workers: int
) -> int:
    """Answer all requests and return how many there were; the first error ends it, and is raised."""
    waiting: asyncio.Queue[tuple[int, Inputs]] = asyncio.Queue(WAITING)
    answered: asyncio.Queue[tuple[int, Inputs, dict[str, Any]]] = asyncio.Queue(WAITING)

    async def read() -> int:
        count = 0
        async for inputs in requests:
            await waiting.put((count, inputs))  # back-pressure: until there is a place
            count += 1
        return count

    async def predict() -> None:
        while True:
            number, inputs = await waiting.get()
            outputs = await model.run_async(inputs, timeout=TIMEOUT)
            await answered.put((number, inputs, outputs))
            waiting.task_done()

    async def write() -> None:
        while True:
            await store(*await answered.get())
            answered.task_done()

    async def whole() -> int:
        count = await reader
        await waiting.join()
        await answered.join()
        return count

    reader = asyncio.create_task(read())
    stages = [asyncio.create_task(predict()) for _ in range(workers)]
    stages.append(asyncio.create_task(write()))
    end = asyncio.create_task(whole())
    try:
        # Stages have no end of their own: one that ends first has failed.
        done, _ = await asyncio.wait([end, *stages], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return end.result()
    finally:
        for task in (end, reader, *stages):
            task.cancel()
        await asyncio.gather(end, reader, *stages, return_exceptions=True)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("requests", type=int, nargs="?", default=100)
    arguments = parser.parse_args()

    async def store(number: int, inputs: Inputs, outputs: dict[str, Any]) -> None:
        if number % 10 == 0:
            print(number, {name: value.shape for name, value in outputs.items()})

    with tvmgo.Model.load(arguments.directory) as model:
        requests = random_requests(model, arguments.requests)
        # One more than run at a time, so that the next one is there when one ends.
        count = await pipeline(model, requests, store, workers=model.concurrency + 1)
    print(count, "requests answered")


if __name__ == "__main__":
    asyncio.run(main())
