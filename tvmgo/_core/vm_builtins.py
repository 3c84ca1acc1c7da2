# SPDX-License-Identifier: Apache-2.0
"""What libraries for the Relax virtual machine call and apache-tvm's Python alone defines.

The machine looks these global functions up when it is initialised. `provide` registers ours when
the first such library is loaded, unless apache-tvm's are there; before it is imported, which
registers its own under the same names, ours are taken away. Machines that have them keep them.
NumPy is imported when one of them is called.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from tvmgo._core.array import Array, array
from tvmgo._core.registry import (
    get_global_function,
    has_global_function,
    register_function,
    remove_global_function,
)
from tvmgo._native import companions
from tvmgo._native.forks import loading


def unique(
    x: Array,
    sort: bool,
    with_index: bool,
    with_inverse: bool,
    with_counts: bool,
    axis: int | None = None,
) -> Any:
    """Return the distinct values, and what else is asked for, sorted or in their first order."""
    import numpy as np

    values, index, inverse, counts = np.unique(x.numpy(), True, True, True, axis)
    inverse = inverse.reshape(-1)  # some releases of NumPy give it the shape of x
    if not sort:
        order = np.argsort(index)
        values, index, counts = values.take(order, axis), index[order], counts[order]
        inverse = np.argsort(order)[inverse]
    wanted = ((True, values), (with_index, index), (with_inverse, inverse), (with_counts, counts))
    results = [array(result) for asked, result in wanted if asked]
    return results[0] if len(results) == 1 else results


def nonzero(x: Array) -> Array:
    """Return the indices of elements that are not 0: a row per dimension, one of a number."""
    import numpy as np

    return array(np.stack(np.atleast_1d(x.numpy()).nonzero()).astype("int64"))


def shape_to_tensor(shape: tuple[int, ...]) -> Array:
    import numpy as np

    return array(np.array(shape, "int64"))


def show(form: str, *values: Any) -> None:
    """Print values, by a format of Python's if there is one."""
    print(form.format(*map(text_of, values)) if form else " ".join(map(text_of, values)))


def check(condition: Any, form: str, *values: Any) -> None:
    """Raise an AssertionError with a text made like `show`'s, if the condition is false."""
    if not (condition.numpy() if isinstance(condition, Array) else condition):
        texts = [text_of(value) for value in values]
        raise AssertionError(
            form.format(*texts) if form else ", ".join(texts) or "assertion failed"
        )


def debug_print(line: str, x: Array) -> None:
    print(f"{line}: shape = {x.shape}, dtype = {x.dtype}, data =\n{text_of(x)}")


def text_of(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"({', '.join(map(text_of, value))})"
    return str(value.numpy() if isinstance(value, Array) else value)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "relax.run.unique": unique,
    "relax.run.nonzero": nonzero,
    "relax.run.shape_to_tensor": shape_to_tensor,
    "relax.run.print": show,
    "relax.run.assert_op": check,
    "vm.builtin.debug_print": debug_print,
}


class _MakeWay:
    """Asked before others where a module is; takes our functions away before tvm is imported."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        if name == "tvm" and _MakeWay in sys.meta_path:
            sys.meta_path.remove(_MakeWay)
            for each in registered:
                if has_global_function(each):
                    remove_global_function(each)
            registered.clear()


registered: list[str] = []


def provide() -> None:
    """Have ready whatever a library for the virtual machine may look up by name, and forks beside it."""
    with loading:  # makes the memory that it is about, which a fork must not find half made
        get_global_function("tvmgo.forks_await_machine_memory")()
    companions.load_extra()  # sort, topk and random are not in its symbol table either
    importing = getattr(getattr(sys.modules.get("tvm"), "__spec__", None), "_initializing", False)
    if importing:  # in another thread, and about to register them
        return
    if _MakeWay not in sys.meta_path:
        sys.meta_path.insert(0, _MakeWay)
    for name, function in FUNCTIONS.items():
        if not has_global_function(name):
            register_function(function, name)
            registered.append(name)
