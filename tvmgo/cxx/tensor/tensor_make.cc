// SPDX-License-Identifier: Apache-2.0
#include "tensor/tensor_make.h"

#include <memory>

#include "capi/cpu_tensor.h"
#include "tensor/tensor_size.h"

namespace tvmgo {
namespace {

// Memory is counted in float32, as in the reference, so that any device aligns it for numbers.
constexpr DLDataType kUnit = {kDLFloat, 32, 1};
constexpr size_t kUnitBytes = 4;

Ref NewCPUMemory(int64_t length, int32_t device_id) {
  TVMFFIObjectHandle handle = nullptr;
  const size_t nbytes = static_cast<size_t>(length) * kUnitBytes;
  TVM_FFI_CHECK_SAFE_CALL(
      TVMGoNewCPUTensor(&length, 1, kUnit, device_id, nbytes, /*zeroed=*/1, &handle));
  return Ref::Steal(handle);
}

Ref NewDeviceMemory(int64_t length, DLDevice device) {
  const Ref allocate = FindGlobal("runtime.TVMTensorAllocWithScope");
  if (!allocate) {
    TVM_FFI_THROW(RuntimeError) << "memory on device type " << device.device_type
                                << " needs libtvm_runtime, which is not loaded";
  }
  TVMFFIAny dtype{};
  dtype.type_index = kTVMFFIDataType;
  dtype.v_dtype = kUnit;
  const Value shape = Call(GetGlobal("ffi.Shape"), AnyInt(length));
  return Call(allocate, shape.view(), dtype, AnyDevice(device), AnyNone()).TakeObject();
}

// What a tensor over somebody else's memory holds.
struct Borrowed {
  DLManagedTensor managed{};
  int64_t length = 0;
  Ref owner;

  static void Delete(DLManagedTensor* managed) {
    delete static_cast<Borrowed*>(managed->manager_ctx);
  }
};

}  // namespace

Ref NewMemory(size_t nbytes, DLDevice device) {
  const auto length = static_cast<int64_t>(nbytes / kUnitBytes + (nbytes % kUnitBytes != 0));
  if (device.device_type == kDLCPU) return NewCPUMemory(length, device.device_id);
  return NewDeviceMemory(length, device);
}

Ref BorrowMemory(void* data, size_t nbytes, DLDevice device, const Ref& owner) {
  auto borrowed = std::make_unique<Borrowed>();
  borrowed->length = static_cast<int64_t>(nbytes);
  borrowed->owner = owner;
  DLTensor& tensor = borrowed->managed.dl_tensor;
  tensor.data = data;
  tensor.device = device;
  tensor.ndim = 1;
  tensor.dtype = DLDataType{kDLUInt, 8, 1};
  tensor.shape = &borrowed->length;
  borrowed->managed.manager_ctx = borrowed.get();
  borrowed->managed.deleter = Borrowed::Delete;
  TVMFFIObjectHandle handle = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFITensorFromDLPack(&borrowed->managed, /*require_alignment=*/0,
                                                 /*require_contiguous=*/0, &handle));
  borrowed.release();
  return Ref::Steal(handle);
}

Ref ViewTensor(const Ref& source, const Shape& shape, DLDataType dtype) {
  DLTensor prototype = TensorOf(source);
  if (prototype.device.device_type == kDLCPU) {
    prototype.data = static_cast<char*>(prototype.data) + prototype.byte_offset;
    prototype.byte_offset = 0;
  }
  Shape strides(shape.size() + 1);  // never empty: the runtime insists on a pointer
  prototype.ndim = static_cast<int32_t>(shape.size());
  prototype.dtype = dtype;
  prototype.shape = const_cast<int64_t*>(shape.data());
  prototype.strides = strides.data();
  TVMGoFillCompactStrides(shape.data(), prototype.ndim, strides.data());
  TVMFFIObjectHandle view = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFITensorCreateUnsafeView(source.get(), &prototype, &view));
  return Ref::Steal(view);
}

}  // namespace tvmgo
