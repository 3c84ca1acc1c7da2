# SPDX-License-Identifier: Apache-2.0
"""A `tvmgo.Model` as KServe's server takes one."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import kserve
from kserve.errors import InvalidInput, ModelNotReady

from tvmgo.model.errors import ModelClosedError, QueueFullError, UnknownNameError
from tvmgo.serving.loaded import Loaded
from tvmgo.serving.metrics import REQUESTS
from tvmgo.serving.settings import Settings
from tvmgo.serving.tensors import array_of, checked_datatypes, unique
from tvmgo.serving.warm import CALLERS


class ServedModel(kserve.Model):  # type: ignore[misc]
    """A model in KServe's server, by version 2 of the protocol.

    Pickles as its path; whoever unpickles it loads the files if they were loaded here.

    Parameters
    ----------
    name : str
        Under which it is asked for.
    path : path-like
        What `tvmgo.Model.load` takes.
    settings : Settings, optional
        Of which `threads`, `workers`, `max_batch`, `max_delay` and `timeout` say how it runs.

    Notes
    -----
    An input's datatype has to be the model's own. Tensors that come as bytes are read where they lie.
    """

    __module__ = "tvmgo.serving"

    def __init__(
        self, name: str, path: str | os.PathLike[str], settings: Settings | None = None
    ) -> None:
        super().__init__(name)
        self.path = os.fspath(path)
        self.settings = settings or Settings()
        self._loaded: Loaded | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.name, self.path, self.settings, self._loaded is not None)

    def load(self) -> bool:
        """Load the files, or load them anew; requests that are here are answered by the old ones.

        May be called in any thread. Returns True.

        Raises
        ------
        TVMError, OSError
            If that cannot be done; then all is as it was.
        """
        loaded = Loaded(self.path, self.settings)
        self._exchange(loaded)
        self.ready = True
        return True

    def start(self) -> None:
        """Nothing is left to do: `load` has done it."""

    def stop(self) -> None:
        """Take no more requests; those that are here are answered."""
        self.ready = False
        self._exchange(None)

    def _exchange(self, loaded: Loaded | None) -> None:
        old, self._loaded = self._loaded, loaded
        if old is not None:  # it waits for answers, which the event loop must not
            threading.Thread(target=old.close, name="tvmgo-close").start()

    @property
    def loaded(self) -> Loaded | None:
        """What is served now."""
        return self._loaded

    def get_input_types(self) -> list[dict[str, Any]]:
        """Return the inputs as the protocol's metadata tell them: "name", "datatype", "shape", -1 for any number of rows.

        Raises
        ------
        ModelNotReady
            If nothing is loaded.
        """
        return self._now().inputs

    def get_output_types(self) -> list[dict[str, Any]]:
        """Return the outputs, like `get_input_types`."""
        return self._now().outputs

    def _now(self) -> Loaded:
        if self._loaded is None:
            raise ModelNotReady(self.name)
        return self._loaded

    async def predict(
        self, payload: Any, headers: Any = None, response_headers: Any = None
    ) -> kserve.InferResponse:
        """Answer a request.

        Parameters
        ----------
        payload : kserve.InferRequest
            Tensors of the model's own element types, of as many rows as the model takes.
        headers, response_headers
            Not used.

        Returns
        -------
        kserve.InferResponse
            The outputs that are asked for, by default all; arrays that nobody else has.

        Raises
        ------
        InvalidInput
            If the request is wrong.
        ModelNotReady
            If nothing is loaded.
        QueueFullError
            If as many wait as may.
        TimeoutError
            If there is no answer in time; a request that has not begun is not run.

        Notes
        -----
        The event loop goes on meanwhile: the model runs in threads of its own, without the GIL.
        """
        with self._counted():
            try:
                loaded, future = self._submit(payload)
                outputs = self._wanted(payload, loaded)
                results = await asyncio.wait_for(asyncio.wrap_future(future), self.settings.timeout)
            except asyncio.TimeoutError:
                raise TimeoutError(f"no answer within {self.settings.timeout} s") from None
            except ModelClosedError:
                raise ModelNotReady(self.name) from None
            except CALLERS as error:
                raise InvalidInput(str(error)) from error
            tensors = [
                kserve.InferOutput(
                    name, list(results[name].shape), loaded.output_datatypes[name], results[name]
                )
                for name in outputs
            ]
            if payload.from_grpc:
                for tensor in tensors:
                    tensor.set_data_from_numpy(tensor.data)
            return kserve.InferResponse(
                payload.id,
                self.name,
                tensors,
                from_grpc=payload.from_grpc,
                use_binary_outputs=payload.use_binary_outputs,
                requested_outputs=payload.request_outputs,
            )

    async def explain(self, payload: Any, headers: Any = None) -> Any:
        """Refuse the request, by InvalidInput: a compiled model has nothing that explains."""
        raise InvalidInput("the model has no explainer")

    def _submit(self, payload: Any) -> tuple[Loaded, Future[dict[str, Any]]]:
        if not isinstance(payload, kserve.InferRequest):
            raise InvalidInput(f"expected version 2 of the protocol: /v2/models/{self.name}/infer")
        given = {each.name: each.datatype for each in payload.inputs}
        inputs = unique(
            (each.name, array_of(each.name, each.datatype, each.shape, each.data, each._raw_data))
            for each in payload.inputs
        )
        while True:
            loaded = self._now()
            checked_datatypes(given, loaded.datatypes)
            try:
                return loaded, loaded.submit(inputs)
            except ModelClosedError:  # another has taken its place since
                if loaded is self._loaded:
                    raise

    @staticmethod
    def _wanted(payload: Any, loaded: Loaded) -> list[str]:
        known = list(loaded.output_datatypes)
        wanted = [each.name for each in payload.request_outputs or ()] or known
        for name in wanted:
            if name not in known:
                raise UnknownNameError("output", name, known)
        return wanted

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Count a request by what comes of it."""
        outcome = "failed"
        try:
            yield
            outcome = "answered"
        except InvalidInput:
            outcome = "invalid"
            raise
        except QueueFullError:
            outcome = "refused"
            raise
        except TimeoutError:
            outcome = "late"
            raise
        except asyncio.CancelledError:
            outcome = "cancelled"
            raise
        finally:
            REQUESTS.labels(self.name, outcome).inc()


def _again(kind: type[ServedModel], *arguments: Any) -> ServedModel:
    """Return an unpickled model."""
    *given, loaded = arguments
    model = kind(*given)
    if loaded:
        model.load()
    return model
