# SPDX-License-Identifier: Apache-2.0
"""KServe's gRPC server, with an address, limits and the statuses of errors."""

from __future__ import annotations

from typing import Any

from grpc import aio
from kserve.errors import ModelNotFound
from kserve.protocol.grpc.grpc_predict_v2_pb2_grpc import (
    add_GRPCInferenceServiceServicer_to_server,
)
from kserve.protocol.grpc.server import GRPCServer
from kserve.protocol.grpc.servicer import InferenceServicer

from tvmgo.exceptions import TVMOSError
from tvmgo.serving.settings import Settings
from tvmgo.serving.statuses import Statuses


class Servicer(InferenceServicer):  # type: ignore[misc]
    async def ModelInfer(self, request: Any, context: Any) -> Any:
        if request.model_version:
            raise ModelNotFound(f"{request.model_name}, version {request.model_version},")
        return await super().ModelInfer(request, context)


class Rpc(GRPCServer):  # type: ignore[misc]
    """The gRPC server of a process."""

    def __init__(self, settings: Settings, plane: Any, extension: Any, grace_period: int) -> None:
        super().__init__(settings.grpc_port, plane, extension, {}, grace_period)
        self._settings = settings

    async def start(self, max_workers: int = 1) -> None:
        """Serve to the end. Nothing runs in threads of its own: all methods are coroutines."""
        settings = self._settings
        self._server = aio.server(
            interceptors=(Statuses(),),
            options=[
                ("grpc.max_receive_message_length", settings.max_bytes),
                ("grpc.max_send_message_length", -1),
                ("grpc.so_reuseport", 0),
            ],
        )
        servicer = Servicer(self._data_plane, self._model_repository_extension)
        add_GRPCInferenceServiceServicer_to_server(servicer, self._server)
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        try:
            self._server.add_insecure_port(f"{host}:{settings.grpc_port}")
        except RuntimeError as error:
            raise TVMOSError(f"grpc_port: {error}") from None
        await self._server.start()
        await self._server.wait_for_termination()
