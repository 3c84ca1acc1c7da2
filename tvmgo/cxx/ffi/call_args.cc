// SPDX-License-Identifier: Apache-2.0
#include "ffi/call_args.h"

#include <sstream>

namespace tvmgo {

std::string_view TypeName(const TVMFFIAny& any) {
  if (IsText(any)) return "a string or bytes";  // which come in six forms, of no use to anyone
  const TVMFFIByteArray& key = TVMFFIGetTypeInfo(any.type_index)->type_key;
  return {key.data, key.size};
}

void CallArgs::RequireSize(int32_t min, int32_t max) const {
  if (size_ >= min && size_ <= max) return;
  std::ostringstream expected;
  expected << min;
  if (max == INT32_MAX) {
    expected << " or more";
  } else if (max != min) {
    expected << " to " << max;
  }
  TVM_FFI_THROW(TypeError) << function_ << ": expected " << expected.str() << " arguments, got "
                           << size_;
}

int64_t CallArgs::Int(int32_t i, const char* name) const {
  const int32_t type = args_[i].type_index;
  if (type != kTVMFFIInt && type != kTVMFFIBool) Fail(i, name, "an integer");
  return args_[i].v_int64;
}

uint32_t CallArgs::Index(int32_t i, const char* name, size_t size) const {
  const int64_t index = Int(i, name);
  if (index < 0 || static_cast<uint64_t>(index) >= size) {
    TVM_FFI_THROW(IndexError) << function_ << ": argument " << i << " (" << name
                              << "): expected an index below " << size << ", got " << index;
  }
  return static_cast<uint32_t>(index);
}

std::string_view CallArgs::Text(int32_t i, const char* name) const {
  if (!IsText(args_[i])) Fail(i, name, "a string or bytes");
  return TextOf(args_[i]);
}

const DLTensor& CallArgs::Tensor(int32_t i, const char* name) const {
  if (args_[i].type_index == kTVMFFITensor) return *TVMFFITensorGetDLTensorPtr(args_[i].v_obj);
  if (args_[i].type_index != kTVMFFIDLTensorPtr) Fail(i, name, "a tensor");
  return *static_cast<const DLTensor*>(args_[i].v_ptr);
}

Ref CallArgs::TensorObject(int32_t i, const char* name) const {
  if (args_[i].type_index != kTVMFFITensor) {
    Fail(i, name, "a tensor object, which can be kept alive");
  }
  return Ref::Share(args_[i].v_obj);
}

Ref CallArgs::Module(int32_t i, const char* name) const {
  if (args_[i].type_index != kTVMFFIModule) Fail(i, name, "a module");
  return Ref::Share(args_[i].v_obj);
}

DLDevice CallArgs::Device(int32_t i) const {
  const int64_t type = Int(i, "device type") % 128;  // RPC callers add the session times 128
  const int64_t id = Int(i + 1, "device id");
  if (type <= 0 || id < 0 || id > INT32_MAX) {
    TVM_FFI_THROW(ValueError) << function_ << ": arguments " << i << " and " << i + 1
                              << ": expected a device type from 1 and a device id from 0, got "
                              << type << " and " << id;
  }
  return TVMFFIDLDeviceFromIntPair(static_cast<int32_t>(type), static_cast<int32_t>(id));
}

std::vector<DLDevice> CallArgs::DevicePairs(int32_t first) const {
  std::vector<DLDevice> devices;
  for (int32_t i = first; i < size_; i += 2) {
    if (i + 1 == size_) {
      TVM_FFI_THROW(TypeError) << function_ << ": argument " << i
                               << " (device type) has no device id after it";
    }
    devices.push_back(Device(i));
  }
  return devices;
}

std::vector<DLDevice> CallArgs::DeviceObjects(int32_t first) const {
  std::vector<DLDevice> devices;
  for (int32_t i = first; i < size_; ++i) {
    if (args_[i].type_index != kTVMFFIDevice) Fail(i, "device", "a device");
    devices.push_back(args_[i].v_device);
  }
  return devices;
}

void CallArgs::Fail(int32_t i, const char* name, const char* expected) const {
  TVM_FFI_THROW(TypeError) << function_ << ": argument " << i << " (" << name << "): expected "
                           << expected << ", got " << TypeName(args_[i]);
  TVM_FFI_UNREACHABLE();
}

}  // namespace tvmgo
