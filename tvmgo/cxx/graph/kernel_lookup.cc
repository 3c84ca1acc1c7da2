// SPDX-License-Identifier: Apache-2.0
#include "graph/kernel_lookup.h"

#include "ffi/module_object.h"

namespace tvmgo {

Ref KernelLookup::Get(const std::string& name) {
  Ref kernel = Find(name);
  if (!kernel) {
    LoadExtra();
    kernel = Find(name);
  }
  if (!kernel) {
    TVM_FFI_THROW(KeyError) << "no such function in module: " << name
                            << " (nor among the global functions)";
  }
  return kernel;
}

Ref KernelLookup::Find(const std::string& name) const {
  if (library_) {
    if (Ref kernel = FunctionOf(library_, name, /*query_imports=*/true)) return kernel;
  }
  return FindGlobal(name);
}

// tvmgo's Python side knows where libtvm_runtime_extra lies; elsewhere there is no such function.
void KernelLookup::LoadExtra() {
  if (extra_loaded_) return;
  extra_loaded_ = true;
  if (Ref load = FindGlobal("tvmgo.load_runtime_extra")) Call(load);
}

}  // namespace tvmgo
