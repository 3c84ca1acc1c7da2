// SPDX-License-Identifier: Apache-2.0
// Small ints without a call. Every CPython keeps them in one digit; how to read it changed in 3.12.
#ifndef TVMGO_CAPI_PYLONG_H_
#define TVMGO_CAPI_PYLONG_H_
#include <Python.h>
#include <stdint.h>

// Read an exact int of one digit (30 bits and a sign). Returns 0 if it has more.
static inline int TVMGoSmallLong(PyObject* number, int64_t* value) {
#if PY_VERSION_HEX >= 0x030C0000
  if (!PyUnstable_Long_IsCompact((PyLongObject*)number)) return 0;
  *value = PyUnstable_Long_CompactValue((PyLongObject*)number);
#else
  Py_ssize_t signed_digits = Py_SIZE(number);  // the sign of the number times its digits
  if (signed_digits < -1 || signed_digits > 1) return 0;
  *value = signed_digits * (int64_t)((PyLongObject*)number)->ob_digit[0];
#endif
  return 1;
}

#endif  // TVMGO_CAPI_PYLONG_H_
