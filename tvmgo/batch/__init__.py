# SPDX-License-Identifier: Apache-2.0
"""Models on tables: a column for each input, results as further columns.

`predict` runs a model on a dataset of Ray, which ``pip install 'tvmgo[ray]'`` brings; `Predictor` is what it makes in
each process, for other engines to call, and needs no Ray.
"""

import typing as _typing

from tvmgo.late import late_names as _late_names

if _typing.TYPE_CHECKING:
    from tvmgo.batch.predictor import Predictor
    from tvmgo.batch.ray_data import predict

if not _typing.TYPE_CHECKING:  # or a checker would take every name for one of these
    __getattr__ = _late_names(
        "tvmgo.batch", {"Predictor": ("predictor", "ray"), "predict": ("ray_data", "ray")}
    )


def __dir__() -> list[str]:
    return __all__


__all__ = ["Predictor", "predict"]
