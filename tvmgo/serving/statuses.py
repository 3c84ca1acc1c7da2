# SPDX-License-Identifier: Apache-2.0
"""What an error is in each protocol: a status of HTTP and a code of gRPC."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from google.protobuf.message import DecodeError
from grpc import StatusCode, unary_unary_rpc_method_handler
from grpc_interceptor import AsyncExceptionToStatusInterceptor
from kserve.errors import InvalidInput, ModelNotFound, ModelNotReady

from tvmgo.model.errors import QueueFullError

STATUSES: dict[type[Exception], tuple[HTTPStatus, StatusCode]] = {
    InvalidInput: (HTTPStatus.BAD_REQUEST, StatusCode.INVALID_ARGUMENT),
    RequestValidationError: (HTTPStatus.BAD_REQUEST, StatusCode.INVALID_ARGUMENT),
    ModelNotFound: (HTTPStatus.NOT_FOUND, StatusCode.NOT_FOUND),
    NotImplementedError: (HTTPStatus.NOT_FOUND, StatusCode.UNIMPLEMENTED),  # versions
    ModelNotReady: (HTTPStatus.SERVICE_UNAVAILABLE, StatusCode.UNAVAILABLE),
    QueueFullError: (HTTPStatus.SERVICE_UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED),
    TimeoutError: (HTTPStatus.GATEWAY_TIMEOUT, StatusCode.DEADLINE_EXCEEDED),
}

log = logging.getLogger("tvmgo.serving")


async def answer_error(_: Any, error: Exception) -> JSONResponse:
    """The protocol's document for an error of `STATUSES`."""
    status, _code = next(each for kind, each in STATUSES.items() if isinstance(error, kind))
    headers = {"Retry-After": "1"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return JSONResponse({"error": str(error)}, status, headers)


async def answer_http_error(_: Any, error: Any) -> JSONResponse:
    """The same for a `starlette.exceptions.HTTPException`: no such path, too long, too slow."""
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


class Statuses(AsyncExceptionToStatusInterceptor):  # type: ignore[misc]
    """The same for gRPC."""

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Read requests where their errors are ours: gRPC has other codes from release to release."""
        handler = await super().intercept_service(continuation, details)
        if handler is None:
            return None  # no such method

        async def answer(body: bytes, context: Any) -> Any:
            try:
                request = handler.request_deserializer(body)
            except DecodeError as error:
                await context.abort(StatusCode.INVALID_ARGUMENT, str(error))
            return await handler.unary_unary(request, context)

        return unary_unary_rpc_method_handler(
            answer, response_serializer=handler.response_serializer
        )

    async def handle_exception(
        self, ex: Exception, request_or_iterator: Any, context: Any, method_name: str
    ) -> None:
        for kind, (_, code) in STATUSES.items():
            if isinstance(ex, kind):
                await context.abort(code, str(ex))
        log.error("%s failed", method_name, exc_info=ex)
        await context.abort(StatusCode.INTERNAL, f"{type(ex).__name__}: {ex}")
