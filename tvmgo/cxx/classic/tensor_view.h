// SPDX-License-Identifier: Apache-2.0
//
// A tensor as classic code must see it: without strides when compact, the byte offset folded into
// the address, bool described as uint1. The original is never handed out, because compiled checks
// reject what is normal today: strides are always there, and bool has a type code of its own.
#ifndef TVMGO_CXX_CLASSIC_TENSOR_VIEW_H_
#define TVMGO_CXX_CLASSIC_TENSOR_VIEW_H_

#include <tvm/ffi/c_api.h>

#include <cstdint>

#include "capi/kernel_rules.h"

namespace tvmgo::classic {

// Handles the common case: an aligned, compact tensor of ordinary numbers on the CPU. False means
// that DescribeTensorToLibrary has to look closer.
inline bool DescribeOrdinaryTensor(const DLTensor& from, DLTensor* to) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(from.data) + from.byte_offset;
  to->data = reinterpret_cast<void*>(address);
  to->device = from.device;
  to->ndim = from.ndim;
  to->dtype = from.dtype;
  to->shape = from.shape;
  to->strides = nullptr;
  to->byte_offset = 0;
  const bool ordinary = from.device.device_type == kDLCPU &&
                        address % TVMGO_KERNEL_ALIGNMENT == 0 && from.dtype.code <= kDLFloat &&
                        from.dtype.bits % 8 == 0;
  return ordinary && TVMGoIsCompact(&from);
}

enum class Staging { kNotNeeded, kAlignedCopy };

// Any tensor. Throws TypeError for elements that classic code would misread, and ValueError for
// strides or an offset it cannot be told about.
Staging DescribeTensorToLibrary(const DLTensor& from, DLTensor* to);

// Today's description of an element type a library used.
DLDataType DTypeFromLibrary(DLDataType dtype);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_TENSOR_VIEW_H_
