// SPDX-License-Identifier: Apache-2.0
//
// The runtime's global functions: putting ours among them, and finding those of others.
#ifndef TVMGO_CXX_FFI_GLOBALS_H_
#define TVMGO_CXX_FFI_GLOBALS_H_

#include <cstddef>
#include <string_view>

#include "ffi/call_args.h"
#include "ffi/ffi.h"

namespace tvmgo {

struct GlobalFunction {
  const char* name;
  Value (*call)(const CallArgs& args);
};

// Registers a function, replacing another of the same name. `function` is never let go of.
void RegisterGlobal(const GlobalFunction* function);

template <size_t size>
void RegisterGlobals(const GlobalFunction (&functions)[size]) {
  for (const GlobalFunction& function : functions) RegisterGlobal(&function);
}

// The global function of that name, or null. What is missing may be one of the runtime's extra
// functions (sort, topk, random), whose library is loaded only then.
Ref FindGlobalOrExtra(std::string_view name);

// Loads the library with the runtime's extra functions, if there is one.
void LoadExtraFunctions();
// Loads the library with what the runtime needs for devices other than the host, if there is one.
void LoadDeviceFunctions();

}  // namespace tvmgo

#endif  // TVMGO_CXX_FFI_GLOBALS_H_
