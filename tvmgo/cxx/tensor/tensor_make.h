// SPDX-License-Identifier: Apache-2.0
//
// Memory on any device, and tensors as views on it. CPU memory is ours; other devices belong to
// libtvm_runtime, reached only when a graph really asks for one.
#ifndef TVMGO_CXX_TENSOR_TENSOR_MAKE_H_
#define TVMGO_CXX_TENSOR_TENSOR_MAKE_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

using Shape = std::vector<int64_t>;

inline const DLTensor& TensorOf(const Ref& tensor) {
  return *TVMFFITensorGetDLTensorPtr(tensor.get());
}

// Allocates at least `nbytes`, given as a tensor of one dimension. CPU memory is zeroed: an
// untrusted graph must not read what the process left in freed memory.
Ref NewMemory(size_t nbytes, DLDevice device);

// Memory that somebody else made, as a tensor of one dimension, and of bytes, that keeps `owner`
// alive.
Ref BorrowMemory(void* data, size_t nbytes, DLDevice device, const Ref& owner);

// A compact view on the first bytes of `source`, which it keeps alive. The caller has made sure
// that it fits. On the CPU the view starts at byte_offset 0, as compiled kernels demand.
Ref ViewTensor(const Ref& source, const Shape& shape, DLDataType dtype);

}  // namespace tvmgo

#endif  // TVMGO_CXX_TENSOR_TENSOR_MAKE_H_
