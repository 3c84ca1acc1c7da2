# SPDX-License-Identifier: Apache-2.0
"""Which kinds of models there are, and how each becomes files for a worker.

Nothing is imported for a kind: who has such a model has imported its package.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from tvmgo.compiler.frameworks.converting import Original
from tvmgo.compiler.frameworks.files import kind_of
from tvmgo.compiler.frameworks.objects import NO_EXAMPLES, Examples, is_instance, saver_of
from tvmgo.exceptions import TVMFileNotFoundError, TVMTypeError

# Bytes from which the weights of an ONNX model are a file of their own: protobuf has 2 GiB at most.
LARGE = 1 << 30


@dataclass(frozen=True)
class Source:
    """A model.

    Attributes
    ----------
    kind : str
        ``"onnx"``, ``"relax"``, or a framework in `tvmgo.compiler.frameworks.table`.
    write : callable
        Returns the path that a job gets, writing the model into the given folder if it is not a file yet.
    original : Original or None
        The framework's model, if it was one before it became ONNX.
    """

    kind: str
    write: Callable[[Path], Path]
    original: Original | None = None

    def written(self, folder: Path) -> Source:
        """Return the same model as a file, for several jobs: it is written to the folder now."""
        folder.mkdir()
        path = self.write(folder)
        return replace(self, write=lambda _folder: path)


def source_of(model: Any, examples: Examples = NO_EXAMPLES) -> Source:
    """Recognise a model; `examples` are for frameworks that save one by following a run.

    Raises
    ------
    TVMTypeError
        If it is none of the kinds there are.
    TVMValueError
        If it is a folder that no framework has written, or a file that is not what its name says.
    TVMFileNotFoundError
        If it is a path without a file.
    """
    if isinstance(model, (str, os.PathLike)):
        path = existing_file(model)
        return Source(kind_of(path), partial(existing_file, path))
    if is_instance(model, "onnx", "ModelProto"):
        return Source("onnx", partial(write_onnx, model))
    if is_instance(model, "tvm", "IRModule"):
        return Source("relax", partial(write_relax, model))
    if (saved := saver_of(model, examples)) is not None:
        framework, write = saved
        return Source(framework, write)
    expected = "a path, an onnx.ModelProto, a tvm.IRModule or a model of a framework"
    raise TVMTypeError(f"model: expected {expected}, got {type(model).__name__}")


def existing_file(path: str | os.PathLike[str], folder: Path | None = None) -> Path:
    name = os.fspath(path)
    try:
        os.stat(name)
    except FileNotFoundError as error:
        raise TVMFileNotFoundError.for_argument("model", name) from error
    return Path(name).absolute()


def write_onnx(model: Any, folder: Path) -> Path:
    """Write a model, which may have more weights than one message can hold; it is not changed."""
    path = folder / "model.onnx"
    if sum(len(tensor.raw_data) for tensor in model.graph.initializer) < LARGE:
        path.write_bytes(model.SerializeToString())
        return path
    onnx = sys.modules["onnx"]
    own = onnx.ModelProto()
    own.CopyFrom(model)  # saving moves its weights out
    onnx.save_model(own, path, save_as_external_data=True, location="model.data")
    return path


def write_relax(module: Any, folder: Path) -> Path:
    from tvmgo.compiler.relax.script import write_module

    write_module(module, folder)
    return folder
