// SPDX-License-Identifier: Apache-2.0
//
// Walking over a tensor that need not be compact. A run is a stretch of elements that are adjacent
// in memory, so that a slice of rows costs one step per row.
#ifndef TVMGO_CXX_TENSOR_STRIDED_RUNS_H_
#define TVMGO_CXX_TENSOR_STRIDED_RUNS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "capi/kernel_rules.h"
#include "tensor/tensor_copy.h"

namespace tvmgo {

// std::memcpy for what may be a single element: the common sizes need no call.
inline void CopyRun(void* to, const void* from, size_t nbytes) {
  switch (nbytes) {
    case 1:
      std::memcpy(to, from, 1);
      return;
    case 2:
      std::memcpy(to, from, 2);
      return;
    case 4:
      std::memcpy(to, from, 4);
      return;
    case 8:
      std::memcpy(to, from, 8);
      return;
    default:
      std::memcpy(to, from, nbytes);
  }
}

// Calls visit(address, nbytes) for each run of a tensor of `nbytes` bytes, in C order. Throws
// ValueError when the runs would not begin and end with whole bytes.
template <typename Visit>
void ForEachRun(const DLTensor& tensor, size_t nbytes, Visit visit) {
  if (nbytes == 0) return;
  if (TVMGoIsCompact(&tensor)) {
    visit(TensorData(tensor), nbytes);
    return;
  }
  // The last dimensions whose elements are adjacent form the runs, the others are walked.
  int64_t run_length = 1;
  int32_t ndim = tensor.ndim;
  while (tensor.shape[ndim - 1] == 1 || tensor.strides[ndim - 1] == run_length) {
    run_length *= tensor.shape[--ndim];
  }
  const auto element = static_cast<int64_t>(StridedElementBytes(tensor));
  const int64_t extent = tensor.shape[ndim - 1];
  const int64_t step = tensor.strides[ndim - 1] * element;
  std::vector<int64_t> index(ndim - 1, 0);
  char* row = TensorData(tensor);
  while (true) {
    for (int64_t i = 0; i < extent; ++i) {
      visit(row + i * step, static_cast<size_t>(run_length * element));
    }
    int32_t dim = ndim - 2;  // count up, the last of the outer dimensions fastest
    for (; dim >= 0; --dim) {
      const int64_t outer_step = tensor.strides[dim] * element;
      if (++index[dim] < tensor.shape[dim]) {
        row += outer_step;
        break;
      }
      row -= outer_step * (tensor.shape[dim] - 1);
      index[dim] = 0;
    }
    if (dim < 0) return;
  }
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_TENSOR_STRIDED_RUNS_H_
