// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows tvm-ffi's C++ module class. That interface is
// moving: up to 0.1.15 GetFunction returns Optional<Function>, afterwards a Function that may be
// null. Both are one nullable pointer in memory and both are empty by default, so deriving the type
// is all it takes.
#include "ffi/module_object.h"

#include <tvm/ffi/extra/module.h>

#include <utility>

namespace tvmgo {
namespace {

using tvm::ffi::AnyView;
using tvm::ffi::Module;
using tvm::ffi::ModuleObj;
using tvm::ffi::String;
using FunctionResult =
    decltype(std::declval<ModuleObj&>().GetFunction(std::declval<const String&>()));

class ModuleObject final : public ModuleObj {
 public:
  explicit ModuleObject(std::unique_ptr<ModuleImpl> impl) : impl_(std::move(impl)) {}

  const char* kind() const final { return impl_->kind(); }
  int GetPropertyMask() const final {
    return Module::kRunnable | (impl_->serialisable() ? Module::kBinarySerializable : 0);
  }

  FunctionResult GetFunction(const String& name) final {
    // The object header is not at the start of a class with virtual functions, hence the cast.
    const Ref function = impl_->GetFunction(std::string(name.data(), name.size()),
                                            static_cast<tvm::ffi::Object*>(this));
    if (!function) return FunctionResult();
    return AnyView::CopyFromTVMFFIAny(AnyObject(function.get())).cast<tvm::ffi::Function>();
  }

  ModuleImpl* impl() const { return impl_.get(); }

 private:
  std::unique_ptr<ModuleImpl> impl_;
};

Module ModuleOf(TVMFFIObjectHandle handle) {
  return AnyView::CopyFromTVMFFIAny(AnyObject(handle)).cast<Module>();
}

Ref Share(const AnyView& any) { return Ref::Share(any.CopyToTVMFFIAny().v_obj); }

}  // namespace

Ref NewModule(std::unique_ptr<ModuleImpl> impl) {
  return Share(Module(tvm::ffi::make_object<ModuleObject>(std::move(impl))));
}

ModuleImpl* ImplOf(const Ref& module) {
  const Module held = ModuleOf(module.get());
  const auto* object = dynamic_cast<const ModuleObject*>(held.operator->());
  return object == nullptr ? nullptr : object->impl();
}

std::vector<Ref> ImportsOf(TVMFFIObjectHandle module) {
  std::vector<Ref> imports;
  for (const tvm::ffi::Any& any : ModuleOf(module)->imports()) imports.push_back(Share(any));
  return imports;
}

void ImportModule(const Ref& module, const Ref& imported) {
  ModuleOf(module.get())->ImportModule(ModuleOf(imported.get()));
}

Ref FunctionOf(const Ref& module, std::string_view name, bool query_imports) {
  TVMFFIAny query{};
  query.type_index = kTVMFFIBool;
  query.v_int64 = query_imports;
  const Ref get_function = GetGlobal("ffi.ModuleGetFunction");
  return Call(get_function, AnyObject(module.get()), Value(name).view(), query).TakeObject();
}

}  // namespace tvmgo
