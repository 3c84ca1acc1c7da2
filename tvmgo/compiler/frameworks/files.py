# SPDX-License-Identifier: Apache-2.0
"""What a path holds: by its content where that can be told from others, else by its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from tvmgo.exceptions import TVMValueError

HEAD = 16  # bytes in which a file says what it is


def is_flatbuffer(path: Path, head: bytes) -> bool:
    return head[4:8] == b"TFL3"


def is_hdf5(path: Path, head: bytes) -> bool:
    return head.startswith(b"\x89HDF\r\n")


def is_keras(path: Path, head: bytes) -> bool:
    return {"config.json", "model.weights.h5"} <= members_of(path, head)


def is_pytorch(path: Path, head: bytes) -> bool:
    """Whether it is an ExportedProgram or TorchScript; weights alone, pickled, are refused."""
    names = {name.partition("/")[2] for name in members_of(path, head)}
    if any(
        name.startswith(("models/", "code/")) for name in names
    ) or "serialized_exported_program.json" in members_of(path, head):
        return True
    if "data.pkl" in names:
        raise TVMValueError(
            f"model: {str(path)!r} holds PyTorch's weights or a pickled module, not the program; save that by "
            "torch.export.save(torch.export.export(model, inputs), path)"
        )
    return False


def is_graph_def(path: Path, head: bytes) -> bool:
    """An ONNX file may have this suffix, too; but that begins with a version, and a graph with a node."""
    return path.suffix.lower() == ".pb" and head.startswith(b"\x0a")


def is_paddle(path: Path, head: bytes) -> bool:
    if path.suffix.lower() == ".json":
        return b'"pir"' in begin_of(path)
    return path.suffix.lower() in (".pdmodel", ".pdiparams")


def is_mxnet(path: Path, head: bytes) -> bool:
    if path.name.endswith("-symbol.json"):
        return head.startswith(b"{")
    return path.suffix == ".params" and head.startswith(b"\x12\x01" + bytes(6))


def is_darknet(path: Path, head: bytes) -> bool:
    if path.suffix.lower() == ".weights":
        return path.with_suffix(".cfg").is_file()
    return path.suffix.lower() == ".cfg" and b"[net" in begin_of(path)


def is_coreml(path: Path, head: bytes) -> bool:
    """Only the name tells it from ONNX: both begin with the version of their format."""
    return path.suffix.lower() == ".mlmodel" and head.startswith(b"\x08")


def begin_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4096)


def members_of(path: Path, head: bytes) -> set[str]:
    """Return the names of files in an archive; none if it is not one."""
    if not head.startswith(b"PK"):
        return set()
    try:
        with ZipFile(path) as archive:
            return set(archive.namelist())
    except BadZipFile:
        return set()


# The first that recognises a file has it; who knows it by its suffix alone comes after those who look inside.
FILES: tuple[tuple[str, Callable[[Path, bytes], bool]], ...] = (
    ("pytorch", is_pytorch),
    ("tflite", is_flatbuffer),
    ("keras", is_hdf5),
    ("keras", is_keras),
    ("tensorflow", is_graph_def),
    ("paddle", is_paddle),
    ("mxnet", is_mxnet),
    ("coreml", is_coreml),
    ("darknet", is_darknet),
)

# What a folder of a framework holds, and which framework that is.
FOLDERS = {"saved_model.pb": "tensorflow", "Data/com.apple.CoreML/model.mlmodel": "coreml"}

# Names that promise what was not found inside.
SUFFIXES = {
    ".tflite": "a model of TensorFlow Lite",
    ".keras": "a model of Keras 3",
    ".h5": "a model of Keras",
    ".pt": "a TorchScript program of PyTorch",
    ".pt2": "an ExportedProgram of PyTorch",
    ".pth": "a TorchScript program of PyTorch",
    ".hdf5": "a model of Keras",
    ".mlmodel": "a model of Core ML",
    ".cfg": "a network of Darknet, with its section [net]",
    ".weights": "weights of Darknet beside a .cfg of the same name",
}


def kind_of(path: Path) -> str:
    """Return a framework's name in the table, or ``"onnx"`` for what is nobody else's.

    Raises
    ------
    TVMValueError
        If it is a folder of none, or the name promises what the file is not.
    """
    if path.is_dir():
        for inside, name in FOLDERS.items():
            if (path / inside).is_file():
                return name
        known = " or ".join(FOLDERS)
        raise TVMValueError(f"model: expected a file, or a folder with {known}, got {str(path)!r}")
    with path.open("rb") as file:
        head = file.read(HEAD)
    for name, recognises in FILES:
        if recognises(path, head):
            return name
    if promised := SUFFIXES.get(path.suffix.lower()):
        raise TVMValueError(f"model: expected {promised}, as its name says, got {str(path)!r}")
    return "onnx"
