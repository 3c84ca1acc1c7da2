# SPDX-License-Identifier: Apache-2.0
"""A model on a dataset of Ray: actors that hold it, to which Ray sends batches."""

from __future__ import annotations

import numbers
from typing import Any

from ray.data import ActorPoolStrategy, Dataset
from ray.data.extensions import ArrowTensorArray

from tvmgo.batch.predictor import Predictor
from tvmgo.exceptions import TVMTypeError, TVMValueError

__all__ = ["predict"]


class RayPredictor(Predictor):
    """Makes tensors of the type that the dataset's others have."""

    @staticmethod
    def column_of(name: str, array: Any) -> Any:
        if array.ndim > 1:
            return ArrowTensorArray.from_numpy(array)
        return Predictor.column_of(name, array)


def predict(
    dataset: Any,
    model: Any,
    columns: Any = None,
    *,
    outputs: Any = None,
    keep: Any = None,
    concurrency: Any = None,
    batch_size: int | None = None,
    num_cpus: float = 1,
    **options: Any,
) -> Dataset:
    """Run a model on each row of a dataset, in a pool of actors with a model each.

    Parameters
    ----------
    dataset : ray.data.Dataset
        Tensors of one shape, lists of one length, and columns of numbers can be inputs.
    model : path-like or Model
        As for `Predictor`. Every node must have the files at the same path, or, if it is a relative one, in the
        folder in which its workers run (``working_dir`` of Ray's ``runtime_env``). An actor that finds other files
        there is an error.
    columns, outputs, keep
        As for `Predictor`.
    concurrency : int or tuple of int, optional
        How many actors there are, or their least and largest number, between which Ray chooses. Default: 1 to as
        many as the cluster has CPUs for.
    batch_size : int, optional
        How many rows an actor gets at a time. Default: a multiple of the largest exported size, of some 8 MiB.
        Of models of which is not known that their rows are independent, the rows that run together; default: 1.
    num_cpus : float, default 1
        The CPUs of an actor; its kernels have as many threads, and one if it has a part of a CPU.
    **options
        For `ray.data.Dataset.map_batches`, such as ``memory`` or ``resources``.

    Returns
    -------
    ray.data.Dataset
        With the columns that are kept and those of the outputs, in the order of the rows; lazy, as Ray's all are:
        Ray runs it, shows progress, and computes again what was lost with a worker or a node.

    Raises
    ------
    TVMError, OSError
        If the model cannot be loaded here, or the dataset is known to lack a column.

    Notes
    -----
    An error in an actor is the cause of Ray's, with the column's name. Each batch is answered as `Predictor` says.
    """
    if not isinstance(dataset, Dataset):
        raise TVMTypeError(f"dataset: expected a ray.data.Dataset, got {type(dataset).__name__}")
    if isinstance(num_cpus, bool) or not isinstance(num_cpus, numbers.Real) or not num_cpus > 0:
        raise TVMValueError(f"num_cpus: expected a number above 0, got {num_cpus!r}")
    predictor = RayPredictor(
        model,
        columns,
        outputs=outputs,
        keep=keep,
        threads=max(1, int(num_cpus)),
        batch_size=batch_size,
    )
    schema = dataset.schema(fetch_if_missing=False)
    if schema is not None:
        predictor.check(schema.names)
    return dataset.map_batches(
        RayPredictor,
        fn_constructor_kwargs=predictor.arguments,
        batch_size=predictor.rows,
        batch_format="pyarrow",
        zero_copy_batch=True,
        compute=_pool(concurrency),
        num_cpus=num_cpus,
        udf_modifying_row_count=False,
        **options,
    )


def _pool(concurrency: Any) -> ActorPoolStrategy:
    """Return how many actors there are."""
    sizes = concurrency if isinstance(concurrency, tuple) else (concurrency,)
    if concurrency is None:
        return ActorPoolStrategy(min_size=1)
    if len(sizes) > 2 or not all(isinstance(n, int) and n >= 1 for n in sizes):
        raise TVMValueError(
            f"concurrency: expected an int, 1 or more, or two of them, got {concurrency!r}"
        )
    if len(sizes) == 2:
        return ActorPoolStrategy(min_size=sizes[0], max_size=sizes[1])
    return ActorPoolStrategy(size=sizes[0])
