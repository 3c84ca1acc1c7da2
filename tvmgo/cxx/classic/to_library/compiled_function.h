// SPDX-License-Identifier: Apache-2.0
//
// The folder to_library: calls from the runtime into a classic library. Arguments are converted to
// its convention, and its result or error back. Here: one function of a classic library as an
// ordinary function of the runtime.
#ifndef TVMGO_CXX_CLASSIC_TO_LIBRARY_COMPILED_FUNCTION_H_
#define TVMGO_CXX_CLASSIC_TO_LIBRARY_COMPILED_FUNCTION_H_

#include <string>

#include "classic/abi.h"
#include "classic/loading/context.h"

namespace tvmgo::classic {

// `module` is kept alive, and with it the library. `calls_runtime`: the library calls functions of
// libtvm_runtime itself, which leave their errors with the thread and not with us.
Ref NewCompiledFunction(std::string name, PackedFunction code, Context* context, Ref module,
                        bool calls_runtime);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_TO_LIBRARY_COMPILED_FUNCTION_H_
