// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_copy.h"

#include <cstring>
#include <sstream>
#include <vector>

#include "capi/kernel_rules.h"
#include "tensor/dtype_string.h"
#include "tensor/strided_runs.h"
#include "tensor/tensor_make.h"
#include "tensor/tensor_size.h"

namespace tvmgo {
namespace {

bool IsCPU(const DLTensor& tensor) { return tensor.device.device_type == kDLCPU; }

void Gather(const DLTensor& from, size_t nbytes, char* to) {
  ForEachRun(from, nbytes, [&to](const char* run, size_t size) {
    CopyRun(to, run, size);
    to += size;
  });
}

void Scatter(const char* from, const DLTensor& to, size_t nbytes) {
  ForEachRun(to, nbytes, [&from](char* run, size_t size) {
    CopyRun(run, from, size);
    from += size;
  });
}

void CopyOnCPU(const DLTensor& from, const DLTensor& to, size_t nbytes) {
  if (nbytes == 0) return;
  if (TVMGoIsCompact(&from) && TVMGoIsCompact(&to)) {
    std::memmove(TensorData(to), TensorData(from), nbytes);
    return;
  }
  // A strided side goes through a compact copy, which makes overlap harmless.
  std::vector<char> compact(nbytes);
  Gather(from, nbytes, compact.data());
  Scatter(compact.data(), to, nbytes);
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

bool SameShape(const DLTensor& a, const DLTensor& b) {
  return a.ndim == b.ndim &&
         (a.ndim == 0 || std::memcmp(a.shape, b.shape, sizeof(int64_t) * a.ndim) == 0);
}

size_t StridedElementBytes(const DLTensor& tensor) {
  const size_t bits = static_cast<size_t>(tensor.dtype.bits) * tensor.dtype.lanes;
  if (bits % 8 != 0) {
    TVM_FFI_THROW(ValueError) << "cannot copy strided elements of " << DTypeName(tensor.dtype)
                              << ", which share bytes";
  }
  return bits / 8;
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
  } else if (IsCPU(from) && !TVMGoIsCompact(&from)) {
    const Ref compact = CopyToDevice(from, from.device);
    CopyThroughRuntime(TensorOf(compact), to);
  } else {
    CopyThroughRuntime(from, to);
  }
}

Ref CopyToDevice(const DLTensor& from, DLDevice device) {
  const size_t nbytes = TensorBytes(from);
  Ref copy =
      ViewTensor(NewMemory(nbytes, device), Shape(from.shape, from.shape + from.ndim), from.dtype);
  if (IsCPU(from) && IsCPU(TensorOf(copy))) {
    Gather(from, nbytes, TensorData(TensorOf(copy)));  // new memory, which nothing overlaps
  } else {
    CopyTensor(from, TensorOf(copy));
  }
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
