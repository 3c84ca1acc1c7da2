# SPDX-License-Identifier: Apache-2.0
"""What the statements of `cases` name, one world per rival.

The same name means the same thing in each world: `nop` is a function that does nothing, `target`
an array to copy into, `filled` one that holds `source`. Where a rival has no word for an
operation, its world has what its users put together instead. A name is built when a statement
first wants it.
"""

from __future__ import annotations

import builtins
from types import CodeType

from benchmarks import bindings, floors
from benchmarks.world import Memory

WORLDS = {
    "tvmgo": bindings.TvmgoWorld,
    "tvm_ffi": bindings.TvmFfiWorld,
    "classic kernels": floors.ClassicWorld,
    "ctypes": floors.CtypesWorld,
    "NumPy": floors.NumPyWorld,
    "memcpy": floors.MemcpyWorld,
    "one thread": floors.OneThreadWorld,
    "Python": floors.PythonWorld,
    "C method": floors.CMethodWorld,
    "bare C": floors.BareCWorld,
    "C loop": floors.CLoopWorld,
    "array.array": floors.StandardLibraryWorld,
}


def _names(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def build(rival: str, sources: tuple[str, ...], memory: Memory, length: int) -> dict:
    """Return the names that these expressions use, as one rival's world has them.

    The arrays lie in that memory or are as large, the graph has that many operators.
    """
    world = WORLDS[rival](memory, length)
    used = set().union(*(_names(compile(source, "<statement>", "eval")) for source in sources))
    found = {name: getattr(world, name) for name in used if name in dir(world)}
    # An address keeps nothing alive; the world, and the memory it is about, must stay for it.
    return {"__builtins__": builtins, "world": world, **found}
