# SPDX-License-Identifier: Apache-2.0
"""The exceptions that tvmgo raises. All are a `TVMError`, and a built-in one as well."""

from __future__ import annotations

from errno import ENOENT
from os import strerror

__all__ = [
    "TVMAssertionError",
    "TVMAttributeError",
    "TVMBufferError",
    "TVMBusyError",
    "TVMError",
    "TVMFileNotFoundError",
    "TVMFunctionNotFoundError",
    "TVMImportError",
    "TVMIndexError",
    "TVMKeyError",
    "TVMMemoryError",
    "TVMNotImplementedError",
    "TVMOSError",
    "TVMOverflowError",
    "TVMRPCError",
    "TVMRPCTimeoutError",
    "TVMTypeError",
    "TVMValueError",
]


class TVMError(RuntimeError):
    """An error raised by the runtime or by tvmgo itself.

    Attributes
    ----------
    kind : str
        The runtime's name for the error, such as ``"ValueError"`` or ``"InternalError"``.
    native_backtrace : str
        The native frames the error passed through, innermost last; empty when there are none.
    """

    __module__ = "tvmgo"
    kind: str = "RuntimeError"
    _native_frames: str = ""  # as the runtime keeps them, innermost first

    @property
    def native_backtrace(self) -> str:
        # Python shows the innermost frame last.
        return "\n".join(reversed(self._native_frames.splitlines()))

    def __str__(self) -> str:
        # KeyError would show the repr of its message.
        return str(self.args[0]) if len(self.args) == 1 else RuntimeError.__str__(self)


class TVMAssertionError(TVMError, AssertionError):
    """A `TVMError` that is an `AssertionError` as well."""

    __module__ = "tvmgo"
    kind = "AssertionError"


class TVMAttributeError(TVMError, AttributeError):
    """A `TVMError` that is an `AttributeError` as well."""

    __module__ = "tvmgo"
    kind = "AttributeError"


class TVMBufferError(TVMError, BufferError):
    """A `TVMError` that is a `BufferError` as well."""

    __module__ = "tvmgo"
    kind = "BufferError"


class TVMBusyError(TVMError):
    """Something serves one call at a time, and another call has it; a `RuntimeError`."""

    __module__ = "tvmgo"
    kind = "BusyError"


class TVMFileNotFoundError(TVMError, FileNotFoundError):
    """A `TVMError` that is a `FileNotFoundError` as well."""

    __module__ = "tvmgo"
    kind = "FileNotFoundError"

    @classmethod
    def for_argument(cls, name: str, path: str | bytes) -> TVMFileNotFoundError:
        """Make the error for an argument that is the path of no file."""
        error = cls(f"{name}: there is no file {path!r}")
        # Only OSError's own constructor sets these.
        error.errno, error.strerror, error.filename = ENOENT, strerror(ENOENT), path
        return error


class TVMImportError(TVMError, ImportError):
    """A `TVMError` that is an `ImportError` as well."""

    __module__ = "tvmgo"
    kind = "ImportError"

    @classmethod
    def for_package(cls, name: str, package: str, requirement: str) -> TVMImportError:
        """Make the error for what `name` says, which needs a package that is not installed."""
        return cls(f"{name}: {package} is not installed; `pip install {requirement}` brings it")


class TVMIndexError(TVMError, IndexError):
    """A `TVMError` that is an `IndexError` as well."""

    __module__ = "tvmgo"
    kind = "IndexError"


class TVMKeyError(TVMError, KeyError):
    """A `TVMError` that is a `KeyError` as well."""

    __module__ = "tvmgo"
    kind = "KeyError"


class TVMMemoryError(TVMError, MemoryError):
    """A `TVMError` that is a `MemoryError` as well."""

    __module__ = "tvmgo"
    kind = "MemoryError"


class TVMNotImplementedError(TVMError, NotImplementedError):
    """A `TVMError` that is a `NotImplementedError` as well."""

    __module__ = "tvmgo"
    kind = "NotImplementedError"


class TVMOSError(TVMError, OSError):
    """A `TVMError` that is an `OSError` as well."""

    __module__ = "tvmgo"
    kind = "OSError"


class TVMOverflowError(TVMError, OverflowError):
    """A `TVMError` that is an `OverflowError` as well."""

    __module__ = "tvmgo"
    kind = "OverflowError"


class TVMRPCError(TVMError):
    """What was asked of another machine failed there, or did not reach it; a `RuntimeError`."""

    __module__ = "tvmgo"
    kind = "RPCError"


class TVMRPCTimeoutError(TVMRPCError, TimeoutError):
    """Another machine did not answer in time; a `TVMRPCError` that is a `TimeoutError` as well."""

    __module__ = "tvmgo"
    kind = "RPCSessionTimeoutError"


class TVMTypeError(TVMError, TypeError):
    """A `TVMError` that is a `TypeError` as well."""

    __module__ = "tvmgo"
    kind = "TypeError"


class TVMValueError(TVMError, ValueError):
    """A `TVMError` that is a `ValueError` as well."""

    __module__ = "tvmgo"
    kind = "ValueError"


class TVMFunctionNotFoundError(TVMKeyError, AttributeError):
    """A module has no function of that name; a `KeyError` and an `AttributeError` as well."""

    __module__ = "tvmgo"


# Not in __all__, whose classes stand for kinds of errors of the runtime; the compiler offers it.
class ExportError(TVMValueError):
    """A model cannot become a static graph, or its kernels cannot be built.

    A `TVMError` and a `ValueError`; raised by `tvmgo.compiler.export`. Its text says all three:
    where, why, and what to do instead. When TVM failed on the model, its own exception is the
    ``__cause__``.

    Parameters
    ----------
    where : str
        The function, variable, input, node or step at fault.
    reason : str
        Which construct it is, and why a graph cannot hold it; or what failed.
    instead : str
        What to use or to change.

    Attributes
    ----------
    where, reason, instead : str
        As given.
    """

    def __init__(self, where: str, reason: str, instead: str) -> None:
        super().__init__(where, reason, instead)  # all of them, so that it can be pickled
        self.where = where
        self.reason = reason
        self.instead = instead

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}. Instead, {self.instead}."
