# SPDX-License-Identifier: Apache-2.0
"""How long bodies of requests may be, and how long they may take to come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[Message, Receive, Any], Awaitable[None]]


class Limits:
    """Middleware: a body that breaks a limit is an error where it is read.

    Parameters
    ----------
    app : ASGI application
    max_bytes : int
    seconds : float
        For all of the body.
    """

    def __init__(self, app: Application, max_bytes: int, seconds: float) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Message, receive: Receive, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            receive = self._limited(receive, scope["headers"])
        await self._app(scope, receive, send)

    def _limited(self, receive: Receive, headers: Any) -> Receive:
        loop = asyncio.get_running_loop()
        end = loop.time() + self._seconds
        announced = next((value for name, value in headers if name == b"content-length"), b"0")
        left = self._max_bytes
        complete = False

        async def limited() -> Message:
            nonlocal left, complete
            if complete:  # from now on it tells when the client goes
                return await receive()
            if int(announced) > self._max_bytes:
                raise self._too_long()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, end - loop.time()))
            except asyncio.TimeoutError:
                raise HTTPException(
                    HTTPStatus.REQUEST_TIMEOUT,
                    f"the body did not come within {self._seconds} s",
                    {"Connection": "close"},
                ) from None
            left -= len(message.get("body", b""))
            if left < 0:
                raise self._too_long()
            complete = not message.get("more_body", False)
            return message

        return limited

    def _too_long(self) -> HTTPException:
        # What is still to come is not read.
        return HTTPException(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"expected a body of up to {self._max_bytes} bytes",
            {"Connection": "close"},
        )
