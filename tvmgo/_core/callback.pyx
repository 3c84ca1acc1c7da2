# SPDX-License-Identifier: Apache-2.0
"""Python callables as functions of the runtime (tvm-ffi ``TVMFFIFunctionCreate``; gotvm
``ConvertFunction``)."""
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from libc.stdint cimport int32_t

from tvmgo._core.array cimport Array, write_back
from tvmgo._core.convert cimport (
    Py_EnterRecursiveCall, Py_LeaveRecursiveCall, Py_None, PyObject, clear, new_reference,
    pack_owned, quiet_pack_owned, register_converter, unpack_borrowed,
)
from tvmgo._core.error cimport check, raise_pending, raise_to_native
from tvmgo._core.function cimport (
    FEW_ARGUMENTS, Function, blame_result, let_python_answer, use_when_collected, wrap_function,
)
from tvmgo._core.handle cimport live
from tvmgo._core.value cimport value_from_borrowed
from tvmgo.capi cimport ffi
from tvmgo.capi.ffi cimport TVMFFIAny
from tvmgo.capi.gil cimport TVMGoEnterPython, TVMGoGil, TVMGoLeavePython
from tvmgo._core.convert import is_foreign
from tvmgo._core.value import Value
from tvmgo.exceptions import TVMError, TVMTypeError

cdef extern from "Python.h":
    bint PyFunction_Check(PyObject* x)
    void Py_DECREF(PyObject* x)
    void Py_INCREF(PyObject* x)
    bint Py_IsInitialized() nogil
    PyObject* PyObject_Vectorcall(PyObject* callable, PyObject* const* args, size_t count,
                                  PyObject* names)


cdef void release_callback(void* callback) noexcept nogil:
    # The runtime may drop its last reference in any thread, after Python has ended, too.
    if Py_IsInitialized():
        with gil:
            live.callbacks -= 1
            Py_DECREF(<PyObject*>callback)


cdef int run_callback(PyObject* callback, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                      bint values) except -1:
    # Written like C, as calls are.
    cdef PyObject* few[FEW_ARGUMENTS]
    cdef PyObject** received = few      # owned references
    cdef PyObject* answer = NULL
    cdef int32_t i, ready = 0
    cdef int code = -1
    cdef bint bare_tensors = False
    if count > FEW_ARGUMENTS:
        received = <PyObject**>PyMem_Malloc(count * sizeof(PyObject*))
        if received == NULL:
            raise MemoryError()
    while ready < count:
        received[ready] = (<quiet_receive>receive)(&args[ready], values)
        if received[ready] == NULL:
            break
        bare_tensors |= args[ready].type_index == ffi.kTVMFFIDLTensorPtr
        ready += 1
    if ready == count:
        answer = call_received(callback, received, count)
    if answer != NULL:
        if (not bare_tensors
                or (<quiet_write>write_changes_back)(received, args, count, values) == 0):
            if answer == Py_None:  # what most return
                clear(result)
                code = 0
            else:
                code = (<quiet_pack_owned>pack_owned)(<object>answer, result)
                if code != 0:
                    code = (<quiet_blame>blame_result)()
        Py_DECREF(answer)
    for i in range(ready):
        Py_DECREF(received[i])
    if received != few:
        PyMem_Free(received)
    return code


ctypedef PyObject* (*quiet_receive)(const TVMFFIAny* any, bint values) noexcept
ctypedef int (*quiet_write)(PyObject* const* received, const TVMFFIAny* args, int32_t count,
                            bint values) noexcept
ctypedef int (*quiet_blame)() noexcept


cdef inline PyObject* receive(const TVMFFIAny* any, bint values) except NULL:
    return new_reference(value_from_borrowed(any) if values else unpack_borrowed(any))


cdef inline PyObject* call_received(PyObject* callback, PyObject* const* received,
                                    int32_t count) noexcept:
    """The result as a new reference, or NULL with the exception set."""
    cdef PyObject* answer
    if PyFunction_Check(callback):  # the interpreter counts the recursion of these itself
        return PyObject_Vectorcall(callback, received, count, NULL)
    if Py_EnterRecursiveCall(b" while calling a callback"):
        return NULL
    answer = PyObject_Vectorcall(callback, received, count, NULL)
    Py_LeaveRecursiveCall()
    return answer


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
ctypedef int (*untested)(PyObject* callback, const TVMFFIAny* args, int32_t count,
                         TVMFFIAny* result, bint values) noexcept


cdef int answer_held(void* callback, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                     bint values) noexcept:
    if (<untested>run_callback)(<PyObject*>callback, args, count, result, values) != 0:
        return hand_over_exception()
    return 0


ctypedef int (*with_gil_taken)(void* callback, const TVMFFIAny* args, int32_t count,
                               TVMFFIAny* result, bint values) noexcept nogil


cdef inline int answer(void* callback, const TVMFFIAny* args, int32_t count, TVMFFIAny* result,
                       bint values) noexcept nogil:
    cdef TVMGoGil gil = TVMGoEnterPython()
    cdef int code = (<with_gil_taken><void*>answer_held)(callback, args, count, result, values)
    TVMGoLeavePython(gil)
    return code


cdef int answer_call(void* callback, const TVMFFIAny* args, int32_t count,
                     TVMFFIAny* result) noexcept nogil:
    return answer(callback, args, count, result, False)


cdef int answer_call_with_values(void* callback, const TVMFFIAny* args, int32_t count,
                                 TVMFFIAny* result) noexcept nogil:
    return answer(callback, args, count, result, True)


cdef int hand_over_exception() noexcept:
    """Make the exception that is set the runtime's raised error."""
    try:
        raise_pending()
    except BaseException as error:
        raise_to_native(error)
    return -1


cdef void* new_callback(object callable, ffi.TVMFFISafeCallType answers) except NULL:
    cdef void* function = NULL
    Py_INCREF(<PyObject*>callable)  # given back by release_callback
    if ffi.TVMFFIFunctionCreate(<void*>callable, answers, release_callback, &function) != 0:
        Py_DECREF(<PyObject*>callable)
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
