// SPDX-License-Identifier: Apache-2.0
// How deep containers inside containers are walked. Since 3.12 Python counts the recursion of C
// code by a limit of its own, which takes more stack than a small thread has.
#ifndef TVMGO_CAPI_NESTING_H_
#define TVMGO_CAPI_NESTING_H_
#include <Python.h>

enum { TVMGO_MOST_NESTED = 1000 };  // levels of containers inside containers

#ifdef _MSC_VER
static __declspec(thread) int TVMGoLevel = 0;
#else
static __thread int TVMGoLevel = 0;
#endif

// Go one level down. Returns -1 with RecursionError set if that is too deep; else undo it with
// TVMGoLeaveContainer. `where` completes "maximum recursion depth exceeded".
static inline int TVMGoEnterContainer(const char* where) {
  if (Py_EnterRecursiveCall(where)) return -1;
  if (TVMGoLevel >= TVMGO_MOST_NESTED) {
    Py_LeaveRecursiveCall();
    PyErr_Format(PyExc_RecursionError, "more than %d levels%s", TVMGO_MOST_NESTED, where);
    return -1;
  }
  ++TVMGoLevel;
  return 0;
}

static inline void TVMGoLeaveContainer(void) {
  --TVMGoLevel;
  Py_LeaveRecursiveCall();
}

#endif  // TVMGO_CAPI_NESTING_H_
