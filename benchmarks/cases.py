# SPDX-License-Identifier: Apache-2.0
"""The table of operations: what is timed, for whom, and how its answer is checked.

A statement is Python source, run in a loop over the names of its rival's world, so that nothing
stands between the loop and the call. ``answer`` in a check is the statement's value.
"""
from __future__ import annotations

import sys
import timeit
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import worlds


@dataclass(frozen=True)
class Group:
    """A chapter of the table: what is asked, and against what."""

    title: str
    question: str
    baseline: str
    processes: bool = False     # each sample starts an interpreter: fewer rounds


@dataclass(frozen=True)
class Rival:
    """One way to do the operation."""

    statement: str
    check: str                  # an expression that holds if the answer is right


@dataclass(frozen=True)
class Case:
    """One operation and all who do it; the first is tvmgo."""

    group: Group
    name: str
    rivals: dict[str, Rival]
    nbytes: int = 16            # size of the arrays
    unit: str = "ns"            # "ns": the time of the statement; else its value, in that unit

    def prepare(self, names: tuple[str, ...] = ()) -> dict[str, Callable[[int], float]]:
        """Build the worlds, check each answer once, and return what takes a sample.

        Parameters
        ----------
        names : tuple of str, optional
            The rivals wanted; default: all.

        Returns
        -------
        dict of str to callable
            A rival's sampler takes a number of calls and returns the cost of one of them, in
            the case's unit. Nothing is subtracted for the loop.

        Raises
        ------
        AssertionError
            If a rival does something else than it should.
        """
        names = names or tuple(self.rivals)
        samplers = {}
        for name, world in worlds.build(names, self.nbytes).items():
            rival = self.rivals[name]
            world["answer"] = eval(rival.statement, world)
            assert eval(rival.check, world), f"{self.name}: {name}: {rival.check}"
            del world["answer"]
            samplers[name] = sampler(rival.statement, world, self.unit)
        return samplers


def sampler(statement: str, world: dict, unit: str) -> Callable[[int], float]:
    """Return a function from a number of calls to the mean cost of one."""
    if unit == "ns":
        timer = timeit.Timer(statement, globals=world)
        return lambda calls: timer.timeit(calls) / calls * 1e9
    code = compile(statement, "<statement>", "eval")
    return lambda calls: sum(eval(code, world) for _ in range(calls)) / calls


CALL = Group(
    "Calling a C function",
    "What does it cost to get from Python into a compiled function that does nothing, and back?",
    "The same function through tvm_ffi, with its tensors where tvmgo has arrays; an empty Python "
    "function with the same arguments; for arrays NumPy's smallest job on as many of them. Both "
    "bindings release the GIL around the call. An array off the 64-byte boundary, where a compiled "
    "kernel may crash, is copied by tvmgo for the call; tvm_ffi hands it over as it is.")

CALLBACK = Group(
    "Calling a Python function through the runtime",
    "What does the way into the runtime and back out to Python add to a Python call?",
    "The same callback converted by tvm_ffi; the callback called directly.")

EMPTY = Group(
    "Making an array",
    "What does an array of four floats cost, from its making to its end?",
    "`np.empty`, and its result handed to tvm_ffi, whose users make tensors so: the runtime's "
    "allocator takes longer, for the shape object it wants.")

COPY_FROM = Group(
    "Copying into an array",
    "What does `copy_from` add to the copy itself?",
    "The runtime's copy called through tvm_ffi; `np.copyto`; the bare `memmove` of C, called "
    "through ctypes.")

AS_SLICE = Group(
    "Copying out of an array",
    "What does `as_slice` add to the copy and the memory it is made in?",
    "A copy of NumPy's view of a tvm_ffi tensor; `ndarray.copy`; the bare `memmove` of C into "
    "memory that is there already, which none of the others can match at large sizes.")

OPERATOR = Group(
    "One operator in a graph",
    "What does an operator cost in a chain of 1000 that add four floats each, the addition "
    "included?",
    "The same operator in a library with the calling convention of TVM 0.7 to 0.20. TVM's own "
    "C++ executor took 14 ns for such an operator on a comparable machine, 18 ns for one that "
    "checks its arguments.")

IMPORT = Group(
    "Starting",
    "What does the import cost a fresh process?",
    "tvm_ffi, NumPy, and an interpreter that imports nothing; from the start of the process to "
    "its end.",
    processes=True)

MEMORY = Group(
    "Memory after the import",
    "How much memory does a fresh process have to itself after the import?",
    "tvm_ffi, NumPy, and an interpreter that imports nothing; as Linux reports it.",
    processes=True)

BINDINGS = ("tvmgo", "tvm_ffi")


def each(names: tuple[str, ...], statement: str, check: str) -> dict[str, Rival]:
    """The same statement, in several worlds."""
    return {name: Rival(statement, check) for name in names}


def call(name: str, arguments: str, checksum: int, numpy: Rival | None = None) -> Case:
    """A call of the function that does nothing."""
    statement = f"nop({arguments})"
    rivals = each(BINDINGS, statement, f"answer is None and checksum({arguments}) == {checksum}")
    if numpy is not None:
        rivals["NumPy"] = numpy
    rivals |= each(("Python",), statement, "answer is None")
    return Case(CALL, name, rivals)


def copies(size: str, nbytes: int) -> tuple[Case, Case]:
    """The copies into and out of arrays of one size."""
    into = "(target_view == source).all()"
    out = "answer is not source and (answer == source).all()"
    memmove = Rival("memmove(target_address, source_address, nbytes)", into)
    return (
        Case(COPY_FROM, size, {
            "tvmgo": Rival("target.copy_from(source)", into),
            "tvm_ffi": Rival("copy(source, target)", into),
            "NumPy": Rival("np.copyto(target, source)", into),
            "memmove": memmove,
        }, nbytes),
        Case(AS_SLICE, size, {
            "tvmgo": Rival("filled.as_slice()", out),
            "tvm_ffi": Rival("np.from_dlpack(filled).copy()", out),
            "NumPy": Rival("filled.copy()", out),
            "memmove": memmove,
        }, nbytes),
    )


def fresh(group: Group, name: str, template: str, unit: str, **imports: str) -> Case:
    """An import in a fresh interpreter."""
    return Case(group, name, {
        rival: Rival(template.format(code), "True") for rival, code in imports.items()
    }, unit=unit)


def process_cases(group: Group, template: str, unit: str) -> tuple[Case, Case]:
    """The imports, each in a process of its own, alone and in a program that uses NumPy anyway."""
    return (
        fresh(group, "import", template, unit, tvmgo="import tvmgo", tvm_ffi="import tvm_ffi",
              NumPy="import numpy", Python="pass"),
        fresh(group, "import beside NumPy", template, unit, tvmgo="import numpy, tvmgo",
              tvm_ffi="import numpy, tvm_ffi", NumPy="import numpy", Python="pass"),
    )


EMPTY_ANSWER = "tuple(answer.shape) == (4,) and str(answer.dtype) == 'float32'"

SIZES = tuple(copies(size, nbytes) for size, nbytes in
              (("16 B", 16), ("1 MiB", 1 << 20), ("64 MiB", 64 << 20)))

CASES: tuple[Case, ...] = (
    call("no argument", "", 0),
    call("1 int", "7", 7),
    call("3 ints", "1, 2, 3", 6),
    call("1 str of 16 bytes", "text", len(worlds.TEXT)),
    call("3 arrays", "a, b, c", 6, numpy=Rival("np.add(a, b, c)", "(c == 3).all()")),
    call("1 NumPy array", "aligned", 4,
         numpy=Rival("np.positive(aligned, aligned)", "(aligned == 4).all()")),
    call("1 NumPy array off the 64-byte boundary", "misaligned", 4,
         numpy=Rival("np.positive(misaligned, misaligned)", "(misaligned == 4).all()")),
    Case(CALLBACK, "0 ints", each((*BINDINGS, "Python"), "callback0()", "answer is None")),
    Case(CALLBACK, "2 ints", each((*BINDINGS, "Python"), "callback2(1, 2)", "answer == 3")),
    Case(EMPTY, "float32, shape [4]", {
        "tvmgo": Rival("empty([4])", EMPTY_ANSWER),
        "tvm_ffi": Rival("from_dlpack(np.empty([4], 'float32'))", EMPTY_ANSWER),
        "NumPy": Rival("np.empty([4], 'float32')", EMPTY_ANSWER),
    }),
    *(into for into, _ in SIZES),
    *(out for _, out in SIZES),
    Case(OPERATOR, "4 floats", {
        "tvmgo": Rival("per_operator()", "answer > 0"),
        "classic kernels": Rival("per_operator()", "answer > 0"),
    }, unit="ns per operator"),
    Case(OPERATOR, "4 floats, arguments checked", {
        "tvmgo": Rival("per_operator_checked()", "answer > 0"),
        "classic kernels": Rival("per_operator_checked()", "answer > 0"),
    }, unit="ns per operator"),
    *process_cases(IMPORT, "start('{}')", "ns"),
    *(process_cases(MEMORY, "private_kib('{}')", "KiB") if sys.platform == "linux" else ()),
)
