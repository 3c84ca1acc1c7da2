# SPDX-License-Identifier: Apache-2.0
"""The chapters of the table: what each group of cases asks, and what stands beside tvmgo."""

from benchmarks.case import Group

CALL_BASELINE = (
    "The same function through tvm_ffi, with its tensors where tvmgo has arrays; the C API called "
    "through ctypes with arguments converted before; for arrays NumPy's smallest job on as many "
    "of them. As floors: an empty Python function with the same arguments; an empty method of a C "
    "extension, which takes anything; bare C, an object written by hand that converts nothing, "
    "checks nothing, gives the GIL away where the bindings do, and calls; the bare "
    "`TVMFFIFunctionCall` in a loop written in C. "
)

CALL = Group(
    "Calling a C function",
    "What does it cost to get from Python into a compiled function that does nothing, and back, "
    "if the GIL is released around the call?",
    CALL_BASELINE
    + "Both bindings release the GIL unless told otherwise. An array off the 64-byte boundary, where "
    "a compiled kernel may crash, is copied by tvmgo for the call; tvm_ffi hands it over as it is.",
)

CALL_KEPT = Group(
    "Calling a C function, GIL kept",
    "The same for functions that are over too soon to be worth a release: `f.release_gil = False`, "
    "on both sides.",
    CALL_BASELINE + "In the last two there is no GIL to be released.",
)

PREPARED = Group(
    "A prepared call",
    "What does a call cost whose arguments were converted once?",
    "The same function through tvm_ffi, which has no prepared calls; an empty Python function "
    "called without arguments, as the prepared call is; an empty C method; bare C, which converts "
    "nothing and checks nothing; the bare `TVMFFIFunctionCall` with the same arguments in a loop "
    "written in C.",
)

CALLBACK = Group(
    "Calling a Python function through the runtime",
    "What does the way into the runtime and back out to Python add to a Python call?",
    "The same callback converted by tvm_ffi; the callback called directly.",
)

CALLED_BACK = Group(
    "Calling a Python function from C",
    "What does a call cost a loop written in C that calls a Python function?",
    "The same callback converted by tvm_ffi, called by the same loop; bare C, a loop that knows "
    "Python and does no more than take the GIL, call and give it away; the callback called "
    "directly from Python. The loop is entered with the GIL released, so that each call takes it, "
    "or kept.",
)

RESULT = Group(
    "Results",
    "What does a call cost that returns an array, a string of 16 bytes, a list of three ints?",
    "The same function through tvm_ffi. Its lists are views whose elements are converted when they "
    "are read, tvmgo's are Python's: in the last row both make a Python list of what they got.",
)

ERROR = Group(
    "Errors",
    "What does a ValueError cost that C raises and Python catches?",
    "The same function through tvm_ffi; a Python function that raises the same error; bare C, "
    "which drops the function's error unread and raises one of its own; a loop written in C that "
    "calls the function and drops the error or, in the first row, does no more than raise and drop "
    "it: that much of the row is libtvm_ffi's own. The usual way to raise in C, "
    "`TVMFFIErrorSetRaisedFromCStr`, has libtvm_ffi walk the C stack, which takes the longer the "
    "deeper it is; `TVMFFIErrorCreate` takes the backtrace it is given, here none. For a function "
    "of a module libtvm_ffi throws and catches a C++ exception on the way, unless it is entered at "
    "its code, as tvmgo does; for one that was made by `TVMFFIFunctionCreate` it does not.",
)

EMPTY = Group(
    "Making an array",
    "What does an array of four floats cost, from its making to its end?",
    "`np.empty`, and its result handed to tvm_ffi, whose users make tensors so: the runtime's "
    "allocator takes longer, for the shape object it wants.",
)

SHARE = Group(
    "Sharing an array",
    "What does it cost to see an array as NumPy's, and NumPy's as an array, without a copy?",
    "The same through tvm_ffi, whose tensors NumPy sees by DLPack only; the standard library's "
    "`array.array`, which shows what NumPy itself takes to look at a buffer.",
)

COPY_FROM = Group(
    "Copying into an array",
    "What does `copy_from` add to the copy itself?",
    "The runtime's copy called through tvm_ffi; `np.copyto`; memcpy in a loop written in C.",
)

COPY_TO = Group(
    "Copying into NumPy's array",
    "What does `copy_to` add to the copy itself?",
    "The runtime's copy called through tvm_ffi; `np.copyto`; memcpy in a loop written in C.",
)

AS_SLICE = Group(
    "Copying out of an array",
    "What does `as_slice` add to the copy and the memory it is made in?",
    "A copy of NumPy's view of a tvm_ffi tensor; `ndarray.copy`; memcpy in a loop written in C, "
    "into memory as fresh as the others': allocated for each copy, in the way NumPy does, and "
    "freed after it.",
)

OPERATOR = Group(
    "One operator in a graph",
    "What does an operator cost in a chain of so many that add four floats each, the addition "
    "and its share of the call of `run` included?",
    "The same operator in a library with the calling convention of TVM 0.7 to 0.20; the same "
    "kernel called through its address, in a loop written in C. TVM's own C++ executor took 14 ns "
    "for such an operator on a comparable machine.",
)

OPERATOR_CHECKED = Group(
    "One operator that checks its arguments",
    "What does it cost if the kernel makes the checks that TVM compiles into functions?",
    "The same as above. TVM's own C++ executor took 18 ns for such an operator on a comparable "
    "machine.",
)

THREADS = Group(
    "Threads",
    "How long does a call of 50 µs of work take if four threads on two cores share the calls?",
    "The same with tvm_ffi; one thread.",
)

IMPORT = Group(
    "Starting",
    "What does the import cost a fresh process?",
    "tvm_ffi, NumPy, and an interpreter that imports nothing; from the start of the process to "
    "its end.",
    processes=True,
)

MEMORY = Group(
    "Memory after the import",
    "How much memory does a fresh process have to itself after the import?",
    "tvm_ffi, NumPy, and an interpreter that imports nothing; as Linux reports it.",
    processes=True,
)
