// SPDX-License-Identifier: Apache-2.0
//
// Modules of the runtime whose functions come from code of ours. What a module does is a
// ModuleImpl; making it an object of the runtime is the business of module_object.cc alone.
#ifndef TVMGO_CXX_FFI_MODULE_OBJECT_H_
#define TVMGO_CXX_FFI_MODULE_OBJECT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffi/ffi.h"

namespace tvmgo {

class ModuleImpl {
 public:
  virtual ~ModuleImpl() = default;

  // The module's kind, as the runtime shows it.
  virtual const char* kind() const = 0;
  // Whether it calls itself serialisable, as shared libraries do: whoever writes a tree of modules
  // to a file leaves a place for it.
  virtual bool serialisable() const { return false; }
  // The function of that name, or null. `self`, the module, is borrowed; a function that needs it
  // shares it.
  virtual Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) = 0;
};

// A module that behaves so.
Ref NewModule(std::unique_ptr<ModuleImpl> impl);

// What a module of ours does, borrowed; null for one of others.
ModuleImpl* ImplOf(const Ref& module);

// The modules it imports.
std::vector<Ref> ImportsOf(TVMFFIObjectHandle module);
void ImportModule(const Ref& module, const Ref& imported);

// A function of a module, or null. `query_imports` also looks into what that imports, depth first.
Ref FunctionOf(const Ref& module, std::string_view name, bool query_imports);

// A function object around `state`, which it owns.
template <typename State>
Ref NewFunction(std::unique_ptr<State> state, TVMFFISafeCallType call) {
  const auto destroy = [](void* self) { delete static_cast<State*>(self); };
  TVMFFIObjectHandle function = nullptr;
  TVM_FFI_CHECK_SAFE_CALL(TVMFFIFunctionCreate(state.get(), call, destroy, &function));
  state.release();
  return Ref::Steal(function);
}

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_MODULE_OBJECT_H_
