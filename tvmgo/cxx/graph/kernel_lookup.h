// SPDX-License-Identifier: Apache-2.0
#ifndef TVMGO_CXX_GRAPH_KERNEL_LOOKUP_H_
#define TVMGO_CXX_GRAPH_KERNEL_LOOKUP_H_

#include <string>

#include "ffi/ffi.h"

namespace tvmgo {

// The function an operator calls: from the library and what it imports, or else from the global
// functions, the runtime's extra ones included. `library` is a module, or none when the global
// functions are all the kernels there are. Throws KeyError when there is no such function.
Ref GetKernel(const Ref& library, const std::string& name);

}  // namespace tvmgo

#endif  // TVMGO_CXX_GRAPH_KERNEL_LOOKUP_H_
