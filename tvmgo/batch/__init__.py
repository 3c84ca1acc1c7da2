# SPDX-License-Identifier: Apache-2.0
"""Models on tables: a column for each input, results as further columns.

`predict` runs a model on a dataset of Ray, which ``pip install 'tvmgo[ray]'`` brings; `Predictor` is what it makes in
each process, for other engines to call, and needs no Ray.
"""

import importlib as _importlib
import typing as _typing

from tvmgo.exceptions import TVMImportError as _TVMImportError

if _typing.TYPE_CHECKING:
    from tvmgo.batch.predictor import Predictor
    from tvmgo.batch.ray_data import predict

_PLACES = {"Predictor": "predictor", "predict": "ray_data"}


if not _typing.TYPE_CHECKING:  # or a checker would take every name for one of these

    def __getattr__(name: str) -> _typing.Any:
        if name not in _PLACES:
            raise AttributeError(f"module 'tvmgo.batch' has no attribute {name!r}")
        try:
            return getattr(_importlib.import_module(f"tvmgo.batch.{_PLACES[name]}"), name)
        except ModuleNotFoundError as error:
            raise _TVMImportError(
                f"{name}: {error.name} is not installed; `pip install 'tvmgo[ray]'` brings it"
            ) from error


__all__ = ["Predictor", "predict"]
