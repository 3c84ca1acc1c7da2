# SPDX-License-Identifier: Apache-2.0
"""A model behind HTTP.

    MODEL=deployed uvicorn --factory service:create_app --app-dir examples

MODEL is a folder that `tvmgo.compiler.export` has written. POST /predict takes
``{"inputs": {"x": [[1, 2]]}}`` and answers ``{"outputs": {"y": [[3]]}}``; GET /health says that requests are
served, and for what model; GET /stats what has happened so far. docs/guide/serve.md explains the choices.
"""

import asyncio
import contextlib
import dataclasses
import os
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

import tvmgo
from tvmgo.model import QueueFullError, TensorShapeError, UnknownNameError

# What is wrong with the request, not with the service.
CLIENT_ERRORS = (UnknownNameError, TensorShapeError, tvmgo.TVMTypeError, tvmgo.TVMOverflowError)


class Question(BaseModel):
    inputs: dict[str, Any]  # names, and nested lists of numbers


class Answer(BaseModel):
    outputs: dict[str, Any]


def create_app(
    model: str | None = None, *, timeout: float = 1.0, capacity: int = 1024, **options: Any
) -> FastAPI:
    """Make the service.

    Parameters
    ----------
    model : str, optional
        The folder; default: the environment variable ``MODEL``.
    timeout : float, default 1.0
        Seconds after which a request is given up.
    capacity : int, default 1024
        How many requests may wait to be merged; further ones are refused at once.
    **options
        Of `tvmgo.Model.load`.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI):
        with contextlib.ExitStack() as stack:
            loaded = stack.enter_context(tvmgo.Model.load(model or os.environ["MODEL"], **options))
            loaded.warmup()
            app.state.model = app.state.queue = loaded
            if loaded.rows_independent:  # requests that come at the same time run together
                app.state.queue = stack.enter_context(tvmgo.Batcher(loaded, capacity=capacity))
            yield  # then requests that are here are answered, and the model is closed

    app = FastAPI(lifespan=lifespan)

    @app.post("/predict")
    async def predict(question: Question) -> Answer:
        future = asyncio.wrap_future(app.state.queue.submit(question.inputs))
        outputs = await asyncio.wait_for(future, timeout)
        return Answer(outputs={name: array.tolist() for name, array in outputs.items()})

    @app.get("/health")
    async def health() -> dict[str, Any]:
        loaded = app.state.model
        return {"inputs": list(map(str, loaded.inputs)), "outputs": list(map(str, loaded.outputs))}

    @app.get("/stats")
    async def stats() -> dict[str, Any]:
        counts = dataclasses.asdict(app.state.model.stats())
        if isinstance(app.state.queue, tvmgo.Batcher):
            counts["queued"] = app.state.queue.queued
        return counts

    async def refuse(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 422)

    async def ask_to_come_later(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"detail": str(error)}, 503, {"Retry-After": "1"})

    async def give_up(_: Request, __: Exception) -> JSONResponse:
        return JSONResponse({"detail": f"no answer within {timeout:g} s"}, 504)

    for kind in CLIENT_ERRORS:
        app.add_exception_handler(kind, refuse)
    app.add_exception_handler(QueueFullError, ask_to_come_later)
    app.add_exception_handler(asyncio.TimeoutError, give_up)
    return app
