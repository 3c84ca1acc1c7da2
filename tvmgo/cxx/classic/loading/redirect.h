// SPDX-License-Identifier: Apache-2.0
//
// Changing what an opened library calls. Libraries of the `c` target import the services by their
// C names, and where libtvm_runtime has a function of such a name the system's loader takes that.
// But those throw C++ exceptions through the library's frames and forget errors of parallel tasks,
// so such imports are turned to our wrappers, like everybody else's.
#ifndef TVMGO_CXX_CLASSIC_LOADING_REDIRECT_H_
#define TVMGO_CXX_CLASSIC_LOADING_REDIRECT_H_

#include <cstdint>
#include <vector>

namespace tvmgo::classic {

struct Redirection {
  const void* from;
  const void* to;
};

// Replaces addresses in the tables through which a library reaches its imports. `handle` is the
// system's; from `read_only_begin` to `read_only_end` lies what its loader has made read-only after
// filling it.
void RedirectImports(void* handle, uintptr_t read_only_begin, uintptr_t read_only_end,
                     const std::vector<Redirection>& redirections);

}  // namespace tvmgo::classic

#endif  // TVMGO_CXX_CLASSIC_LOADING_REDIRECT_H_
