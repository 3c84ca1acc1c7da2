// SPDX-License-Identifier: Apache-2.0
// Python callables as function objects of the runtime, in blocks of our own: whoever holds a
// function can tell by how it is entered that it is one, and then finds the callable.
#ifndef TVMGO_CAPI_CALLBACK_OBJECT_H_
#define TVMGO_CAPI_CALLBACK_OBJECT_H_
#include <stddef.h>
#include <stdlib.h>
#include <tvm/ffi/c_api.h>

#include "object_header.h"

typedef struct {
  TVMFFIObject object;
  TVMFFIFunctionCell cell;
  void* callable;
} TVMGoCallback;

// A function object with one reference, the caller's, or NULL if there is no memory. The runtime
// enters it by entry(object, args, ...). `deleter` frees the block with free().
static inline TVMGoCallback* TVMGoNewCallback(void* callable, TVMFFISafeCallType entry,
                                              void (*deleter)(void* self, int flags)) {
  TVMGoCallback* self = (TVMGoCallback*)malloc(sizeof(TVMGoCallback));
  if (self == NULL) return NULL;
  TVMGoInitObject(&self->object, kTVMFFIFunction, deleter);
  self->cell.safe_call = entry;
  self->cell.cpp_call = NULL;  // C++ takes the same entry, then
  self->callable = callable;
  return self;
}

#endif  // TVMGO_CAPI_CALLBACK_OBJECT_H_
