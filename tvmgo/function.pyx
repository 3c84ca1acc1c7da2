# SPDX-License-Identifier: Apache-2.0
"""Packed functions: calling them, and Python callables as them.

tvm-ffi ``Function``; gotvm ``Function``, ``ConvertFunction``, ``RegisterFunction`` and the rest
of ``function.go``.
"""
import difflib
import sys

cimport cython
from cpython.bytes cimport PyBytes_CheckExact
from cpython.float cimport PyFloat_CheckExact
from cpython.long cimport PyLong_CheckExact
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport Py_TYPE, PyObject, PyTypeObject
from cpython.ref cimport Py_DECREF, Py_INCREF
from cpython.tuple cimport PyTuple_GET_SIZE
from libc.stdint cimport int32_t

from tvmgo.array cimport Array, write_back
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFIByteArray
from tvmgo.capi.pytype cimport (
    TVMGoTakeConstructor, TVMGoUseGarbageCollector, TVMGoUseVectorcall, newfunc, visitproc,
)
from tvmgo.convert cimport (
    Packed, builtin_function, clear, enter_recursion, leave_recursion, pack, pack_owned,
    register_converter, register_wrapper, release, unpack_borrowed, unpack_owned,
)
from tvmgo.error cimport check, forget_stale_error, raise_to_native
from tvmgo.handle cimport LIVE_CALLBACK, Object, adopt_owned, cell, count_live, is_last_reference
from tvmgo.staging cimport call_staged, needs_staging
from tvmgo.value cimport Value, value_from_borrowed, value_from_owned
from tvmgo.convert import is_foreign
from tvmgo.error import TVMError, TVMKeyError, TVMTypeError, TVMValueError

cdef extern from "Python.h":
    bint Py_IsInitialized() nogil
    PyObject** PySequence_Fast_ITEMS(PyObject* sequence)
    object PyObject_Vectorcall(object callable, PyObject* const* args, size_t count, PyObject* names)
    bint PyUnicode_CheckExact(PyObject* x)
    bint PyUnicode_IS_ASCII(PyObject* x)
    Py_ssize_t PyVectorcall_NARGS(size_t nargsf)

cdef enum:
    FEW_ARGUMENTS = 8           # that many need no memory from the heap


# ---------------------------------------------------------------- calling

cdef int call(Function function, PyObject* const* args, Py_ssize_t count,
              TVMFFIAny* result) except -1:
    cdef TVMFFIAny few_cells[FEW_ARGUMENTS]
    cdef Packed few_packed[FEW_ARGUMENTS]
    cdef TVMFFIAny* cells = few_cells
    cdef Packed* packed = few_packed
    cdef Py_ssize_t ready = 0, i
    cdef int code
    clear(result)
    if count > FEW_ARGUMENTS:
        cells = <TVMFFIAny*>PyMem_Malloc(count * (sizeof(TVMFFIAny) + sizeof(Packed)))
        if cells == NULL:
            raise MemoryError()
        packed = <Packed*>(cells + count)
    try:
        while ready < count:
            pack(args[ready], &cells[ready], &packed[ready])
            ready += 1
        if function.c_compiled and needs_staging(cells, count):
            call_staged(function.c_handle, cells, count, result)
        else:
            with nogil:  # foreign code: may take long, block, or call back from other threads
                forget_stale_error()
                code = ffi.TVMFFIFunctionCall(function.c_handle, cells, <int32_t>count, result)
            check(code)
    finally:
        for i in range(ready):
            if packed[i].owned != NULL:
                ffi.TVMFFIObjectDecRef(packed[i].owned)
        if cells != few_cells:
            PyMem_Free(cells)
        if ready < count:
            name_argument(ready)
    return 0


cdef int name_argument(Py_ssize_t index) except -1:
    """Say in tvmgo's error in flight which argument it is about; leave any other as it is."""
    error = sys.exc_info()[1]
    if type(error).__module__ == TVMError.__module__ and len(error.args) == 1:
        error.args = (f"argument {index}: {error}",)
    return 0


cdef inline bint arrives_as_it_is(PyObject* x) noexcept:
    """Whether a callback receives, or gives back, an object equal to `x` in every respect."""
    cdef PyTypeObject* kind = <PyTypeObject*>Py_TYPE(<object>x)
    if PyUnicode_CheckExact(x):
        return PyUnicode_IS_ASCII(x)  # others may have no encoding, which is an error
    return (PyLong_CheckExact(<object>x) or PyFloat_CheckExact(<object>x)
            or kind == <PyTypeObject*>Array or <object>x is None or <object>x is True
            or <object>x is False or PyBytes_CheckExact(<object>x))


cdef bint all_arrive(PyObject* const* args, Py_ssize_t count) noexcept:
    cdef Py_ssize_t i
    for i in range(count):
        if not arrives_as_it_is(args[i]):
            return False
    return True


cdef object call_python(object callback, PyObject* const* args, Py_ssize_t count):
    """Call a Python callback from Python without the way through the runtime."""
    cdef TVMFFIAny result
    enter_recursion(b" while calling a callback")
    try:
        answer = PyObject_Vectorcall(callback, args, count, NULL)
    finally:
        leave_recursion()
    if arrives_as_it_is(<PyObject*>answer):
        return answer
    pack_owned(answer, &result)
    return unpack_owned(&result)


cdef PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t nargsf,
                          PyObject* names) except NULL:
    cdef TVMFFIAny result
    cdef Function function = <Function>self
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargsf)
    if names != NULL and PyTuple_GET_SIZE(<object>names) != 0:
        raise TVMTypeError(f"packed functions take no keyword arguments, got {<object>names}")
    if function.c_direct != NULL and all_arrive(args, count):
        answer = call_python(<object>function.c_direct, args, count)
    else:
        call(function, args, count, &result)
        answer = unpack_owned(&result)
    Py_INCREF(answer)  # the reference the caller of a vectorcall receives
    return <PyObject*>answer


@cython.final
cdef class Function(Object):
    """A function of the runtime: native code, or a Python callable any language can call.

    Found by `get_global_function` and `Module.get_function`, made by `convert_function`, and
    received as argument or result of other functions.

    ``f(*args)`` takes None, bool, int, float, str, bytes, `ByteArray`, `Array`, NumPy arrays and
    anything with ``__dlpack__`` (shared, not copied), `Function` and Python callables, `Module`,
    `Device`, `DType`, `Value`, and lists, tuples and dicts of these; it returns plain Python
    objects. An int outside 64 bits travels as the runtime's big integer.

    Raises
    ------
    TypeError
        If an argument cannot be passed; the function is not called.
    BufferError
        If an argument is a read-only array; the function is not called.
    TVMError
        The function's own error, as the subclass of its kind. An exception raised by a Python
        callback below comes out as it is.

    Notes
    -----
    The GIL is released while the function runs. Arguments are borrowed for the call; what the
    function keeps of them it owns. A function of a compiled library gets a compact, aligned
    copy of an array that is strided or not on a 64-byte boundary, and what it changes is copied
    back. Native code trusts the contents of its arguments: a kernel given arrays it was not
    compiled for can crash the process.
    Source: ``TVMFFIFunctionCall``; gotvm ``Function.Invoke``.
    """

    def __call__(self, *args):
        # Calls go straight to `vectorcall`; this is what `f.__call__` finds.
        cdef TVMFFIAny result
        call(self, PySequence_Fast_ITEMS(<PyObject*>args), len(args), &result)
        return unpack_owned(&result)

    def invoke(self, *args):
        """Call the function and return its result as a `Value`.

        Parameters
        ----------
        *args : object
            As for a plain call; or one list of `Value`, which is spread.

        Returns
        -------
        Value
            Of type code 4 when the function returns nothing.

        Raises
        ------
        TypeError
            If a list of `Value` comes with other arguments, and as for a plain call.

        Notes
        -----
        Source: gotvm ``Function.Invoke``.
        """
        cdef TVMFFIAny result
        if any([is_value_list(arg) for arg in args]):
            if len(args) > 1:
                raise TVMTypeError("a list of Values cannot be mixed with other arguments")
            args = tuple(args[0])
        call(self, PySequence_Fast_ITEMS(<PyObject*>args), len(args), &result)
        return value_from_owned(&result)

    def __tvm_ffi_object__(self):
        # tvm_ffi asks for its own wrapper around the same function.
        from tvmgo.interop import to_tvm_ffi
        return to_tvm_ffi(self)


cdef bint is_value_list(object arg):
    return type(arg) is list and all([isinstance(item, Value) for item in arg])


# A callback holds its Python callable through the runtime, where the garbage collector cannot look.
# As long as a Function is all that holds the callback, that reference is as good as the Function's
# own, and telling the collector so frees cycles such as ``self.f = convert_function(self.method)``.

cdef int traverse(PyObject* self, visitproc visit, void* arg) noexcept:
    cdef Function function = <Function>self
    if function.c_callable != NULL and is_last_reference(function.c_handle):
        return visit(function.c_callable, arg)
    return 0


cdef int clear_cycle(PyObject* self) noexcept:
    cdef Function function = <Function>self
    cdef void* c_handle = function.c_handle
    if function.c_callable != NULL:
        # Finalizers of the same garbage may still call it; it answers with an error from now on.
        ffi.TVMFFIObjectIncRef(collected)
        function.c_handle = collected
        function.c_callable = function.c_direct = NULL
        ffi.TVMFFIObjectDecRef(c_handle)
    return 0


cdef Py_ssize_t vectorcall_offset():
    # offsetof() needs the name Cython gives the struct in C; an instance tells it, too.
    cdef Function sample = <Function>construct(<PyTypeObject*>Function, (), NULL)
    return <char*>&sample.c_vectorcall - <char*><void*>sample


cdef newfunc construct = TVMGoTakeConstructor(<PyTypeObject*>Function)
TVMGoUseVectorcall(<PyTypeObject*>Function, vectorcall_offset())
TVMGoUseGarbageCollector(<PyTypeObject*>Function, traverse, clear_cycle)


# How functions that run compiled code are entered. All functions of one kind of module share an
# entry, by which they are known again when they come back from somewhere else.
cdef set compiled_entries = set()


cdef size_t entry_of(Function function) noexcept:
    return <size_t>(<ffi.TVMFFIFunctionCell*>cell(function.c_handle)).safe_call


cdef void mark_compiled(Function function) noexcept:
    function.c_compiled = True
    compiled_entries.add(entry_of(function))


cdef Function wrap_function(void* c_handle):
    cdef Function self = <Function>construct(<PyTypeObject*>Function, (), NULL)
    self.c_vectorcall = <void*>vectorcall
    adopt_owned(self, c_handle)
    self.c_compiled = entry_of(self) in compiled_entries
    return self


cdef object wrap_any_function(void* c_handle):
    return wrap_function(c_handle)


register_wrapper(ffi.kTVMFFIFunction, wrap_any_function)


# ---------------------------------------------------------------- Python callables as functions

cdef void release_callback(void* callback) noexcept nogil:
    # The runtime may drop its last reference in any thread, after Python has ended, too.
    if Py_IsInitialized():
        with gil:
            count_live(LIVE_CALLBACK, -1)
            Py_DECREF(<object>callback)


cdef int run_callback(object callback, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                      bint values) except -1:
    cdef PyObject* few[FEW_ARGUMENTS]
    cdef PyObject** received = few      # owned references
    cdef int32_t i, ready = 0
    few[0] = NULL
    if count > FEW_ARGUMENTS:
        received = <PyObject**>PyMem_Malloc(count * sizeof(PyObject*))
        if received == NULL:
            raise MemoryError()
    try:
        while ready < count:
            arg = value_from_borrowed(&args[ready]) if values else unpack_borrowed(&args[ready])
            Py_INCREF(arg)
            received[ready] = <PyObject*>arg
            ready += 1
        enter_recursion(b" while calling a callback")
        try:
            answer = PyObject_Vectorcall(callback, received, count, NULL)
        finally:
            leave_recursion()
        for i in range(count):
            if args[i].type_index == ffi.kTVMFFIDLTensorPtr:
                arg = <object>received[i]
                copy = arg.as_array() if values else arg
                write_back((<Array>copy).c_handle, <ffi.DLTensor*>args[i].v_ptr)
        pack_owned(answer, result)
    finally:
        for i in range(ready):
            Py_DECREF(<object>received[i])
        if received != few:
            PyMem_Free(received)
    return 0


cdef int answer_call(void* callback, const TVMFFIAny* args, int32_t count,
                     TVMFFIAny* result) noexcept with gil:
    try:
        run_callback(<object>callback, args, count, result, False)
        return 0
    except BaseException as error:
        raise_to_native(error)
        return -1


cdef int answer_call_with_values(void* callback, const TVMFFIAny* args, int32_t count,
                                 TVMFFIAny* result) noexcept with gil:
    try:
        run_callback(<object>callback, args, count, result, True)
        return 0
    except BaseException as error:
        raise_to_native(error)
        return -1


cdef void* new_callback(object callable, ffi.TVMFFISafeCallType answer) except NULL:
    cdef void* function = NULL
    Py_INCREF(callable)  # given back by release_callback
    if ffi.TVMFFIFunctionCreate(<void*>callable, answer, release_callback, &function) != 0:
        Py_DECREF(callable)
        check(-1)
    count_live(LIVE_CALLBACK, 1)
    return function


cdef void* callback_from_callable(object callable) except NULL:
    return new_callback(callable, answer_call)


register_converter("callable", callback_from_callable)


def convert_function(f, values=False):
    """Make a function of the runtime from a Python callable.

    Parameters
    ----------
    f : callable or Function
        Called with plain Python objects; its result may be anything a function can be passed,
        or None. Kept alive until the runtime has dropped the last reference to the function.
        A `Function` is returned as it is, and tvm_ffi's as a `Function`.
    values : bool, default False
        Call `f` with `Value` objects instead.

    Returns
    -------
    Function

    Raises
    ------
    TypeError
        If `f` is not callable.

    Notes
    -----
    `f` runs with the GIL, in the thread that calls the function. Arrays arrive without a copy,
    except a bare ``DLTensor*`` that compiled code builds on its stack: `f` gets a copy, and what
    it writes there is written back when it returns. An exception leaves the outermost call as the
    same object.
    Source: ``TVMFFIFunctionCreate``; gotvm ``ConvertFunction``.
    """
    if isinstance(f, Function):
        return f
    if is_foreign(f):
        return Value(f).as_function()
    if not callable(f):
        raise TVMTypeError(f"f: expected a callable, got {type(f).__name__}")
    cdef Function function = wrap_function(
        new_callback(f, answer_call_with_values if values else answer_call))
    function.c_callable = <PyObject*>f
    function.c_direct = NULL if values else <PyObject*>f
    return function


def _collected(*args):
    raise TVMError("the function was garbage collected together with what it called")


cdef void* collected = new_callback(_collected, answer_call)  # kept for ever


# ---------------------------------------------------------------- the global table

cdef TVMFFIByteArray name_view(bytes name) noexcept:
    cdef TVMFFIByteArray view
    view.data, view.size = <const char*>name, len(name)
    return view


cdef bytes encode_name(object name):
    if not isinstance(name, str):
        raise TVMTypeError(f"name: expected a str, got {type(name).__name__}")
    return name.encode("utf-8", "surrogateescape")


# Found when the module is imported: anybody may remove or replace them later.
cdef void* table_names = builtin_function(b"ffi.FunctionListGlobalNamesFunctor")
cdef void* table_remove = builtin_function(b"ffi.FunctionRemoveGlobal")


cdef object call_table(void* c_function, tuple args):
    """Call one of the table's own functions without giving the GIL away.

    libtvm_ffi guards the table by nothing; the GIL keeps Python's threads from changing it at the
    same time.
    """
    cdef Packed packed
    cdef TVMFFIAny argument, result
    clear(&argument)
    clear(&result)
    if args:
        pack(<PyObject*>args[0], &argument, &packed)
    code = ffi.TVMFFIFunctionCall(c_function, &argument, <int32_t>len(args), &result)
    if args and packed.owned != NULL:
        ffi.TVMFFIObjectDecRef(packed.owned)
    check(code)
    return unpack_owned(&result)


cdef Function find_global(bytes name):
    cdef TVMFFIByteArray view = name_view(name)
    cdef void* function = NULL
    check(ffi.TVMFFIFunctionGetGlobal(&view, &function))
    return None if function == NULL else wrap_function(function)


def has_global_function(name):
    """Return whether there is a global function of this name now. Loads nothing."""
    return find_global(encode_name(name)) is not None


def get_global_function(name):
    """Return the global function of this name.

    Parameters
    ----------
    name : str
        A name from `list_global_functions`. The runtime libraries are loaded if libtvm_ffi alone
        does not have it.

    Returns
    -------
    Function

    Raises
    ------
    KeyError
        If there is none; the message suggests similar names. A `TVMError` as well.
    TypeError
        If `name` is not a str.

    Notes
    -----
    Source: ``TVMFFIFunctionGetGlobal``; gotvm ``GetGlobalFunction``.
    """
    from tvmgo import runtime
    key = encode_name(name)
    function = find_global(key)
    # The runtime, then what it keeps apart from it: each library is loaded only when a name is
    # in none of those before.
    for load in (runtime.load_if_found, runtime.load_extra):
        if function is None and load():
            function = find_global(key)
    if function is None:
        near = difflib.get_close_matches(name, list_global_functions(), 3)
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise TVMKeyError(f"there is no global function {name!r}{hint}")
    return function


def list_global_functions():
    """Return the names of all global functions.

    Returns
    -------
    list of str
        Sorted. The runtime library is loaded first, so that its functions are in the list.

    Notes
    -----
    Source: ``ffi.FunctionListGlobalNamesFunctor``; gotvm ``FuncListGlobalNames``.
    """
    from tvmgo import runtime
    runtime.load_if_found()
    cdef Function name_at = call_table(table_names, ())
    count = call_table(name_at.c_handle, (-1,))
    return sorted([call_table(name_at.c_handle, (i,)) for i in range(count)])


def register_function(f=..., name=None, *, override=False, values=False):
    """Put a Python callable into the table of global functions.

    Can be used as a call, ``register_function(f, "name")``, and as a decorator,
    ``@register_function``, ``@register_function("name")``.

    Parameters
    ----------
    f : callable or Function
        As for `convert_function`. Kept alive until it is removed or replaced and nobody else
        holds the function.
    name : str, optional
        Default: ``module.qualname`` of `f`.
    override : bool, default False
        Replace a function that has the name already.
    values : bool, default False
        Call `f` with `Value` objects.

    Returns
    -------
    callable
        `f` itself; without `f`, the decorator.

    Raises
    ------
    ValueError
        If the name is taken and `override` is False, or `f` has no name of its own and none is
        given. The table is left as it was.
    TypeError
        If `f` is not callable or `name` not a str.

    Notes
    -----
    Source: ``TVMFFIFunctionSetGlobal``; gotvm ``RegisterFunction``.
    """
    if f is ... or isinstance(f, str):
        if isinstance(f, str):
            if name is not None:
                raise TVMTypeError(f"f: expected a callable, got the str {f!r}")
            name = f
        return lambda g: register_function(g, name, override=override, values=values)
    cdef Function function = convert_function(f, values)
    if name is None:
        name = default_name(f)
    key = encode_name(name)
    if not override and find_global(key) is not None:
        raise TVMValueError(f"name: global function {name!r} is already registered; "
                            f"override=True replaces it")
    cdef TVMFFIByteArray view = name_view(key)
    check(ffi.TVMFFIFunctionSetGlobal(&view, function.c_handle, bool(override)))
    return f


cdef str default_name(object f):
    module, name = getattr(f, "__module__", None), getattr(f, "__qualname__", None)
    if not (isinstance(module, str) and isinstance(name, str)):
        raise TVMValueError(f"name: a {type(f).__name__} has no name of its own; give one")
    return f"{module}.{name}"


def remove_global_function(name):
    """Take a function out of the table of global functions.

    Parameters
    ----------
    name : str
        Whoever holds the function can go on calling it.

    Raises
    ------
    KeyError
        If there is no such function. A `TVMError` as well.

    Notes
    -----
    Source: ``ffi.FunctionRemoveGlobal``; gotvm had no such call.
    """
    if find_global(encode_name(name)) is None:
        raise TVMKeyError(f"there is no global function {name!r}")
    call_table(table_remove, (name,))
