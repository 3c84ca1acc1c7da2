// SPDX-License-Identifier: Apache-2.0
//
// Byte copies between tensors, on the rule of the classic executor: only the total sizes must
// agree, shapes and element types may differ.
#ifndef TVMGO_CXX_TENSOR_TENSOR_COPY_H_
#define TVMGO_CXX_TENSOR_TENSOR_COPY_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>
#include <string>

#include "ffi/error_context.h"
#include "ffi/ffi.h"

namespace tvmgo {

// The tensor's size in bytes when laid out compactly.
size_t TensorBytes(const DLTensor& tensor);

// The bytes of one element of a strided tensor. Throws ValueError when elements share bytes.
size_t StridedElementBytes(const DLTensor& tensor);

bool SameShape(const DLTensor& a, const DLTensor& b);

// The address of the first element.
inline char* TensorData(const DLTensor& tensor) {
  return static_cast<char*>(tensor.data) + tensor.byte_offset;
}

// "float32[2, 3]", for error messages.
std::string DescribeTensor(const DLTensor& tensor);

// Throws ValueError unless both tensors have the same size.
void RequireSameSize(const ErrorContext& what, const DLTensor& expected, const DLTensor& got);

// Copies all elements in C order; the sizes have been checked. On the CPU either side may be
// strided and the two may overlap; any other device goes through libtvm_runtime, whose target must
// be compact.
void CopyTensor(const DLTensor& from, const DLTensor& to);

// A compact copy in new memory.
Ref CopyToDevice(const DLTensor& from, DLDevice device);

// libtvm_runtime's copy function, (from, to); RuntimeError when it is not loaded.
Ref RuntimeCopyFunction();

}  // namespace tvmgo

#endif  // TVMGO_CXX_TENSOR_TENSOR_COPY_H_
