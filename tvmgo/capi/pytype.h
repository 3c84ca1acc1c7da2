// SPDX-License-Identifier: Apache-2.0
// What Cython cannot say about an extension type, done once when its module is imported.
#ifndef TVMGO_CAPI_PYTYPE_H_
#define TVMGO_CAPI_PYTYPE_H_
#include <Python.h>

// Close a type to Python subclasses, which could replace an `__init__` that refuses, and to
// `T.__new__(T)`: without the Python-level twin of tp_new that finds object.__new__, which refuses.
// The slot itself stays, because the constructors of derived extension types call it.
static inline int TVMGoSealType(PyTypeObject* type) {
  type->tp_flags &= ~Py_TPFLAGS_BASETYPE;
  if (PyDict_GetItemString(type->tp_dict, "__new__") != NULL &&
      PyDict_DelItemString(type->tp_dict, "__new__") != 0) {
    return -1;
  }
  PyType_Modified(type);
  return 0;
}

static PyObject* TVMGoRefuseConstruction(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* makers = PyDict_GetItemString(type->tp_dict, "_made_by");
  PyErr_Format(PyExc_TypeError, "%s objects are made by %U, not by calling the class",
               type->tp_name, makers);
  return NULL;
}

// Seal a type and take its constructor away for the factories of its module, which get it as the
// result. Nobody else, the unpickler included, can then make an instance whose C fields were never
// filled, so that methods need no NULL checks. Who calls the class is told the `makers` to call
// instead.
static inline newfunc TVMGoTakeConstructor(PyTypeObject* type, const char* makers) {
  PyObject* text = PyUnicode_FromString(makers);
  int kept = text == NULL ? -1 : PyDict_SetItemString(type->tp_dict, "_made_by", text);
  Py_XDECREF(text);
  if (kept != 0) return NULL;
  newfunc construct = type->tp_new;
  type->tp_new = TVMGoRefuseConstruction;
  type->tp_vectorcall = NULL;  // Cython's short cut past tp_new
  return TVMGoSealType(type) == 0 ? construct : NULL;
}

// Let calls of an instance go through the C function stored in it at `offset` (PEP 590), so that
// no argument tuple is made.
static inline void TVMGoUseVectorcall(PyTypeObject* type, Py_ssize_t offset) {
  type->tp_vectorcall_offset = offset;
  type->tp_call = PyVectorcall_Call;
  type->tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL;
  PyType_Modified(type);
}

// Let the garbage collector see, and cut, references that the runtime holds on a type's behalf.
static inline void TVMGoUseGarbageCollector(PyTypeObject* type, traverseproc traverse,
                                            inquiry clear) {
  type->tp_traverse = traverse;
  type->tp_clear = clear;
}

// Let a type of a private module show itself as `name`, where users find it.
static inline void TVMGoNameType(PyTypeObject* type, const char* name) { type->tp_name = name; }

#endif  // TVMGO_CAPI_PYTYPE_H_
