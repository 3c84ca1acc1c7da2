# SPDX-License-Identifier: Apache-2.0
# Function types for calls without Cython's test of the result.
#
# After a call of a function that can raise, Cython tests the result and, if it failed, jumps to
# where it adds a frame to the traceback. On the way of a call into the runtime and back that is too
# much: the jump out of the middle of a function keeps compilers from doing their best, what has to
# be given back would need a `try`, and a frame for each level would cost a failing call more than
# all the rest. Such code is written like C: it looks at each result itself.
#
# A cast to a type that is declared `noexcept` leaves the test out: `(<unchecked_pack>pack)(...)`.
# When the result says that the call failed, the exception is set; the caller gives back what it
# holds and fails as well.
#
# A type has exactly the arguments and the result of the functions that are called by it, since C
# leaves everything else undefined, and their name, or what they have in common.
from cpython.object cimport PyObject
from libc.stdint cimport int32_t

from tvmgo._core.native_call cimport Entry
from tvmgo._core.pack cimport Packed
from tvmgo.capi.ffi cimport TVMFFIAny

ctypedef int (*unchecked_pack)(PyObject* arg, TVMFFIAny* any, Packed* packed) noexcept
ctypedef int (*unchecked_pack_owned)(object arg, TVMFFIAny* any) noexcept
ctypedef int (*unchecked_call_native)(const Entry* entry, const TVMFFIAny* args, int32_t count,
                                      TVMFFIAny* result) noexcept
ctypedef int (*unchecked_check)(const TVMFFIAny* expected, const TVMFFIAny* args,
                                Py_ssize_t count) noexcept
ctypedef int (*unchecked_name_argument)(Py_ssize_t index) noexcept
ctypedef int (*unchecked_name_result)() noexcept

# Parts of a vectorcall.
ctypedef PyObject* (*unchecked_call)(PyObject* self, PyObject* const* args,
                                     Py_ssize_t count) noexcept
ctypedef PyObject* (*unchecked_call_with_names)(PyObject* self, PyObject* const* args,
                                                Py_ssize_t count, PyObject* names) noexcept

# Parts of a callback.
ctypedef int (*unchecked_run_callback)(PyObject* callback, const TVMFFIAny* args, int32_t count,
                                       TVMFFIAny* result, bint values) noexcept
ctypedef PyObject* (*unchecked_receive)(const TVMFFIAny* any, bint values) noexcept
ctypedef int (*unchecked_write_all_back)(PyObject* const* received, const TVMFFIAny* args,
                                         int32_t count, bint values) noexcept
