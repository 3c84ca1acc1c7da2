# SPDX-License-Identifier: Apache-2.0
"""Requests to one engine: what comes in is made fit, a state serves it."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from tvmgo._core.device import Device
from tvmgo._core.ndarray import is_like
from tvmgo._core.state_pool import StatePool
from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.model.arrays import Input, check_output, is_copy, zeros
from tvmgo.model.engines.batched import BatchedEngine
from tvmgo.model.engines.opening import Engine, open_engine
from tvmgo.model.errors import TensorShapeError, UnknownNameError
from tvmgo.model.files.manifest import Manifest
from tvmgo.model.files.model_files import ModelFiles
from tvmgo.model.forks import reset_in_children
from tvmgo.model.profiling.profiler import Profiler

REMEMBERED = 4096  # latencies


class Serving:
    """What a `Model` is made of, in one piece, so that another can take its place.

    Parameters
    ----------
    files : ModelFiles
    device : Device
    concurrency, threads : int
        How many requests run at a time, and how many threads the kernels of each use.
    copy : str
        ``"auto"`` or ``"never"``.
    private : bool or None
        As for `Model.load`.
    profiler : Profiler
        That can watch the states.
    """

    def __init__(
        self,
        files: ModelFiles,
        device: Device,
        concurrency: int,
        threads: int,
        copy: str,
        private: bool | None,
        profiler: Profiler,
    ) -> None:
        self.files = files
        self.engine = engine = open_engine(files, device, private)
        self.threads = threads
        manifest = files.manifest
        self.inputs = manifest.inputs if manifest else engine.inputs
        self.outputs = manifest.outputs if manifest else engine.outputs
        if manifest is not None:
            _check_manifest(files.place, manifest, engine)
        self._inputs = {info.name: Input(info) for info in self.inputs}
        self._in_order = list(self._inputs.values())
        # Of the values in the model's order, those that the engine takes, in its order.
        names = list(self._inputs)
        missing = [info.name for info in engine.inputs if info.name not in self._inputs]
        if missing:
            raise TVMValueError(f"{files.place}: model.json does not name the inputs {missing}")
        places = [names.index(info.name) for info in engine.inputs]
        self.places = None if places == list(range(len(names))) else places
        self._names_sizes = any(
            isinstance(n, str) for info in self.inputs for n in info.shape or ()
        )
        self._may_copy = copy != "never"
        self.copies = 0  # that were made before a state saw the arrays
        self.failed = 0
        self.latencies: deque[float] = deque(maxlen=REMEMBERED)
        self.profiler = profiler
        self.states = StatePool(lambda: engine.new_state(threads, profiler), concurrency)
        reset_in_children(self.states)

    def values_of(self, given: Sequence[Any], named: Mapping[Any, Any]) -> list[Any]:
        """Return an array for each input, in order.

        Raises
        ------
        TVMError
            If one is missing, there is no such input, or it does not fit.
        """
        if len(given) != len(self._in_order) or named:
            given = self._matched(given, named)
        arrays = []
        for each, value in zip(self._in_order, given):
            if is_like(value, each.numpy_dtype, each.shape):
                arrays.append(value)
                continue
            arrays.append(array := each.take(value))
            if is_copy(array, value):
                self._count_copy(array, value)
        if self._names_sizes:
            self._check_sizes(arrays)
        return arrays

    def _count_copy(self, array: Any, value: Any) -> None:
        if not self._may_copy:
            kind = getattr(value, "dtype", type(value).__name__)
            raise TVMValueError(
                f'copy="never": expected an array of {array.dtype}, got {kind}, '
                f"of which a copy would have to be made"
            )
        self.copies += 1

    def _matched(self, given: Sequence[Any], named: Mapping[Any, Any]) -> list[Any]:
        if not isinstance(named, Mapping):
            raise TVMTypeError(f"inputs: expected a mapping, got {type(named).__name__}")
        names = list(self._inputs)
        if len(given) > len(names):
            raise TVMTypeError(f"expected {len(names)} inputs, got {len(given)}")
        values = dict(zip(names, given))
        for name, value in named.items():
            if name not in self._inputs:
                raise UnknownNameError("input", name, names)
            if name in values:
                raise TVMTypeError(f"input {name!r}: got two values")
            values[name] = value
        missing = [name for name in names if name not in values]
        if missing:
            raise TVMTypeError(f"expected values of all inputs, got none of {missing}")
        return [values[name] for name in names]

    def _check_sizes(self, arrays: Sequence[Any]) -> None:
        """See that dimensions of one name are of one size."""
        known: dict[str, tuple[int, str]] = {}
        for info, array in zip(self.inputs, arrays):
            for name, size in zip(info.shape or (), array.shape):
                if isinstance(name, int):
                    continue
                first, where = known.setdefault(name, (size, info.name))
                if first != size:
                    raise TensorShapeError(
                        f"input {info.name!r}",
                        f"{name} of {first}, as in input {where!r}",
                        list(array.shape),
                    )

    def request(self, values: Sequence[Any], out: Sequence[Any] | None = None) -> Sequence[Any]:
        """Return the outputs for the values of all inputs, in order."""
        if self.places is not None:
            values = [values[place] for place in self.places]
        start = perf_counter()
        try:
            results: Sequence[Any] = self.states.run(values, out, self._may_copy)
        except BaseException:
            self.failed += 1
            raise
        self.latencies.append(perf_counter() - start)
        return results

    def by_name(self, results: Sequence[Any]) -> dict[str, Any]:
        """Return outputs under their names, or under their numbers if nothing tells names."""
        names = [info.name for info in self.outputs] or map(str, range(len(results)))
        return dict(zip(names, results))

    def outs_of(self, out: Any, values: Sequence[Any]) -> Sequence[Any] | None:
        """Return the caller's arrays for all outputs, in order.

        Parameters
        ----------
        out : array, sequence or mapping of arrays, or None
            For the only output, or for all.
        values : sequence of arrays
            Of the inputs, for sizes that the call decides.
        """
        if out is None:
            return None
        names = [info.name for info in self.outputs]
        if isinstance(out, Mapping):
            for name in out:
                if name not in names:
                    raise UnknownNameError("output", name, names)
            arrays = [out[name] for name in names if name in out]
        else:
            arrays = list(out) if isinstance(out, tuple | list) else [out]
        if len(arrays) != len(names):
            raise TVMTypeError(f"out: expected {len(names)} arrays, got {len(arrays)}")
        self.check_outs(dict(zip(names, arrays)), values)
        return arrays

    def check_outs(self, out: Mapping[str, Any], values: Sequence[Any]) -> None:
        """See that the caller's arrays are like the outputs of their names."""
        sizes = {
            name: size
            for info, value in zip(self.inputs, values)
            for name, size in zip(info.shape or (), value.shape)
        }
        for info in self.outputs:
            if info.name in out and info.shape is not None:
                shape = tuple(sizes.get(n, n) for n in info.shape)
                check_output(info, shape, out[info.name])

    def warm_up(self, runs: int) -> None:
        """Make all states and run each on zeros, for every size of a batch."""
        engine = self.engine
        if isinstance(engine, BatchedEngine):
            sizes = [size.inputs for size in engine.engines.values()]
        else:
            sizes = [tuple(self._inputs[info.name].info for info in engine.inputs)]
        requests = [list(map(zeros, size)) for size in sizes]

        def warm_up_one(state: Any) -> None:
            for values in requests * runs:
                state.run(values)
            if isinstance(engine, BatchedEngine):
                engine.measure(state)

        self.states.run_each(warm_up_one)

    def memory(self) -> dict[str, int]:
        """Return the bytes of the parameters, and of what the states have beside them."""
        return {
            "parameters": self.engine.parameter_bytes,
            "states": sum(state.activation_bytes for state in self.states.states),
        }

    @property
    def running(self) -> int:
        """How many requests run."""
        return sum(state.owner != 0 for state in self.states.states)

    @functools.cached_property
    def identity(self) -> str:
        """What changes when the files do: their export's number, else a digest of them all.

        Raises
        ------
        TVMError
            If they have no number and are others by now than those that were loaded.
        """
        if self.files.manifest is not None:
            return str(self.files.manifest.model_id)
        import hashlib  # loads OpenSSL

        digest = hashlib.sha256()
        for part in self.files.parts:
            for chunk in part.chunks():
                digest.update(chunk)
        return digest.hexdigest()


def _check_manifest(place: str, manifest: Manifest, engine: Engine) -> None:
    """See that the files beside a manifest are those that it was written for."""
    if engine.model_id not in (None, manifest.model_id):
        raise TVMValueError(
            f"{place}: model.json is of another export than the files beside it; export anew"
        )
    if engine.outputs and len(manifest.outputs) != len(engine.outputs):
        raise TVMValueError(
            f"{place}: model.json names {len(manifest.outputs)} outputs, the model has "
            f"{len(engine.outputs)}"
        )
