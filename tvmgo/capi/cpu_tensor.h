// SPDX-License-Identifier: Apache-2.0
// New tensors in host memory. C and C++, so that arrays and the executor share it.
#ifndef TVMGO_CAPI_CPU_TENSOR_H_
#define TVMGO_CAPI_CPU_TENSOR_H_
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/mman.h>
#endif

#include "tensor_object.h"

// Kernels compiled for wide vectors use aligned moves; 128 is the most any TVM release assumed.
enum { TVMGO_DATA_ALIGNMENT = 128 };

// The block goes with the last weak reference: the data lies in it.
static inline void TVMGoFreeCPUTensor(void* self, int flags) {
  if (flags & kTVMFFIObjectDeleterFlagBitMaskWeak) free(self);
}

// Ask for large pages, which take a tenth of the time to be touched first. Only advice.
static inline void TVMGoAdviseLargePages(uintptr_t data, size_t nbytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  const size_t large = (size_t)1 << 22, page = 4096;
  if (nbytes >= large) {
    uintptr_t begin = (data + page - 1) & ~(uintptr_t)(page - 1);
    madvise((void*)begin, nbytes - (begin - data), MADV_HUGEPAGE);
  }
#else
  (void)data;
  (void)nbytes;
#endif
}

// Allocate a compact tensor of `nbytes` on `cpu:device_id` and give the caller its only reference.
// `zeroed` costs little for large blocks, which come untouched from the system. One block holds
// everything:
//
//   | TVMGoTensor | shape[ndim] | strides[ndim] | padding | data[nbytes] |
//   ^ malloc                                              ^ multiple of TVMGO_DATA_ALIGNMENT
//
// The caller has checked that nbytes is the size of shape and dtype. Returns 0, or -1 with the
// error raised in the runtime's way.
static inline int TVMGoNewCPUTensor(const int64_t* shape, int32_t ndim, DLDataType dtype,
                                    int32_t device_id, size_t nbytes, int zeroed,
                                    TVMFFIObjectHandle* out) {
  size_t head = sizeof(TVMGoTensor) + 2 * (size_t)ndim * sizeof(int64_t);
  size_t overhead = head + TVMGO_DATA_ALIGNMENT;
  TVMGoTensor* self = NULL;
  if (nbytes <= PTRDIFF_MAX - overhead) {
    self = (TVMGoTensor*)(zeroed ? calloc(1, overhead + nbytes) : malloc(overhead + nbytes));
  }
  if (self == NULL) {
    char message[64];
    snprintf(message, sizeof message, "not enough memory for an array of %zu bytes", nbytes);
    TVMFFIErrorSetRaisedFromCStr("MemoryError", message);
    return -1;
  }
  uintptr_t data =
      ((uintptr_t)self + head + TVMGO_DATA_ALIGNMENT - 1) & ~(uintptr_t)(TVMGO_DATA_ALIGNMENT - 1);
  TVMGoAdviseLargePages(data, nbytes);
  DLTensor* tensor = &self->tensor;
  tensor->data = (void*)data;
  tensor->device.device_type = kDLCPU;
  tensor->device.device_id = device_id;
  tensor->ndim = ndim;
  tensor->dtype = dtype;
  tensor->shape = (int64_t*)(self + 1);
  tensor->strides = tensor->shape + ndim;
  tensor->byte_offset = 0;
  if (ndim > 0) memcpy(tensor->shape, shape, (size_t)ndim * sizeof(int64_t));
  TVMGoFillCompactStrides(tensor->shape, ndim, tensor->strides);
  TVMGoInitTensorObject(self, TVMGoFreeCPUTensor);
  *out = self;
  return 0;
}

#endif  // TVMGO_CAPI_CPU_TENSOR_H_
