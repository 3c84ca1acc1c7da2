# SPDX-License-Identifier: Apache-2.0
"""KServe's server with the models of folders."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence

from tvmgo.exceptions import TVMImportError
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
    with tempfile.TemporaryDirectory(prefix="tvmgo-metrics-") as folder:
        if settings.workers > 1:
            os.environ[FOLDER_VARIABLE] = folder
        # KServe reads the command line when it is imported, here and in the processes it starts.
        sys.argv[1:] = []
        try:
            from tvmgo.serving.processes import Server
        except ImportError as error:
            raise TVMImportError(
                f"serve: {error.name or error} is not installed; `pip install 'tvmgo[serve]'` brings it"
            ) from None
        logs.configure(settings.access_log)
        server = Server(places, settings, GRACE)
        asyncio.run(server.run())
        server.close()
