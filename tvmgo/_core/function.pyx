# SPDX-License-Identifier: Apache-2.0
"""Packed functions and their calls (tvm-ffi, gotvm ``Function``)."""
cimport cython
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.object cimport PyObject, PyTypeObject
from cpython.tuple cimport PyTuple_GET_SIZE
from libc.stdint cimport int32_t

from tvmgo._core.array cimport Array
from tvmgo._core.error cimport raise_pending
from tvmgo._core.handle cimport (
    Object, adopt_owned, drop, is_last_reference, share, to_tvm_ffi,
)
from tvmgo._core.native_call cimport call_native, set_entry
from tvmgo._core.owned_any cimport clear
from tvmgo._core.pack cimport NEEDS_COPY, OWNS, Packed, pack, pack_owned
from tvmgo._core.staging cimport call_staged
from tvmgo._core.unchecked cimport (
    unchecked_call, unchecked_call_native, unchecked_check,
    unchecked_name_argument, unchecked_pack, unchecked_pack_owned,
)
from tvmgo._core.unpack cimport (
    register_wrapper, unpack_owned, unpack_result,
)
from tvmgo._core.value cimport Value, value_from_owned
from tvmgo.capi cimport ffi
from tvmgo.capi.callback_object cimport TVMGoCallback
from tvmgo.capi.ffi cimport TVMFFIAny, TVMFFISafeCallType
from tvmgo.capi.python cimport (
    Py_DECREF, Py_EnterRecursiveCall, Py_False, Py_LeaveRecursiveCall, Py_None, Py_True,
    PyBytes_CheckExact, PyFloat_CheckExact, PyLong_CheckExact, PyObject_Vectorcall,
    PySequence_Fast_ITEMS, PyUnicode_CheckExact, PyUnicode_IS_ASCII, PyVectorcall_NARGS, type_of,
)
from tvmgo.capi.pytype cimport (
    TVMGoNameType, TVMGoTakeConstructor, TVMGoUseGarbageCollector, TVMGoUseVectorcall,
    newfunc, visitproc,
)
from tvmgo.exceptions import TVMError, TVMTypeError


# ---------------------------------------------------------------- calling

cdef inline int call_packed(Function function, PyObject* const* args, Py_ssize_t count,
                            unchecked_check check, const TVMFFIAny* expected,
                            TVMFFIAny* c_args, Packed* packed, TVMFFIAny* result) noexcept:
    """Call with memory for `count` arguments at `c_args` and `packed`. Looks at failures itself."""
    cdef Py_ssize_t ready = 0
    cdef int code, found, seen = 0
    clear(result)
    while ready < count:
        found = (<unchecked_pack>pack)(args[ready], &c_args[ready], &packed[ready])
        if found < 0:
            break
        seen |= found
        ready += 1
    # Each of these has raised its error before anything is released: that can run code which makes
    # calls of its own.
    if ready < count:
        code = (<unchecked_name_argument>name_argument)(ready)
    elif check != NULL and check(expected, c_args, count) != 0:
        code = -1
    elif seen & NEEDS_COPY and function.c_compiled:
        code = (<unchecked_call_native>call_staged)(&function.c_entry, c_args, <int32_t>count,
                                                    result)
    else:
        code = (<unchecked_call_native>call_native)(&function.c_entry, c_args, <int32_t>count,
                                                    result)
    if seen & OWNS:
        release_packed(packed, ready)
    return code


cdef int call_checked(Function function, PyObject* const* args, Py_ssize_t count,
                      unchecked_check check, const TVMFFIAny* expected,
                      TVMFFIAny* result) except -1:
    cdef TVMFFIAny few_args[FEW_ARGUMENTS]
    cdef Packed few_packed[FEW_ARGUMENTS]
    cdef TVMFFIAny* c_args
    cdef int code
    if count <= FEW_ARGUMENTS:
        return call_packed(function, args, count, check, expected, few_args, few_packed, result)
    c_args = <TVMFFIAny*>PyMem_Malloc(count * (sizeof(TVMFFIAny) + sizeof(Packed)))
    if c_args == NULL:
        raise MemoryError()
    code = call_packed(function, args, count, check, expected, c_args, <Packed*>(c_args + count),
                       result)
    PyMem_Free(c_args)
    return code


cdef int call(Function function, PyObject* const* args, Py_ssize_t count,
              TVMFFIAny* result) except -1:
    return call_checked(function, args, count, NULL, NULL, result)


cdef void release_packed(Packed* packed, Py_ssize_t count) noexcept:
    cdef Py_ssize_t i
    for i in range(count):
        if packed[i].owned != NULL:
            drop(packed[i].owned)


cdef int refuse_keywords(PyObject* names) except -1:
    if PyTuple_GET_SIZE(<object>names) != 0:
        raise TVMTypeError(f"packed functions take no keyword arguments, got {<object>names}")
    return 0


cdef int name_argument(Py_ssize_t index) except -1:
    return name_place(f"argument {index}")


cdef int name_place(str place) except -1:
    try:
        raise_pending()
    except BaseException as error:
        if type(error).__module__ == TVMError.__module__ and len(error.args) == 1:
            error.args = (f"{place}: {error}",)
        raise


cdef int name_result() except -1:
    return name_place("the return value of the callback")


cdef inline bint round_trips_unchanged(PyObject* x) noexcept:
    """Whether `x`, sent through the runtime and back, would be equal to `x` in every respect."""
    if PyUnicode_CheckExact(x):
        return PyUnicode_IS_ASCII(x)  # others may have no encoding, which is an error
    return (PyLong_CheckExact(x) or PyFloat_CheckExact(x) or type_of(x) == <PyTypeObject*>Array
            or x == Py_None or x == Py_True or x == Py_False or PyBytes_CheckExact(x))


cdef bint all_round_trip(PyObject* const* args, Py_ssize_t count) noexcept:
    cdef Py_ssize_t i
    for i in range(count):
        if not round_trips_unchanged(args[i]):
            return False
    return True


cdef PyObject* call_python(object callback, PyObject* const* args,
                           Py_ssize_t count) except NULL:
    """Call a Python callback from Python without the way through the runtime."""
    cdef TVMFFIAny result
    cdef PyObject* answer
    cdef int code
    if Py_EnterRecursiveCall(b" while calling a callback"):
        return NULL
    answer = PyObject_Vectorcall(<PyObject*>callback, args, count, NULL)
    Py_LeaveRecursiveCall()
    if answer == NULL or round_trips_unchanged(answer):
        return answer
    code = (<unchecked_pack_owned>pack_owned)(<object>answer, &result)
    Py_DECREF(answer)
    if code != 0:
        name_result()
    return unpack_result(&result)


# Calls without arguments, with a few and with many have a function each: none of them saves
# registers or takes stack that only another one needs.
cdef PyObject* call_few(PyObject* self, PyObject* const* args, Py_ssize_t count) except NULL:
    cdef TVMFFIAny c_args[FEW_ARGUMENTS]
    cdef Packed packed[FEW_ARGUMENTS]
    cdef TVMFFIAny result
    if call_packed(<Function>self, args, count, NULL, NULL, c_args, packed, &result) != 0:
        return NULL
    return unpack_result(&result)


cdef PyObject* call_many(PyObject* self, PyObject* const* args, Py_ssize_t count) except NULL:
    cdef TVMFFIAny result
    call(<Function>self, args, count, &result)
    return unpack_result(&result)


cdef PyObject* vectorcall(PyObject* self, PyObject* const* args, size_t nargsf,
                          PyObject* names) except NULL:
    cdef TVMFFIAny result
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargsf)
    if names != NULL:
        refuse_keywords(names)
    if count > FEW_ARGUMENTS:
        return (<unchecked_call>call_many)(self, args, count)
    if count > 0:
        return (<unchecked_call>call_few)(self, args, count)
    clear(&result)
    if (<unchecked_call_native>call_native)(&(<Function>self).c_entry, NULL, 0, &result) != 0:
        return NULL
    return unpack_result(&result)


cdef PyObject* vectorcall_python(PyObject* self, PyObject* const* args, size_t nargsf,
                                 PyObject* names) except NULL:
    """Answers the calls of functions that hold a Python callable of ours."""
    cdef Py_ssize_t count = PyVectorcall_NARGS(nargsf)
    if names != NULL:
        refuse_keywords(names)
    if (<Function>self).c_direct != NULL and all_round_trip(args, count):
        return call_python(<object>(<Function>self).c_direct, args, count)
    return vectorcall(self, args, nargsf, NULL)


@cython.final
cdef class Function(Object):
    """A function of the runtime: native code, or a Python callable any language can call.

    Found by `get_global_function` and `Module.get_function`, made by `convert_function`, and
    received as argument or result of other functions.

    ``f(*args)`` takes None, bool, int, float, str, bytes, `ByteArray`, `Array`, NumPy arrays and
    anything with ``__dlpack__`` (shared, not copied), `Function` and Python callables, `Module`,
    `Device`, `DType` and NumPy dtypes, `Value`, and lists, tuples and dicts of these; it returns
    plain Python objects. An int outside 64 bits travels as the runtime's big integer.

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
    The GIL is released while the function runs, unless `release_gil` is False. Arguments are
    borrowed for the call; what the function keeps of them it owns. A function of a compiled
    library gets a compact, aligned copy of an array that is strided or not on a 64-byte boundary,
    and what it changes is copied back. Native code trusts the contents of its arguments: a kernel
    given arrays it was not compiled for can crash the process.
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
            As for a plain call; or one list that is not empty and holds nothing but `Value`,
            which is spread.

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

    def prepare(self, *args):
        """Check and convert arguments once, for many calls with them.

        Parameters
        ----------
        *args : object
            As for a plain call. Arrays and buffers are shared: each call works on what they hold
            then. Lists, tuples and dicts are copied now.

        Returns
        -------
        PreparedCall

        Raises
        ------
        TypeError, BufferError
            As for a plain call.

        Notes
        -----
        gotvm had no such call.
        """
        return prepare(self, args)

    @property
    def release_gil(self):
        """Whether other Python threads can run while the function does; True unless set.

        A bool, of this `Function` object alone: another one for the same function has its own.
        Giving the GIL away and taking it back costs about 30 ns, more than all the rest of a
        call. Set it to False for functions that are done in less than a microsecond. Never do so
        for one that waits for anything: what it waits for may need the GIL, and then both wait
        for ever. Nor for one that fails without raising an error, which breaks the runtime's rules:
        with the GIL kept, the call can show an error that another one left behind. Callbacks made
        of Python callables run with the GIL either way.
        """
        return not self.c_entry.keeps_gil

    @release_gil.setter
    def release_gil(self, bint value):
        self.c_entry.keeps_gil = not value

    def __tvm_ffi_object__(self):
        # tvm_ffi asks for its own wrapper around the same function.
        return to_tvm_ffi(self)


# Set by `prepared`, which this module must not import.
cdef object prepare = None


cdef void use_prepare(object make) noexcept:
    global prepare
    prepare = make


cdef bint is_value_list(object arg):
    return type(arg) is list and len(arg) > 0 and all([isinstance(item, Value) for item in arg])


# A callback holds its Python callable through the runtime, where the garbage collector cannot look.
# As long as a Function is all that holds the callback, that reference is as good as the Function's
# own, and telling the collector so frees cycles such as ``self.f = convert_function(self.method)``.

# What such a Function gets in the place of its callback: it raises an error when it is called.
cdef void* collected = NULL


cdef void use_for_collected(void* c_function) noexcept:
    global collected
    collected = c_function


cdef int traverse(PyObject* self, visitproc visit, void* arg) noexcept:
    cdef Function function = <Function>self
    if function.c_callable != NULL and is_last_reference(function.c_handle):
        return visit(function.c_callable, arg)
    return 0


cdef int clear_cycle(PyObject* self) noexcept:
    cdef Function function = <Function>self
    cdef void* c_handle = function.c_handle
    if function.c_callable != NULL:
        # Finalizers of the same garbage may still call it.
        set_handle(function, share(collected))
        function.c_callable = function.c_direct = NULL
        drop(c_handle)
    return 0


cdef Py_ssize_t vectorcall_offset():
    # offsetof() needs the name Cython gives the struct in C; an instance tells it, too.
    cdef Function sample = <Function>construct(<PyTypeObject*>Function, (), NULL)
    return <char*>&sample.c_vectorcall - <char*><void*>sample


cdef newfunc construct = TVMGoTakeConstructor(
    <PyTypeObject*>Function, b"tvmgo.convert_function and tvmgo.get_global_function")
TVMGoNameType(<PyTypeObject*>Function, b"tvmgo.Function")
TVMGoUseVectorcall(<PyTypeObject*>Function, vectorcall_offset())
TVMGoUseGarbageCollector(<PyTypeObject*>Function, traverse, clear_cycle)


# How functions that run compiled code are entered. All functions of one kind of module share an
# entry, by which they are known again when they come back from somewhere else.
cdef set compiled_entries = set()


cdef void set_handle(Function function, void* c_handle) noexcept:
    function.c_handle = c_handle
    set_entry(&function.c_entry, c_handle)


cdef void bind_code(Function function, void* address) noexcept:
    function.c_entry.call = <TVMFFISafeCallType>address
    function.c_entry.self = NULL  # which is what the runtime hands to the code of libraries


cdef void mark_compiled(Function function) noexcept:
    function.c_compiled = True
    compiled_entries.add(<size_t>function.c_entry.call)


cdef TVMFFISafeCallType enters_with_objects = NULL
cdef TVMFFISafeCallType enters_with_values = NULL


cdef void recognise_callbacks(TVMFFISafeCallType with_objects,
                              TVMFFISafeCallType with_values) noexcept:
    global enters_with_objects, enters_with_values
    enters_with_objects, enters_with_values = with_objects, with_values


cdef Function wrap_function(void* c_handle):
    cdef Function self = <Function>construct(<PyTypeObject*>Function, (), NULL)
    cdef TVMFFISafeCallType entry
    self.c_vectorcall = <void*>vectorcall
    adopt_owned(self, c_handle)
    set_handle(self, c_handle)
    entry = self.c_entry.call
    if entry == enters_with_objects or entry == enters_with_values:
        self.c_callable = <PyObject*>(<TVMGoCallback*>c_handle).callable
        if entry == enters_with_objects:
            self.c_direct = self.c_callable
            self.c_vectorcall = <void*>vectorcall_python
    else:
        self.c_compiled = <size_t>entry in compiled_entries
    return self


cdef object wrap_any_function(void* c_handle):
    return wrap_function(c_handle)


register_wrapper(ffi.kTVMFFIFunction, wrap_any_function)
