// SPDX-License-Identifier: Apache-2.0
#include "ffi/globals.h"

namespace tvmgo {
namespace {

int CallGlobal(void* self, const TVMFFIAny* packed, int32_t num_args, TVMFFIAny* result) {
  return CatchErrors([=] {
    const auto* global = static_cast<const GlobalFunction*>(self);
    global->call(CallArgs(global->name, packed, num_args)).MoveTo(result);
  });
}

// tvmgo's Python side knows where the libraries lie; elsewhere there is no such function.
void CallIfThere(std::string_view loader) {
  if (const Ref load = FindGlobal(loader)) Call(load);
}

}  // namespace

void RegisterGlobal(const GlobalFunction* function) {
  TVMFFIObjectHandle handle = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIFunctionCreate(const_cast<GlobalFunction*>(function), CallGlobal,
                                               /*deleter=*/nullptr, &handle));
  const Ref object = Ref::Steal(handle);
  const std::string_view name = function->name;
  const TVMFFIByteArray bytes{name.data(), name.size()};
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIFunctionSetGlobal(&bytes, object.get(), /*allow_override=*/1));
}

void LoadExtraFunctions() { CallIfThere("tvmgo.load_runtime_extra"); }
void LoadDeviceFunctions() { CallIfThere("tvmgo.load_device_library"); }

Ref FindGlobalOrExtra(std::string_view name) {
  if (Ref function = FindGlobal(name)) return function;
  LoadExtraFunctions();
  return FindGlobal(name);
}

}  // namespace tvmgo
