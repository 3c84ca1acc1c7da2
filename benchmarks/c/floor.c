// SPDX-License-Identifier: Apache-2.0
// An extension module of what calls into C and back cannot do without: the least that any binding
// of the runtime costs. Nothing is converted or checked.
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stddef.h>
#include <structmember.h>
#include <tvm/ffi/c_api.h>

// A method that takes anything and does nothing.
static PyObject* nop(PyObject* self, PyObject* const* args, Py_ssize_t num_args) { Py_RETURN_NONE; }

// An object that calls a function of the runtime, without arguments whatever it is given.
typedef struct {
  PyObject_HEAD vectorcallfunc vectorcall;
  void* function;
  int keeps_gil;
} Direct;

static PyObject* call_direct(PyObject* self, PyObject* const* args, size_t nargsf,
                             PyObject* names) {
  const Direct* direct = (const Direct*)self;
  const TVMFFIFunctionCell* cell =
      (const TVMFFIFunctionCell*)((const char*)direct->function + sizeof(TVMFFIObject));
  TVMFFIAny result = {0};
  int code;
  if (direct->keeps_gil) {
    code = cell->safe_call(direct->function, NULL, 0, &result);
  } else {
    Py_BEGIN_ALLOW_THREADS code = cell->safe_call(direct->function, NULL, 0, &result);
    Py_END_ALLOW_THREADS
  }
  if (code != 0) {  // the error is dropped unread
    TVMFFIObjectHandle error;
    TVMFFIErrorMoveFromRaised(&error);
    TVMFFIObjectDecRef(error);
    PyErr_SetString(PyExc_ValueError, "this kernel always fails");
    return NULL;
  }
  Py_RETURN_NONE;
}

static PyTypeObject direct_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "floor.Direct",
    .tp_basicsize = sizeof(Direct),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Direct, vectorcall),
    .tp_call = PyVectorcall_Call,
};

static PyObject* direct(PyObject* self, PyObject* args) {
  unsigned long long function;
  int keeps_gil;
  if (!PyArg_ParseTuple(args, "Kp", &function, &keeps_gil)) return NULL;
  Direct* made = PyObject_New(Direct, &direct_type);
  if (made == NULL) return NULL;
  made->vectorcall = call_direct;
  made->function = (void*)(uintptr_t)function;
  made->keeps_gil = keeps_gil;
  return (PyObject*)made;
}

// Calls a Python function so many times as native code has to that does not have the GIL, or has.
static PyObject* repeat(PyObject* const* args, Py_ssize_t num_args, int keeps_gil) {
  PyObject* answer = Py_NewRef(Py_None);
  const long long calls = PyLong_AsLongLong(args[1]);
  if (calls == -1 && PyErr_Occurred()) return NULL;
  for (long long i = 0; i < calls && answer != NULL; ++i) {
    if (!keeps_gil) {
      PyThreadState* state = PyEval_SaveThread();
      PyEval_RestoreThread(state);
    }
    Py_SETREF(answer, PyObject_Vectorcall(args[0], args + 2, (size_t)num_args - 2, NULL));
  }
  return answer;
}

static PyObject* repeat_released(PyObject* self, PyObject* const* args, Py_ssize_t num_args) {
  return repeat(args, num_args, 0);
}

static PyObject* repeat_kept(PyObject* self, PyObject* const* args, Py_ssize_t num_args) {
  return repeat(args, num_args, 1);
}

static PyMethodDef methods[] = {
    {"nop", (PyCFunction)(void (*)(void))nop, METH_FASTCALL, NULL},
    {"direct", direct, METH_VARARGS, NULL},
    {"repeat", (PyCFunction)(void (*)(void))repeat_released, METH_FASTCALL, NULL},
    {"repeat_kept", (PyCFunction)(void (*)(void))repeat_kept, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "floor", NULL, 0, methods};

PyMODINIT_FUNC PyInit_floor(void) {
  if (PyType_Ready(&direct_type) != 0) return NULL;
  return PyModule_Create(&module);
}
