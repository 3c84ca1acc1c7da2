// SPDX-License-Identifier: Apache-2.0
//
// The arguments of one packed call, read with their types checked. Every error names the function,
// the argument, what was expected and what came:
//
//   set_input: argument 1 (value): expected a tensor, got a string or bytes
#ifndef TVMGO_CXX_FFI_CALL_ARGS_H_
#define TVMGO_CXX_FFI_CALL_ARGS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

// The name of a value's type as the runtime knows it.
std::string_view TypeName(const TVMFFIAny& any);

class CallArgs {
 public:
  CallArgs(const char* function, const TVMFFIAny* args, int32_t size)
      : function_(function), args_(args), size_(size) {}

  const char* function() const { return function_; }
  int32_t size() const { return size_; }
  const TVMFFIAny& operator[](int32_t i) const { return args_[i]; }

  // Throws TypeError unless min <= size <= max.
  void RequireSize(int32_t min, int32_t max) const;

  bool IsName(int32_t i) const { return IsText(args_[i]); }
  bool IsNone(int32_t i) const { return args_[i].type_index == kTVMFFINone; }

  int64_t Int(int32_t i, const char* name) const;
  // An integer from 0 to `size` - 1; IndexError outside.
  uint32_t Index(int32_t i, const char* name, size_t size) const;
  // A string or bytes, borrowed.
  std::string_view Text(int32_t i, const char* name) const;
  // A tensor object or a bare DLTensor, borrowed.
  const DLTensor& Tensor(int32_t i, const char* name) const;
  // A tensor object, which can be kept; a bare DLTensor cannot.
  Ref TensorObject(int32_t i, const char* name) const;
  Ref Module(int32_t i, const char* name) const;
  bool IsFunction(int32_t i) const { return args_[i].type_index == kTVMFFIFunction; }
  // A device given as two integers, type and id, from argument i.
  DLDevice Device(int32_t i) const;
  // All arguments from `first` on as devices: given so, or as objects.
  std::vector<DLDevice> DevicePairs(int32_t first) const;
  std::vector<DLDevice> DeviceObjects(int32_t first) const;

  [[noreturn]] void Fail(int32_t i, const char* name, const char* expected) const;

 private:
  const char* function_;
  const TVMFFIAny* args_;
  int32_t size_;
};

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_CALL_ARGS_H_
