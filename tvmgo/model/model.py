# SPDX-License-Identifier: Apache-2.0
"""A model that is loaded once and called from any thread."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from numpy import ndarray

from tvmgo._core.device import Device
from tvmgo._native.forks import importing
from tvmgo.exceptions import TVMTypeError, TVMValueError
from tvmgo.made import Made
from tvmgo.model.arrays import is_copy
from tvmgo.model.closing import ClosesItself
from tvmgo.model.cpus import check_count, share_out
from tvmgo.model.engines.batched import BatchedEngine
from tvmgo.model.engines.graph import GraphEngine
from tvmgo.model.errors import ModelClosedError, UnknownNameError
from tvmgo.model.files.manifest import KernelInfo
from tvmgo.model.files.model_files import Pathlike, existing, find_files
from tvmgo.model.files.parts import again_if_replaced
from tvmgo.model.forks import ForkSafeLock
from tvmgo.model.profiling.profiler import MAX_EVENTS, Profiler
from tvmgo.model.requests.binding import Binding, bind_any, bind_graph
from tvmgo.model.requests.serving import Serving
from tvmgo.model.tensor_info import TensorInfo

if TYPE_CHECKING:  # else where they are needed: a program that only calls a model starts sooner
    from concurrent.futures import Future

    from tvmgo.model.profiling.profile import OperatorProfile, Profile
    from tvmgo.model.requests.request import Answer
    from tvmgo.model.requests.request_queue import RequestQueue
    from tvmgo.model.stats import Stats

__all__ = ["Model"]


class Model(Made, ClosesItself):
    """A model, ready to answer requests from any number of threads.

    Made by `Model.load`. Up to `concurrency` requests run at a time, each with memory of its own for
    activations; further ones wait, in the order in which they came. The parameters are in memory
    once, also for several models of the same files. After a fork the child has a working model.

    A context manager, which closes the model. Pickles as the paths of its files: who unpickles loads
    them, once for each process, and gets an error if they have changed.
    """

    __module__ = "tvmgo"

    _made_by = "tvmgo.Model.load"

    def _begin(self, arguments: Mapping[str, Any]) -> None:
        self._arguments = dict(arguments)
        self._profiled: Sequence[OperatorProfile] = ()
        self._serving: Serving | None = self._load(Profiler())
        self._queue: RequestQueue | None = None  # made for the first who does not wait
        self._reloading = ForkSafeLock()

    @classmethod
    def load(
        cls,
        path: Pathlike | None = None,
        *,
        library: Pathlike | None = None,
        graph: Pathlike | None = None,
        params: Pathlike | None = None,
        device: Device | str = "cpu",
        concurrency: int | None = None,
        threads: int | None = None,
        copy: str = "auto",
        private: bool | None = None,
    ) -> Model:
        """Load a model.

        Parameters
        ----------
        path : path-like, optional
            A folder or a bundle (``.tvmgo``) that `tvmgo.compiler.export` or `tvmgo.bundle` has
            written, or a folder with one library and, if it needs them, one graph (``.json``) and
            one file of parameters (``.params``), of TVM 0.2 to 0.20 or of today. Or a library that
            has its graph inside (a factory), or a program of the Relax virtual machine.
        library, graph, params : path-like, optional
            The files, where they are no such folder.
        device : Device or str, default "cpu"
            Where it runs.
        concurrency : int, optional
            How many requests run at a time. Default: the CPUs that the process may use (its CPU
            set, and its control group's quota), divided by `threads`.
        threads : int, optional
            How many threads the kernels of a request use. Default: the same CPUs, divided by
            `concurrency`; so 1 if neither is given. The product is more than the CPUs only if both
            are given.
        copy : str, default "auto"
            What is done with arrays of another element type than the model's, or that kernels
            cannot work on where they are. ``"auto"``: they are copied, and `stats` counts it.
            ``"never"``: an error says why a copy is needed.
        private : bool, optional
            False maps the library and the parameters where they lie, as `load_module` says of the
            library: all processes have them in memory once, and nobody must write to the files
            while they are in use, or cut them off. True makes clones or copies of both. Default:
            parameters are mapped if this process cannot write to their file; a library as
            `load_module` has it.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If the files are not those of one model, or one is malformed.
        TypeError
            If an argument is of the wrong type.

        Notes
        -----
        Replaces what applications wrote around gotvm's ``GetFunction("tvm.graph_runtime.create")``.
        """
        if copy not in ("auto", "never"):
            raise TVMValueError(f"copy: expected 'auto' or 'never', got {copy!r}")
        if private is not None and not isinstance(private, bool):
            raise TVMTypeError(
                f"private: expected True, False or None, got {type(private).__name__}"
            )
        concurrency, threads = share_out(concurrency, threads)
        return cls._make(
            {
                "path": absolute("path", path),
                "library": absolute("library", library),
                "graph": absolute("graph", graph),
                "params": absolute("params", params),
                "device": str(Device(device)),
                "concurrency": concurrency,
                "threads": threads,
                "copy": copy,
                "private": private,
            }
        )

    @again_if_replaced
    def _load(self, profiler: Profiler) -> Serving:
        arguments = self._arguments
        files = find_files(*(arguments[name] for name in ("path", "library", "graph", "params")))
        return Serving(
            files,
            Device(arguments["device"]),
            arguments["concurrency"],
            arguments["threads"],
            arguments["copy"],
            arguments["private"],
            profiler,
        )

    def _open(self) -> Serving:
        serving = self._serving
        if serving is None:
            raise ModelClosedError("the model is closed")
        return serving

    def _begun_queue(self) -> RequestQueue:
        with importing:
            from tvmgo.model.requests.request_queue import RequestQueue

            self._open()  # `close` has seen no queue
            self._queue = self._queue or RequestQueue(self.concurrency)
            return self._queue

    @property
    def inputs(self) -> tuple[TensorInfo, ...]:
        """The inputs, in order; parameters are none of them."""
        return self._open().inputs

    @property
    def outputs(self) -> tuple[TensorInfo, ...]:
        """The outputs, in order. Empty for a program of the virtual machine that does not tell."""
        return self._open().outputs

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """For how many rows the model was exported; empty for one without a batch."""
        return tuple(size.batch for size in self._open().files.sizes if size.batch is not None)

    @property
    def rows_independent(self) -> bool:
        """Whether the export has shown that a row's results do not depend on other rows.

        Then a request may have any number of rows: it is split and filled up.
        """
        manifest = self._open().files.manifest
        return manifest is not None and manifest.rows_independent

    @property
    def concurrency(self) -> int:
        """How many requests run at a time."""
        count: int = self._arguments["concurrency"]
        return count

    @property
    def threads(self) -> int:
        """How many threads the kernels of one request use."""
        count: int = self._arguments["threads"]
        return count

    @property
    def copies(self) -> int:
        """How many arrays had to be copied so far, as in `stats`."""
        return self.stats().copies

    def __call__(self, *values: Any, out: Any = None, **named: Any) -> Any:
        """Answer one request.

        Parameters
        ----------
        *values : array-likes
            Values of inputs, in order; or one mapping of names to values.
        **named : array-likes
            Values by name. An input named "out" can be named in a mapping only.
        out : array, or sequence or mapping of arrays, optional
            Where the outputs are written, instead of into new arrays: NumPy arrays or Arrays like
            them.

        Returns
        -------
        numpy.ndarray or tuple of them
            The output, or if there are several all of them in the order of `outputs`: `out`, or new
            arrays that nobody else has. An `Array` stands for one whose element type NumPy has not.

        Raises
        ------
        KeyError
            If there is no such input; `UnknownNameError`.
        ValueError
            If a shape is another one; `TensorShapeError`. If a copy would be needed and must not be
            made.
        TypeError
            If an element type cannot be converted by NumPy's rule ``same_kind``, or an input has no
            value; `TensorTypeError` in the first case.
        OverflowError
            If an integer does not fit its type.
        TVMBusyError
            If the call comes from within a run of this model and would wait for its end.
        KeyboardInterrupt
            If Ctrl-C comes while it waits for its turn; if it is being run by then, when the run has
            ended.
        TVMError
            The error of the operator that failed, unchanged.

        Notes
        -----
        Takes NumPy arrays, what has ``__dlpack__``, buffers and lists; read-only ones, strided ones
        and those at any address as well. A large array is read and written where it lies if kernels
        can do that. Releases the GIL while it runs and waits. A request that has to wait is run by
        another thread, in which operators in Python see the context variables of this one.
        """
        serving = self._serving or self._open()
        if len(values) == 1 and type(values[0]) is not ndarray and isinstance(values[0], Mapping):
            named = merged(values[0], named)
            values = ()
        arrays = serving.values_of(values, named)
        into = None if out is None else serving.outs_of(out, arrays)
        results = serving.request(arrays, into)
        return results[0] if len(results) == 1 else tuple(results)

    def run(
        self,
        inputs: Mapping[str, Any],
        outputs: Sequence[str] | None = None,
        *,
        out: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Answer one request by names.

        Parameters
        ----------
        inputs : mapping of str to array-like
            A value for each input.
        outputs : sequence of str, optional
            Which ones are wanted; all by default. The model computes all.
        out : mapping of str to array, optional
            Where all outputs are written.

        Returns
        -------
        dict of str to numpy.ndarray
            In the order of the model's outputs. Errors and all else as for a call.
        """
        serving = self._open()
        known = [info.name for info in serving.outputs]
        wanted = known if outputs is None else checked_outputs(outputs, known)
        arrays = serving.values_of((), inputs)
        named = serving.by_name(serving.request(arrays, serving.outs_of(out, arrays)))
        return named if outputs is None else {name: named[name] for name in wanted}

    def submit(self, inputs: Mapping[str, Any], *, timeout: float | None = None) -> Future[Answer]:
        """Have a request answered by another thread.

        Parameters
        ----------
        inputs : mapping of str to array-like
            As for `run`. They are read when the request begins: do not change them before.
        timeout : float, optional
            Seconds after which a request that has not begun ends with `TimeoutError`.

        Returns
        -------
        concurrent.futures.Future
            Of what `run` returns. It can be cancelled until it begins.

        Raises
        ------
        QueueFullError
            If 1,024 requests wait already.
        """
        self._open()
        queue = self._queue or self._begun_queue()
        return queue.submit(lambda: self.run(inputs), timeout)

    async def run_async(self, inputs: Mapping[str, Any], *, timeout: float | None = None) -> Answer:
        """Await an answer, as `run` gives it; the event loop goes on meanwhile.

        Parameters, result and errors are those of `submit` and of its future, but that where the
        queue is full it awaits a place. A task that is cancelled takes its request out
        of the queue; one that has begun runs to its end.
        """
        self._open()
        queue = self._queue or self._begun_queue()
        return await queue.run_async(lambda: self.run(inputs), timeout)

    def bind(self, inputs: Mapping[str, Any], outputs: Mapping[str, Any] | None = None) -> Binding:
        """Prepare a request that is made again and again with the same memory.

        Parameters
        ----------
        inputs : mapping of str to array
            An array for each input, just like it: NumPy arrays or Arrays. Kept alive.
        outputs : mapping of str to array, optional
            Arrays for outputs; others get new ones.

        Returns
        -------
        Binding
            With a state of its own, beside those that `concurrency` counts.

        Raises
        ------
        KeyError, ValueError, TypeError
            As for a call. No array is converted: a copy would not show later changes.
        """
        serving = self._open()
        values = serving.values_of((), inputs)
        for info, value in zip(serving.inputs, values):
            given = inputs[info.name]
            if is_copy(value, given):
                raise TVMTypeError(
                    f"input {info.name!r}: expected an array of {info.dtype}, which each run can "
                    f"read, got {getattr(given, 'dtype', type(given).__name__)}"
                )
        known = [info.name for info in serving.outputs]
        if outputs is not None and not isinstance(outputs, Mapping):
            raise TVMTypeError(f"outputs: expected a mapping, got {type(outputs).__name__}")
        into = dict(outputs or {})
        checked_outputs(into, known)
        serving.check_outs(into, values)
        if serving.places is not None:
            values = [values[place] for place in serving.places]
        engine = serving.engine
        if isinstance(engine, BatchedEngine):
            engine = engine.engines.get(values[0].shape[0], engine)
        state = engine.new_state(serving.threads, serving.profiler)
        may_copy = self._arguments["copy"] != "never"
        if isinstance(engine, GraphEngine):
            return bind_graph(state, values, known, into, may_copy)  # type: ignore[arg-type]
        return bind_any(state, values, serving.by_name, into, may_copy)

    def warmup(self, runs: int = 1) -> None:
        """Make all states and run each so many times, on zeros, so that no request has to wait for it.

        Raises
        ------
        ValueError
            If a call decides a size or type of an input: run it once on real values instead. If
            `runs` is less than 1.
        TypeError
            If `runs` is no int.
        """
        check_count("runs", runs)
        self._open().warm_up(runs)

    def memory(self) -> dict[str, int]:
        """Return bytes: of the ``"parameters"``, and of the activations of all ``"states"``.

        The parameters may belong to other models of the process, too.
        """
        return self._open().memory()

    def stats(self) -> Stats:
        """Return what the model has done since it was loaded or reloaded, requests under way included."""
        with importing:
            from tvmgo.model.stats import Stats, latency_of
        serving = self._open()
        states = serving.states.states
        return Stats(
            requests=sum(state.runs for state in states),
            failed=serving.failed,
            running=serving.running,
            waiting=serving.states.waiting,
            queued=self._queue.waiting if self._queue else 0,
            copies=serving.copies + sum(state.copies for state in states),
            latency=latency_of(list(serving.latencies)),
        )

    def profile(self, *, max_events: int = MAX_EVENTS) -> Profile:
        """Return a context manager that times every operator of every run in its block.

        Parameters
        ----------
        max_events : int, default 1,000,000
            So many calls are kept one by one, for `Profile.write_trace`; 32 bytes each. The sums
            are of all.

        Returns
        -------
        Profile
            What was found, when the block has ended. It counts the runs that begin and end in the
            block, on any thread, also those of bindings, of the queue and of a `Batcher`.

        Raises
        ------
        TVMBusyError
            At the begin of the block, if the model is being profiled already.

        Notes
        -----
        Replaces ``profile`` of TVM's debug executor and ``vm.profile``. Kernels on another device
        than the CPU are waited for one by one. Outside a block nothing is timed.
        """
        with importing:
            from tvmgo.model.profiling.profile import Profile
        serving = self._open()
        files, profiler = serving.files, serving.profiler
        del serving  # a profile that is kept must not keep parameters

        def kernels() -> dict[int, Mapping[str, KernelInfo]]:
            manifest = (self._serving.files if self._serving else files).manifest
            return {size.batch or 0: size.kernels for size in manifest.sizes} if manifest else {}

        def ended(profile: Profile) -> None:
            self._profiled = profile.operators

        return Profile._make(files.name, profiler, kernels, ended, max_events)

    def dot(self, batch: int | None = None) -> str:
        """Return the graph as text in the language of Graphviz, which ``dot -Tsvg`` draws.

        Operators that the last `profile` has timed show how long a call took, and are the redder
        the larger their share is. Parameters are left out.

        Parameters
        ----------
        batch : int, optional
            Of which graph, if the model has one for each of several numbers of rows; by default
            the one in which the profile spent most time, or the smallest.

        Raises
        ------
        ValueError
            If there is no such graph.

        Notes
        -----
        Of a program of the virtual machine the values and the functions that compute them are shown,
        with both sides of branches; the time at a function is that of all its calls.
        """
        with importing:
            from tvmgo.model.drawing import draw
        return draw(self._open(), batch, self._profiled)

    def reload(self) -> None:
        """Load the files again, as they are now.

        Requests that run end on the old ones, those that come later run on the new ones; a failure
        leaves all as it was. Inputs and outputs may become others.

        Raises
        ------
        FileNotFoundError, ValueError
            As `load`.
        ModelClosedError
            If the model is closed.

        Notes
        -----
        Takes as long as `load`. For any thread; of two that reload, one waits for the other.
        """
        with self._reloading:
            self._serving = self._load(self._open().profiler)

    def close(self) -> None:
        """End the model: requests that are there are answered, later ones raise `ModelClosedError`.

        Waits for what `submit` and `run_async` have taken, without the GIL. Bindings go on. Closing twice
        does no harm.
        """
        with importing:  # no queue begins meanwhile
            queue, serving = self._queue, self._serving
            if queue is None:
                self._serving = None
        del serving  # now: what it is made of may take its time to end
        if queue is not None:
            queue.close()
            self._serving = None

    def __repr__(self) -> str:
        serving = self._serving
        if serving is None:
            return "<tvmgo.Model, closed>"
        inputs, outputs = (", ".join(map(str, each)) for each in (serving.inputs, serving.outputs))
        return (
            f"<tvmgo.Model {serving.files.name!r}: ({inputs}) -> ({outputs}), "
            f"{self.concurrency} at a time, threads each: {self.threads}>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return unpickle, (tuple(self._arguments.items()), self._open().identity)


def absolute(name: str, path: Pathlike | None) -> str | None:
    return None if path is None else existing(name, path)


def merged(values: Mapping[Any, Any], named: Mapping[str, Any]) -> dict[Any, Any]:
    for name in named:
        if name in values:
            raise TVMTypeError(f"input {name!r}: got two values")
    return {**values, **named}


def checked_outputs(given: Sequence[str] | Mapping[str, Any], known: Sequence[str]) -> list[str]:
    """Return those names of outputs, in the model's order.

    Raises
    ------
    UnknownNameError
        If one is no output.
    TVMTypeError
        If they are no names.
    """
    if isinstance(given, str | bytes):
        kind = type(given).__name__
        raise TVMTypeError(f"outputs: expected names, got the {kind} {given!r}")
    try:
        names = list(given)
    except TypeError:
        raise TVMTypeError(f"outputs: expected names, got {type(given).__name__}") from None
    for name in names:
        if name not in known:
            raise UnknownNameError("output", name, known)
    return [name for name in known if name in names]


# For good, not weakly: between two tasks of a pool of processes nobody else holds the model.
_unpickled: dict[tuple[tuple[str, Any], ...], Model] = {}
_unpickling = ForkSafeLock(threading.RLock)


def unpickle(arguments: tuple[tuple[str, Any], ...], identity: str) -> Model:
    """Return the process's model of these files, until it is closed."""
    with _unpickling:
        known = _unpickled.get(arguments)
        serving = None if known is None else known._serving
        if known is not None and serving is not None and serving.identity == identity:
            return known
        model = Model._make(dict(arguments))
        serving = model._open()
        if serving.identity != identity:
            raise TVMValueError(
                f"{serving.files.place}: the files have changed since the model was pickled"
            )
        _unpickled[arguments] = model
        return model
