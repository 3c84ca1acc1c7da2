# SPDX-License-Identifier: Apache-2.0
"""Python callables as functions of the runtime (tvm-ffi ``TVMFFIFunctionCreate``; gotvm
``ConvertFunction``)."""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport Py_DECREF, Py_INCREF
from libc.stdint cimport int32_t

from tvmgo.array cimport Array, write_back
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.convert cimport (
    PyObject, enter_recursion, leave_recursion, pack_owned, register_converter, unpack_borrowed,
)
from tvmgo.error cimport check, raise_pending, raise_to_native
from tvmgo.function cimport (
    FEW_ARGUMENTS, Function, let_python_answer, use_when_collected, wrap_function,
)
from tvmgo.handle cimport live
from tvmgo.value cimport value_from_borrowed
from tvmgo.value import Value
from tvmgo.convert import is_foreign
from tvmgo.error import TVMError, TVMTypeError

cdef extern from "Python.h":
    bint PyFunction_Check(object x)
    bint Py_IsInitialized() nogil
    object PyObject_Vectorcall(object callable, PyObject* const* args, size_t count,
                               PyObject* names)


cdef void release_callback(void* callback) noexcept nogil:
    # The runtime may drop its last reference in any thread, after Python has ended, too.
    if Py_IsInitialized():
        with gil:
            live.callbacks -= 1
            Py_DECREF(<object>callback)


cdef object call_received(object callback, PyObject* const* received, int32_t count):
    if PyFunction_Check(callback):  # the interpreter counts the recursion of these itself
        return PyObject_Vectorcall(callback, received, count, NULL)
    enter_recursion(b" while calling a callback")
    try:
        return PyObject_Vectorcall(callback, received, count, NULL)
    finally:
        leave_recursion()


cdef int run_callback(object callback, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                      bint values) except -1:
    cdef PyObject* few[FEW_ARGUMENTS]
    cdef PyObject** received = few      # owned references
    cdef int32_t i, ready = 0
    cdef bint bare_tensors = False
    if count > FEW_ARGUMENTS:
        received = <PyObject**>PyMem_Malloc(count * sizeof(PyObject*))
        if received == NULL:
            raise MemoryError()
    try:
        while ready < count:
            arg = value_from_borrowed(&args[ready]) if values else unpack_borrowed(&args[ready])
            Py_INCREF(arg)
            received[ready] = <PyObject*>arg
            bare_tensors |= args[ready].type_index == ffi.kTVMFFIDLTensorPtr
            ready += 1
        answer = call_received(callback, received, count)
        if bare_tensors:
            write_changes_back(received, args, count, values)
        pack_owned(answer, result)
    finally:
        for i in range(ready):
            Py_DECREF(<object>received[i])
        if received != few:
            PyMem_Free(received)
    return 0


cdef int write_changes_back(PyObject* const* received, const TVMFFIAny* args, int32_t count,
                            bint values) except -1:
    cdef int32_t i
    for i in range(count):
        if args[i].type_index == ffi.kTVMFFIDLTensorPtr:
            arg = <object>received[i]
            copy = arg.as_array() if values else arg
            write_back((<Array>copy).c_handle, <ffi.DLTensor*>args[i].v_ptr)
    return 0


# run_callback without Cython's test of its result: a `try` around it would save and restore the
# exception state of the thread in every call.
ctypedef int (*untested)(object callback, const TVMFFIAny* args, int32_t count,
                         TVMFFIAny* result, bint values) noexcept


cdef int answer_call(void* callback, const TVMFFIAny* args, int32_t count,
                     TVMFFIAny* result) noexcept with gil:
    if (<untested>run_callback)(<object>callback, args, count, result, False) != 0:
        return hand_over_exception()
    return 0


cdef int answer_call_with_values(void* callback, const TVMFFIAny* args, int32_t count,
                                 TVMFFIAny* result) noexcept with gil:
    if (<untested>run_callback)(<object>callback, args, count, result, True) != 0:
        return hand_over_exception()
    return 0


cdef int hand_over_exception() noexcept:
    """Make the exception that is set the runtime's raised error."""
    try:
        raise_pending()
    except BaseException as error:
        raise_to_native(error)
    return -1


cdef void* new_callback(object callable, ffi.TVMFFISafeCallType answer) except NULL:
    cdef void* function = NULL
    Py_INCREF(callable)  # given back by release_callback
    if ffi.TVMFFIFunctionCreate(<void*>callable, answer, release_callback, &function) != 0:
        Py_DECREF(callable)
        check(-1)
    live.callbacks += 1
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
    if values:
        function.c_callable = <PyObject*>f
    else:
        let_python_answer(function, f)
    return function


def _collected(*args):
    raise TVMError("the function was garbage collected together with what it called")


use_when_collected(new_callback(_collected, answer_call))
