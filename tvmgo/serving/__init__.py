# SPDX-License-Identifier: Apache-2.0
"""Models behind the Open Inference Protocol, on KServe's server: what ``tvmgo serve`` runs; and on Ray Serve.

`ServedModel` is the class that a user of KServe would write around a `tvmgo.Model`. It needs KServe, which
``pip install 'tvmgo[serve]'`` brings, and is imported when it is first asked for; so does `ray_application` need Ray,
which ``tvmgo[ray]`` brings.
"""

import importlib as _importlib
import typing as _typing

from tvmgo.exceptions import TVMImportError as _TVMImportError

if _typing.TYPE_CHECKING:
    from tvmgo.serving.ray_serve import ray_application
    from tvmgo.serving.served_model import ServedModel
    from tvmgo.serving.server import serve
    from tvmgo.serving.settings import Settings

_PLACES = {
    "ServedModel": "served_model",
    "Settings": "settings",
    "ray_application": "ray_serve",
    "serve": "server",
}


if not _typing.TYPE_CHECKING:  # or a checker would take every name for one of these

    def __getattr__(name: str) -> _typing.Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'tvmgo.serving' has no attribute {name!r}")
        try:
            return getattr(_importlib.import_module(f"tvmgo.serving.{_PLACES[name]}"), name)
        except ModuleNotFoundError as error:
            extra = "ray" if name == "ray_application" else "serve"
            raise _TVMImportError(
                f"{name}: {error.name} is not installed; `pip install 'tvmgo[{extra}]'` brings it"
            ) from error


__all__ = ["ServedModel", "Settings", "ray_application", "serve"]
