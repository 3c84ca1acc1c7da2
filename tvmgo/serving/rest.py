# SPDX-License-Identifier: Apache-2.0
"""KServe's REST server, with what it lacks: tensors as bytes without lists between, limits, an index."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import kserve
from fastapi import FastAPI
from kserve.errors import InvalidInput
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.infer_type import RequestedOutput
from kserve.protocol.rest.server import RESTServer
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import tvmgo
from tvmgo.serving import logs, metrics
from tvmgo.serving.garbage import freeze
from tvmgo.serving.limits import Limits
from tvmgo.serving.messages import LENGTH_HEADER, RequestMessage, read_request, write_answer
from tvmgo.serving.repository import Extension, Repository
from tvmgo.serving.settings import Settings
from tvmgo.serving.statuses import STATUSES, answer_error, answer_http_error
from tvmgo.serving.warm import CALLERS

APPLICATION = "kserve.model_server:app"


class Plane(DataPlane):  # type: ignore[misc]
    """What both protocols are answered by."""

    def __init__(self, repository: Repository) -> None:
        super().__init__(repository)
        self._server_name, self._server_version = "tvmgo", tvmgo.__version__

    def metadata(self) -> dict[str, Any]:
        extensions = ["binary_tensor_data", "model_repository"]
        return {**super().metadata(), "extensions": extensions}

    async def model_metadata(self, model_name: str) -> dict[str, Any]:
        return {**await super().model_metadata(model_name), "platform": "tvmgo"}


class Rest(RESTServer):  # type: ignore[misc]
    """The server of one process, which KServe's parent of several starts, too."""

    def __init__(
        self, plane: Plane, extension: Extension, settings: Settings, grace_period: int
    ) -> None:
        super().__init__(
            APPLICATION,
            plane,
            extension,
            settings.port,
            workers=settings.workers,
            grace_period=grace_period,
        )
        self.config.host = settings.host
        self.config.access_log = settings.access_log
        self._settings = settings

    def _add_middlewares(self, app: FastAPI) -> None:
        app.add_middleware(
            Limits, max_bytes=self._settings.max_bytes, seconds=self._settings.timeout
        )

    def _register_endpoints(self, app: FastAPI) -> None:
        # Who comes first answers.
        model = "/v2/models/{model_name}"
        app.router.routes += [
            Route(f"{model}/infer", self._infer, methods=["POST"]),
            Route(f"{model}/versions/{{version}}/infer", self._no_version, methods=["POST"]),
            Route("/v2/repository/index", self._index, methods=["POST"]),
            Route("/metrics", self._metrics),
        ]
        super()._register_endpoints(app)

    def _add_exception_handlers(self, app: FastAPI) -> None:
        super()._add_exception_handlers(app)
        for kind in STATUSES:
            app.add_exception_handler(kind, answer_error)
        app.add_exception_handler(HTTPException, answer_http_error)

    def run(self, sockets: Any = None) -> None:
        """What a process of several does."""
        logs.configure(self._settings.access_log)
        freeze()
        self.dataplane.model_registry.follow()
        super().run(sockets)

    async def _infer(self, request: Request) -> Response:
        if request.headers.get("content-encoding", "identity") != "identity":
            raise HTTPException(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected a body that is not compressed"
            )
        try:
            body = await request.body()
        except ClientDisconnect:  # nobody will see it
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        try:
            asked = read_request(body, request.headers.get(LENGTH_HEADER))
        except CALLERS as error:
            raise InvalidInput(str(error)) from None
        name = request.path_params["model_name"]
        answer, _ = await self.dataplane.infer(name, kserve_request(name, asked))
        return rest_answer(answer, asked)

    async def _no_version(self, request: Request) -> Response:
        raise HTTPException(HTTPStatus.NOT_FOUND, "models have no versions here")

    async def _index(self, request: Request) -> Response:
        try:
            ready = (
                bool((await request.json()).get("ready", False)) if await request.body() else False
            )
        except (ValueError, AttributeError):
            raise InvalidInput("expected a JSON object") from None
        return JSONResponse(await self.model_repository_extension.index(ready))

    async def _metrics(self, request: Request) -> Response:
        text, kind = metrics.exposed(request.headers.get("accept"))
        return Response(text, headers={"content-type": kind})


def kserve_request(name: str, asked: RequestMessage) -> kserve.InferRequest:
    """Return a message as KServe's models take it."""
    inputs = []
    for each in asked.inputs:
        tensor = kserve.InferInput(each.name, each.shape, each.datatype, each.data)
        tensor._raw_data = each.raw
        inputs.append(tensor)
    outputs = asked.outputs and [
        RequestedOutput(output, {"binary_data": binary}) for output, binary in asked.outputs.items()
    ]
    return kserve.InferRequest(
        name, inputs, asked.id, parameters=asked.parameters, request_outputs=outputs
    )


def rest_answer(answer: kserve.InferResponse, asked: RequestMessage) -> Response:
    """Return an answer as the client wishes it."""
    flags = asked.outputs or {}
    head = {"model_name": answer.model_name}
    if asked.id is not None:
        head["id"] = asked.id
    parts, length = write_answer(
        head,
        [
            (each.name, each.datatype, each.data, flags.get(each.name, asked.binary))
            for each in answer.outputs
        ],
    )
    if length is None:
        return Response(parts[0], media_type="application/json")
    headers = {LENGTH_HEADER: str(length)}
    return Response(b"".join(parts), headers=headers, media_type="application/octet-stream")
