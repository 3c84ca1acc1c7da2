// SPDX-License-Identifier: Apache-2.0
//
// The strided walk visits runs of adjacent elements, so that a slice of rows
// costs one memcpy per row.
#include "tensor/tensor_copy.h"

#include <cstring>
#include <sstream>
#include <vector>

#include "tensor/dtype_string.h"
#include "tensor/tensor_make.h"
#include "tensor/tensor_size.h"

namespace tvmgo {
namespace {

bool IsCPU(const DLTensor& tensor) { return tensor.device.device_type == kDLCPU; }

size_t ElementBytes(const DLTensor& tensor) {
  const size_t bits = static_cast<size_t>(tensor.dtype.bits) * tensor.dtype.lanes;
  if (bits % 8 != 0) {
    TVM_FFI_THROW(ValueError) << "cannot copy strided elements of " << DTypeName(tensor.dtype)
                              << ", which share bytes";
  }
  return bits / 8;
}

// Splits the dimensions in two: the last ones, whose elements are adjacent in memory, form runs of
// `run_length` elements; returns how many dimensions lead before them.
int32_t LeadingDims(const DLTensor& tensor, int64_t* run_length) {
  int32_t ndim = tensor.ndim;
  *run_length = 1;
  while (ndim > 0 && (tensor.shape[ndim - 1] == 1 || tensor.strides[ndim - 1] == *run_length)) {
    *run_length *= tensor.shape[--ndim];
  }
  return ndim;
}

// Calls visit(address, nbytes) for each run of adjacent elements of a non-empty strided tensor, in
// C order.
template <typename Visit>
void ForEachRun(const DLTensor& tensor, Visit visit) {
  const auto element = static_cast<int64_t>(ElementBytes(tensor));
  int64_t run_length;
  const int32_t ndim = LeadingDims(tensor, &run_length);
  std::vector<int64_t> index(ndim, 0);
  char* address = TensorData(tensor);
  while (true) {
    visit(address, static_cast<size_t>(run_length * element));
    int32_t dim = ndim - 1;  // count up, the last dimension fastest
    for (; dim >= 0; --dim) {
      const int64_t step = tensor.strides[dim] * element;
      if (++index[dim] < tensor.shape[dim]) {
        address += step;
        break;
      }
      address -= step * (tensor.shape[dim] - 1);
      index[dim] = 0;
    }
    if (dim < 0) return;
  }
}

void Gather(const DLTensor& from, char* to) {
  ForEachRun(from, [&to](const char* run, size_t nbytes) {
    std::memcpy(to, run, nbytes);
    to += nbytes;
  });
}

void Scatter(const char* from, const DLTensor& to) {
  ForEachRun(to, [&from](char* run, size_t nbytes) {
    std::memcpy(run, from, nbytes);
    from += nbytes;
  });
}

void CopyOnCPU(const DLTensor& from, const DLTensor& to, size_t nbytes) {
  if (nbytes == 0) return;
  if (IsContiguous(from) && IsContiguous(to)) {
    std::memmove(TensorData(to), TensorData(from), nbytes);
    return;
  }
  // A strided side goes through a compact copy, which makes overlap harmless.
  std::vector<char> compact(nbytes);
  if (IsContiguous(from)) {
    std::memcpy(compact.data(), TensorData(from), nbytes);
  } else {
    Gather(from, compact.data());
  }
  if (IsContiguous(to)) {
    std::memcpy(TensorData(to), compact.data(), nbytes);
  } else {
    Scatter(compact.data(), to);
  }
}

void CopyThroughRuntime(const DLTensor& from, const DLTensor& to) {
  TVMFFIAny args[2] = {};
  args[0].type_index = args[1].type_index = kTVMFFIDLTensorPtr;
  args[0].v_ptr = const_cast<DLTensor*>(&from);
  args[1].v_ptr = const_cast<DLTensor*>(&to);
  CallPacked(RuntimeCopyFunction(), args, 2);
}

}  // namespace

size_t TensorBytes(const DLTensor& tensor) {
  size_t nbytes;
  if (!CompactTensorBytes(tensor.shape, tensor.ndim, tensor.dtype, &nbytes)) {
    TVM_FFI_THROW(ValueError) << "a tensor's size does not fit in memory";
  }
  return nbytes;
}

bool IsContiguous(const DLTensor& tensor) {
  if (tensor.strides == nullptr) return true;
  for (int32_t i = 0; i < tensor.ndim; ++i) {
    if (tensor.shape[i] == 0) return true;
  }
  int64_t run_length;
  return LeadingDims(tensor, &run_length) == 0;
}

bool SameShape(const DLTensor& a, const DLTensor& b) {
  return a.ndim == b.ndim &&
         (a.ndim == 0 || std::memcmp(a.shape, b.shape, sizeof(int64_t) * a.ndim) == 0);
}

std::string DescribeTensor(const DLTensor& tensor) {
  std::ostringstream text;
  text << DTypeName(tensor.dtype) << '[';
  for (int32_t i = 0; i < tensor.ndim; ++i) text << (i == 0 ? "" : ", ") << tensor.shape[i];
  text << ']';
  return text.str();
}

void RequireSameSize(const ErrorContext& what, const DLTensor& expected, const DLTensor& got) {
  const size_t expected_bytes = TensorBytes(expected);
  const size_t got_bytes = TensorBytes(got);
  if (expected_bytes == got_bytes) return;
  TVM_FFI_THROW(ValueError) << what << ": expected " << expected_bytes << " bytes ("
                            << DescribeTensor(expected) << "), got " << got_bytes << " bytes ("
                            << DescribeTensor(got) << "). The size must exactly match";
}

void CopyTensor(const DLTensor& from, const DLTensor& to) {
  if (IsCPU(from) && IsCPU(to)) {
    CopyOnCPU(from, to, TensorBytes(from));
  } else if (IsCPU(from) && !IsContiguous(from)) {
    const Ref compact = CopyToDevice(from, from.device);
    CopyThroughRuntime(TensorOf(compact), to);
  } else {
    CopyThroughRuntime(from, to);
  }
}

Ref CopyToDevice(const DLTensor& from, DLDevice device) {
  Ref copy = ViewTensor(NewMemory(TensorBytes(from), device),
                        Shape(from.shape, from.shape + from.ndim), from.dtype);
  CopyTensor(from, TensorOf(copy));
  return copy;
}

Ref RuntimeCopyFunction() {
  Ref copy = FindGlobal("runtime.TVMTensorCopyFromTo");
  if (!copy) {
    TVM_FFI_THROW(RuntimeError) << "copies from or to a device other than the CPU need "
                                << "libtvm_runtime, which is not loaded";
  }
  return copy;
}

}  // namespace tvmgo
