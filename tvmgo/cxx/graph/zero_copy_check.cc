// SPDX-License-Identifier: Apache-2.0
#include "graph/zero_copy_check.h"

#include <cstring>

#include "capi/kernel_rules.h"
#include "ffi/ffi.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {
namespace {

bool IsOn(DLDevice device, const DLTensor& given) {
  return device.device_type == given.device.device_type &&
         device.device_id == given.device.device_id;
}

}  // namespace

void RequireLike(const ErrorContext& what, const DLTensor& expected, const DLTensor& given) {
  if (std::memcmp(&expected.dtype, &given.dtype, sizeof(DLDataType)) != 0) {
    TVM_FFI_THROW(TypeError) << what << ": expected " << DescribeTensor(expected) << ", got "
                             << DescribeTensor(given);
  }
  if (!SameShape(expected, given)) {
    TVM_FFI_THROW(ValueError) << what << ": expected " << DescribeTensor(expected) << ", got "
                              << DescribeTensor(given);
  }
}

void CheckZeroCopy(const ErrorContext& what, const DLTensor& own, const DLTensor& given,
                   const char* advice) {
  RequireLike(what, own, given);
  RequireUsableByKernels(what, own.device, given, advice);
}

void RequireUsableByKernels(const ErrorContext& what, DLDevice device, const DLTensor& given,
                            const char* advice) {
  if (!IsOn(device, given)) {
    TVM_FFI_THROW(ValueError) << what << ": expected a tensor on device " << device.device_type
                              << ":" << device.device_id << ", got " << given.device.device_type
                              << ":" << given.device.device_id << advice;
  }
  if (!TVMGoIsCompact(&given)) {
    TVM_FFI_THROW(ValueError) << what << ": expected a contiguous tensor, got one that "
                              << "is not contiguous" << advice;
  }
  if (!TVMGoIsAligned(&given)) {
    TVM_FFI_THROW(ValueError) << what << ": expected memory aligned to " << TVMGO_KERNEL_ALIGNMENT
                              << " bytes, as tvmgo.array and tvmgo.empty make it, got the address "
                              << static_cast<void*>(TensorData(given)) << advice;
  }
}

bool IsUsableByKernels(DLDevice device, const DLTensor& given) {
  return IsOn(device, given) && TVMGoIsCompact(&given) && TVMGoIsAligned(&given);
}

}  // namespace tvmgo
