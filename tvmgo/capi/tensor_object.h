// SPDX-License-Identifier: Apache-2.0
// Tensor objects of the runtime in blocks of our own, where one allocation holds the object, its
// shape and strides, and what else belongs to it. C and C++.
#ifndef TVMGO_CAPI_TENSOR_OBJECT_H_
#define TVMGO_CAPI_TENSOR_OBJECT_H_
#include <stddef.h>
#include <stdint.h>
#include <tvm/ffi/c_api.h>

#include "object_header.h"

// How every tensor object begins: the runtime finds the DLTensor right after the header.
typedef struct {
  TVMFFIObject object;
  DLTensor tensor;
} TVMGoTensor;

// Make the block at `self` a tensor object, see TVMGoInitObject. The DLTensor is the caller's to
// fill; the runtime wants its strides set.
static inline void TVMGoInitTensorObject(TVMGoTensor* self,
                                         void (*deleter)(void* self, int flags)) {
  TVMGoInitObject(&self->object, kTVMFFITensor, deleter);
}

// Strides of elements one after the other, in C order.
static inline void TVMGoFillCompactStrides(const int64_t* shape, int32_t ndim, int64_t* strides) {
  uint64_t step = 1;  // unsigned: extents beside one of 0 may be anything
  for (int32_t i = ndim - 1; i >= 0; --i) {
    strides[i] = (int64_t)step;
    step *= (uint64_t)shape[i];
  }
}

#endif  // TVMGO_CAPI_TENSOR_OBJECT_H_
