// SPDX-License-Identifier: Apache-2.0
// Entering Python from native code in any thread. PyGILState_Ensure and its counterpart look the
// thread up twice and count; nearly all callbacks run in threads that Python knows and counts
// already, and need neither.
#ifndef TVMGO_CAPI_GIL_H_
#define TVMGO_CAPI_GIL_H_
#include <Python.h>

#if PY_VERSION_HEX >= 0x030D0000
#define TVMGoCurrentThread PyThreadState_GetUnchecked
#else
#define TVMGoCurrentThread _PyThreadState_UncheckedGet
#endif

typedef enum { TVMGO_GIL_HELD, TVMGO_GIL_TAKEN, TVMGO_GIL_ENSURED } TVMGoGilOrigin;

typedef struct {
  TVMGoGilOrigin origin;
  PyGILState_STATE state;  // of TVMGO_GIL_ENSURED
} TVMGoGil;

static inline int TVMGoHoldsGil(void) {
  PyThreadState* own = PyGILState_GetThisThreadState();
  return own != NULL && own == TVMGoCurrentThread();
}

static inline TVMGoGil TVMGoEnterPython(void) {
  TVMGoGil gil = {TVMGO_GIL_HELD, PyGILState_UNLOCKED};
  PyThreadState* own = PyGILState_GetThisThreadState();
  if (own == NULL) {  // a thread of native code, which Python has to learn about and forget again
    gil.origin = TVMGO_GIL_ENSURED;
    gil.state = PyGILState_Ensure();
  } else if (own != TVMGoCurrentThread()) {
    gil.origin = TVMGO_GIL_TAKEN;
    PyEval_RestoreThread(own);
  }
  return gil;
}

static inline void TVMGoLeavePython(TVMGoGil gil) {
  if (gil.origin == TVMGO_GIL_TAKEN) {
    PyEval_SaveThread();
  } else if (gil.origin == TVMGO_GIL_ENSURED) {
    PyGILState_Release(gil.state);
  }
}

#endif  // TVMGO_CAPI_GIL_H_
