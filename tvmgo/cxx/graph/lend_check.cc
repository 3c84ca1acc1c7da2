// SPDX-License-Identifier: Apache-2.0
#include "graph/lend_check.h"

#include <cstring>

#include "capi/kernel_rules.h"
#include "ffi/ffi.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

void RequireAligned(const Label& what, const DLTensor& lent) {
  if (TVMGoIsAligned(&lent)) return;
  TVM_FFI_THROW(ValueError) << what << ": expected memory aligned to " << TVMGO_KERNEL_ALIGNMENT
                            << " bytes, as tvmgo.array and tvmgo.empty make it, got the address "
                            << static_cast<void*>(TensorData(lent));
}

void RequireContiguous(const Label& what, const DLTensor& lent) {
  if (TVMGoIsCompact(&lent)) return;
  TVM_FFI_THROW(ValueError) << what << ": expected a contiguous tensor, got one that "
                            << "is not contiguous";
}

void RequireDevice(const Label& what, DLDevice device, const DLTensor& lent) {
  if (device.device_type == lent.device.device_type && device.device_id == lent.device.device_id) {
    return;
  }
  TVM_FFI_THROW(ValueError) << what << ": expected a tensor on device " << device.device_type << ":"
                            << device.device_id << ", got " << lent.device.device_type << ":"
                            << lent.device.device_id;
}

}  // namespace

void CheckLendable(const Label& what, const DLTensor& own, const DLTensor& lent) {
  if (std::memcmp(&own.dtype, &lent.dtype, sizeof(DLDataType)) != 0) {
    TVM_FFI_THROW(TypeError) << what << ": expected " << DescribeTensor(own) << ", got "
                             << DescribeTensor(lent);
  }
  if (!SameShape(own, lent)) {
    TVM_FFI_THROW(ValueError) << what << ": expected " << DescribeTensor(own) << ", got "
                              << DescribeTensor(lent);
  }
  RequireUsableByKernels(what, own.device, lent);
}

void RequireUsableByKernels(const Label& what, DLDevice device, const DLTensor& lent) {
  RequireDevice(what, device, lent);
  RequireContiguous(what, lent);
  RequireAligned(what, lent);
}

}  // namespace tvmgo
