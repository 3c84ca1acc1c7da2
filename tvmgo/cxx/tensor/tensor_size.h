// SPDX-License-Identifier: Apache-2.0
//
// The size and strides of compact tensors, computed so that no number from a file can overflow.
#ifndef TVMGO_CXX_TENSOR_TENSOR_SIZE_H_
#define TVMGO_CXX_TENSOR_TENSOR_SIZE_H_

#include <tvm/ffi/c_api.h>

#include <cstddef>
#include <cstdint>

namespace tvmgo {

// The size in bytes by today's rule (elements below one byte are packed), or false when a dimension
// is negative or the size does not fit. As in NumPy a zero among the dimensions does not excuse the
// others.
inline bool CompactTensorBytes(const int64_t* shape, int32_t ndim, DLDataType dtype,
                               size_t* nbytes) {
  uint64_t bits = static_cast<uint64_t>(dtype.bits) * dtype.lanes;
  bool empty = false;
  for (int32_t i = 0; i < ndim; ++i) {
    if (shape[i] < 0) return false;
    if (shape[i] == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(bits, static_cast<uint64_t>(shape[i]), &bits)) {
      return false;
    }
  }
  if (bits > static_cast<uint64_t>(INT64_MAX) - 7) return false;
  *nbytes = empty ? 0 : static_cast<size_t>((bits + 7) / 8);
  return true;
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_TENSOR_TENSOR_SIZE_H_
