// SPDX-License-Identifier: Apache-2.0
//
// A classic library as a module of the runtime, of kind "classic_library". Its functions are the
// functions the file exports; "main", which is what calling a module means, is its entry function.
#ifndef TVMGO_CXX_CLASSIC_LOADING_LIBRARY_MODULE_H_
#define TVMGO_CXX_CLASSIC_LOADING_LIBRARY_MODULE_H_

#include <string>

#include "classic/loading/context.h"

namespace tvmgo::classic {

constexpr char kClassicLibrary[] = "classic_library";

Ref NewLibraryModule(ContextRef context);

// Fills the `__tvm_module_ctx` of the "system library" with that prefix, if it has registered one,
// and returns the Context that it points to now.
Context* BindSystemLibrary(const std::string& prefix);

// The functions that libraries opened by others have registered as a "system library". A name is
// looked up with the prefix first, then as it is.
Ref NewSystemLibraryModule(std::string prefix, Context* context);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_LIBRARY_MODULE_H_
