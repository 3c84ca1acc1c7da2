// SPDX-License-Identifier: Apache-2.0
// What compiled kernels assume of their arguments. C and C++.
#ifndef TVMGO_CAPI_KERNEL_RULES_H_
#define TVMGO_CAPI_KERNEL_RULES_H_
#include <stdint.h>
#include <tvm/ffi/c_api.h>

enum {
  // Bytes. What kernels compiled by TVM 0.10 and later assume of a tensor's address, and the
  // widest vector instruction of the older ones; such an instruction faults at other addresses.
  TVMGO_KERNEL_ALIGNMENT = 64,
  // Calls with at most so many arguments need no memory from the heap. Few kernels take more.
  TVMGO_FEW_ARGUMENTS = 8,
};

// Whether the processor can address a device's memory directly.
static inline int TVMGoIsHost(DLDevice device) {
  return device.device_type == kDLCPU || device.device_type == kDLCUDAHost ||
         device.device_type == kDLROCMHost;
}

static inline int TVMGoIsAligned(const DLTensor* tensor) {
  return ((uintptr_t)tensor->data + tensor->byte_offset) % TVMGO_KERNEL_ALIGNMENT == 0;
}

static inline int TVMGoHasNoElements(const DLTensor* tensor) {
  for (int32_t i = 0; i < tensor->ndim; ++i) {
    if (tensor->shape[i] == 0) return 1;
  }
  return 0;
}

// Whether the elements lie one after the other in C order.
static inline int TVMGoIsCompact(const DLTensor* tensor) {
  uint64_t expected = 1;  // unsigned: extents beside one of 0 may be anything
  if (tensor->strides == NULL) return 1;
  for (int32_t i = tensor->ndim - 1; i >= 0; --i) {
    if ((uint64_t)tensor->strides[i] != expected && tensor->shape[i] != 1) {
      return TVMGoHasNoElements(tensor);
    }
    expected *= (uint64_t)tensor->shape[i];
  }
  return 1;
}

// Whether kernels cannot work on the elements where they are, see cxx/tensor/aligned_copies.h.
static inline int TVMGoNeedsCopy(const DLTensor* tensor) {
  return TVMGoIsHost(tensor->device) && (!TVMGoIsAligned(tensor) || !TVMGoIsCompact(tensor));
}

#endif  // TVMGO_CAPI_KERNEL_RULES_H_
