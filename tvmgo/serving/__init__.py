# SPDX-License-Identifier: Apache-2.0
"""Models behind the Open Inference Protocol, on KServe's server: what ``tvmgo serve`` runs; and on Ray Serve.

`ServedModel` is the class that a user of KServe would write around a `tvmgo.Model`. It needs KServe, which
``pip install 'tvmgo[serve]'`` brings, and is imported when it is first asked for; so does `ray_application` need Ray,
which ``tvmgo[ray]`` brings.
"""

import typing as _typing

from tvmgo.late import late_names as _late_names

if _typing.TYPE_CHECKING:
    from tvmgo.serving.ray_serve import ray_application
    from tvmgo.serving.served_model import ServedModel
    from tvmgo.serving.server import serve
    from tvmgo.serving.settings import Settings

if not _typing.TYPE_CHECKING:  # or a checker would take every name for one of these
    __getattr__ = _late_names(
        "tvmgo.serving",
        {
            "ServedModel": ("served_model", "serve"),
            "Settings": ("settings", "serve"),
            "ray_application": ("ray_serve", "ray"),
            "serve": ("server", "serve"),
        },
    )


def __dir__() -> list[str]:
    return __all__


__all__ = ["ServedModel", "Settings", "ray_application", "serve"]
