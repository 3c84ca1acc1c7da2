// SPDX-License-Identifier: Apache-2.0
// New tensors in host memory. C and C++, so that the array room and the executor share it.
#ifndef TVMGO_CAPI_CPU_TENSOR_H_
#define TVMGO_CAPI_CPU_TENSOR_H_
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tvm/ffi/c_api.h>

// Kernels compiled for wide vectors use aligned moves; 128 is the most any TVM release assumed.
enum { TVMGO_DATA_ALIGNMENT = 128 };

static inline void TVMGoFreeCPUTensor(DLManagedTensor* managed) { free(managed); }

// Allocate a compact tensor of `nbytes` on `cpu:device_id` and give the caller its only reference.
// `zeroed` costs little for large blocks, which come untouched from the system. One block holds
// everything:
//
//   | DLManagedTensor | shape[ndim] | padding | data[nbytes] |
//   ^ malloc                                  ^ multiple of TVMGO_DATA_ALIGNMENT
//
// The caller has checked that nbytes is the size of shape and dtype. Returns 0, or -1 with the
// error raised in the runtime's way.
static inline int TVMGoNewCPUTensor(const int64_t* shape, int32_t ndim, DLDataType dtype,
                                    int32_t device_id, size_t nbytes, int zeroed,
                                    TVMFFIObjectHandle* out) {
  size_t head = sizeof(DLManagedTensor) + (size_t)ndim * sizeof(int64_t);
  size_t room = head + TVMGO_DATA_ALIGNMENT;
  DLManagedTensor* managed = NULL;
  if (nbytes <= PTRDIFF_MAX - room) {
    managed = (DLManagedTensor*)(zeroed ? calloc(1, room + nbytes) : malloc(room + nbytes));
  }
  if (managed == NULL) {
    char message[64];
    snprintf(message, sizeof message, "not enough memory for an array of %zu bytes", nbytes);
    TVMFFIErrorSetRaisedFromCStr("MemoryError", message);
    return -1;
  }
  int64_t* own_shape = (int64_t*)(managed + 1);
  memcpy(own_shape, shape, (size_t)ndim * sizeof(int64_t));
  uintptr_t data = ((uintptr_t)managed + head + TVMGO_DATA_ALIGNMENT - 1) &
                   ~(uintptr_t)(TVMGO_DATA_ALIGNMENT - 1);
  DLTensor* tensor = &managed->dl_tensor;
  tensor->data = (void*)data;
  tensor->device.device_type = kDLCPU;
  tensor->device.device_id = device_id;
  tensor->ndim = ndim;
  tensor->dtype = dtype;
  tensor->shape = own_shape;
  tensor->strides = NULL;  // the runtime fills in compact ones
  tensor->byte_offset = 0;
  managed->manager_ctx = NULL;
  managed->deleter = TVMGoFreeCPUTensor;
  int code = TVMFFITensorFromDLPack(managed, 0, 0, out);
  if (code != 0) free(managed);
  return code;
}

#endif  // TVMGO_CAPI_CPU_TENSOR_H_
