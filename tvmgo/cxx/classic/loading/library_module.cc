// SPDX-License-Identifier: Apache-2.0
#include "classic/loading/library_module.h"

#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include "classic/loading/system_symbols.h"
#include "classic/to_library/compiled_function.h"
#include "ffi/module_object.h"

namespace tvmgo::classic {
namespace {

constexpr char kEntry[] = "__tvm_main__";

class LibraryModule final : public ModuleImpl {
 public:
  explicit LibraryModule(ContextRef context) : context_(std::move(context)) {}

  const char* kind() const final { return kClassicLibrary; }
  bool serialisable() const final { return true; }

  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final {
    PackedFunction code = name == "main" || name == kEntry ? FindEntry() : nullptr;
    if (code == nullptr) code = context_->library().FindFunction(name);
    if (code == nullptr) return Ref();
    return NewCompiledFunction(name, code, context_.get(), Ref::Share(self),
                               /*calls_runtime=*/false);
  }

 private:
  // Libraries of the `c` target define the entry itself, all others a text that names it.
  PackedFunction FindEntry() const {
    const Library& library = context_->library();
    if (const PackedFunction code = library.FindFunction(kEntry)) return code;
    const std::string_view text = library.FindBytes(kEntry);
    const size_t end = text.find('\0');
    if (end == std::string_view::npos) return nullptr;
    return library.FindFunction(std::string(text.substr(0, end)));
  }

  ContextRef context_;
};

class SystemLibraryModule final : public ModuleImpl {
 public:
  SystemLibraryModule(std::string prefix, Context* context)
      : prefix_(std::move(prefix)), context_(context) {}

  const char* kind() const final { return kClassicLibrary; }
  bool serialisable() const final { return true; }

  Ref GetFunction(const std::string& name, TVMFFIObjectHandle self) final {
    if (name.rfind("__tvm_", 0) == 0) return Ref();  // variables are registered as well
    void* address = SystemSymbols::Find(prefix_, name);
    if (address == nullptr) return Ref();
    return NewCompiledFunction(name, reinterpret_cast<PackedFunction>(address), context_,
                               Ref::Share(self), /*calls_runtime=*/true);
  }

 private:
  std::string prefix_;
  Context* context_;
};

}  // namespace

Ref NewLibraryModule(ContextRef context) {
  return NewModule(std::make_unique<LibraryModule>(std::move(context)));
}

Context* BindSystemLibrary(const std::string& prefix) {
  void* place = SystemSymbols::Find(prefix, "__tvm_module_ctx");
  Context* context = Context::OfSystemLibrary(place);
  if (place != nullptr) std::memcpy(place, &context, sizeof(context));
  return context;
}

Ref NewSystemLibraryModule(std::string prefix, Context* context) {
  return NewModule(std::make_unique<SystemLibraryModule>(std::move(prefix), context));
}

}  // namespace tvmgo::classic
