# SPDX-License-Identifier: Apache-2.0
"""The one error of this room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

VIRTUAL_MACHINE = "compile the model with tvm.compile and run it on the Relax virtual machine"

REWRITE_OPERATOR = "rewrite the operator that this speaks of"


class ExportError(ValueError):
    """A model cannot become a static graph, or its kernels cannot be built.

    Parameters
    ----------
    where : str
        The function, variable or input at fault.
    reason : str
        Which construct it is, and why a graph cannot hold it.
    instead : str
        What to use or to change.
    """

    def __init__(self, where: str, reason: str, instead: str = VIRTUAL_MACHINE) -> None:
        super().__init__(f"{where}: {reason}. Instead, {instead}.")
        self.where = where
        self.reason = reason
        self.instead = instead

    @classmethod
    def from_worker(cls, worker: str, error: Exception, instead: str) -> ExportError:
        """Report what the compiler raised during a step; the caller chains `error` as the cause."""
        return cls(worker, f"{type(error).__name__}: {error}".strip().rstrip("."), instead)


@contextmanager
def refusals_of(worker: str, *, instead: str) -> Iterator[None]:
    """Turn what the compiler raises inside the block into an `ExportError`, keeping the cause."""
    try:
        yield
    except ExportError:
        raise
    except Exception as error:  # TVM signals refusals by nearly every built-in class
        raise ExportError.from_worker(worker, error, instead) from error
