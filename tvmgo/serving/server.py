# SPDX-License-Identifier: Apache-2.0
"""KServe's server with the models of folders."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import tempfile
from collections.abc import Sequence

from tvmgo.exceptions import TVMImportError, TVMOSError
from tvmgo.serving import logs
from tvmgo.serving.settings import FOLDER_VARIABLE, Settings, named

GRACE = 30  # seconds that requests have to end after SIGTERM


def serve(paths: Sequence[str], settings: Settings | None = None) -> None:
    """Serve models until SIGTERM or Ctrl-C; then requests that are here are answered.

    Parameters
    ----------
    paths : sequence of str
        Folders or bundles. A model's name is its folder's, or its bundle's without the ending.
    settings : Settings, optional

    Raises
    ------
    ImportError
        If KServe is not installed.
    TVMError, OSError
        If a model cannot be loaded or a port not be opened.
    """
    settings = settings or Settings()
    places = named(paths)
    check_free("port", settings.host, settings.port)
    if settings.grpc_port:
        check_free("grpc_port", settings.host, settings.grpc_port)
    with tempfile.TemporaryDirectory(prefix="tvmgo-metrics-") as folder:
        if settings.workers > 1:
            os.environ[FOLDER_VARIABLE] = folder
        # KServe reads the command line when it is imported, here and in the processes it starts.
        sys.argv[1:] = []
        try:
            from tvmgo.serving.processes import Server
        except ImportError as error:
            raise TVMImportError.for_package(
                "serve", error.name or str(error), "'tvmgo[serve]'"
            ) from None
        logs.configure(settings.access_log)
        server = Server(places, settings, GRACE)
        asyncio.run(server.run())
        server.close()


def check_free(name: str, host: str, port: int) -> None:
    """See that a port can be opened, before models are loaded for it.

    Raises
    ------
    OSError
        If that cannot be done.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise TVMOSError(f"{name}: {host}, {port}: {error.strerror or error}") from None
