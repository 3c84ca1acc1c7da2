# SPDX-License-Identifier: Apache-2.0
"""Models that live in this process: the framework, which is imported here already, saves them."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from tvmgo.compiler.errors import as_export_error
from tvmgo.compiler.frameworks.table import FRAMEWORKS
from tvmgo.exceptions import ExportError


@dataclass(frozen=True)
class Examples:
    """What `export` was told of inputs, for frameworks that follow a run."""

    shapes: Mapping[str, Sequence[int]] = field(default_factory=dict)
    inputs: Mapping[str, np.ndarray] = field(default_factory=dict)
    batched: bool = False

    def __getitem__(self, name: str) -> np.ndarray:
        """Return a value for an input; a shape alone is one of float32."""
        if name in self.inputs:
            return self.inputs[name]
        numbers = np.random.default_rng(0).standard_normal(tuple(self.shapes[name]))
        return numbers.astype(np.float32)


NO_EXAMPLES = Examples()
Save = Callable[[Any, Path, Examples], Path]


# ---------------------------------------------------------------- PyTorch


def save_program(program: Any, folder: Path, examples: Examples) -> Path:
    path = folder / "model.pt2"
    sys.modules["torch"].export.save(program, path)
    return path


def save_script(module: Any, folder: Path, examples: Examples) -> Path:
    path = folder / "model.pt"
    module.save(str(path))
    return path


def save_module(module: Any, folder: Path, examples: Examples) -> Path:
    """Save the program that a module runs for the examples, with open first dimensions for batches."""
    torch = sys.modules["torch"]
    check_mode(module, "PyTorch")
    values, dynamic = {}, {}
    for name, example in examples_for(module, "PyTorch", examples).items():
        value = torch.from_numpy(np.array(example))
        if examples.batched:
            dynamic[name] = {0: torch.export.Dim("batch")}
            if len(value) == 1:  # which would count as a constant
                value = torch.cat([value, value])
        values[name] = value
    with torch.no_grad():
        program = torch.export.export(module, (), values, dynamic_shapes=dynamic or None)
    return save_program(program, folder, examples)


def examples_for(module: Any, title: str, examples: Examples) -> dict[str, np.ndarray]:
    """Return examples for the parameters of a module's `forward`, in their order."""
    parameters = inspect.signature(module.forward).parameters
    given = {*examples.inputs, *examples.shapes}
    needed = {name for name, each in parameters.items() if each.default is each.empty}
    if not needed <= given <= {*parameters}:
        raise ExportError(
            f"{title}: the module",
            f"expected examples for {', '.join(parameters)}, which its forward takes, got {sorted(given)}",
            "pass them as inputs={name: value}, or shapes={name: shape} for float32",
        )
    return {name: examples[name] for name in parameters if name in given}


def check_mode(module: Any, title: str) -> None:
    if module.training:
        raise ExportError(
            f"{title}: the module",
            "it is in training mode, in which dropout draws random numbers and normalisation follows its inputs",
            "call model.eval() first",
        )


# ---------------------------------------------------------------- PaddlePaddle


def save_layer(layer: Any, folder: Path, examples: Examples) -> Path:
    """Save the program that a layer runs for the examples; what `paddle.jit.to_static` returns knows its inputs."""
    paddle = sys.modules["paddle"]
    check_mode(layer, "PaddlePaddle")
    specs = None
    if not hasattr(type(layer.forward), "concrete_program"):
        specs = [
            paddle.static.InputSpec(
                [None, *value.shape[1:]] if examples.batched else [*value.shape],
                str(value.dtype),
                name,
            )
            for name, value in examples_for(layer, "PaddlePaddle", examples).items()
        ]
    paddle.jit.save(layer, str(folder / "model"), specs)
    return next(each for each in folder.iterdir() if each.suffix in (".json", ".pdmodel"))


# ---------------------------------------------------------------- TensorFlow and Keras


def save_keras(model: Any, folder: Path, examples: Examples) -> Path:
    """Save a model as Keras does; with layers of the user's own, whose code only this process has, as a
    SavedModel, which has their computations."""
    keras = sys.modules["keras"]
    if keras.backend.backend() == "tensorflow" and any(map(is_own, layers_of(model))):
        path = folder / "saved"
        model.export(str(path), verbose=False)
    else:
        path = folder / "model.keras"
        model.save(path)
    return path


def layers_of(layer: Any) -> Iterator[Any]:
    yield layer
    for each in getattr(layer, "layers", ()):
        yield from layers_of(each)


def is_own(layer: Any) -> bool:
    return type(layer).__module__.partition(".")[0] != "keras" or type(layer).__name__ == "Lambda"


def save_tf_module(module: Any, folder: Path, examples: Examples) -> Path:
    path = folder / "saved"
    sys.modules["tensorflow"].saved_model.save(module, str(path))
    return path


def save_tf_function(function: Any, folder: Path, examples: Examples) -> Path:
    tf = sys.modules["tensorflow"]
    holder, path = tf.Module(), folder / "saved"
    concrete = getattr(function, "get_concrete_function", lambda: function)()
    holder.function, holder.used = (
        function,
        list(concrete.variables),
    )  # else they would not be saved
    tf.saved_model.save(holder, str(path), signatures=function)
    return path


# A package, one of its classes, the framework whose files come out, and who saves. The first that fits does.
OBJECTS: tuple[tuple[str, str, str, Save], ...] = (
    ("torch", "export.ExportedProgram", "pytorch", save_program),
    ("torch", "jit.ScriptModule", "pytorch", save_script),
    ("torch", "nn.Module", "pytorch", save_module),
    ("paddle", "nn.Layer", "paddle", save_layer),
    ("keras", "Model", "keras", save_keras),
    ("tensorflow", "types.experimental.GenericFunction", "tensorflow", save_tf_function),
    ("tensorflow", "types.experimental.ConcreteFunction", "tensorflow", save_tf_function),
    ("tensorflow", "Module", "tensorflow", save_tf_module),
)


def saver_of(model: Any, examples: Examples) -> tuple[str, Callable[[Path], Path]] | None:
    """Return the framework of an object, and who writes it into a folder; None if it is none's."""
    for package, name, framework, save in OBJECTS:
        if is_instance(model, package, name):
            title = FRAMEWORKS[framework].title

            def write(folder: Path, save: Save = save, title: str = title) -> Path:
                step = f"saving the {type(model).__name__} of {title}"
                with as_export_error(step, instead="save it yourself, and export the file"):
                    return save(model, folder, examples)

            return framework, write
    return None


def is_instance(model: Any, package: str, name: str) -> bool:
    """Whether a model is of a class, which it can only be if its package is imported."""
    try:
        kind = reduce(getattr, name.split("."), sys.modules[package])
    except (KeyError, AttributeError):
        return False
    return isinstance(kind, type) and isinstance(model, kind)
