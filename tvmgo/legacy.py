# SPDX-License-Identifier: Apache-2.0
"""Global functions under the names of TVM's Python package, for scripts written for it."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvmgo.callback import convert_function
from tvmgo.error import TVMTypeError
from tvmgo.function import Function
from tvmgo.registry import get_global_function, register_function

__all__ = ["convert", "get_global_func", "register_func"]


def get_global_func(name: str, allow_missing: bool = False) -> Function | None:
    """Return the global function of this name.

    Parameters
    ----------
    name : str
    allow_missing : bool, default False
        Return None if there is none.

    Returns
    -------
    Function or None

    Raises
    ------
    KeyError
        If there is none, as `get_global_function` does.
    """
    try:
        return get_global_function(name)
    except KeyError:
        if not allow_missing:
            raise
        return None


def register_func(func_name: str | Callable[..., Any], f: Callable[..., Any] | None = None,
                  override: bool = False) -> Any:
    """Put a Python callable into the table of global functions.

    Parameters
    ----------
    func_name : str or callable
        Its name; or the callable itself, which is registered as its ``__name__``.
    f : callable, optional
    override : bool, default False
        Replace a function that has the name already.

    Returns
    -------
    callable
        `f` itself; without one, the decorator.

    Raises
    ------
    ValueError, TypeError
        As `register_function` does.
    """
    if not isinstance(func_name, str):
        if not callable(func_name):
            raise TVMTypeError(f"func_name: expected a str, got {type(func_name).__name__}")
        f, func_name = func_name, func_name.__name__
    if f is None:
        return register_function(func_name, override=override)
    return register_function(f, func_name, override=override)


def convert(value: Any) -> Any:
    """Return `value` as something functions take.

    Parameters
    ----------
    value : object
        Callables become a `Function`; all else is converted when it is passed, and stays what it
        is until then.

    Returns
    -------
    object

    Notes
    -----
    Source: TVM's ``tvm.convert``.
    """
    return convert_function(value) if callable(value) else value
