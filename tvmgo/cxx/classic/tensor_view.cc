// SPDX-License-Identifier: Apache-2.0
#include "classic/tensor_view.h"

#include <string>

#include "classic/abi.h"
#include "ffi/ffi.h"
#include "tensor/dtype_string.h"
#include "tensor/tensor_copy.h"

namespace tvmgo::classic {
namespace {

bool IsBool(DLDataType dtype) {
  return dtype.code == kDLBool && dtype.bits == 8 && dtype.lanes == 1;
}

DLDataType DTypeForLibrary(DLDataType dtype) {
  if (IsBool(dtype)) return kClassicBool;
  // Code 6 was an 8-bit float for some releases, and the others were never used.
  const bool known = dtype.code <= kDLComplex;
  if (known && dtype.bits % 8 == 0 && dtype.bits != 0 && dtype.lanes != 0) return dtype;
  const std::string name = DTypeName(dtype);  // may throw, which must not happen inside of a throw
  if (!known) {
    TVM_FFI_THROW(TypeError) << "expected a type that TVM up to 0.20 knows, got " << name;
  }
  TVM_FFI_THROW(TypeError) << "expected elements of whole bytes, got " << name
                           << ", which is packed today and was not in TVM up to 0.20";
  TVM_FFI_UNREACHABLE();
}

// Devices whose `data` is an address, to which an offset can be added.
bool HasAddresses(int32_t device_type) {
  switch (device_type) {
    case kDLCPU:
    case kDLCUDA:
    case kDLCUDAHost:
    case kDLCUDAManaged:
    case kDLROCM:
    case kDLROCMHost:
      return true;
    default:
      return false;
  }
}

}  // namespace

Staging DescribeTensorToLibrary(const DLTensor& from, DLTensor* to) {
  *to = from;
  to->dtype = DTypeForLibrary(from.dtype);
  if (!TVMGoIsCompact(&from)) {
    const std::string description = DescribeTensor(from);
    TVM_FFI_THROW(ValueError) << "expected a contiguous tensor, got one with strides ("
                              << description << ")";
  }
  to->strides = nullptr;
  if (HasAddresses(from.device.device_type)) {
    to->data = TensorData(from);
    to->byte_offset = 0;
  } else if (from.byte_offset != 0) {
    TVM_FFI_THROW(ValueError) << "expected a tensor that starts its memory, got a byte offset of "
                              << from.byte_offset << " on device type " << from.device.device_type;
  }
  const bool misaligned =
      from.device.device_type == kDLCPU && !TVMGoIsAligned(&from) && TensorBytes(from) != 0;
  return misaligned ? Staging::kAlignedCopy : Staging::kNotNeeded;
}

DLDataType DTypeFromLibrary(DLDataType dtype) {
  if (dtype.code == kDLUInt && dtype.bits == 1 && dtype.lanes == 1) return {kDLBool, 8, 1};
  return dtype;
}

}  // namespace tvmgo::classic
