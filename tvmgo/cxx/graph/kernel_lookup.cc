// SPDX-License-Identifier: Apache-2.0
#include "graph/kernel_lookup.h"

#include "ffi/globals.h"
#include "ffi/module_object.h"

namespace tvmgo {

Ref GetKernel(const Ref& library, const std::string& name) {
  if (library) {
    if (Ref kernel = FunctionOf(library, name, /*query_imports=*/true)) return kernel;
  }
  if (Ref kernel = FindGlobalOrExtra(name)) return kernel;
  TVM_FFI_THROW(KeyError) << "no such function in module: " << name
                          << " (nor among the global functions)";
  TVM_FFI_UNREACHABLE();
}

}  // namespace tvmgo
