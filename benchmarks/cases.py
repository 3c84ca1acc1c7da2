# SPDX-License-Identifier: Apache-2.0
"""The table of operations: what is timed, for whom, how its answer is checked, and its target."""

from __future__ import annotations

import sys

from benchmarks.case import Case, Group, Rival, Target, at_least, at_most
from benchmarks.groups import (
    AS_SLICE,
    CALL,
    CALL_KEPT,
    CALLBACK,
    CALLED_BACK,
    COPY_FROM,
    COPY_TO,
    EMPTY,
    ERROR,
    IMPORT,
    MEMORY,
    OPERATOR,
    OPERATOR_CHECKED,
    PREPARED,
    RESULT,
    SHARE,
    THREADS,
)
from benchmarks.world import DATA, TEXT

BINDINGS = ("tvmgo", "tvm_ffi")


def each(
    names: tuple[str, ...], statement: str, check: str, loop: bool = False
) -> dict[str, Rival]:
    """The same statement, in several worlds."""
    return {name: Rival(statement, check, loop) for name in names}


def call(
    name: str,
    arguments: str,
    checksum: int,
    released: float | None = None,
    kept: float | None = None,
    numpy: Rival | None = None,
    gotvm: str | None = None,
    counted: bool = False,
) -> tuple[Case, Case]:
    """A call of the function that does nothing, with the GIL released and kept.

    `released` and `kept` are the targets.
    """
    number = len(arguments.split(",")) if arguments else 0
    comma = ", " if arguments else ""

    def rivals(suffix: str) -> dict[str, Rival]:
        right = f"answer is None and checksum({arguments}) == {checksum}"
        result = each(BINDINGS, f"nop{suffix}({arguments})", right)
        result["ctypes"] = Rival(
            f"call{suffix}(function, cells{number}, {number}, result)", "answer == 0"
        )
        if numpy is not None:
            result["NumPy"] = numpy
        result |= each(("Python", "C method"), f"nop({arguments})", "answer is None")
        result |= each(("bare C",), f"nop{suffix}({arguments})", "answer is None")
        result["C loop"] = Rival(
            f"repeat(nop, calls{comma}{arguments})", "answer is None", loop=True
        )
        return result

    def targets(limit: float | None) -> tuple[Target, ...]:
        return () if limit is None else (at_most(limit, floor="bare_C / tvm_ffi"),)

    return (
        Case(CALL, name, rivals(""), targets(released), gotvm=gotvm, counted=counted),
        Case(CALL_KEPT, name, rivals("_kept"), targets(kept), gotvm=gotvm),
    )


def callback(
    name: str,
    function: str,
    arguments: str,
    answer: str,
    gotvm: str | None = None,
    counted: bool = False,
) -> tuple[Case, Case, Case]:
    """A callback called from Python, and from C with the GIL released and kept."""
    check = f"answer {answer}"
    comma = ", " if arguments else ""
    direct = each(("Python",), f"{function}({arguments})", check)

    def from_c(title: str, suffix: str) -> Case:
        loop = f"repeat{suffix}({function}, calls{comma}{arguments})"
        return Case(
            CALLED_BACK,
            title,
            each((*BINDINGS, "bare C"), loop, check, loop=True) | direct,
            (at_most(0.80, floor="bare_C / tvm_ffi"),),
        )

    return (
        Case(
            CALLBACK,
            name,
            each(BINDINGS, f"{function}({arguments})", check) | direct,
            (at_most(0.40),),
            gotvm=gotvm,
            counted=counted,
        ),
        from_c(name, ""),
        from_c(f"{name}, GIL kept", "_kept"),
    )


def copies(size: str, nbytes: int, gotvm: str | None = None) -> tuple[Case, Case, Case]:
    """The copies into and out of arrays of one size."""
    into = "(target_view == source).all()"
    back = "(target_array == source).all()"
    out = "answer is not source and (answer == source).all()"

    def memcpy(target: str, source: str, check: str) -> dict[str, Rival]:
        return {"memcpy": Rival(f"copy_again({target}, {source}, size, calls)", check, loop=True)}

    targets = {
        16: (at_most(0.8, "tvmgo / NumPy"),),
        1 << 20: (at_least(0.97, "memcpy / tvmgo"),),
        64 << 20: (at_least(0.97, "memcpy / tvmgo"),),
    }.get(nbytes, ())

    def case(
        group: Group, statement: str, check: str, verb: str | None = None, **rivals: Rival
    ) -> Case:
        return Case(
            group,
            size,
            {"tvmgo": Rival(statement, check), **rivals},
            targets,
            nbytes,
            gotvm=f"{verb}_{gotvm}" if verb and gotvm else None,
        )

    return (
        case(
            COPY_FROM,
            "target.copy_from(source)",
            into,
            "CopyFrom",
            tvm_ffi=Rival("copy(source, target)", into),
            NumPy=Rival("np.copyto(target, source)", into),
            **memcpy("target_address", "source_address", into),
        ),
        case(
            COPY_TO,
            "filled.copy_to(target_array)",
            back,
            tvm_ffi=Rival("copy(filled, target_array)", back),
            NumPy=Rival("np.copyto(target_array, filled)", back),
            **memcpy("array_address", "filled_address", back),
        ),
        case(
            AS_SLICE,
            "filled.as_slice()",
            out,
            "AsSlice",
            tvm_ffi=Rival("np.from_dlpack(filled).copy()", out),
            NumPy=Rival("filled.copy()", out),
            memcpy=Rival("copy_fresh(filled_address, size, calls)", "answer == 0", loop=True),
        ),
    )


def operators(group: Group, length: int, suffix: str = "") -> Case:
    """A chain of operators that add four floats each."""
    return Case(
        group,
        f"chain of {length:,}",
        {
            **each(("tvmgo", "classic kernels"), f"run{suffix}()", "answer is None"),
            "C loop": Rival(
                f"repeat_add4{suffix}(a, b, c, calls * length)",
                "(c.as_slice() == 3).all()",
                loop=True,
            ),
        },
        (Target("tvmgo - C_loop", "<=", "10", "ns"),) if length == 1000 else (),
        length=length,
    )


def fresh(
    group: Group, name: str, template: str, unit: str, targets: tuple[Target, ...], **imports: str
) -> Case:
    """An import in a fresh interpreter."""
    return Case(
        group,
        name,
        {rival: Rival(template.format(code), "True") for rival, code in imports.items()},
        targets,
        unit=unit,
    )


def process_cases(group: Group, template: str, unit: str) -> tuple[Case, Case]:
    """The imports, each in a process of its own, alone and in a program that uses NumPy anyway."""
    over_python = at_most(0.50, "(tvmgo - Python) / (tvm_ffi - Python)")
    return (
        fresh(
            group,
            "import",
            template,
            unit,
            (over_python,),
            tvmgo="import tvmgo",
            tvm_ffi="import tvm_ffi",
            NumPy="import numpy",
            Python="pass",
        ),
        fresh(
            group,
            "import beside NumPy",
            template,
            unit,
            (),
            tvmgo="import numpy, tvmgo",
            tvm_ffi="import numpy, tvm_ffi",
            NumPy="import numpy",
            Python="pass",
        ),
    )


def prepared(name: str, suffix: str) -> Case:
    """A prepared call of the function that does nothing with three arrays."""
    return Case(
        PREPARED,
        name,
        {
            "tvmgo": Rival(
                f"prepared{suffix}()", "answer is None and checksum.prepare(a, b, c)() == 6"
            ),
            "tvm_ffi": Rival(f"nop{suffix}(a, b, c)", "answer is None and checksum(a, b, c) == 6"),
            **each(("Python", "C method"), "nop()", "answer is None"),
            **each(("bare C",), f"prepared{suffix}()", "answer is None"),
            "C loop": Rival("repeat(nop, calls, a, b, c)", "answer is None", loop=True),
        },
        (Target("tvmgo", "<=", "max(Python + 25, 3 * C_loop)", "ns", floor="bare_C"),),
        counted=suffix == "",
    )


def errors(
    name: str,
    function: str,
    in_c: str,
    floor: str,
    *more: str,
    gotvm: str | None = None,
    counted: bool = False,
) -> Case:
    """A function that raises ValueError; `in_c` does its part of it in a loop written in C."""
    check = "answer == ('this kernel always fails',)"
    return Case(
        ERROR,
        name,
        {
            **each((*BINDINGS, "Python", *more), f"catch({function}, calls)", check, loop=True),
            "C loop": Rival(in_c, "answer is None", loop=True),
        },
        (at_most(0.30, floor=f"{floor} / tvm_ffi"),),
        gotvm=gotvm,
        counted=counted,
    )


EMPTY_ANSWER = "tuple(answer.shape) == (4,) and str(answer.dtype) == 'float32'"

CALLS = (
    call("no argument", "", 0, 0.75, 0.40, gotvm="InvokeC_0args", counted=True),
    call("1 int", "7", 7, gotvm="InvokeC_1int"),
    call("2 ints", "1, 2", 3, 0.60, 0.33, counted=True),
    call("3 ints", "1, 2, 3", 6, 0.60, 0.33, gotvm="InvokeC_3int", counted=True),
    call("int, float, bool", "1, 2.0, True", 4, 0.60, 0.33),
    call("1 str of 16 bytes", "text", len(TEXT), 0.45, gotvm="InvokeC_string16", counted=True),
    call("1 bytes of 1 KiB", "data", len(DATA), 0.60, gotvm="InvokeC_bytes1KiB", counted=True),
    call(
        "3 arrays",
        "a, b, c",
        6,
        0.60,
        0.35,
        gotvm="InvokeC_3array_myadd4",
        counted=True,
        numpy=Rival("np.add(a, b, c)", "(c == 3).all()"),
    ),
    call(
        "1 NumPy array",
        "aligned",
        4,
        0.50,
        counted=True,
        numpy=Rival("np.positive(aligned, aligned)", "(aligned == 4).all()"),
    ),
    call(
        "3 NumPy arrays",
        "aligned, aligned2, aligned3",
        15,
        0.50,
        numpy=Rival("np.add(aligned, aligned2, aligned3)", "(aligned3 == 9).all()"),
    ),
    call(
        "1 NumPy array off the 64-byte boundary",
        "misaligned",
        4,
        numpy=Rival("np.positive(misaligned, misaligned)", "(misaligned == 4).all()"),
    ),
)

CALLBACKS = (
    callback("0 ints", "callback0", "", "is None", gotvm="Callback_0args_nil"),
    callback("2 ints", "callback2", "1, 2", "== 3", gotvm="Callback_2int", counted=True),
)

SIZES = tuple(
    copies(*size)
    for size in (
        ("16 B", 16, "4floats"),
        ("1 KiB", 1 << 10),
        ("64 KiB", 64 << 10),
        ("1 MiB", 1 << 20, "1MiB"),
        ("16 MiB", 16 << 20),
        ("64 MiB", 64 << 20, "64MiB"),
    )
)


def columns(rows):
    """The cases group by group, where each row of a table makes one case for each group."""
    return [case for column in zip(*rows) for case in column]


CASES: tuple[Case, ...] = (
    *columns(CALLS),
    prepared("3 arrays", ""),
    prepared("3 arrays, GIL kept", "_kept"),
    *columns(CALLBACKS),
    Case(
        RESULT,
        "array",
        each(BINDINGS, "give_array()", "(np.from_dlpack(answer) == 1).all()"),
        (at_most(0.80),),
        counted=True,
    ),
    Case(
        RESULT,
        "str",
        each(BINDINGS, "give_str()", "answer == text"),
        (at_most(0.50),),
        counted=True,
    ),
    Case(
        RESULT, "list", each(BINDINGS, "give_list()", "list(answer) == [1, 2, 3]"), (at_most(0.80),)
    ),
    Case(
        RESULT,
        "list, all read",
        each(BINDINGS, "list(give_list())", "answer == [1, 2, 3]"),
        (at_most(0.80),),
    ),
    errors(
        "with a backtrace",
        "fail",
        "repeat_raise(calls)",
        "C_loop",
        gotvm="InvokeC_error",
        counted=True,
    ),
    errors(
        "without a backtrace",
        "fail_plainly",
        "repeat_error(fail_plainly, calls)",
        "bare_C",
        "bare C",
    ),
    errors(
        "without a backtrace or a module",
        "fail_alone",
        "repeat_error(fail_alone, calls)",
        "bare_C",
        "bare C",
    ),
    Case(
        EMPTY,
        "float32, shape [4]",
        {
            "tvmgo": Rival("empty([4])", EMPTY_ANSWER),
            "tvm_ffi": Rival("from_dlpack(np.empty([4], 'float32'))", EMPTY_ANSWER),
            "NumPy": Rival("np.empty([4], 'float32')", EMPTY_ANSWER),
        },
        (at_most(1.0, "tvmgo / NumPy"),),
        gotvm="Empty4",
    ),
    Case(
        SHARE,
        "array seen by NumPy",
        {
            "tvmgo": Rival("np.asarray(filled)", "(answer == source).all()"),
            "tvm_ffi": Rival("np.from_dlpack(filled)", "(answer == source).all()"),
            "array.array": Rival("np.asarray(filled)", "(answer == source).all()"),
        },
        (at_most(0.7, floor="array_array / tvm_ffi"),),
    ),
    Case(
        SHARE,
        "NumPy's array as array",
        each(BINDINGS, "from_dlpack(source)", "(np.from_dlpack(answer) == source).all()"),
        (at_most(0.7),),
    ),
    *columns(SIZES),
    *(operators(OPERATOR, length) for length in (1, 10, 100, 1000, 10000)),
    operators(OPERATOR_CHECKED, 1000, "_checked"),
    Case(
        THREADS,
        "four threads, 50 µs each",
        {
            **each(BINDINGS, "four_threads(calls)", "answer == calls", loop=True),
            "one thread": Rival("one_thread(calls)", "answer == calls", loop=True),
        },
        (at_least(1.9, "one_thread / tvmgo"),),
        sample_ns=1e8,
    ),
    *process_cases(IMPORT, "start('{}')", "ns"),
    *(process_cases(MEMORY, "private_kib('{}')", "KiB") if sys.platform == "linux" else ()),
)
