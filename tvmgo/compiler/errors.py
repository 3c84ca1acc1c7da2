# SPDX-License-Identifier: Apache-2.0
"""What the steps of an export say when they fail; the class itself is `tvmgo.exceptions`'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tvmgo.exceptions import ExportError

# Advice that several steps give.
VIRTUAL_MACHINE = 'export it with format="vm", for the Relax virtual machine'
GIVE_SHAPES = "give the shapes of inputs with open dimensions as shapes={input: shape}"
FIX_SHAPES = f"{GIVE_SHAPES}; if the shape depends on data, {VIRTUAL_MACHINE}"
NEED_COMPILER = (
    "install a C++ compiler for the target, such as g++, or name one in the variable CXX"
)
REWRITE_OPERATOR = "rewrite the operator that this speaks of"


def failed_step(
    step: str, error: Exception, instead: str, text_of: Callable[[Exception], str] = str
) -> ExportError:
    """Describe what TVM raised during a step; the caller chains `error` as the cause."""
    reason = f"{type(error).__name__}: {text_of(error)}"
    return ExportError(step, reason.strip().rstrip("."), instead)


@contextmanager
def as_export_error(
    step: str, *, instead: str, text_of: Callable[[Exception], str] = str
) -> Iterator[None]:
    """Turn what TVM raises inside the block into an `ExportError`, keeping the cause.

    `text_of` says what the error says; some releases put more into their text than users want.
    """
    try:
        yield
    except (ExportError, MemoryError):
        raise
    except Exception as error:  # TVM refuses a model by nearly every built-in class
        raise failed_step(step, error, instead, text_of) from error
