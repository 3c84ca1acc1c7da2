// SPDX-License-Identifier: Apache-2.0
// An extension module with one method that takes anything and does nothing: what any call from
// Python into C costs at least.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject* nop(PyObject* self, PyObject* const* args, Py_ssize_t num_args) { Py_RETURN_NONE; }

static PyMethodDef methods[] = {{"nop", (PyCFunction)(void (*)(void))nop, METH_FASTCALL, NULL},
                                {NULL, NULL, 0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "floor", NULL, 0, methods};

PyMODINIT_FUNC PyInit_floor(void) { return PyModule_Create(&module); }
