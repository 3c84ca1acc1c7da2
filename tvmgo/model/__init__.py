# SPDX-License-Identifier: Apache-2.0
"""Models that services load once and call from any thread."""

import typing as _typing
from importlib import import_module as _import_module

from tvmgo._native.forks import importing as _importing
from tvmgo.model.errors import (
    ModelClosedError,
    QueueFullError,
    TensorShapeError,
    TensorTypeError,
    UnknownNameError,
)
from tvmgo.model.model import Model
from tvmgo.model.requests.binding import Binding
from tvmgo.model.tensor_info import TensorInfo

if _typing.TYPE_CHECKING:
    from tvmgo.model.batcher import Batcher
    from tvmgo.model.files.bundling import bundle
    from tvmgo.model.inspection.diagnosis import Check, Report
    from tvmgo.model.inspection.examination import doctor
    from tvmgo.model.profiling.profile import OperatorProfile, Profile
    from tvmgo.model.stats import Stats

# What a program that calls a model does not need, and where it is imported from when it is first used.
_LATER = {
    "Batcher": "batcher",
    "Check": "inspection.diagnosis",
    "OperatorProfile": "profiling.profile",
    "Profile": "profiling.profile",
    "Report": "inspection.diagnosis",
    "Stats": "stats",
    "bundle": "files.bundling",
    "doctor": "inspection.examination",
}


if not _typing.TYPE_CHECKING:  # or a checker would take every name for one of these

    def __getattr__(name: str) -> _typing.Any:
        if name not in _LATER:
            raise AttributeError(f"module 'tvmgo.model' has no attribute {name!r}")
        with _importing:
            return getattr(_import_module(f"tvmgo.model.{_LATER[name]}"), name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "Batcher",
    "Binding",
    "Check",
    "Model",
    "ModelClosedError",
    "OperatorProfile",
    "Profile",
    "QueueFullError",
    "Report",
    "Stats",
    "TensorInfo",
    "TensorShapeError",
    "TensorTypeError",
    "UnknownNameError",
    "bundle",
    "doctor",
]
